"""Who calls, and with what proof of it."""

import jwt

from shared.caller import Caller
from shared.identity import TokenSigner

HOME, WEST, ELSEWHERE = "us-east-1", "us-west-2", "eu-west-1"

OUTSIDER = "outsider"
"""In no organization, and nothing is shared with it."""
OWNER = "owner"
"""Has an IPAM for its one account, outside any organization."""
MEMBER = "other member"
"""Of the organization; nothing is shared with it."""
DISCOVERER = "principal of a resource discovery"
"""With AWSRAMPermissionIpamResourceDiscovery, by invitation; manages an organization of its own."""
IMPORTER = "principal who may import"
"""Of the organization, with AWSRAMPermissionIpamPoolByoipCidrImport for the shared pool."""
USER = "principal who may allocate"
"""Of the organization, with AWSRAMDefaultPermissionsIpamPool for the shared pool."""
ABROAD = "delegated administrator abroad"
"""The delegated administrator, in a region in which its IPAM does not operate."""
ADMINISTRATOR = "delegated administrator"
"""Of IPAM for the organization."""
MANAGER = "management account"
"""Of the organization."""

CALLERS = (
    OUTSIDER,
    OWNER,
    MEMBER,
    DISCOVERER,
    IMPORTER,
    USER,
    ABROAD,
    ADMINISTRATOR,
    MANAGER,
)
"""In the order in which they ask: who may do what is asked, without a dry run, comes last."""

_LONG_AGO = 1_000_000_000


def bearer(signer: TokenSigner, account_id: str, region: str = HOME, service: str = "") -> str:
    """The proof of a caller as the gateway makes it."""
    return f"Bearer {signer.token_for(Caller(account_id, region, 'tester', service=service))}"


def unsigned(secret: bytes, account_id: str) -> dict[str, str]:
    """What proves nothing, by what is wrong with it."""
    good = bearer(TokenSigner(secret), account_id)
    head, _, signature = good.split(".")
    other_body = bearer(TokenSigner(secret), account_id[::-1]).split(".")[1]
    claims = jwt.decode(good.removeprefix("Bearer "), options={"verify_signature": False})
    return {
        "no token": "",
        "no bearer": good.replace("Bearer", "Basic"),
        "no token of ours": "Bearer made-up",
        "expired": bearer(TokenSigner(secret, clock=lambda: _LONG_AGO), account_id),
        "signed with another key": bearer(TokenSigner(bytes(32)), account_id),
        "changed after signing": ".".join([head, other_body, signature]),
        "not signed": f"Bearer {jwt.encode(claims, '', algorithm='none')}",
    }
