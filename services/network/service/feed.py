"""The change feed and the list of all blocks, as discovery reads them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

from services.network.changes import CidrRecord, NumberedChange
from services.network.service.rows import Store

T = TypeVar("T")
CidrRecordsAfter = Callable[[str | None], Iterator[tuple[str, CidrRecord]]]


class Bell:
    """Rung when a change was committed here."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake all that wait, once."""
        self._rung.set()
        self._rung = asyncio.Event()

    def next_ring(self) -> asyncio.Event:
        """Set by the first `ring` from now on."""
        return self._rung


class Inventory:
    """All accounts' and regions'."""

    def __init__(self, store: Store, bell: Bell, *, poll_seconds: float = 0.5) -> None:
        """Changes that other processes commit are noticed after ``poll_seconds`` at the latest."""
        self._store, self._bell, self._poll_seconds = store, bell, poll_seconds

    async def changes(self, after: int) -> AsyncIterator[NumberedChange]:
        """Every change after a sequence number, then new ones as they are committed; never ends."""
        while True:
            # Asked for before reading, so a change committed in between is not slept over.
            rung = self._bell.next_ring()
            found = await self._next_after(after)
            for change in found:
                yield change
                after = change.sequence
            if not found:
                with suppress(TimeoutError):
                    await asyncio.wait_for(rung.wait(), self._poll_seconds)

    async def cidr_records(self, select: Callable[[CidrRecordsAfter], T]) -> T:
        """What ``select`` makes of every block there is or that is being allocated."""
        return await self._store.read(
            lambda rows: select(lambda after: rows.cidr_records(after=after))
        )

    async def _next_after(self, sequence: int) -> Sequence[NumberedChange]:
        return await self._store.read(lambda rows: rows.changes(after=sequence))
