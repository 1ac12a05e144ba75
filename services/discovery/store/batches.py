"""Long lists in statements that every database takes, and many rows in few of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, islice
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")

_LONGEST = 5000
"""SQLite takes up to 32,766 values in a statement, PostgreSQL up to 65,535."""
_ROWS = (256, 32, 4, 1)
"""SQLite is given statements of a few lengths only, so that it has met them before."""


def batches_of(values: Iterable[T], longest: int = _LONGEST) -> Iterator[list[T]]:
    """``values`` in their order, as few lists as statements take."""
    rest = iter(values)
    while some := list(islice(rest, longest)):
        yield some


def insert_rows(
    connection: sa.Connection,
    table: sa.Table,
    columns: Iterable[sa.Column[Any]],
    rows: Iterable[Sequence[Any]],
) -> None:
    """Insert ``rows``: values of ``columns``, as both drivers take them.

    A first pass has millions. SQLAlchemy's account of a row takes longer than the database takes
    for it; PostgreSQL would be sent a message a row. With SQLite a call a row would have the thread
    queue for Python's lock after each, while others read the next snapshots.

    Raises:
        DBAPIError: the database refuses one of them, or does not answer.
    """
    names = [column.name for column in columns]
    named = f"{table.name} ({', '.join(names)})"
    if connection.dialect.name == "sqlite":
        _insert_chunks(connection, f"INSERT INTO {named}", len(names), rows)
    else:
        _copy(connection, f"COPY {named} FROM STDIN", rows)


def add_rows(
    connection: sa.Connection,
    table: sa.Table,
    columns: Iterable[sa.Column[Any]],
    added: sa.Column[Any],
    rows: Iterable[Sequence[Any]],
) -> None:
    """Insert ``rows``, likewise; what is ``added`` of one whose key is there is added to that."""
    names, key = [column.name for column in columns], [one.name for one in table.primary_key]
    into = f"INSERT INTO {table.name} ({', '.join(names)})"
    total = f"{table.name}.{added.name} + excluded.{added.name}"
    ending = f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {added.name} = {total}"
    _insert_chunks(connection, into, len(names), rows, ending)


def stored_as(connection: sa.Connection, column: sa.Column[Any]) -> Callable[[Any], Any]:
    """Makes of a column's values what the driver takes; most rows have one of a few."""
    made = column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    return cache(made) if made else lambda value: value


def update_rows(
    connection: sa.Connection,
    table: sa.Table,
    columns: Iterable[sa.Column[Any]],
    key: sa.Column[Any],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Set ``columns`` of the rows that ``key`` names: ``rows`` are their values and the key's."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    settings = ", ".join(f"{column.name} = {mark}" for column in columns)
    statement = f"UPDATE {table.name} SET {settings} WHERE {key.name} = {mark}"  # noqa: S608 - our own names
    connection.exec_driver_sql(statement, list(rows))


def _insert_chunks(
    connection: sa.Connection,
    into: str,
    width: int,
    rows: Iterable[Sequence[Any]],
    ending: str = "",
) -> None:
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    row = f"({', '.join([mark] * width)})"
    for some in batches_of(rows, _ROWS[0]):
        for chunk in _chunks(some):
            statement = f"{into} VALUES {', '.join([row] * len(chunk))}{ending}"
            connection.exec_driver_sql(statement, tuple(chain.from_iterable(chunk)))


def _chunks(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    begin = 0
    for length in _ROWS:
        while begin + length <= len(rows):
            yield rows[begin : begin + length]
            begin += length


def _copy(connection: sa.Connection, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    dialect = connection.dialect
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except dialect.loaded_dbapi.Error as error:
        # As SQLAlchemy tells of failures, so that nobody above has to know the difference.
        is_gone = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
        if is_gone:
            connection.invalidate(error)
        raise DBAPIError.instance(
            statement,
            None,
            error,
            dialect.loaded_dbapi.Error,
            connection_invalidated=is_gone,
            dialect=dialect,
        ) from error
