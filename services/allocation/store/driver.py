"""Statements that every batch makes, in the drivers' own words and without anything between.

SQLAlchemy's account of each statement takes longer than SQLite takes to carry it out. Failures are
told as SQLAlchemy tells them, so that nobody above has to know the difference.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError


def execute(connection: sa.Connection, statement: str, parameters: Sequence[Any]) -> Any:
    """The driver's cursor; in a pipeline, its rows come when they are asked for.

    Raises:
        DBAPIError: the database refuses, or does not answer.
    """
    driver: Any = connection.connection.driver_connection
    try:
        return driver.execute(statement, parameters)
    except _errors(connection) as error:
        raise _told(connection, error, statement) from error


@contextmanager
def pipelined(connection: sa.Connection) -> Iterator[None]:
    """A block whose statements `execute` sends without waiting for one another's outcome.

    SQLite is no distance away, so there it is as without.

    Raises:
        DBAPIError: the database refuses one of them, or does not answer.
    """
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        yield
        return
    try:
        with driver.pipeline():
            yield
    except _errors(connection) as error:
        raise _told(connection, error, "") from error


def _errors(connection: sa.Connection) -> type[Exception]:
    found: type[Exception] = connection.dialect.loaded_dbapi.Error
    return found


def _told(connection: sa.Connection, error: Any, statement: str) -> Exception:
    dialect = connection.dialect
    is_gone = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
    if is_gone:
        connection.invalidate(error)
    told: Exception = DBAPIError.instance(
        statement,
        None,
        error,
        dialect.loaded_dbapi.Error,
        connection_invalidated=is_gone,
        dialect=dialect,
    )
    return told
