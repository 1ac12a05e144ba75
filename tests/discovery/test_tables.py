"""The migrations make the tables that the code uses."""

from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.discovery.tables import metadata
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade


def test_the_migrated_schema_is_the_declared_one(database_url: str) -> None:
    database = Database(database_url)
    upgrade(database, "services.discovery")
    with database.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    database.close()
    assert differences == []


def test_the_migrated_schema_has_the_indexes_of_the_declared_one(database_url: str) -> None:
    database = Database(database_url)
    upgrade(database, "services.discovery")
    with database.write() as connection:
        migrated = _indexes(connection)
        metadata.drop_all(connection)
        metadata.create_all(connection)
        assert migrated == _indexes(connection)
    database.close()


def _indexes(connection: sa.Connection) -> dict[str, list[Any]]:
    """With which rows they are of."""
    inspector = sa.inspect(connection)
    return {
        table: sorted(
            (one["name"], one["column_names"], one["unique"], _condition(one))
            for one in inspector.get_indexes(table)
        )
        for table in metadata.tables
    }


def _condition(index: Any) -> str:
    options = index.get("dialect_options", {})
    return str(options.get("sqlite_where", options.get("postgresql_where", "")))
