"""Giving blocks of a pool to somebody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from services.allocation.allocation import Allocation, ResourceType
from services.allocation.changes import Change, Decision, Held, MadeAvailable, PutAside
from services.allocation.errors import CidrSetAside, CidrTaken, PassedOver
from services.allocation.free_space import NotFree
from services.allocation.placement import Strategy
from services.allocation.policy import Precedence
from services.allocation.pool import Pool
from services.allocation.resource_kinds import (
    PUBLIC_IPV4,
    check_is_resource,
    check_kind,
    check_system_pool,
    sized,
)
from services.allocation.rules import check_resource_rules
from services.allocation.service.rows import Rows
from services.allocation.service.visibility import may_know, seen_pool
from services.allocation.set_aside import SetAside, SetAsideReason
from services.allocation.system_pools import BYOIP_POOLS, SYSTEM_POOL_IDS
from services.allocation.wanted_block import WantedBlock
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import CadastreError, InvalidParameterValue
from shared.ids import IPAM_POOL, IPAM_POOL_ALLOCATION, IPAM_POOL_HOLD
from shared.regions import region_of


@dataclass(frozen=True, slots=True)
class Reservation:
    """Space to reserve by hand (ALLOC-4)."""

    ipam_pool_id: str
    wanted: WantedBlock
    description: str | None
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ResourceBlock:
    """A block that a resource is to have; the caller is its owner, and the region where it is.

    ``vpc_id`` is the VPC of a subnet. ``network_border_group`` is where a public address is
    advertised from, empty: from the region. ``precedence`` says whether pools of the policy that
    applies to the caller come before, or in the place of, ``ipam_pool_id``.
    """

    ipam_pool_id: str
    wanted: WantedBlock
    resource_type: ResourceType
    resource_id: str
    resource_tags: Mapping[str, str]
    client_token: str
    vpc_id: str = ""
    network_border_group: str = ""
    precedence: Precedence = Precedence.NONE


def preview(rows: Rows, caller: Caller, ipam_pool_id: str, wanted: WantedBlock) -> Decision[Cidr]:
    """Tell what `reserve` would reserve (ALLOC-1)."""
    pool = seen_pool(rows, caller, ipam_pool_id)
    cidr, _ = placed(rows, pool, caller, wanted)
    return Decision(cidr)


def hold(
    rows: Rows, caller: Caller, ipam_pool_id: str, wanted: WantedBlock, time_to_live: timedelta
) -> Decision[SetAside]:
    """Keep for the caller what `reserve` would reserve (BEY-8)."""
    pool = seen_pool(rows, caller, ipam_pool_id)
    set_aside = SetAside(
        set_aside_id=IPAM_POOL_HOLD.new(),
        ipam_pool_id=ipam_pool_id,
        cidr=free_block(rows, pool, caller, wanted),
        reason=SetAsideReason.HOLD,
        owner=caller.account_id,
        until=rows.now + time_to_live,
        created_at=rows.now,
    )
    return Decision(set_aside, (PutAside(set_aside),))


def reserve(rows: Rows, caller: Caller, reservation: Reservation) -> Decision[Allocation]:
    """Hold space of a pool for its owner, whatever it is for."""
    pool = seen_pool(rows, caller, reservation.ipam_pool_id)
    cidr, settled = placed(rows, pool, caller, reservation.wanted)
    allocation = Allocation(
        ipam_pool_allocation_id=IPAM_POOL_ALLOCATION.new(),
        ipam_pool_id=pool.ipam_pool_id,
        cidr=cidr,
        resource_type=ResourceType.CUSTOM,
        resource_owner=caller.account_id,
        resource_region=caller.region,
        description=reservation.description,
        tags=reservation.tags,
        created_at=rows.now,
    )
    return Decision(allocation, (*settled, Held(allocation)))


def allocate_by_policy(rows: Rows, caller: Caller, block: ResourceBlock) -> Decision[Allocation]:
    """Give a resource a block of a pool that a policy names, if the pool can.

    Raises:
        PassedOver: it can't, for whatever reason; the account didn't ask for this pool.
    """
    try:
        return allocate_to_resource(rows, caller, block, by_policy=True)
    except CadastreError as refusal:
        raise PassedOver(block.ipam_pool_id) from refusal


def allocate_to_resource(
    rows: Rows, caller: Caller, block: ResourceBlock, *, by_policy: bool = False
) -> Decision[Allocation]:
    """Give a resource a block, under all rules of the pool (POOL-6).

    ``by_policy``: the pool's owner has it used by the caller's account, shared or not.
    """
    check_is_resource(block.resource_type)
    pool = rows.pool(block.ipam_pool_id)
    if pool is None:
        raise IPAM_POOL.unknown(block.ipam_pool_id)
    if block.ipam_pool_id in SYSTEM_POOL_IDS:
        wanted = _wanted_of_system_pool(pool, caller, block)
    else:
        wanted = _wanted_by_rules(pool, caller, block, by_policy=by_policy)
    # Elastic IP addresses come one after the other, however the pool places other things (EIP-2).
    strategy = Strategy.LOWEST if block.resource_type is ResourceType.EIP else None
    cidr, settled = placed(
        rows, pool, caller, wanted, resource_id=block.resource_id, strategy=strategy
    )
    allocation = Allocation(
        ipam_pool_allocation_id=IPAM_POOL_ALLOCATION.new(),
        ipam_pool_id=pool.ipam_pool_id,
        cidr=cidr,
        resource_type=block.resource_type,
        resource_owner=caller.account_id,
        resource_id=block.resource_id,
        resource_region=caller.region,
        created_at=rows.now,
        allocated_by=caller.service,
        client_token=block.client_token,
    )
    return Decision(allocation, (*settled, Held(allocation)))


def _wanted_by_rules(
    pool: Pool, caller: Caller, block: ResourceBlock, *, by_policy: bool
) -> WantedBlock:
    """What a resource gets of an IPAM's pool, if the pool's rules allow it (POOL-5, POOL-6)."""
    definition, kind = pool.definition, block.resource_type
    if not (by_policy or definition.is_used_by(caller.account_id)):
        raise IPAM_POOL.unknown(block.ipam_pool_id)
    if block.network_border_group and region_of(block.network_border_group) != caller.region:
        raise InvalidParameterValue(
            f"Value ({block.network_border_group}) for parameter networkBorderGroup is invalid; use"
            f" {caller.region} or the group of one of its Local Zones",
            parameter="networkBorderGroup",
            value=block.network_border_group,
        )
    check_resource_rules(
        definition,
        block.network_border_group or caller.region,
        block.resource_tags,
        with_local_zones=kind in PUBLIC_IPV4 and not block.network_border_group,
    )
    check_kind(definition, kind, block.resource_id, block.vpc_id)
    return sized(kind, block.wanted, definition.default_netmask_length)


def _wanted_of_system_pool(pool: Pool, caller: Caller, block: ResourceBlock) -> WantedBlock:
    """What a resource gets of a pool that is no IPAM's: of ranges brought along, all of its own."""
    check_system_pool(block.ipam_pool_id, block.resource_type, block.resource_id)
    if block.ipam_pool_id not in BYOIP_POOLS.values():
        return sized(block.resource_type, block.wanted, None)
    found = pool.provisioned(block.wanted.cidr) if block.wanted.cidr else None
    if found is None or found.brought_by != (caller.account_id, caller.region):
        raise InvalidParameterValue(
            f"Value ({block.wanted.cidr or ''}) for parameter cidr is invalid;"
            f" '{caller.account_id}' brought no such range along to {caller.region}",
            parameter="cidr",
            value=block.wanted.cidr or "",
        )
    return block.wanted


