"""Reading rows, a block at a time."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

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
