"""How long a committer waits for a fuller batch, so that fewer transactions carry more."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Linger:
    """When it waits, and for how long."""

    after_batches_of: int
    """How long the last batch has to be; among few, each wait would cost more than it saves."""
    enough: int
    """As many waiting end it."""
    pace_seconds: float
    """So long after the last batch was begun, the next one is, at the latest."""


class Gathering:
    """One wait for a fuller batch: for as many as were answered, or until it is time."""

    def __init__(self, waiting: Callable[[], int], *, wanted: int, end: float) -> None:
        """``waiting`` tells how many wait. ``end`` is a time of the event loop."""
        self._waiting, self._wanted, self._end = waiting, wanted, end
        self._full = asyncio.Event()
        self.look()

    def look(self) -> None:
        """Somebody has come, maybe."""
        if self._waiting() >= self._wanted:
            self._full.set()

    async def over(self) -> None:
        """Wait until it is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._end):
                await self._full.wait()
