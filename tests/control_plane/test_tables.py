"""The migrations make the tables that the code uses."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.control_plane.tables import metadata
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade


def test_the_migrated_schema_is_the_declared_one(database_url: str) -> None:
    database = Database(database_url)
    upgrade(database, "services.control_plane")
    with database.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    database.close()
    # The outbox's index is declared by its migration alone.
    assert [d for d in differences if "outbox_by_subject" not in str(d)] == []
