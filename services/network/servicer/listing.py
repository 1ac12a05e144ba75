"""Lists of records."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from google.protobuf.message import Message

from shared.filters import FilterSet

Known = TypeVar("Known")
Record = TypeVar("Record", bound=Message)


def matching(
    filters: FilterSet,
    found: Iterator[tuple[str, Known]],
    to_proto: Callable[[Known], Record],
) -> Iterator[tuple[str, Record]]:
    """What passes the filters of what was found, each with its paging key."""
    for key, known in found:
        record = to_proto(known)
        if filters.matches(record):
            yield key, record