def placed(
    rows: Rows,
    pool: Pool,
    caller: Caller,
    wanted: WantedBlock,
    *,
    resource_id: str | None = None,
    strategy: Strategy | None = None,
) -> tuple[Cidr, tuple[Change, ...]]:
    """The block to allocate, and what has to be done before: the end of the caller's hold of it.

    ``strategy`` is what counts instead of the pool's own.

    Raises:
        CadastreError: the refusal.
    """
    held = pool.hold_of(caller.account_id, wanted.cidr) if wanted.cidr else None
    if held:
        pool.length_to_allocate(wanted)
        return held.cidr, (MadeAvailable(held),)
    cidr = free_block(rows, pool, caller, wanted, resource_id=resource_id, strategy=strategy)
    return cidr, ()


def free_block(
    rows: Rows,
    pool: Pool,
    caller: Caller,
    wanted: WantedBlock,
    *,
    resource_id: str | None = None,
    strategy: Strategy | None = None,
) -> Cidr:
    """A block to allocate, by the rules that hold for every allocation.

    Raises:
        CadastreError: the refusal; a taken block's tells what is in the way.
    """
    try:
        return pool.block_to_allocate(wanted, resource_id=resource_id, strategy=strategy)
    except NotFree as error:
        raise taken(rows, pool, caller, error.cidr) from None


def taken(rows: Rows, pool: Pool, caller: Caller, cidr: Cidr) -> CadastreError:
    """The refusal for a block of which the pool gave something away.

    It tells by whom as far as the caller may know that (BEY-12).
    """
    found = in_the_way(rows, pool, cidr)
    if isinstance(found, SetAside):
        return CidrSetAside(cidr, found)
    is_told = may_know(pool.definition, caller.account_id, found)
    holder = f"'{found.ipam_pool_allocation_id}'" if is_told else "another account"
    return CidrTaken(cidr, found.cidr, holder)


def in_the_way(
    rows: Rows, pool: Pool, cidr: Cidr, *, cooling_down: bool = True
) -> Allocation | SetAside:
    """One of those that make ``cidr`` less than free; what cools down may not count."""
    found = rows.overlapping(pool.ipam_pool_id, cidr, cooling_down=cooling_down)
    if found is None:
        raise AssertionError(f"{cidr} of {pool.ipam_pool_id} is neither free nor held")
    return found
