"""Lists in the order of a sequence, read in blocks."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from shared.errors import InvalidNextToken

_BLOCK_ROWS = 100
_MOST_VALUES = 500
_LARGEST = 2**63 - 1


def in_order(
    connection: sa.Connection, query: sa.Select[Any], sequence: sa.Column[int], after: str | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What ``query`` selects, without its ``sequence``, which is the key and begins after a key.

    In blocks, so that a page costs what it shows, not what comes after it.

    Raises:
        InvalidNextToken: ``after`` is no such key.
    """
    last = _sequence_of(after)
    while True:
        later = query.add_columns(sequence).where(sequence > last).order_by(sequence)
        block = connection.execute(later.limit(_BLOCK_ROWS)).mappings().all()
        for row in block:
            values = dict(row)
            last = values.pop(sequence.name)
            yield str(last), values
        if len(block) < _BLOCK_ROWS:
            return


def in_chunks(values: Collection[str]) -> Iterator[Sequence[str]]:
    """All values, so many at a time that a query may name them."""
    ordered = sorted(values)
    for start in range(0, len(ordered), _MOST_VALUES):
        yield ordered[start : start + _MOST_VALUES]


def _sequence_of(key: str | None) -> int:
    if key is None:
        return 0
    if not (key.isascii() and key.isdigit()) or int(key) > _LARGEST:
        raise InvalidNextToken
    return int(key)
