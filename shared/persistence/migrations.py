"""Bringing a context's schema up to date at start-up."""

from importlib.resources import files
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table, text

from shared.persistence.database import Database
from shared.persistence.revisions import heads

_VERSION = table("alembic_version", column("version_num"))
_MIGRATION_LOCK = 0x43414441  # any number that nobody else takes an advisory lock with


def upgrade(database: Database, package: str) -> None:
    """Run the migrations in ``migrations/versions`` of ``package`` that are still missing.

    All in one transaction: a failing migration leaves the schema as it was. Replicas that start
    together take turns.
    """
    folder = Path(str(files(package))) / "migrations"
    with database.read() as connection:
        if _revisions_of(connection) == heads(folder / "versions"):
            return
    with database.write() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        _run_missing(connection, folder)


def _revisions_of(connection: Connection) -> set[str]:
    if not inspect(connection).has_table(_VERSION.name):
        return set()
    return set(connection.scalars(select(_VERSION.c.version_num)))


def _run_missing(connection: Connection, folder: Path) -> None:
    # Imported late: a schema that is up to date, so nearly every start, never needs it.
    from alembic.operations import Operations  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext, MigrationStep  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    script = ScriptDirectory(folder)

    def missing(present: tuple[str, ...], _context: MigrationContext) -> list[MigrationStep]:
        newest_first = script.iterate_revisions("heads", present, implicit_base=True)
        return [
            MigrationStep.upgrade_from_script(script.revision_map, revision)
            for revision in reversed(list(newest_first))
        ]

    context = MigrationContext.configure(connection, opts={"fn": missing})
    with Operations.context(context):
        context.run_migrations()
