"""Failures of statements that pass SQLAlchemy by are told as its own are."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from services.allocation.store.driver import execute, pipelined
from shared.persistence.database import Database
from shared.persistence.failures import DatabaseUnavailable
from tests.postgres import DIALECTS

INSERT = {"sqlite": "INSERT INTO t VALUES (?)", "postgresql": "INSERT INTO t VALUES (%s)"}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    with database.write() as connection:
        connection.execute(sa.text("CREATE TABLE t (n INTEGER PRIMARY KEY)"))
    yield database
    database.close()


def insert(database: Database, connection: sa.Connection, *numbers: int) -> None:
    for number in numbers:
        execute(connection, INSERT[database.dialect], (number,))


def numbers_in(database: Database) -> list[int]:
    with database.read() as connection:
        return list(connection.scalars(sa.text("SELECT n FROM t ORDER BY n")))


def test_statements_of_a_pipeline_are_carried_out_in_order(database: Database) -> None:
    with database.write() as connection, pipelined(connection):
        insert(database, connection, 1, 2)
        found = execute(connection, "SELECT n FROM t ORDER BY n", ())
        if database.dialect == "sqlite":
            # It is read while the statement goes on; a pipeline's rows are all there.
            found = found.fetchall()
        insert(database, connection, 3)
    assert [n for (n,) in found] == [1, 2]
    assert numbers_in(database) == [1, 2, 3]


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_what_the_database_refuses_undoes_the_transaction(
    database: Database, in_pipeline: bool
) -> None:
    def fail() -> None:
        with database.write() as connection:
            if in_pipeline:
                with pipelined(connection):
                    insert(database, connection, 1, 2, 2, 3)
            else:
                insert(database, connection, 1, 2, 2, 3)

    with pytest.raises(sa.exc.IntegrityError):
        fail()
    assert numbers_in(database) == []
    with database.write() as connection:
        insert(database, connection, 4)
    assert numbers_in(database) == [4]


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_a_server_that_goes_in_between_is_unavailable_and_found_again(
    database: Database, in_pipeline: bool
) -> None:
    rest = Database(database.engine.url.render_as_string(hide_password=False))

    def fail() -> None:
        with database.write() as connection:
            insert(database, connection, 1)
            pid = connection.scalar(sa.text("SELECT pg_backend_pid()"))
            with rest.write() as other:
                other.execute(sa.text(f"SELECT pg_terminate_backend({pid}, 10000)"))
            if in_pipeline:
                with pipelined(connection):
                    insert(database, connection, 2, 3)
            else:
                insert(database, connection, 2)

    with pytest.raises(DatabaseUnavailable):
        fail()
    rest.close()
    with database.write() as connection:
        insert(database, connection, 4)
    assert numbers_in(database) == [4]
