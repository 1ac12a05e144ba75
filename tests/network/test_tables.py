"""The migrations make the tables that the code uses."""

from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.network.tables import metadata
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade


def test_the_migrated_schema_is_the_declared_one(database_url: str) -> None:
    database = Database(database_url)
    upgrade(database, "services.network")
    with database.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    database.close()
    assert differences == []


def test_the_migrated_schema_has_the_names_and_defaults_of_the_declared_one(
    database_url: str,
) -> None:
    database = Database(database_url)
    upgrade(database, "services.network")
    with database.write() as connection:
        migrated = _details(connection)
        metadata.drop_all(connection)
        metadata.create_all(connection)
        assert migrated == _details(connection)
    database.close()


def _details(connection: sa.Connection) -> dict[str, Any]:
    """Of every table that is declared; SQLite keeps a default that a column was added with."""
    inspector = sa.inspect(connection)
    has_old_defaults = connection.dialect.name == "sqlite"
    return {
        table: (
            []
            if has_old_defaults
            else {c["name"]: c["default"] for c in inspector.get_columns(table)},
            inspector.get_pk_constraint(table),
            sorted(inspector.get_unique_constraints(table), key=lambda one: one["column_names"]),
            sorted(inspector.get_foreign_keys(table), key=lambda one: one["constrained_columns"]),
            sorted(inspector.get_indexes(table), key=lambda one: one["column_names"]),
        )
        for table in metadata.tables
    }
