"""What is really there, read from the tables and not from a service."""

import time
from typing import Any

import sqlalchemy as sa

from services.allocation.tables import allocations, pool_cidrs, pools
from shared.cidr import Cidr
from shared.persistence.database import Database
from tests.faults.history import Found, FoundAllocation, FoundCidr, FoundPool

_IS_OF_POOL = "ipam-pool"


def snapshot(url: str) -> Found:
    """As of one moment; on SQLite no service may be running."""
    database = Database(url)
    try:
        with database.read() as connection:
            return Found(
                tuple(map(_pool, connection.execute(sa.select(pools)))),
                tuple(map(_pool_cidr, connection.execute(_of_pools(pool_cidrs, _provisioned())))),
                tuple(map(_allocation, connection.execute(_of_pools(allocations)))),
                at=time.monotonic(),
            )
    finally:
        database.close()


def _of_pools(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    joined = sa.select(table, pools.c.ipam_pool_id).join(
        pools, pools.c.number == table.c.pool_number
    )
    return joined.where(*conditions)


def _provisioned() -> sa.ColumnElement[bool]:
    return pool_cidrs.c.state == "provisioned"


def _pool(row: Any) -> FoundPool:
    return FoundPool(
        row.ipam_pool_id,
        row.source_ipam_pool_id,
        row.scope_number,
        row.cidr_count,
        row.allocation_count,
        int(row.total_addresses),
        int(row.allocated_addresses) + int(row.assigned_addresses),
    )


def _pool_cidr(row: Any) -> FoundCidr:
    cidr = Cidr.from_key(row.first_key, row.prefix_length)
    return FoundCidr(row.ipam_pool_cidr_id, row.ipam_pool_id, cidr, row.parent_allocation_id)


def _allocation(row: Any) -> FoundAllocation:
    return FoundAllocation(
        row.ipam_pool_allocation_id,
        row.ipam_pool_id,
        Cidr.from_key(row.first_key, row.prefix_length),
        token=row.description,
        child_pool_id=row.resource_id if row.resource_type == _IS_OF_POOL else None,
    )
