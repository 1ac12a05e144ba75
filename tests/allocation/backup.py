"""A backup of a ledger's database, and putting it back."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from services.allocation import tables
from shared.persistence.database import Database
from shared.settings import Settings

Backup = Mapping[str, Sequence[Mapping[str, Any]]]


def back_up(settings: Settings) -> Backup:
    """All rows, while nobody has the database open."""
    database = Database(settings.database_url_of("allocation"))
    with database.read() as connection:
        rows = {
            table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
            for table in tables.metadata.sorted_tables
        }
    database.close()
    return rows


def restore(settings: Settings, backup: Backup) -> None:
    """As it was, the numbers that come next included."""
    database = Database(settings.database_url_of("allocation"))
    with database.write() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(table.delete())
        for table in tables.metadata.sorted_tables:
            if rows := backup[table.name]:
                connection.execute(table.insert(), [_storable(table, row) for row in rows])
        if database.dialect == "postgresql":
            for table, column in (
                (tables.changes, "sequence"),
                (tables.pools, "number"),
                (tables.scopes, "number"),
            ):
                highest = max((row[column] for row in backup[table.name]), default=1)
                name = f"{table.name}_{column}_seq"
                connection.execute(sa.select(sa.func.setval(name, highest)))
    database.close()


def _storable(table: sa.Table, row: Mapping[str, Any]) -> dict[str, Any]:
    # None is no row's JSON, but no value at all.
    return {
        name: sa.null() if value is None and isinstance(table.c[name].type, sa.JSON) else value
        for name, value in row.items()
    }
