"""A ledger without what protects it, to show that a fault run would tell; ``python -m`` serves it.

Nothing in the product can switch the protection off. So this takes the row lock and the version
check out of the running code, and the constraints out of a database of the run's own.
"""

import sqlalchemy as sa

from services.allocation.server import allocation
from services.allocation.store import open_pools
from services.allocation.store.cache import CachedPool
from services.allocation.store.records import Row
from shared.persistence.database import Database
from shared.rpc.server import main

_ROW_LOCK = "FOR NO KEY UPDATE OF ipam_pools"
_GUARDS = (
    "ALTER TABLE ipam_pool_allocations DROP CONSTRAINT ipv4_allocations_never_overlap",
    "ALTER TABLE ipam_pool_allocations DROP CONSTRAINT ipv6_allocations_never_overlap",
    "ALTER TABLE ipam_pool_allocations DROP CONSTRAINT one_allocation_per_address",
    "ALTER TABLE ipam_ledger_changes DROP CONSTRAINT one_change_per_version",
)
_HASTE = (
    "ALTER SYSTEM SET synchronous_commit = off",
    "ALTER SYSTEM SET wal_writer_delay = '1s'",
    "SELECT pg_reload_conf()",
)


def drop_guards(database: Database) -> None:
    """Let PostgreSQL take whatever it is told."""
    with database.write() as connection:
        for statement in _GUARDS:
            connection.execute(sa.text(statement))


def answer_before_it_is_on_disk(database: Database) -> None:
    """Let PostgreSQL acknowledge commits that it has only in memory, for a second or so."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in _HASTE:
            connection.execute(sa.text(statement))


def take_protection_away() -> None:
    """Lock no pool, and believe what is in memory whatever another replica did.

    Raises:
        AttributeError, ValueError: the ledger protects itself in another way by now; then so must
            this.
    """
    load = open_pools._current  # noqa: SLF001

    def current(connection: sa.Connection, row: Row, cached: CachedPool | None) -> CachedPool:
        return cached or load(connection, row, None)

    open_pools._current = current  # noqa: SLF001
    before, _, after = open_pools._LOCKED_IN_POSTGRESQL.rpartition(_ROW_LOCK)  # noqa: SLF001
    if not before or after.strip():
        raise ValueError(after)
    open_pools._LOCKED_IN_POSTGRESQL = before  # noqa: SLF001


if __name__ == "__main__":
    take_protection_away()
    main("allocation", allocation)
