"""Giving pools CIDRs, and taking them away."""

from dataclasses import replace

from services.allocation.allocation import Allocation, ResourceType
from services.allocation.changes import (
    Change,
    Decision,
    Deprovisioned,
    Held,
    MadeAvailable,
    Provisioned,
)
from services.allocation.errors import (
    CidrHeld,
    CidrInUse,
    CidrTaken,
    InsufficientCidrSpace,
    SourcePoolUnknown,
)
from services.allocation.free_space import FreeSpace, NoFit, NotFree
from services.allocation.pool import Pool
from services.allocation.pool_cidr import CidrState, PoolCidr
from services.allocation.scope_space import ULA, check_cidr, check_length, check_supported
from services.allocation.service.allocating import in_the_way, taken
from services.allocation.service.giving_back import given_back
from services.allocation.service.rows import Rows
from services.allocation.service.visibility import managed_pool
from services.allocation.set_aside import SetAside
from services.allocation.wanted_block import WantedBlock
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import InvalidParameterCombination
from shared.ids import IPAM_POOL_ALLOCATION, IPAM_POOL_CIDR


def provision(
    rows: Rows, caller: Caller, ipam_pool_id: str, wanted: WantedBlock, proof: str | None
) -> Decision[PoolCidr]:
    """Add a CIDR to a pool. ``proof`` names a member that proves control of a public range."""
    pool = managed_pool(rows, caller, ipam_pool_id)
    source_id = pool.definition.source_ipam_pool_id
    if source_id is None:
        check_supported(pool.definition)
    if proof:
        raise InvalidParameterCombination(
            f"{proof} is for top-level pools of public scopes; leave it out for '{ipam_pool_id}'",
            parameter=proof,
            ipam_pool_id=ipam_pool_id,
        )
    if wanted.cidr:
        pool.check_family(wanted.cidr)
    pool.check_room_for_cidr()
    if source_id is None:
        return _provision_top_level(rows, pool, wanted)
    return _provision_child(rows, caller, pool, source_id, wanted)


def deprovision(
    rows: Rows, caller: Caller, ipam_pool_id: str, cidr: Cidr | None
) -> Decision[PoolCidr]:
    """Take a CIDR from a pool; a child's goes back to its source pool (POOL-8, PROV-8)."""
    pool = managed_pool(rows, caller, ipam_pool_id)
    pool_cidr = pool.pool_cidr(cidr)
    if not pool.is_unused(pool_cidr):
        example = in_the_way(rows, pool, pool_cidr.cidr, cooling_down=False)
        if isinstance(example, SetAside):
            raise CidrHeld(pool_cidr.cidr, ipam_pool_id, example)
        raise CidrInUse(pool_cidr.cidr, ipam_pool_id, example.ipam_pool_allocation_id)
    gone = replace(pool_cidr, state=CidrState.DEPROVISIONED, parent_allocation_id=None)
    # What cools down here need not any longer: all of it rests in the source pool.
    rested = map(MadeAvailable, pool.cooling_down_in(pool_cidr.cidr))
    freed = freed_in_source(rows, pool_cidr)
    return Decision(gone, (*rested, Deprovisioned(pool_cidr), *freed))


def freed_in_source(rows: Rows, pool_cidr: PoolCidr) -> tuple[Change, ...]:
    """What the source pool gets back with this CIDR; a top-level pool's is nobody's."""
    parent_id = pool_cidr.parent_allocation_id
    parent = rows.allocation(parent_id) if parent_id else None
    return given_back(rows, parent) if parent else ()


def _provision_top_level(rows: Rows, pool: Pool, wanted: WantedBlock) -> Decision[PoolCidr]:
    """A CIDR that is free within the whole scope (PROV-1); children lie inside of these."""
    cidr = wanted.cidr
    if cidr:
        check_cidr(pool.definition, cidr)
        for other in rows.top_level_cidrs(pool.definition.ipam_scope_id, cidr):
            raise CidrTaken(cidr, other.cidr, f"'{other.ipam_pool_id}' of the same scope")
    else:
        cidr = _free_ula(rows, pool, check_length(pool.definition, wanted))
    pool_cidr = PoolCidr(IPAM_POOL_CIDR.new(), pool.ipam_pool_id, cidr)
    return Decision(pool_cidr, (Provisioned(pool_cidr),))


def _free_ula(rows: Rows, pool: Pool, netmask_length: int) -> Cidr:
    scope_id = pool.definition.ipam_scope_id
    taken_blocks = [
        (found.cidr.first, found.cidr.prefix_length)
        for found in rows.top_level_cidrs(scope_id, ULA)
    ]
    try:
        return FreeSpace.rebuilt(ULA.family, [ULA], taken_blocks).find(netmask_length)
    except NoFit as error:
        space = f"The unique local space {ULA} of '{scope_id}'"
        raise InsufficientCidrSpace(space, netmask_length, error.largest_free) from None


def _provision_child(
    rows: Rows, caller: Caller, pool: Pool, source_id: str, wanted: WantedBlock
) -> Decision[PoolCidr]:
    source = rows.pool(source_id)
    if source is None:
        raise SourcePoolUnknown(pool.ipam_pool_id, source_id)
    cidr, settled = _passed_on(rows, caller, source, wanted)
    in_parent = Allocation(
        ipam_pool_allocation_id=IPAM_POOL_ALLOCATION.new(),
        ipam_pool_id=source_id,
        cidr=cidr,
        resource_type=ResourceType.IPAM_POOL,
        resource_owner=pool.definition.owner_id,
        resource_id=pool.ipam_pool_id,
        created_at=rows.now,
    )
    pool_cidr = PoolCidr(
        IPAM_POOL_CIDR.new(),
        pool.ipam_pool_id,
        cidr,
        parent_allocation_id=in_parent.ipam_pool_allocation_id,
    )
    return Decision(pool_cidr, (*settled, Held(in_parent), Provisioned(pool_cidr)))


def _passed_on(
    rows: Rows, caller: Caller, source: Pool, wanted: WantedBlock
) -> tuple[Cidr, tuple[Change, ...]]:
    """The source pool's block, and what has to be done before: the end of a hold of it."""
    held = source.hold_of(caller.account_id, wanted.cidr) if wanted.cidr else None
    if held:
        return held.cidr, (MadeAvailable(held),)
    try:
        return source.block_to_pass_on(wanted), ()
    except NotFree as error:
        raise taken(rows, source, caller, error.cidr) from None
