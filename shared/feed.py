"""Following what is committed: every change in its order, and new ones as they come."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

POLL_SECONDS = 0.5
"""How long a change that another process committed may go unnoticed."""


class Numbered(Protocol):
    """A change in its place in the feed."""

    @property
    def sequence(self) -> int:
        """Grows from change to change."""


Change = TypeVar("Change", bound=Numbered)


class Bell:
    """Rung when a change was committed in this process."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake all that wait, once."""
        self._rung.set()
        self._rung = asyncio.Event()

    def next_ring(self) -> asyncio.Event:
        """Set by the first `ring` from now on."""
        return self._rung


async def follow(
    read_after: Callable[[int], Awaitable[Sequence[Change]]],
    bell: Bell,
    *,
    after: int,
    poll_seconds: float = POLL_SECONDS,
) -> AsyncIterator[Change]:
    """Every change after a sequence number, then new ones as they are committed; never ends.

    ``read_after`` answers with the next ones in order, some of them at least, and with none only
    when there are none yet.
    """
    while True:
        # Asked for before reading, so a change committed in between is not slept over.
        rung = bell.next_ring()
        found = await read_after(after)
        for change in found:
            yield change
            after = change.sequence
        if not found:
            with suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), poll_seconds)
