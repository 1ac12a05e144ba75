"""Giving pools CIDRs, and taking them away."""

from dataclasses import replace

from services.allocation.allocation import Allocation, ResourceType
from services.allocation.amazon_space import block_quota, check_amazon_block
from services.allocation.changes import (
    Change,
    Decision,
    Deprovisioned,
    Held,
    MadeAvailable,
    Provisioned,
)
from services.allocation.errors import (
    AmazonBlockLimitExceeded,
    CidrHeld,
    CidrInUse,
    CidrPinned,
    InsufficientCidrSpace,
    NoVpcCidr,
    SourcePoolUnknown,
)
from services.allocation.free_space import FreeSpace, NoFit, NotFree
from services.allocation.pending_cidr import OfferedProof
from services.allocation.pool import Pool
from services.allocation.pool_cidr import CidrState, PoolCidr
from services.allocation.public_space import check_specific
from services.allocation.scope_space import ULA, check_cidr, check_length
from services.allocation.service.allocating import in_the_way, taken
from services.allocation.service.bringing import pending_meant, request_range, withdraw
from services.allocation.service.giving_back import given_back
from services.allocation.service.rows import Rows
from services.allocation.service.spaces import check_free_in_space
from services.allocation.service.visibility import managed_pool
from services.allocation.set_aside import SetAside
from services.allocation.wanted_block import WantedBlock
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import InvalidParameterCombination, MissingParameter
from shared.ids import IPAM_POOL_ALLOCATION, IPAM_POOL_CIDR
from shared.regions import region_of

NO_PROOF = OfferedProof()


def provision(
    rows: Rows,
    caller: Caller,
    ipam_pool_id: str,
    wanted: WantedBlock,
    offered: OfferedProof = NO_PROOF,
    *,
    reserved_allowed: bool = False,
) -> Decision[PoolCidr]:
    """Add a CIDR to a pool, or have it wait for its proof. ``offered`` is for public ranges.

    With ``reserved_allowed`` these may be ranges that the Internet has no use for.
    """
    pool = managed_pool(rows, caller, ipam_pool_id)
    if pool.definition.is_brought_along:
        return request_range(rows, pool, wanted, offered, reserved_allowed=reserved_allowed)
    if offered.member:
        raise InvalidParameterCombination(
            f"{offered.member} is for top-level pools of public scopes whose ranges are brought"
            f" along; leave it out for '{ipam_pool_id}'",
            parameter=offered.member,
            ipam_pool_id=ipam_pool_id,
        )
    if wanted.cidr:
        pool.check_family(wanted.cidr)
    pool.check_room_for_cidr()
    source_id = pool.definition.source_ipam_pool_id
    if source_id is None:
        return _provision_top_level(rows, pool, wanted)
    return _provision_child(rows, caller, pool, source_id, wanted)


def deprovision(
    rows: Rows, caller: Caller, ipam_pool_id: str, cidr: Cidr | None
) -> Decision[PoolCidr]:
    """Take a CIDR from a pool; a child's goes back to its source pool (POOL-8, PROV-8)."""
    pool = managed_pool(rows, caller, ipam_pool_id)
    if pending := pending_meant(rows, pool, cidr):
        return withdraw(pending)
    pool_cidr = pool.pool_cidr(cidr)
    gone = replace(pool_cidr, state=CidrState.DEPROVISIONED, parent_allocation_id=None)
    return Decision(gone, taken_away(rows, pool, pool_cidr))


def taken_away(rows: Rows, pool: Pool, pool_cidr: PoolCidr) -> tuple[Change, ...]:
    """A CIDR of a pool ends, with what cools down in there.

    Raises:
        DependencyViolation: something needs it still.
    """
    cidr, pool_id = pool_cidr.cidr, pool.ipam_pool_id
    if not pool.is_unused(pool_cidr):
        example = in_the_way(rows, pool, cidr, cooling_down=False)
        if isinstance(example, SetAside):
            raise CidrHeld(cidr, pool_id, example)
        raise CidrInUse(cidr, pool_id, example.ipam_pool_allocation_id)
    if reason := rows.pin_of(pool_cidr.ipam_pool_cidr_id):
        raise CidrPinned(cidr, pool_id, reason)
    # What cools down here need not any longer: all of it rests in the source pool.
    rested = map(MadeAvailable, pool.cooling_down_in(cidr))
    return (*rested, Deprovisioned(pool_cidr), *freed_in_source(rows, pool_cidr))


