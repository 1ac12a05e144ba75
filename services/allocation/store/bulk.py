"""Many rows in few calls of the driver, for what every allocation goes through.

A call a row, which is what executemany makes, would let the thread that writes queue for Python's
lock after each of them, while the event loop holds it; a call for many rows waits once.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import base as postgresql

from services.allocation.store.driver import execute

# SQLite is given statements of a few lengths only, so that it has met them before.
_LENGTHS = (128, 64, 32, 16, 8, 4, 2, 1)
_POSTGRESQL = postgresql.PGDialect()  # type: ignore[no-untyped-call]  # SQLAlchemy has no types there

T = TypeVar("T")

Values = Mapping[str, Any]
"""A row's values by column name."""

Stored = Callable[[list[Any], bool], list[Any]]
"""A column's values as the drivers take them; the second argument: for SQLite."""


class BulkInsert:
    """Inserts rows into a table."""

    def __init__(self, table: sa.Table, *, without: Sequence[str] = ()) -> None:
        """``without``: columns that the database fills in."""
        columns = [column for column in table.columns if column.name not in without]
        names = [column.name for column in columns]
        self._stored = [_stored_as(column) for column in columns]
        self._in_order = itemgetter(*names)
        self._into = f"{table.name} ({', '.join(names)})"
        self._row = f"({', '.join('?' * len(columns))})"
        arrays = ", ".join(map(_array, columns))
        self._in_postgresql = f"INSERT INTO {self._into} SELECT * FROM unnest({arrays})"
        self._in_sqlite = cache(self._made_for_sqlite)

    def execute(self, connection: sa.Connection, rows: Sequence[Values]) -> None:
        """Insert ``rows``.

        Raises:
            IntegrityError: the database refuses one of them, and so all.
        """
        if not _is_sqlite(connection):
            columns = _columns_of(rows, self._in_order, self._stored, is_sqlite=False)
            execute(connection, self._in_postgresql, columns)
            return
        for chunk in _chunks(rows):
            columns = _columns_of(chunk, self._in_order, self._stored, is_sqlite=True)
            flat = tuple(chain.from_iterable(zip(*columns, strict=True)))
            execute(connection, self._in_sqlite(len(chunk)), flat)

    def _made_for_sqlite(self, row_count: int) -> str:
        return f"INSERT INTO {self._into} VALUES {', '.join([self._row] * row_count)}"


class BulkUpdate:
    """Sets some columns of rows known by one other."""

    def __init__(self, table: sa.Table, *, key: str, values: Sequence[str]) -> None:
        self._in_order = itemgetter(*values, key)
        self._stored = [_stored_as(table.columns[name]) for name in (*values, key)]
        settings = ", ".join(f"{name} = %s" for name in values)
        self._statement = f"UPDATE {table.name} SET {settings} WHERE {key} = %s"

    def execute(self, connection: sa.Connection, rows: Sequence[Values]) -> None:
        """Set what ``rows`` say."""
        is_sqlite = _is_sqlite(connection)
        statement = self._statement.replace("%s", "?") if is_sqlite else self._statement
        columns = _columns_of(rows, self._in_order, self._stored, is_sqlite=is_sqlite)
        for parameters in zip(*columns, strict=True):
            execute(connection, statement, parameters)


class BulkDelete:
    """Deletes rows known by one column."""

    def __init__(self, table: sa.Table, *, key: str) -> None:
        deleted = f"DELETE FROM {table.name} WHERE {key}"
        self._in_postgresql = f"{deleted} = ANY ({_array(table.columns[key])})"
        self._in_sqlite = f"{deleted} IN (SELECT value FROM json_each(?))"

    def execute(self, connection: sa.Connection, keys: Sequence[str]) -> None:
        """Delete the rows that have one of ``keys``."""
        if _is_sqlite(connection):
            execute(connection, self._in_sqlite, (json.dumps(keys),))
        else:
            execute(connection, self._in_postgresql, (list(keys),))


def _columns_of(
    rows: Sequence[Values],
    in_order: Callable[[Values], Sequence[Any]],
    stored_as: Sequence[Stored | None],
    *,
    is_sqlite: bool,
) -> list[list[Any]]:
    """Column by column what the driver takes."""
    columns = map(list, zip(*map(in_order, rows), strict=True))
    return [
        stored(values, is_sqlite) if stored else values
        for stored, values in zip(stored_as, columns, strict=True)
    ]


def _is_sqlite(connection: sa.Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _array(column: sa.Column[Any]) -> str:
    # %b: sent as it is, not spelled out, so that neither side parses it.
    return f"%b::{column.type.compile(_POSTGRESQL)}[]"


def _chunks(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    begin = 0
    for length in _LENGTHS:
        while begin + length <= len(rows):
            yield rows[begin : begin + length]
            begin += length


def _stored_as(column: sa.Column[Any]) -> Stored | None:
    """How a column's values become what the drivers take; None where they do already."""
    match column.type:
        case sa.JSON():
            return _json_texts
        case sa.DateTime():
            return _times
    return None


def _json_texts(values: list[Any], _is_sqlite: bool) -> list[Any]:
    return [json.dumps(value) if value else "{}" for value in values]


def _times(values: list[Any], is_sqlite: bool) -> list[Any]:
    if not is_sqlite:
        return values
    # As SQLAlchemy writes them; most rows of a batch have the same one.
    texts = {value: f"{value:%Y-%m-%d %H:%M:%S.%f}" for value in set(values) if value}
    return [texts.get(value) for value in values]
