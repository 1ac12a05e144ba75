"""Lists of the contexts as tables read them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from google.protobuf.message import Message

from services.gateway.console.tables import Read
from services.gateway.console.visit import Visit

A = TypeVar("A", bound=Message)
R = TypeVar("R")

_MOST_ROWS = 1000
_MOST_RECORDS = 10_000


def reading(
    visit: Visit,
    request: Message,
    answers: type[A],
    records: Callable[[A], Sequence[R]],
    *,
    least: int = 5,
    most: int = _MOST_ROWS,
) -> Read[R]:
    """Reads what an operation with MaxResults, NextToken and perhaps Filters lists.

    What ``request`` asks holds for all pages; ``least`` and ``most`` are AWS's limits of its
    MaxResults.
    """

    async def read(wanted: Mapping[str, str], rows: int, token: str) -> tuple[Sequence[R], str]:
        page: Any = type(request)()
        page.CopyFrom(request)
        page.max_results = max(least, min(rows, most))
        if token:
            page.next_token = token
        for name, value in wanted.items():
            page.filters.add(name=name, values=[value])
        answer = await visit.api.call(page, answers)
        return records(answer), getattr(answer, "next_token", "")

    return read


async def all_of(read: Read[R], *, most: int = _MOST_RECORDS) -> Sequence[R]:
    """All that ``read`` reads, up to about ``most``: for choices and the like."""
    found, token = list[R](), ""
    while len(found) < most:
        some, token = await read({}, _MOST_ROWS, token)
        found.extend(some)
        if not token:
            break
    return found
