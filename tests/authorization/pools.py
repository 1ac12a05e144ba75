"""Pools, made through the API."""

from tests.authorization.callers import HOME
from tests.authorization.installation import Installation
from tests.authorization.services import ALLOCATION, CONTROL, IPV4


async def a_pool(
    it: Installation, account_id: str, scope_id: str, cidr: str, region: str = HOME
) -> str:
    """A top-level pool for resources of the region, with a CIDR."""
    made = await it.do(
        account_id,
        f"{CONTROL}/CreateIpamPool",
        region=region,
        ipam_scope_id=scope_id,
        address_family=IPV4,
        locale=region,
    )
    pool_id: str = made.ipam_pool.ipam_pool_id
    await it.do(
        account_id,
        f"{ALLOCATION}/ProvisionIpamPoolCidr",
        region=region,
        ipam_pool_id=pool_id,
        cidr=cidr,
    )
    return pool_id