def freed_in_source(rows: Rows, pool_cidr: PoolCidr) -> tuple[Change, ...]:
    """What the source pool gets back with this CIDR; a top-level pool's is nobody's."""
    parent_id = pool_cidr.parent_allocation_id
    parent = rows.allocation(parent_id) if parent_id else None
    return given_back(rows, parent) if parent else ()


def _provision_top_level(rows: Rows, pool: Pool, wanted: WantedBlock) -> Decision[PoolCidr]:
    """A CIDR that is free within the whole space (PROV-1); children lie inside of these."""
    if pool.definition.is_top_of_public_space:
        raise AssertionError(f"'{pool.ipam_pool_id}' would have public space without a proof")
    if pool.definition.is_planning:
        cidr = _planned_cidr(rows, pool, wanted)
    elif wanted.cidr:
        cidr = wanted.cidr
        check_cidr(pool.definition, cidr)
        check_free_in_space(rows, pool.definition.space_id, cidr, pool.definition.owner_id)
    else:
        cidr = _free_ula(rows, pool, check_length(pool.definition, wanted))
    pool_cidr = PoolCidr(IPAM_POOL_CIDR.new(), pool.ipam_pool_id, cidr)
    return Decision(pool_cidr, (Provisioned(pool_cidr),))


def _planned_cidr(rows: Rows, pool: Pool, wanted: WantedBlock) -> Cidr:
    """One of the VPC's, each for one pool (VPC-3); what becomes of the VPC later is no matter."""
    vpc_id = pool.definition.space_id
    family = pool.definition.address_family
    seen = [cidr for cidr in rows.vpc_cidrs(vpc_id) if cidr.family is family]
    if wanted.cidr:
        if wanted.cidr not in seen:
            raise NoVpcCidr(f"{wanted.cidr}", vpc_id, seen, "the VPC is not seen to have it")
        check_free_in_space(rows, vpc_id, wanted.cidr, pool.definition.owner_id)
        return wanted.cidr
    if wanted.netmask_length is None:
        raise MissingParameter("Cidr or NetmaskLength")
    of_length = [cidr for cidr in seen if cidr.prefix_length == wanted.netmask_length]
    found = [cidr for cidr in of_length if not rows.top_level_cidrs(vpc_id, cidr)]
    if len(found) != 1:
        why = f"{len(found) or 'none'} of that length are not planned yet; name the CIDR"
        raise NoVpcCidr(f"A /{wanted.netmask_length}", vpc_id, seen, why)
    return found[0]


def _free_ula(rows: Rows, pool: Pool, netmask_length: int) -> Cidr:
    scope_id = pool.definition.space_id
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
    _check_passing_on(rows, pool, source, wanted)
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


def _check_passing_on(rows: Rows, pool: Pool, source: Pool, wanted: WantedBlock) -> None:
    """What public space is passed on in other pieces than private space is (PROV-4 to PROV-6)."""
    if pool.definition.is_of_amazon:
        check_amazon_block(pool.definition, wanted)
        _check_amazon_blocks(rows, pool)
    elif source.definition.is_brought_along:
        length = wanted.cidr.prefix_length if wanted.cidr else wanted.netmask_length
        if length is not None:
            check_specific(source.definition, length)


def _check_amazon_blocks(rows: Rows, pool: Pool) -> None:
    definition = pool.definition
    count, quota = rows.amazon_block_count(definition), block_quota(definition).blocks
    if count >= quota:
        family, region = definition.address_family.value, region_of(definition.locale)
        raise AmazonBlockLimitExceeded(definition.owner_id, family, region, count, quota)


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
