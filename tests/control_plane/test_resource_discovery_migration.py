"""Default resource discoveries that were there before there were others (DISC-1)."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory

from services.control_plane import tables
from services.control_plane.ipam import Ipam
from services.control_plane.resource_discoveries.association import default_association
from services.control_plane.resource_discoveries.resource_discovery import (
    default_resource_discovery,
)
from services.control_plane.store.records import columns_of
from services.control_plane.store.rows import SqlRows
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.control_plane.records import an_ipam

MIGRATIONS = Path("services/control_plane/migrations")


@pytest.fixture
def schema_package() -> str:
    """None: what is tested here makes the tables."""
    return ""


def upgrade_to(connection: sa.Connection, revision: str) -> None:
    script = ScriptDirectory(MIGRATIONS)

    def missing(present: tuple[str, ...], _context: MigrationContext) -> list[MigrationStep]:
        newest_first = script.iterate_revisions(revision, present, implicit_base=True)
        return [
            MigrationStep.upgrade_from_script(script.revision_map, found)
            for found in reversed(list(newest_first))
        ]

    context = MigrationContext.configure(connection, opts={"fn": missing})
    with Operations.context(context):
        context.run_migrations()


def vars_of(record: object) -> dict[str, object]:
    """By column."""
    if isinstance(record, Ipam):
        return columns_of(record, tables.ipams)
    return {name: getattr(record, name) for name in dir(record)}


def test_they_are_complete_and_as_they_were(database_url: str) -> None:
    database, ipam = Database(database_url), an_ipam()
    discovery, association = default_resource_discovery(ipam), default_association(ipam)
    with database.write() as connection:
        upgrade_to(connection, "0004")
        for table, record in (
            (tables.ipams, ipam),
            (tables.resource_discoveries, discovery),
            (tables.resource_discovery_associations, association),
        ):
            columns = {c["name"] for c in sa.inspect(connection).get_columns(table.name)}
            parts = vars_of(record)
            values = {name: parts[name] for name in columns - {"sequence"}}
            connection.execute(table.insert().values(values))
    upgrade(database, "services.control_plane")
    with database.write() as connection:
        rows = SqlRows(connection)
        found = rows.discoveries.discovery(discovery.ipam_resource_discovery_id, lock=False)
        assert found == discovery
        assert rows.discoveries.associations(ipam.ipam_id) == [association]
        # What is new can be done: the association outlives its resource discovery.
        rows.discoveries.remove_discovery(discovery.ipam_resource_discovery_id)
        [orphan] = rows.discoveries.associations(ipam.ipam_id)
        assert orphan.discovery_owner_id is None
    database.close()
