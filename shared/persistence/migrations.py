"""Bringing a context's schema up to date at start-up."""

from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from shared.persistence.database import Database

_ENVIRONMENT = Path(__file__).with_name("alembic")
_MIGRATION_LOCK = 0x43414441  # any number that nobody else takes an advisory lock with


def upgrade(database: Database, package: str) -> None:
    """Run the migrations in ``migrations/versions`` of ``package`` that are still missing.

    All in one transaction: a failing migration leaves the schema as it was. Replicas that start
    together take turns.
    """
    config = Config()
    config.set_main_option("script_location", str(_ENVIRONMENT))
    config.set_main_option("path_separator", "os")
    config.set_main_option(
        "version_locations", str(files(package).joinpath("migrations", "versions"))
    )
    with database.write() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
