"""Harm done to the ledger's tables by hand, past everything that guards them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from services.allocation import tables
from services.allocation.store.records import keys_of
from shared.cidr import Cidr
from shared.ids import IPAM_POOL_ALLOCATION, IPAM_POOL_CIDR
from shared.settings import Settings

_GUARDS = {
    "ipam_pool_allocations": [
        "allocations_never_overlap",
        "allocations_never_move",
        "ipv4_allocation_is_a_block",
        "ipv4_allocations_never_overlap",
        "ipv6_allocations_never_overlap",
    ],
    "ipam_pool_cidrs": ["top_level_cidrs_never_overlap", "pool_cidrs_never_move"],
}


class Harm:
    """One transaction in which anything goes."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def number_of(self, pool_id: str) -> int:
        is_it = tables.pools.c.ipam_pool_id == pool_id
        number: int = self.connection.execute(
            sa.select(tables.pools.c.number).where(is_it)
        ).scalar_one()
        return number

    def add_allocation(self, pool: str | int, cidr: str, **members: Any) -> str:
        """``pool`` is an id, or the number of a pool that need not be there."""
        number = self.number_of(pool) if isinstance(pool, str) else pool
        row = {
            "ipam_pool_allocation_id": IPAM_POOL_ALLOCATION.new(),
            "pool_number": number,
            **keys_of(Cidr.parse(cidr)),
            "resource_type": "custom",
            "resource_owner": "123456789012",
            "tags": {},
            "created_at": datetime.now(UTC),
            **members,
        }
        self.connection.execute(tables.allocations.insert().values(row))
        return str(row["ipam_pool_allocation_id"])

    def add_cidr(self, pool_id: str, cidr: str, **members: Any) -> None:
        is_it = tables.pools.c.ipam_pool_id == pool_id
        row = {
            "ipam_pool_cidr_id": IPAM_POOL_CIDR.new(),
            "pool_number": self.number_of(pool_id),
            "scope_number": sa.select(tables.pools.c.space_number).where(is_it).scalar_subquery(),
            **keys_of(Cidr.parse(cidr)),
            "state": "provisioned",
            **members,
        }
        self.connection.execute(tables.pool_cidrs.insert().values(row))

    def change(self, table: sa.Table, is_it: sa.ColumnElement[bool], **members: Any) -> None:
        self.connection.execute(table.update().where(is_it).values(**members))

    def remove(self, table: sa.Table, is_it: sa.ColumnElement[bool]) -> None:
        self.connection.execute(table.delete().where(is_it))


@contextmanager
def harming(settings: Settings) -> Iterator[Harm]:
    """As somebody with a database client does it while the ledger runs; the guards stay away."""
    engine = sa.create_engine(settings.database_url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        with engine.begin() as connection:
            _unguard(connection)
            yield Harm(connection)
    finally:
        engine.dispose()


def _unguard(connection: sa.Connection) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    for table, names in _GUARDS.items():
        for name in names:
            if is_sqlite:
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
            else:
                connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
    if not is_sqlite:
        # Foreign keys are triggers there, which a replica does not run; SQLite needs to be asked
        # for them, and is not.
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
