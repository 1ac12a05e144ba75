"""What discovery does: follow a source's changes, and compare everything now and then."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.discovery.sources import Change, Source

RELEASED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far discovery has come with a source."""

    sequence: int = 0
    last_successful_pass_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class HeldAllocation:
    """An allocation that a source made for a block of its own."""

    ipam_pool_allocation_id: str
    association_id: str


class Store(Protocol):
    """Keeps progress. Several replicas may write: it never goes back."""

    async def progress(self, source: str) -> Progress: ...

    async def save_sequence(self, source: str, sequence: int) -> None: ...

    async def save_pass_time(self, source: str, time: datetime) -> None: ...


class Ledger(Protocol):
    """Every call is repeatable."""

    def held_allocations(self, source: str) -> AsyncIterator[list[HeldAllocation]]:
        """Page by page, every live allocation that a source made."""

    async def release(self, ipam_pool_allocation_ids: Sequence[str]) -> Sequence[str]:
        """Give back those that are live still; which these were."""


class Discovery:
    """Everything it does may be done twice, also by several replicas at once."""

    def __init__(
        self, source: Source, ledger: Ledger, store: Store, clock: Callable[[], datetime]
    ) -> None:
        self._source, self._ledger, self._store, self._clock = source, ledger, store, clock

    async def follow(self) -> None:
        """Release what a change freed, as soon as it is told (BEY-1).

        Goes on from the last change acted on; never ends by itself.

        Raises:
            CadastreError: the source or the ledger does not answer.
        """
        after = (await self._store.progress(self._source.name)).sequence
        async with aclosing(batched(self._source.changes(after))) as batches:
            async for batch in batches:
                freed = [found for change in batch if (found := change.gone_allocation_id)]
                if freed:
                    await self._ledger.release(freed)
                await self._store.save_sequence(self._source.name, batch[-1].sequence)

    async def run_pass(self) -> Sequence[str]:
        """Release every allocation whose block is gone: the safety net. What was released (DISC-6).

        The ledger is read first, the source afterwards. A source notes a block before it allocates
        it, so a block that the ledger knew in the first reading and the source does not know in the
        second is gone; in the other order, one created in between would look gone too.
        """
        unclaimed: dict[str, str] = {}
        async for allocations in self._ledger.held_allocations(self._source.name):
            unclaimed.update((a.association_id, a.ipam_pool_allocation_id) for a in allocations)
        async for association_ids in self._source.association_ids():
            for association_id in association_ids:
                unclaimed.pop(association_id, None)
        released = await self._release(list(unclaimed.values()))
        await self._store.save_pass_time(self._source.name, self._clock())
        return released

    async def progress(self) -> Progress:
        return await self._store.progress(self._source.name)

    async def _release(self, ipam_pool_allocation_ids: Sequence[str]) -> list[str]:
        released: list[str] = []
        for start in range(0, len(ipam_pool_allocation_ids), RELEASED_AT_ONCE):
            some = ipam_pool_allocation_ids[start : start + RELEASED_AT_ONCE]
            released.extend(await self._ledger.release(some))
        return released


async def batched(changes: AsyncGenerator[Change, None]) -> AsyncGenerator[list[Change], None]:
    """Whatever came while the last batch was dealt with; what ends ``changes`` ends this too."""
    arrived: asyncio.Queue[Change] = asyncio.Queue(RELEASED_AT_ONCE)
    news = asyncio.Event()

    async def receive() -> None:
        async with aclosing(changes):
            async for change in changes:
                await arrived.put(change)
                news.set()

    receiver = asyncio.create_task(receive())
    receiver.add_done_callback(lambda _: news.set())
    try:
        while True:
            if batch := [arrived.get_nowait() for _ in range(arrived.qsize())]:
                yield batch
            elif receiver.done():
                await receiver
                return
            else:
                news.clear()
                await news.wait()
    finally:
        receiver.cancel()
        await asyncio.gather(receiver, return_exceptions=True)
