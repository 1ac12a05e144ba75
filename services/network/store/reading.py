"""Reading rows, a block at a time."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from shared.caller import Caller

BLOCK_ROWS = 1000


def all_of(
    connection: sa.Connection, query: sa.Select[Any] | sa.CompoundSelect[Any]
) -> Sequence[sa.Row[Any]]:
    return connection.execute(query).all()


def block_of(
    connection: sa.Connection, query: sa.Select[Any], key: sa.ColumnElement[Any], last: object
) -> Sequence[sa.Row[Any]]:
    """The next rows by ``key``: a page costs what it shows, not what comes after it."""
    return all_of(connection, query.where(key > last).order_by(key).limit(BLOCK_ROWS))


def blocks_of(
    connection: sa.Connection, query: sa.Select[Any], key: sa.ColumnElement[Any], after: str | None
) -> Iterator[Sequence[sa.Row[Any]]]:
    """All rows by ``key``, a number, after this one."""
    last = int(after) if after else 0
    while block := block_of(connection, query, key, last):
        yield block
        last = getattr(block[-1], key.key or "")


def lock_rows(
    connection: sa.Connection, key: sa.ColumnElement[Any], *is_one: sa.ColumnElement[bool]
) -> None:
    """Lock rows in order of ``key``: what is read next is as it was when the locks were got."""
    all_of(connection, sa.select(key).where(*is_one).order_by(key).with_for_update())


def is_callers(table: sa.Table, caller: Caller) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.owner_id == caller.account_id, table.c.region == caller.region


def is_wanted(column: sa.ColumnElement[Any], ids: Collection[str]) -> sa.ColumnElement[bool]:
    """One of these ids; any, if there are none."""
    return column.in_(ids) if ids else sa.true()


def in_utc(moment: datetime) -> datetime:
    """A moment as it was written: SQLite keeps no time zone, PostgreSQL tells it in its own."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
