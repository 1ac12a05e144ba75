"""Ranges that accounts brought along without an IPAM, and their way into one (BYOIP-6)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from services.allocation.changes import (
    Change,
    Decision,
    Deprovisioned,
    Freed,
    Held,
    MadeAvailable,
    Provisioned,
    PutAside,
)
from services.allocation.definition import PUBLIC_SPACE, AwsService, PoolDefinition
from services.allocation.errors import PoolNotForRange, RangeNotBrought
from services.allocation.pool import Pool
from services.allocation.pool_cidr import PoolCidr
from services.allocation.public_space import check_public_range, check_specific
from services.allocation.service.provisioning import taken_away
from services.allocation.service.rows import Rows
from services.allocation.service.spaces import check_free_in_space
from services.allocation.system_pools import BYOIP_POOLS
from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterValue
from shared.ids import IPAM_POOL, IPAM_POOL_CIDR


@dataclass(frozen=True, slots=True)
class BroughtRange:
    """A range, the account that brought it along, and to which region."""

    cidr: Cidr
    owner_id: str
    region: str

    @property
    def brought_by(self) -> tuple[str, str]:
        return self.owner_id, self.region


def register(rows: Rows, brought: BroughtRange, *, reserved_allowed: bool) -> Decision[None]:
    """Take in a range of which control is proven."""
    pool, cidr = _ranges(rows, cidr=brought.cidr), brought.cidr
    found = pool.provisioned(cidr)
    if found and found.brought_by == brought.brought_by:
        return Decision(None)
    check_specific(pool.definition, cidr.prefix_length)
    check_public_range(cidr, reserved_allowed=reserved_allowed)
    check_free_in_space(rows, PUBLIC_SPACE, cidr, brought.owner_id)
    taken_in = PoolCidr(
        IPAM_POOL_CIDR.new(), pool.ipam_pool_id, cidr, brought_by=brought.brought_by
    )
    return Decision(None, (Provisioned(taken_in),))


def unregister(rows: Rows, cidr: Cidr, owner_id: str) -> Decision[None]:
    """Give a range up in which nothing is allocated; what is not the account's is none of it."""
    pool = _ranges(rows, cidr=cidr)
    found = pool.provisioned(cidr)
    if found is None or found.brought_by is None or found.brought_by[0] != owner_id:
        return Decision(None)
    return Decision(None, taken_away(rows, pool, found))


def move(
    rows: Rows, brought: BroughtRange, ipam_pool_id: str, ipam_pool_owner: str
) -> Decision[PoolCidr]:
    """Give a range to an IPAM's pool with all that is allocated of it, as one act.

    At no time is any of it in both pools or in neither.
    """
    if brought.cidr.family is AddressFamily.IPV6:
        raise InvalidParameterValue(
            f"Value ({brought.cidr}) for parameter cidr is invalid; only IPv4 ranges are moved to"
            " an IPAM",
            parameter="cidr",
            value=brought.cidr,
        )
    ranges, target = _ranges(rows, cidr=brought.cidr), rows.pool(ipam_pool_id)
    if target is None or target.definition.owner_id != ipam_pool_owner:
        raise IPAM_POOL.unknown(ipam_pool_id)
    if moved := target.provisioned(brought.cidr):
        return Decision(moved)
    found = ranges.provisioned(brought.cidr)
    if found is None or found.brought_by != brought.brought_by:
        raise RangeNotBrought(brought.cidr, brought.owner_id, brought.region)
    _check_target(target.definition, brought)
    target.check_room_for_cidr()
    arrived = PoolCidr(IPAM_POOL_CIDR.new(), ipam_pool_id, brought.cidr)
    return Decision(arrived, tuple(_moved(rows, ranges, found, arrived)))


def _moved(rows: Rows, ranges: Pool, found: PoolCidr, arrived: PoolCidr) -> Iterator[Change]:
    # One at most that is all of the range, for nothing else is allocated of these.
    allocations = rows.allocations_in(ranges.ipam_pool_id, found.cidr)
    resting = ranges.cooling_down_in(found.cidr)
    yield from map(Freed, allocations)
    yield from map(MadeAvailable, resting)
    yield Deprovisioned(found)
    yield Provisioned(arrived)
    for allocation in allocations:
        yield Held(allocation._replace(ipam_pool_id=arrived.ipam_pool_id))
    for set_aside in resting:
        yield PutAside(replace(set_aside, ipam_pool_id=arrived.ipam_pool_id))


def _ranges(rows: Rows, *, cidr: Cidr) -> Pool:
    pool = rows.pool(BYOIP_POOLS[cidr.family])
    if pool is None:
        raise AssertionError("the pools of the system are made before anything is served")
    return pool


def _check_target(pool: PoolDefinition, brought: BroughtRange) -> None:
    is_right = pool.is_brought_along and pool.address_family is brought.cidr.family
    if not is_right:
        why = "it takes a top-level IPv4 pool of a public scope, with PublicIpSource byoip"
    elif pool.aws_service is not AwsService.EC2:
        why = f"it takes a pool with AwsService '{AwsService.EC2}'"
    elif pool.locale != brought.region:
        why = f"its locale is {pool.locale}, and the range was brought to {brought.region}"
    else:
        return
    raise PoolNotForRange(brought.cidr, pool.ipam_pool_id, why)
