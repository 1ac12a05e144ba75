"""Pools from the database into memory, and what makes that quick the next time."""

from collections.abc import Iterable, Sequence, Set
from datetime import datetime

import sqlalchemy as sa

from services.allocation.block_codec import Block, blocks_from_columns
from services.allocation.changes import (
    Deprovisioned,
    Freed,
    Held,
    MadeAvailable,
    PlacementChanged,
    PoolChange,
    Provisioned,
    PutAside,
    Repaired,
    Retired,
)
from services.allocation.definition import PoolDefinition
from services.allocation.free_space import FreeSpace, NotFree
from services.allocation.pool import Pool
from services.allocation.pool_cidr import CidrState, PoolCidr
from services.allocation.set_aside import SetAside
from services.allocation.store.cache import CachedPool
from services.allocation.store.change_log import changes_between
from services.allocation.store.driver import execute
from services.allocation.store.records import (
    Row,
    definition_from_json,
    placement_from_json,
    pool_cidr_from_row,
    set_aside_from_row,
    usage_from_row,
)
from services.allocation.tables import allocations, is_set_aside, pool_cidrs, pools, snapshots
from shared.cidr import KEY_BYTES, AddressFamily, Cidr
from shared.telemetry import logger

CHANGES_UNTIL_SNAPSHOT = 20_000
"""As many are repeated in about the time that it takes to write or read a large snapshot."""

_FEW_ALLOCATIONS = 1_000
"""So many are read sooner than a snapshot and what came after it."""

_HELD_IN_SQLITE = """
SELECT substr(first_key, ?), prefix_length FROM ipam_pool_allocations
WHERE pool_number = ? ORDER BY first_key
"""
# As two values, for a million rows take the driver three times as long as the server.
_HELD_IN_POSTGRESQL = """
SELECT string_agg(substr(first_key, %b), ''::bytea), string_agg(int4send(prefix_length), ''::bytea)
FROM (
    SELECT first_key, prefix_length FROM ipam_pool_allocations
    WHERE pool_number = %b ORDER BY first_key
) AS held
"""

_log = logger("allocation")


def definition_of(connection: sa.Connection, pool_number: int) -> PoolDefinition:
    query = sa.select(pools.c.definition).where(pools.c.number == pool_number)
    return definition_from_json(connection.execute(query).scalar_one())


def load_pool(connection: sa.Connection, row: Row) -> CachedPool:
    """A pool as of the version in its row, which is locked."""
    is_it = pools.c.number == row.number
    pool_row = connection.execute(sa.select(pools).where(is_it)).one()
    definition = definition_from_json(pool_row.definition)
    usage = usage_from_row(pool_row)
    provisioned = _provisioned(connection, row)
    is_large = usage.allocation_count > _FEW_ALLOCATIONS
    found = _from_snapshot(connection, row, definition, provisioned) if is_large else None
    space, repeated = found or (_from_allocations(connection, row, definition, provisioned), 0)
    pool = Pool(
        definition,
        provisioned,
        space,
        allocation_count=usage.allocation_count,
        allocated_addresses=usage.allocated_addresses,
        set_asides=_set_asides(connection, row),
        placement=placement_from_json(pool_row.placement),
    )
    cached = CachedPool(row.number, row.version, pool, changes_since_snapshot=repeated)
    if not found and is_large:
        save_snapshot(connection, cached)
    return cached


def free_space_at(
    connection: sa.Connection, row: Row, now: datetime
) -> tuple[FreeSpace, datetime | None]:
    """What could be taken of the pool in a row of a snapshot, and when more can be, if ever.

    Nothing is locked. Of what is set aside, that is free which the next batch would free.

    Raises:
        ValueError: the pool's records contradict each other.
    """
    definition, provisioned = definition_from_json(row.definition), _provisioned(connection, row)
    found = None
    if row.allocation_count > _FEW_ALLOCATIONS:
        found = _from_snapshot(connection, row, definition, provisioned)
    space = found[0] if found else _from_allocations(connection, row, definition, provisioned)
    until = None
    for set_aside in _set_asides(connection, row):
        if set_aside.until <= now:
            space.give_back(set_aside.cidr)
        else:
            until = min(until or set_aside.until, set_aside.until)
    return space, until


def save_snapshots(connection: sa.Connection, cached_pools: Iterable[CachedPool]) -> None:
    """Write what is left of the pools of which much has changed."""
    for cached in cached_pools:
        if cached.changes_since_snapshot > CHANGES_UNTIL_SNAPSHOT:
            save_snapshot(connection, cached)


