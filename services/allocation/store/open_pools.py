"""The pools of one batch: locked for its length, and as the database has them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from services.allocation.allocation import ResourceType
from services.allocation.definition import PoolDefinition
from services.allocation.pool import Pool
from services.allocation.pool_cidr import CidrState
from services.allocation.store.cache import CachedPool
from services.allocation.store.records import Row, cidr_of, definition_from_json, pool_cidr_from_row
from services.allocation.tables import allocations, pool_cidrs, pools, scopes

# Of every batch, so in the drivers' own words.
_LOCKED_IN_SQLITE = """
SELECT number, ipam_pool_id, version, is_retired, definition_version FROM ipam_pools
WHERE ipam_pool_id IN (SELECT value FROM json_each(?))
"""
_LOCKED_IN_POSTGRESQL = """
SELECT number, ipam_pool_id, version, is_retired, definition_version FROM ipam_pools
WHERE ipam_pool_id = ANY (%b) ORDER BY ipam_pool_id FOR NO KEY UPDATE
"""


@dataclass(slots=True)
class OpenPools:
    """Pools in use by id, and the ids of retired ones."""

    in_use: dict[str, CachedPool] = field(default_factory=dict)
    retired: set[str] = field(default_factory=set)


def open_pools(
    connection: sa.Connection, ipam_pool_ids: Sequence[str], cached: Mapping[str, CachedPool]
) -> OpenPools:
    """Lock the pools that are known, in order of id, as everybody does."""
    opened = OpenPools()
    if not ipam_pool_ids:
        return opened
    for row in _locked(connection, ipam_pool_ids):
        if row.is_retired:
            opened.retired.add(row.ipam_pool_id)
        else:
            pool = _current(connection, row, cached.get(row.ipam_pool_id))
            opened.in_use[row.ipam_pool_id] = pool
    return opened


def _locked(connection: sa.Connection, ipam_pool_ids: Sequence[str]) -> Sequence[Row]:
    if connection.dialect.name == "sqlite":
        wanted = json.dumps(ipam_pool_ids)
        return connection.exec_driver_sql(_LOCKED_IN_SQLITE, (wanted,)).all()
    return connection.exec_driver_sql(_LOCKED_IN_POSTGRESQL, (list(ipam_pool_ids),)).all()


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
    """What is cached, unless another replica was there meanwhile."""
    if cached is None or cached.version != row.version:
        return _load(connection, row)
    if cached.pool.definition.version != row.definition_version:
        cached.pool.definition = _definition(connection, row)
    return cached


def _definition(connection: sa.Connection, row: Row) -> PoolDefinition:
    is_it = pools.c.number == row.number
    query = sa.select(pools.c.definition).where(is_it)
    return definition_from_json(connection.execute(query).scalar_one())


def _load(connection: sa.Connection, row: Row) -> CachedPool:
    provisioned = connection.execute(
        sa.select(pool_cidrs).where(
            pool_cidrs.c.pool_number == row.number,
            pool_cidrs.c.state == CidrState.PROVISIONED.value,
        )
    )
    held = connection.execute(
        sa.select(
            allocations.c.first_key, allocations.c.prefix_length, allocations.c.resource_type
        ).where(allocations.c.pool_number == row.number)
    )
    pool = Pool(
        _definition(connection, row),
        [pool_cidr_from_row(found, row.ipam_pool_id) for found in provisioned],
        ((cidr_of(found), ResourceType(found.resource_type)) for found in held),
    )
    return CachedPool(row.number, row.version, pool)
