import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.postgres import PostgresServer


class Package:
    """A context that has nothing but migrations."""

    def __init__(self, folder: Path) -> None:
        self.name = f"context_{uuid.uuid4().hex}"
        self._versions = folder / self.name / "migrations" / "versions"
        self._versions.mkdir(parents=True)
        (folder / self.name / "__init__.py").touch()

    def add(self, revision: str, down_revision: str | None, body: str, outside: str = "") -> None:
        self._versions.joinpath(f"{revision}.py").write_text(
            "import sqlalchemy as sa\nfrom alembic import op\n"
            f"revision: str = {revision!r}\ndown_revision = {down_revision!r}\n{outside}\n"
            f"def upgrade() -> None:\n    {body}\n"
        )

    def add_table(self, revision: str, down_revision: str | None, outside: str = "") -> None:
        body = f"op.create_table('t{revision}', sa.Column('id', sa.Integer))"
        self.add(revision, down_revision, body, outside)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    package = Package(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return package


def tables(database: Database) -> set[str]:
    return set(sa.inspect(database.engine).get_table_names()) - {"alembic_version"}


def test_missing_migrations_run_in_their_order(database: Database, package: Package) -> None:
    package.add("b", "a", "op.rename_table('ta', 'tb')")
    package.add_table("a", None)
    upgrade(database, package.name)
    assert tables(database) == {"tb"}


def test_only_what_is_new_runs_on_a_schema_in_use(database: Database, package: Package) -> None:
    package.add_table("a", None)
    upgrade(database, package.name)
    package.add_table("b", "a")
    upgrade(database, package.name)
    assert tables(database) == {"ta", "tb"}


def test_a_schema_that_is_up_to_date_runs_no_migration_code(
    database: Database, package: Package
) -> None:
    package.add_table("a", None)
    upgrade(database, package.name)
    package.add_table("a", None, outside="raise AssertionError('was imported')")
    upgrade(database, package.name)


def test_a_failing_migration_leaves_the_schema_as_it_was(
    database: Database, package: Package
) -> None:
    package.add_table("a", None)
    upgrade(database, package.name)
    package.add_table("b", "a")
    package.add("c", "b", "op.create_table('tc', sa.Column('id', sa.Integer)); 1 / 0")
    with pytest.raises(ZeroDivisionError):
        upgrade(database, package.name)
    assert tables(database) == {"ta"}

    package.add_table("c", "b")
    upgrade(database, package.name)
    assert tables(database) == {"ta", "tb", "tc"}


def test_a_migration_can_tell_the_databases_apart(database: Database, package: Package) -> None:
    package.add("a", None, f"assert op.get_bind().dialect.name == {database.dialect!r}")
    upgrade(database, package.name)


@pytest.mark.postgres
def test_replicas_that_start_together_take_turns(
    postgres: PostgresServer, package: Package
) -> None:
    package.add_table("a", None)
    with postgres.empty_database() as url:
        replicas = [Database(url) for _ in range(4)]
        with ThreadPoolExecutor() as threads:
            list(threads.map(upgrade, replicas, [package.name] * 4))
        assert tables(replicas[0]) == {"ta"}
        for replica in replicas:
            replica.close()
