"""Pools that no account owns or sees: Amazon's ranges, and those brought along without an IPAM.

They are pools like all others to the ledger, so the same guards, locks and checks hold for them.
"""

from services.allocation.definition import (
    AMAZON_SPACES,
    NO_LOCALE,
    PUBLIC_SPACE,
    PoolDefinition,
    PublicIpSource,
    ScopeType,
)
from shared.cidr import AddressFamily

BYOIP_POOLS = {AddressFamily.IPV4: "byoip", AddressFamily.IPV6: "byoip-ipv6"}
"""The pools of what accounts brought along without an IPAM (BYOIP-6)."""
SYSTEM_POOL_IDS = frozenset({*AMAZON_SPACES.values(), *BYOIP_POOLS.values()})

_POOLS = {PublicIpSource.AMAZON: AMAZON_SPACES, PublicIpSource.BYOIP: BYOIP_POOLS}
_OWNER = "amazon"
_UNLIMITED = 1 << 31


def system_pools() -> list[PoolDefinition]:
    """How they are."""
    return [
        PoolDefinition(
            ipam_pool_id=pool_id,
            version=1,
            ipam_id=_OWNER,
            ipam_scope_id=PUBLIC_SPACE,
            scope_type=ScopeType.PUBLIC,
            # No account has such an id.
            owner_id=_OWNER,
            ipam_region="",
            address_family=family,
            locale=NO_LOCALE,
            cidr_quota=_UNLIMITED,
            public_ip_source=source,
        )
        for source, pools in _POOLS.items()
        for family, pool_id in pools.items()
    ]


def name_of(ipam_pool_id: str) -> str:
    """What to tell of a pool: accounts can use no system pool by its id."""
    if ipam_pool_id in AMAZON_SPACES.values():
        return "Amazon's space"
    if ipam_pool_id in BYOIP_POOLS.values():
        return "what is brought along without an IPAM"
    return ipam_pool_id


def shown(ipam_pool_id: str) -> str:
    """A pool as the text of a refusal names it."""
    name = name_of(ipam_pool_id)
    return f"'{name}'" if name == ipam_pool_id else name
