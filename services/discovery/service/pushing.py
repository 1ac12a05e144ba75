"""Pushes: snapshots that come without being asked for (DISC-4, DISC-6)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary

from services.discovery.errors import SlowPush, SnapshotSourceLimitExceeded
from services.discovery.resource_cidr import ContradictorySnapshot
from services.discovery.service.taking_in import Inventories, Taken
from services.discovery.snapshot import Snapshot
from services.discovery.sources import AccountRegion, FailureCode, SnapshotFailed
from shared.errors import CadastreError

ASKED_SOURCES = frozenset({"aws", "network"})
"""Sources that discovery asks itself."""
MOST_SOURCES = 10
"""Of an account and region, that push."""
MOST_AT_ONCE = 4
"""Each is in memory as a whole."""
MOST_SECONDS = 600.0
"""In which all of a push has to come: it keeps others waiting."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Header:
    """What a push begins with."""

    source: str
    sampled_at: datetime


class Push(Protocol):
    """What somebody sends, of one account and region."""

    async def begin(self) -> Header:
        """First.

        Raises:
            CadastreError: it is none.
        """

    async def rest(self) -> Snapshot:
        """Then, once all of it has come.

        Raises:
            CadastreError: it can't be, or is not all.
        """


class PushedInventories(Inventories, Protocol):
    async def sources(self, place: AccountRegion) -> AbstractSet[str]:
        """All that have told of an account and region, or tried to."""


class Pushes:
    """Takes in a few at a time, and of one account one after the other."""

    def __init__(
        self,
        inventories: PushedInventories,
        on_changed: Callable[[AccountRegion], object],
        *,
        most_seconds: float,
    ) -> None:
        """``on_changed`` is called after a push that changed what is known of a place."""
        self._inventories, self._on_changed = inventories, on_changed
        self._most_seconds = most_seconds
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        self._of_accounts: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def take_in(self, place: AccountRegion, push: Push) -> Taken:
        """Make what is pushed what is there; nothing of it is read before its turn has come.

        What begins well and ends badly is the account's failure: nothing is released then on the
        strength of what the source told before.

        Raises:
            CadastreError: the push can't be, or something else is there; nothing changes.
            SlowPush: it took too long.
            SnapshotSourceLimitExceeded: too many others push already. Those that begin at once may
                become a few more.
        """
        async with self._turn(place.account_id):
            deadline = asyncio.get_running_loop().time() + self._most_seconds
            header = await self._in_time(push.begin(), deadline)
            await self._check_source(header.source, place)
            snapshot = await self._rest(push, header, place, deadline)
            taken = await self._take_in(snapshot, header, place)
        if not taken.is_nothing:
            self._on_changed(place)
        return taken

    @asynccontextmanager
    async def _turn(self, account_id: str) -> AsyncIterator[None]:
        # One account's pushes, however slow, leave room for others'.
        own = self._of_accounts.setdefault(account_id, asyncio.Lock())
        async with own, self._turns:
            yield

    async def _in_time(self, coming: Awaitable[T], deadline: float) -> T:
        try:
            async with asyncio.timeout_at(deadline):
                return await coming
        except TimeoutError as error:
            raise SlowPush(self._most_seconds) from error

    async def _check_source(self, source: str, place: AccountRegion) -> None:
        known = await self._inventories.sources(place) - ASKED_SOURCES
        if source not in known and len(known) >= MOST_SOURCES:
            raise SnapshotSourceLimitExceeded(source, *place, MOST_SOURCES)

    async def _rest(
        self, push: Push, header: Header, place: AccountRegion, deadline: float
    ) -> Snapshot:
        try:
            return await self._in_time(push.rest(), deadline)
        except asyncio.CancelledError:
            with suppress(CadastreError):
                await self._note(header, place, "the stream broke off")
            raise
        except CadastreError as error:
            await self._note(header, place, error.message)
            raise

    async def _take_in(self, snapshot: Snapshot, header: Header, place: AccountRegion) -> Taken:
        try:
            return await self._inventories.take_in(header.source, snapshot)
        except ContradictorySnapshot as contradiction:
            await self._note(header, place, contradiction.message)
            raise

    async def _note(self, header: Header, place: AccountRegion, why: str) -> None:
        failure = SnapshotFailed(FailureCode.OTHER, f"{header.source}: {why}")
        # As of the sample: a later one that is there already says more.
        await self._inventories.note_failure(header.source, place, failure, header.sampled_at)
