"""What a pool has left, and what the next allocation would leave of it (ALLOC-1, BEY-9)."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.allocation.changes import Decision
from services.allocation.errors import InsufficientCidrSpace
from services.allocation.free_space import FreeSpace
from services.allocation.pool import Pool
from services.allocation.service.rows import Rows
from services.allocation.service.visibility import seen_pool
from services.allocation.wanted_block import WantedBlock
from shared.caller import Caller
from shared.cidr import Cidr


@dataclass(frozen=True, slots=True)
class Left:
    """The fewest free blocks, as numbers by netmask length, widest first; and their addresses."""

    counts: Mapping[int, int]
    addresses: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is left ``now``; where the next block would go, and what would be left ``then``."""

    now: Left
    cidr: Cidr | None = None
    then: Left | None = None


def outlook(
    rows: Rows, caller: Caller, ipam_pool_id: str, netmask_length: int | None
) -> Decision[Outlook]:
    """Tell what is free, and with a length what `preview` would; the cost is that of a preview."""
    pool = seen_pool(rows, caller, ipam_pool_id)
    space = pool.placeable
    now = Left(space.block_counts, space.free_addresses)
    cidr = None if netmask_length is None else _next_block(pool, netmask_length)
    return Decision(Outlook(now, cidr, _left_without(space, cidr) if cidr else None))


def _next_block(pool: Pool, netmask_length: int) -> Cidr | None:
    wanted = WantedBlock(netmask_length=netmask_length)
    pool.length_to_allocate(wanted)
    if not pool.pool_cidrs:
        return None
    try:
        return pool.block_to_allocate(wanted)
    except InsufficientCidrSpace:
        return None


def _left_without(space: FreeSpace, cidr: Cidr) -> Left:
    return Left(space.block_counts_without(cidr), space.free_addresses - cidr.size)
