"""Ready-made records for tests of pure rules."""

from typing import Any

from services.control_plane.allocation_rules import AllocationRules
from services.control_plane.ipam import Ipam, Tier
from services.control_plane.lifecycle import State
from services.control_plane.metering import Metering
from services.control_plane.new_pool import NewPool
from services.control_plane.pool import Pool
from services.control_plane.scope import Scope, ScopeType
from shared.cidr import AddressFamily

ACCOUNT = "123456789012"
HOME = "us-east-1"
IPAM_ID = "ipam-0000000000000000a"
PUBLIC_SCOPE_ID = "ipam-scope-0000000000000000b"
PRIVATE_SCOPE_ID = "ipam-scope-0000000000000000c"


def an_ipam(**members: Any) -> Ipam:
    return Ipam(
        **{
            "ipam_id": IPAM_ID,
            "owner_id": ACCOUNT,
            "region": HOME,
            "description": None,
            "operating_regions": ("us-west-2", HOME),
            "tier": Tier.ADVANCED,
            "enable_private_gua": False,
            "metering": Metering(),
            "public_default_scope_id": PUBLIC_SCOPE_ID,
            "private_default_scope_id": PRIVATE_SCOPE_ID,
            "default_resource_discovery_id": "ipam-res-disco-0000000000000000d",
            "default_resource_discovery_association_id": "ipam-res-disco-assoc-0000000000000000e",
            "tags": {},
            "cidr_quota": 50,
            "state": State.CREATE_COMPLETE,
            **members,
        }
    )


def a_scope(scope_type: ScopeType = ScopeType.PRIVATE, **members: Any) -> Scope:
    is_private = scope_type is ScopeType.PRIVATE
    return Scope(
        **{
            "ipam_scope_id": PRIVATE_SCOPE_ID if is_private else PUBLIC_SCOPE_ID,
            "ipam_id": IPAM_ID,
            "owner_id": ACCOUNT,
            "ipam_region": HOME,
            "scope_type": scope_type,
            "is_default": True,
            "description": None,
            "tags": {},
            "state": State.CREATE_COMPLETE,
            **members,
        }
    )


def a_pool(number: int = 1, scope_type: ScopeType = ScopeType.PRIVATE, **members: Any) -> Pool:
    return Pool(
        **{
            "ipam_pool_id": f"ipam-pool-{number:017x}",
            "ipam_id": IPAM_ID,
            "ipam_scope_id": a_scope(scope_type).ipam_scope_id,
            "scope_type": scope_type,
            "owner_id": ACCOUNT,
            "ipam_region": HOME,
            "source_ipam_pool_id": None,
            "depth": 1,
            "address_family": AddressFamily.IPV4,
            "locale": "None",
            "description": None,
            "publicly_advertisable": None,
            "aws_service": None,
            "public_ip_source": None,
            "rules": AllocationRules(),
            "tags": {},
            "state": State.CREATE_COMPLETE,
            **members,
        }
    )


def a_wish(scope_type: ScopeType = ScopeType.PRIVATE, **members: Any) -> NewPool:
    return NewPool(
        **{
            "ipam_scope_id": a_scope(scope_type).ipam_scope_id,
            "address_family": AddressFamily.IPV4,
            **members,
        }
    )
