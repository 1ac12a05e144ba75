"""The delegated administrator's shares, and what came of them; made through the API."""

from collections.abc import Mapping

from shared.ids import arn
from tests.authorization.callers import ADMINISTRATOR, DISCOVERER, HOME, IMPORTER, USER, WEST
from tests.authorization.installation import Installation
from tests.authorization.pools import a_pool
from tests.authorization.services import (
    ALLOCATION,
    CONTROL,
    DEFAULT_PERMISSION,
    DISCOVERY_PERMISSION,
    IMPORT_PERMISSION,
    PLACEMENT,
    SHARING,
)
from tests.authorization.things import Things
from tests.authorization.world import SECRETS
from tests.waiting import eventually

USERS_CIDR = "10.1.3.0/24"


async def shares(it: Installation, its: Things, accounts: Mapping[str, str]) -> dict[str, str]:
    """One with each permission, and two that nobody has answered yet."""
    discoverer = accounts[DISCOVERER]

    async def share(
        resource_arn: str, permission_arn: str, principal: str, region: str = HOME
    ) -> str:
        made = await it.do(
            its.account_id,
            f"{SHARING}/CreateResourceShare",
            region=region,
            name="share",
            resource_arns=[resource_arn],
            permission_arns=[permission_arn],
            principals=[principal],
            tags=[{"key": "note", "value": SECRETS[ADMINISTRATOR]}],
        )
        return str(made.resource_share.resource_share_arn)

    async def invitation_to(share_arn: str) -> str:
        answer = await it.do(
            discoverer, f"{SHARING}/GetResourceShareInvitations", resource_share_arns=[share_arn]
        )
        [invitation] = answer.resource_share_invitations
        return str(invitation.resource_share_invitation_arn)

    user_share = await share(its.ipam_pool_arn, DEFAULT_PERMISSION, accounts[USER])
    import_share = await share(its.ipam_pool_arn, IMPORT_PERMISSION, accounts[IMPORTER])
    accepted, pending, other = [
        await share(its.resource_discovery_arn, DISCOVERY_PERMISSION, discoverer) for _ in range(3)
    ]
    await it.do(
        discoverer,
        f"{SHARING}/AcceptResourceShareInvitation",
        resource_share_invitation_arn=await invitation_to(accepted),
    )
    free_pool_id = await _free_pool(it, its.account_id)
    free_pool_arn = arn(its.account_id, "ipam-pool", free_pool_id)
    await share(free_pool_arn, DEFAULT_PERMISSION, accounts[USER], region=WEST)
    return {
        "free_pool_id": free_pool_id,
        "user_share_arn": user_share,
        "import_share_arn": import_share,
        "discovery_share_arn": accepted,
        "invitation_arn": await invitation_to(pending),
        "other_invitation_arn": await invitation_to(other),
    }


async def _free_pool(it: Installation, account_id: str) -> str:
    """A pool of an IPAM on the free tier, for resources of its home region."""
    made = await it.do(
        account_id,
        f"{CONTROL}/CreateIpam",
        region=WEST,
        tier="IPAM_TIER_FREE",
        description=SECRETS[ADMINISTRATOR],
    )
    scope_id = made.ipam.private_default_scope_id
    return await a_pool(it, account_id, scope_id, "10.0.0.0/16", region=WEST)


async def users_things(it: Installation, its: Things, account_id: str) -> dict[str, str]:
    """What the user has of the shared pool, once the ledger knows that it may."""
    pool = {"ipam_pool_id": its.ipam_pool_id}

    async def is_let_in() -> bool:
        answer = await it.ask(f"{ALLOCATION}/GetIpamPoolCidrs", pool, it.proof_of(account_id))
        return answer.is_given

    await eventually(is_let_in)
    allocated = await it.do(
        account_id,
        f"{ALLOCATION}/AllocateIpamPoolCidr",
        **pool,
        cidr=USERS_CIDR,
        description=SECRETS[USER],
    )
    held = await it.do(account_id, f"{PLACEMENT}/HoldIpamPoolCidr", **pool, netmask_length=24)
    return {
        "users_allocation_id": allocated.ipam_pool_allocation.ipam_pool_allocation_id,
        "users_hold_id": held.ipam_pool_hold.ipam_pool_hold_id,
    }
