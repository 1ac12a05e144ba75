"""What a pool is, and when it may go (POOL-1, POOL-7)."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.control_plane.allocation_rules import AllocationRules, RulesChange
from services.control_plane.errors import StillInUse
from services.control_plane.ipam import Ipam
from services.control_plane.lifecycle import State, is_in_progress
from services.control_plane.scope import ScopeType
from services.control_plane.source_resource import SourceResource
from shared.cidr import AddressFamily
from shared.errors import OperationNotPermitted


class AwsService(enum.StrEnum):
    EC2 = "ec2"
    GLOBAL_SERVICES = "global-services"


class PublicIpSource(enum.StrEnum):
    AMAZON = "amazon"
    BYOIP = "byoip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """CIDRs kept for one purpose, and the rules for allocating from them."""

    ipam_pool_id: str
    ipam_id: str
    ipam_scope_id: str
    scope_type: ScopeType
    owner_id: str
    ipam_region: str
    source_ipam_pool_id: str | None
    depth: int
    """1 for a top-level pool."""
    address_family: AddressFamily
    locale: str
    description: str | None
    publicly_advertisable: bool | None
    aws_service: AwsService | None
    public_ip_source: PublicIpSource | None
    source_resource: SourceResource | None = None
    """The VPC that it plans; that of its source pool, if that plans one."""
    rules: AllocationRules
    tags: Mapping[str, str]
    state: State = State.CREATE_IN_PROGRESS
    state_message: str | None = None
    version: int = 1
    """Grows with every change."""
    definition_version: int = 1
    """The version of the last change that is the ledger's business."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolChange:
    """What a caller may change; None leaves it as it is."""

    description: str | None
    rules: RulesChange


def definition_version(ipam: Ipam, pool: Pool) -> int:
    """Of what the ledger is told of a pool.

    The IPAM's members count as the pool's, so its version grows with either's: their sum does.
    """
    return ipam.definition_version + pool.definition_version


def begins_plan(resource: SourceResource | None, source: Pool | None) -> bool:
    """A pool with this source plans ``resource``, and none above it does (VPC-3)."""
    return resource is not None and (source is None or source.source_resource is None)


def as_ledger_has_it(pool: Pool, source: Pool | None) -> Pool:
    """A pool that begins a plan has its space of the VPC, whatever pool the VPC has it of (VPC-3).

    So the ledger knows no source of it, though it is a child of its source pool here.
    """
    if begins_plan(pool.source_resource, source):
        return replace(pool, source_ipam_pool_id=None)
    return pool


def is_changing(ipam: Ipam, pool: Pool) -> bool:
    """An operation is under way on the pool, or on its IPAM, which the ledger is told of, too."""
    return is_in_progress(ipam.state) or is_in_progress(pool.state)


def with_descendants(ipam_pool_id: str, pools: Sequence[Pool]) -> list[Pool]:
    """A pool and all pools that take space from it, deepest first, found among ``pools``."""
    family = {ipam_pool_id}
    for pool in sorted(pools, key=lambda pool: pool.depth):
        if pool.source_ipam_pool_id in family:
            family.add(pool.ipam_pool_id)
    found = [pool for pool in pools if pool.ipam_pool_id in family]
    return sorted(found, key=lambda pool: -pool.depth)


def check_cascade_allowed(pool: Pool) -> None:
    """Public space is given back pool by pool, never by cascade (as AWS has it).

    Raises:
        OperationNotPermitted: ``pool`` lies in a public scope.
    """
    if pool.scope_type is ScopeType.PUBLIC:
        raise OperationNotPermitted(
            f"'{pool.ipam_pool_id}' is in a public scope, where pools can't be deleted by cascade;"
            " delete its child pools and deprovision its CIDRs first",
            ipam_pool_id=pool.ipam_pool_id,
        )


def check_childless(ipam_pool_id: str, child_ids: list[str]) -> None:
    """Without cascade, only a pool at the bottom goes (POOL-7).

    Raises:
        StillInUse: it has child pools.
    """
    if child_ids:
        raise StillInUse(
            f"'{ipam_pool_id}' can't be deleted while it has child pools", ipam_pool_id, child_ids
        )
