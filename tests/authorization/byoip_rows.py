"""Verification tokens, and ranges and ASNs that are brought along (BYOIP-2, BYOIP-6, ASN-1)."""

from functools import partial

from tests.authorization.callers import ABROAD, ADMINISTRATOR
from tests.authorization.row import (
    ALLOWED,
    EVERYBODYS,
    HIDDEN,
    ITS_ALONE,
    SHOWN_TO_IT_ALONE,
    Row,
    outcomes,
)
from tests.authorization.services import BYOIP
from tests.authorization.things import Things

_CIDR, _ASN = "130.137.245.0/24", "3333"
_NOBODYS = outcomes("InvalidParameterValue", {})
"""The range and the ASN are nobody's, which all are told alike."""

_byoip = partial(Row, BYOIP, is_about_owners=True)


def _signed(it: Things, subject: str) -> dict[str, str]:
    return {
        "message": f"1|aws|{it.account_id}|{subject}|20991231|SHA256|RSAPSS",
        "signature": "c2lnbmF0dXJl",
    }


ROWS = [
    _byoip(
        "CreateIpamExternalResourceVerificationToken",
        ITS_ALONE,
        lambda it: {"ipam_id": it.ipam_id},
    ),
    _byoip(
        "DescribeIpamExternalResourceVerificationTokens",
        SHOWN_TO_IT_ALONE,
        note="all",
        shows=lambda it: it.verification_token_id,
    ),
    _byoip(
        "DescribeIpamExternalResourceVerificationTokens",
        ITS_ALONE,
        lambda it: {"ipam_external_resource_verification_token_ids": [it.verification_token_id]},
    ),
    _byoip(
        "DeleteIpamExternalResourceVerificationToken",
        ITS_ALONE,
        lambda it: {"ipam_external_resource_verification_token_id": it.verification_token_id},
    ),
    Row(
        BYOIP,
        "ProvisionIpamByoasn",
        # The message is the administrator's, so that nobody else's account is the right one.
        outcomes("InvalidParameterValue", {ADMINISTRATOR: ALLOWED, ABROAD: HIDDEN}),
        lambda it: {
            "ipam_id": it.ipam_id,
            "asn": _ASN,
            "asn_authorization_context": _signed(it, _ASN),
        },
    ),
    Row(BYOIP, "DescribeIpamByoasn", EVERYBODYS),
    _byoip(
        "DeprovisionIpamByoasn",
        outcomes(HIDDEN, {ADMINISTRATOR: "InvalidParameterValue"}),
        lambda it: {"ipam_id": it.ipam_id, "asn": "3334"},
    ),
    *(
        Row(BYOIP, rpc, _NOBODYS, lambda _: {"asn": _ASN, "cidr": _CIDR})
        for rpc in ("AssociateIpamByoasn", "DisassociateIpamByoasn")
    ),
    *(
        Row(BYOIP, rpc, _NOBODYS, lambda _: {"cidr": _CIDR})
        for rpc in ("AdvertiseByoipCidr", "WithdrawByoipCidr", "DeprovisionByoipCidr")
    ),
    Row(
        BYOIP,
        "ProvisionByoipCidr",
        _NOBODYS,
        lambda it: {
            "cidr": "10.0.0.0/16",
            "cidr_authorization_context": _signed(it, "10.0.0.0/16"),
        },
    ),
    Row(BYOIP, "DescribeByoipCidrs", EVERYBODYS, lambda _: {"max_results": 10}),
    Row(
        BYOIP,
        "MoveByoipCidrToIpam",
        _NOBODYS,
        lambda it: {
            "cidr": _CIDR,
            "ipam_pool_id": it.ipam_pool_id,
            "ipam_pool_owner": it.account_id,
        },
    ),
]
