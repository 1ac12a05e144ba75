"""Requests that take effect once, however often they come (ALLOC-7)."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from services.network.service.rows import Rows, Store
from services.network.service.token_rows import Once

T = TypeVar("T")


class Answer(Protocol):
    """A message of the contract."""

    def SerializeToString(self) -> bytes: ...  # noqa: N802 - protobuf's name


async def write_once(
    store: Store,
    use_case: Callable[[Rows], T],
    answer: Callable[[T], Answer],
    *,
    once: Once,
    dry_run: bool,
) -> bytes:
    """The serialized answer to the request's first coming; what it asked for is done only then.

    Raises:
        IdempotentParameterMismatch: the token came with another request before.
    """

    def first_answer(rows: Rows) -> bytes:
        if once.token and (earlier := rows.tokens.recall(once)):
            return earlier
        first = answer(use_case(rows)).SerializeToString()
        if once.token:
            rows.tokens.remember(once, first)
        return first

    return await store.write(first_answer, dry_run=dry_run)
