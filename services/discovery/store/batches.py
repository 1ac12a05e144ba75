"""Long lists in statements that every database takes."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

_LONGEST = 5000
"""SQLite takes up to 32,766 values in a statement, PostgreSQL up to 65,535."""


def batches_of(values: Sequence[T]) -> Iterator[list[T]]:
    """``values`` in their order, as few lists as statements take."""
    rest = iter(values)
    while some := list(islice(rest, _LONGEST)):
        yield some
