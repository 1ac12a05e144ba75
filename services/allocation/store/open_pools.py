"""The pools of one batch: locked for its length, and as the database has them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from services.allocation.errors import ChangesLost
from services.allocation.free_space import NotFree
from services.allocation.store.cache import CachedPool
from services.allocation.store.change_log import changes_between
from services.allocation.store.driver import execute
from services.allocation.store.observed import ObservedCache
from services.allocation.store.pool_loader import definition_of, load_pool
from services.allocation.store.records import Row
from services.allocation.tables import scopes
from shared.telemetry import logger

_LOCKED_IN_SQLITE = """
SELECT ipam_pools.number, ipam_pool_id, version, is_retired, definition_version,
    scope_number, observed_version, lost_up_to
FROM ipam_pools
JOIN ipam_ledger ON ipam_ledger.number = 1
LEFT JOIN ipam_scopes ON ipam_scopes.number = scope_number
WHERE ipam_pool_id IN (SELECT value FROM json_each(?))
"""
_LOCKED_IN_POSTGRESQL = """
SELECT ipam_pools.number, ipam_pool_id, version, is_retired, definition_version,
    scope_number, observed_version, lost_up_to
FROM ipam_pools
JOIN ipam_ledger ON ipam_ledger.number = 1
LEFT JOIN ipam_scopes ON ipam_scopes.number = scope_number
WHERE ipam_pool_id = ANY (%b) ORDER BY ipam_pool_id FOR NO KEY UPDATE OF ipam_pools
"""


_log = logger("allocation")

_FEWER_THAN_A_SNAPSHOT = 1_000
"""So many versions are sooner repeated than a snapshot is read."""


class LockedPool(NamedTuple):
    """A row of a pool that is locked; the columns above."""

    number: int
    ipam_pool_id: str
    version: int
    is_retired: bool
    definition_version: int | None
    scope_number: int
    observed_version: int
    lost_up_to: int | None


@dataclass(slots=True)
class OpenPools:
    """Pools in use by id, and the ids of retired ones."""

    in_use: dict[str, CachedPool] = field(default_factory=dict)
    retired: set[str] = field(default_factory=set)


def lock_pools(connection: sa.Connection, ipam_pool_ids: Sequence[str]) -> Iterable[Any]:
    """Lock the pools that are known, in order of id, as everybody does: rows for `open_pools`."""
    if not ipam_pool_ids:
        return ()
    found: Iterable[Any] = execute(connection, *_locking(connection, ipam_pool_ids))
    return found


def open_pools(
    connection: sa.Connection,
    locked: Iterable[Any],
    cached: Mapping[str, CachedPool],
    observed: ObservedCache,
) -> OpenPools:
    """The pools that `lock_pools` locked.

    Raises:
        ChangesLost: the database is not what it was.
    """
    opened = OpenPools()
    # All at once: the driver's cursor is not read any more when a pool has to be loaded.
    for row in list(map(LockedPool._make, locked)):
        if row.lost_up_to is not None:
            raise ChangesLost
        if row.is_retired:
            opened.retired.add(row.ipam_pool_id)
        else:
            current = _current(connection, row, cached.get(row.ipam_pool_id))
            seen = observed.of(connection, row.scope_number, row.observed_version)
            if current.pool.observed is not seen:
                current.pool.observed = seen
            opened.in_use[row.ipam_pool_id] = current
    return opened


def _locking(connection: sa.Connection, ipam_pool_ids: Sequence[str]) -> tuple[str, tuple[Any]]:
    if connection.dialect.name == "sqlite":
        return _LOCKED_IN_SQLITE, (json.dumps(ipam_pool_ids),)
    return _LOCKED_IN_POSTGRESQL, (list(ipam_pool_ids),)


def lock_scopes(connection: sa.Connection, ipam_scope_ids: Sequence[str]) -> None:
    """Let nobody else give these scopes' top-level pools space, from any replica."""
    if ipam_scope_ids:
        connection.execute(
            sa.select(scopes.c.number)
            .where(scopes.c.ipam_scope_id.in_(ipam_scope_ids))
            .order_by(scopes.c.ipam_scope_id)
            .with_for_update(key_share=True)
        ).all()


def _current(connection: sa.Connection, row: Row, cached: CachedPool | None) -> CachedPool:
    """What is cached, brought to what other replicas made of it meanwhile."""
    try:
        is_current = cached is not None and _catch_up(connection, row, cached)
    except (ValueError, NotFree) as error:
        _log.warning("cached pool unusable", ipam_pool_id=row.ipam_pool_id, error=str(error))
        is_current = False
    if cached is None or not is_current:
        return load_pool(connection, row)
    if cached.pool.definition.version != row.definition_version:
        cached.pool.definition = definition_of(connection, row.number)
    return cached


def _catch_up(connection: sa.Connection, row: Row, cached: CachedPool) -> bool:
    """Whether a cached pool could be brought to the version of its row."""
    if cached.version == row.version:
        return True
    # Far behind, a snapshot is nearer; ahead, the database was restored from a backup.
    if not 0 < row.version - cached.version <= _FEWER_THAN_A_SNAPSHOT:
        return False
    for change in changes_between(connection, row.number, cached.version, row.version):
        cached.pool.apply(change)
        cached.changes_since_snapshot += 1
    cached.version = row.version
    return True
