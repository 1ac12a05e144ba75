"""What passes is a refusal that says so."""

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from shared.errors import Conflict, Unavailable, kind_of
from shared.persistence.database import Database
from shared.persistence.failures import (
    ConcurrentModification,
    DatabaseUnavailable,
    failures_as_refusals,
)
from tests.postgres import PostgresServer


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    with postgres.empty_database() as url:
        database = Database(url)
        yield database
        database.close()


@pytest.mark.postgres
def test_the_loser_of_a_deadlock_may_repeat(database: Database) -> None:
    both_hold_one = threading.Barrier(2)

    def lock(first: int, second: int) -> object:
        try:
            with database.write() as connection:
                connection.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
                connection.execute(text(f"SELECT pg_advisory_xact_lock({first})"))
                both_hold_one.wait()
                connection.execute(text(f"SELECT pg_advisory_xact_lock({second})"))
        except ConcurrentModification as error:
            return kind_of(error)
        return None

    with ThreadPoolExecutor() as threads:
        ends = list(threads.map(lock, (1, 2), (2, 1)))
    assert Conflict in ends


@pytest.mark.postgres
def test_a_connection_that_breaks_costs_one_transaction(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable) as refused, database.write() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert kind_of(refused.value) is Unavailable
    with database.write() as connection:
        connection.execute(text("SELECT 1"))


@pytest.mark.postgres
def test_connections_that_broke_while_idle_cost_nothing(database: Database) -> None:
    with database.read() as first, database.read() as second:
        others = [
            connection.scalar(text("SELECT pg_backend_pid()")) for connection in (first, second)
        ]
    rest = Database(str(database.engine.url.render_as_string(hide_password=False)))
    with rest.write() as connection:
        for other in others:
            connection.execute(text(f"SELECT pg_terminate_backend({other}, 10000)"))
    rest.close()
    with database.read() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


@pytest.mark.postgres
def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"postgresql://postgres@/postgres?host={tmp_path}")
    with pytest.raises(DatabaseUnavailable), database.read():
        pass
    database.close()


@pytest.mark.postgres
def test_a_server_that_takes_too_long_is_unavailable(database: Database) -> None:
    impatient = Database(f"{database.engine.url}&options=-c%20statement_timeout%3D10ms")
    with pytest.raises(DatabaseUnavailable), impatient.read() as connection:
        connection.execute(text("SELECT pg_sleep(30)"))
    impatient.close()


def test_a_file_that_another_program_writes_to_is_unavailable(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "file", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    engine = create_engine(f"sqlite:///{tmp_path / 'file'}", connect_args={"timeout": 0})
    with pytest.raises(DatabaseUnavailable), failures_as_refusals(), engine.begin() as connection:
        connection.execute(text("BEGIN IMMEDIATE"))
    engine.dispose()
    other.close()


@pytest.mark.postgres
def test_a_wrong_statement_is_nothing_to_wait_for(database: Database) -> None:
    with pytest.raises(DBAPIError), database.read() as connection:
        connection.execute(text("SELECT nonsense"))
