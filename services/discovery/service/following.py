"""What discovery does: follow a source's changes, and compare everything now and then."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Protocol, TypeVar

from services.discovery.sources import AccountRegion, Change, Source, VpcCidr

MOST_AT_ONCE = 1000
"""Records in one request; the ledger refuses longer ones."""

T = TypeVar("T")


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

    def vpc_cidrs(self) -> AsyncIterator[list[VpcCidr]]:
        """Page by page, what VPCs are known to have."""

    async def report_vpc_cidrs(self, seen: Sequence[VpcCidr], gone: Sequence[VpcCidr]) -> None:
        """Tell what VPCs have from now on, and what no longer; nothing is in both."""


class Discovery:
    """Everything it does may be done twice, also by several replicas at once."""

    def __init__(
        self,
        source: Source,
        ledger: Ledger,
        store: Store,
        clock: Callable[[], datetime],
        on_change: Callable[[AccountRegion], None],
    ) -> None:
        """``on_change`` is told where something changed, before and after it is acted on."""
        self._source, self._ledger, self._store, self._clock = source, ledger, store, clock
        self._on_change = on_change

    async def follow(self) -> None:
        """Release what a change freed (BEY-1) and report what VPCs got and lost (VPC-3), at once.

        Goes on from the last change acted on; never ends by itself.

        Raises:
            CadastreError: the source or the ledger does not answer.
        """
        after = (await self._store.progress(self._source.name)).sequence
        async with aclosing(batched(self._source.changes(after))) as batches:
            async for batch in batches:
                # Before anybody hears of what is released, or what has lost it would be judged
                # by an inventory that has it still.
                self._look_at(batch)
                await self._release(freed_by(batch))
                await self._report(*vpc_cidrs_told_by(batch))
                self._look_at(batch)
                await self._store.save_sequence(self._source.name, batch[-1].sequence)

    def _look_at(self, batch: Sequence[Change]) -> None:
        for place in {change.place for change in batch}:
            self._on_change(place)

    async def run_pass(self) -> Sequence[str]:
        """Release every allocation whose block is gone: the safety net. What was released (DISC-6).

        Afterwards the ledger knows what VPCs have (VPC-3), but for changes that come meanwhile.

        The ledger is read first, the source afterwards. A source notes a block before it allocates
        it, so a block that the ledger knew in the first reading and the source does not know in the
        second is gone; in the other order, one created in between would look gone too.
        """
        unclaimed: dict[str, str] = {}
        async for allocations in self._ledger.held_allocations(self._source.name):
            unclaimed.update((a.association_id, a.ipam_pool_allocation_id) for a in allocations)
        known = await self._known_vpc_cidrs()
        there: set[VpcCidr] = set()
        async for associations in self._source.associations():
            for association in associations:
                unclaimed.pop(association.association_id, None)
            there.update(a.vpc_cidr for a in associations if a.vpc_cidr)
        released = await self._release(unclaimed.values())
        await self._correct_vpc_cidrs(known, there)
        await self._store.save_pass_time(self._source.name, self._clock())
        return released

    async def progress(self) -> Progress:
        return await self._store.progress(self._source.name)

    async def _correct_vpc_cidrs(
        self, known: AbstractSet[VpcCidr], there: AbstractSet[VpcCidr]
    ) -> None:
        """Report what differs, and look again until the ledger and the source agree about it.

        What VPCs have may change while it is read, and `follow` reports the changes meanwhile: a
        pass may tell that a VPC has what it has just lost, or the other way round. So a pass never
        leaves its own report unchecked. Once a look found a CIDR the same on both sides, the pass
        says no more about it, and what `follow` says about it still ends with its last change.
        Each round is about fewer CIDRs, or about some that changed once more.
        """
        different = known ^ there
        while different:
            await self._report(seen=different & there, gone=different & known)
            known, there = await self._known_vpc_cidrs(), await self._present_vpc_cidrs()
            different &= known ^ there

    async def _known_vpc_cidrs(self) -> set[VpcCidr]:
        return {known async for page in self._ledger.vpc_cidrs() for known in page}

    async def _present_vpc_cidrs(self) -> set[VpcCidr]:
        pages = self._source.associations()
        return {a.vpc_cidr async for page in pages for a in page if a.vpc_cidr}

    async def _release(self, ipam_pool_allocation_ids: Iterable[str]) -> list[str]:
        released: list[str] = []
        for some in in_sets(ipam_pool_allocation_ids):
            released.extend(await self._ledger.release(some))
        return released

    async def _report(self, seen: Iterable[VpcCidr], gone: Iterable[VpcCidr]) -> None:
        for some in in_sets(gone):
            await self._ledger.report_vpc_cidrs(seen=(), gone=some)
        for some in in_sets(seen):
            await self._ledger.report_vpc_cidrs(seen=some, gone=())


class LedgerFeed(Protocol):
    """What is done to pools."""

    def changes(self, after: int) -> AsyncGenerator[int, None]:
        """The number of each change after one, then of new ones as they happen; never ends."""


class LedgerFollower:
    """Notices what is allocated and released: what that makes of resources is looked at anew."""

    NAME = "allocation"

    def __init__(self, feed: LedgerFeed, store: Store, on_change: Callable[[], None]) -> None:
        self._feed, self._store, self._on_change = feed, store, on_change

    async def progress(self) -> Progress:
        return await self._store.progress(self.NAME)

    async def follow(self) -> None:
        """Tell of changes after the last one told of; never ends by itself.

        Raises:
            CadastreError: the ledger does not answer.
        """
        after = (await self.progress()).sequence
        async with aclosing(batched(self._feed.changes(after))) as batches:
            async for batch in batches:
                self._on_change()
                await self._store.save_sequence(self.NAME, batch[-1])


def freed_by(changes: Iterable[Change]) -> list[str]:
    """The allocations that nobody needs any more."""
    return [
        allocation_id
        for change in changes
        if change.is_gone and (allocation_id := change.association.ipam_pool_allocation_id)
    ]


def vpc_cidrs_told_by(changes: Iterable[Change]) -> tuple[list[VpcCidr], list[VpcCidr]]:
    """What VPCs have after ``changes``, and what no longer: the last change of each CIDR counts."""
    is_gone = {
        vpc_cidr: change.is_gone for change in changes if (vpc_cidr := change.association.vpc_cidr)
    }
    return (
        [vpc_cidr for vpc_cidr, gone in is_gone.items() if not gone],
        [vpc_cidr for vpc_cidr, gone in is_gone.items() if gone],
    )


def in_sets(records: Iterable[T]) -> Iterator[list[T]]:
    """As few sets as the ledger takes them in."""
    rest = iter(records)
    while some := list(islice(rest, MOST_AT_ONCE)):
        yield some


async def batched(changes: AsyncGenerator[T, None]) -> AsyncGenerator[list[T], None]:
    """Whatever came while the last batch was dealt with; what ends ``changes`` ends this too."""
    arrived: asyncio.Queue[T] = asyncio.Queue(MOST_AT_ONCE)
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