def save_snapshot(connection: sa.Connection, cached: CachedPool) -> None:
    """Write what is left of a pool, so that the next load needs no look at its allocations."""
    is_it = snapshots.c.pool_number == cached.number
    connection.execute(snapshots.delete().where(is_it))
    connection.execute(
        snapshots.insert().values(
            pool_number=cached.number,
            pool_version=cached.version,
            free_blocks=cached.pool.space.dump(),
        )
    )
    cached.changes_since_snapshot = 0


def _provisioned(connection: sa.Connection, row: Row) -> Sequence[PoolCidr]:
    found = connection.execute(
        sa.select(pool_cidrs).where(
            pool_cidrs.c.pool_number == row.number,
            pool_cidrs.c.state == CidrState.PROVISIONED.value,
        )
    )
    return [pool_cidr_from_row(one, row.ipam_pool_id) for one in found]


def _set_asides(connection: sa.Connection, row: Row) -> Sequence[SetAside]:
    query = sa.select(allocations).where(allocations.c.pool_number == row.number, is_set_aside)
    return [set_aside_from_row(one, row.ipam_pool_id) for one in connection.execute(query)]


def _from_snapshot(
    connection: sa.Connection,
    row: Row,
    definition: PoolDefinition,
    provisioned: Sequence[PoolCidr],
) -> tuple[FreeSpace, int] | None:
    """The snapshot and what came after it; None when that does not lead to what is there now."""
    try:
        return space_from_snapshot(
            connection, row, definition.address_family, {found.cidr for found in provisioned}
        )
    except (ValueError, NotFree) as error:
        # Slower, but the allocations are what holds; a snapshot only saves time.
        _log.warning("snapshot unusable", ipam_pool_id=row.ipam_pool_id, error=str(error))
        return None


def space_from_snapshot(
    connection: sa.Connection, row: Row, family: AddressFamily, roots: Set[Cidr]
) -> tuple[FreeSpace, int] | None:
    """The snapshot, and how much came after it and was repeated; None when there is no snapshot.

    Raises:
        ValueError: it does not lead to what is there now.
        NotFree: likewise.
    """
    is_it = snapshots.c.pool_number == row.number
    snapshot = connection.execute(sa.select(snapshots).where(is_it)).one_or_none()
    if snapshot is None:
        return None
    if snapshot.pool_version > row.version:
        raise ValueError(f"they are of version {snapshot.pool_version}, which is yet to come")
    space = FreeSpace.loaded(family, snapshot.free_blocks)
    since = 0
    for change in changes_between(connection, row.number, snapshot.pool_version, row.version):
        _repeat(space, change)
        since += 1
    if set(space.roots) != roots:
        raise ValueError("they are of other CIDRs")
    return space, since


def _repeat(space: FreeSpace, change: PoolChange) -> None:
    match change:
        case Held(record) | PutAside(record):
            space.take(record.cidr)
        case Freed(record) | MadeAvailable(record):
            space.give_back(record.cidr)
        case PlacementChanged():
            pass
        case Provisioned(pool_cidr):
            space.add_root(pool_cidr.cidr)
        case Deprovisioned(pool_cidr):
            space.remove_root(pool_cidr.cidr)
        case Retired():
            raise ValueError("a retired pool has no free blocks")
        case Repaired():
            raise ValueError("the pool was repaired since")


def _from_allocations(
    connection: sa.Connection, row: Row, definition: PoolDefinition, provisioned: Sequence[PoolCidr]
) -> FreeSpace:
    family = definition.address_family
    held = _held_blocks(connection, row.number, family)
    return FreeSpace.rebuilt(family, [found.cidr for found in provisioned], held)


def _held_blocks(
    connection: sa.Connection, pool_number: int, family: AddressFamily
) -> Iterable[Block]:
    """All that is held or set aside, in order of address; of a million, every step counts."""
    skipped = KEY_BYTES - family.bits // 8
    if connection.dialect.name == "postgresql":
        statement = _HELD_IN_POSTGRESQL
        [(firsts, lengths)] = execute(connection, statement, (skipped + 1, pool_number))
        return blocks_from_columns(firsts or b"", lengths or b"", family)
    rows = execute(connection, _HELD_IN_SQLITE, (skipped + 1, pool_number))
    return ((int.from_bytes(first), length) for first, length in rows)
