"""Collects figures of all IPAMs, and remembers them while a source is away."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, NamedTuple, Protocol, TypeVar

from services.metrics.figures import Ipam, IpamFigures, Limits, Monitored, PoolUsage
from shared.errors import CadastreError, Unavailable, kind_of

CONTROL_PLANE, ALLOCATION, DISCOVERY = "control_plane", "allocation", "discovery"
SOURCES = (CONTROL_PLANE, ALLOCATION, DISCOVERY)

IPAMS_AT_ONCE = 8
"""How many a source is asked about at the same time."""

T = TypeVar("T")


class ControlPlane(Protocol):
    """Knows which IPAMs there are."""

    async def ipams(self) -> Sequence[Ipam]:
        """All but those that are being made or deleted."""


class Ledger(Protocol):
    """Knows how full pools are."""

    async def pool_usages(self, ipam_id: str) -> Sequence[PoolUsage]: ...


class Discovery(Protocol):
    """Knows the resources."""

    async def monitored(self, ipam_id: str, limits: Limits) -> Monitored: ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Whom is asked, and how the answers fail."""

    control_plane: ControlPlane
    ledger: Ledger
    discovery: Discovery
    away: tuple[type[Exception], ...]
    """What a call ends with when the other service refuses, stops or breaks; all of it may pass."""


class Failure(NamedTuple):
    """A source did not tell all."""

    source: str
    ipam_id: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Collection:
    """What is known at a moment, and what could not be renewed."""

    at: datetime
    figures: Sequence[IpamFigures]
    failures: Sequence[Failure]


class Collector:
    """Each source fails by itself: the others' figures are renewed, its last ones stay a while.

    The ledger and discovery have a third of that while to tell theirs. However slow they are, it is
    not over when a pause as long and the next collection are.

    Which IPAMs there are stays known for as long as the control plane is away, for none can come
    or go; so the ledger's figures go on meanwhile, as allocation does (POOL-9).
    """

    def __init__(
        self,
        sources: Sources,
        limits_of: Callable[[str], Limits],
        *,
        stale_after: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        """``limits_of`` tells what an account's IPAMs may have (MET-2)."""
        self._sources, self._stale_after, self._clock = sources, stale_after, clock
        self._ipams: Sequence[Ipam] = ()
        self._listed_at: datetime | None = None
        away, longest_seconds = sources.away, stale_after.total_seconds() / 3
        self._pools = _LastAnswers(
            ALLOCATION,
            lambda ipam: sources.ledger.pool_usages(ipam.ipam_id),
            away,
            longest_seconds,
        )
        self._monitored = _LastAnswers(
            DISCOVERY,
            lambda ipam: sources.discovery.monitored(ipam.ipam_id, limits_of(ipam.owner_id)),
            away,
            longest_seconds,
        )

    async def collect(self) -> Collection:
        """Ask all sources; what they told before stays for those that fail."""
        at = self._clock()
        unlisted = await self._list_ipams(at)
        unread = await asyncio.gather(
            self._pools.renew(self._ipams, at), self._monitored.renew(self._ipams, at)
        )
        return Collection(
            at, self._figures(at - self._stale_after), [*unlisted, *unread[0], *unread[1]]
        )

    async def _list_ipams(self, at: datetime) -> list[Failure]:
        try:
            self._ipams = await self._sources.control_plane.ipams()
        except self._sources.away as error:
            return [Failure(CONTROL_PLANE, None, str(error))]
        self._listed_at = at
        return []

    def _figures(self, since: datetime) -> list[IpamFigures]:
        is_listed = self._listed_at is not None and self._listed_at > since
        return [
            IpamFigures(
                ipam,
                is_listed,
                pools=self._pools.told(ipam, since),
                monitored=self._monitored.told(ipam, since),
            )
            for ipam in self._ipams
        ]


class _LastAnswers(Generic[T]):
    """The last thing that a source told of each IPAM."""

    def __init__(
        self,
        source: str,
        ask: Callable[[Ipam], Awaitable[T]],
        away: tuple[type[Exception], ...],
        longest_seconds: float,
    ) -> None:
        self._source, self._ask, self._away = source, ask, away
        self._longest_seconds = longest_seconds
        self._told: Mapping[str, tuple[datetime, T]] = {}

    async def renew(self, ipams: Sequence[Ipam], at: datetime) -> list[Failure]:
        """Ask about each, some at a time; what is known of others is forgotten.

        Who does not answer, or not in time, is not asked about the rest. What was told longest ago
        is asked for first, so that each IPAM has its turn however slow the source is.
        """
        told = {one.ipam_id: self._told[one.ipam_id] for one in ipams if one.ipam_id in self._told}
        turns, failures, is_away = asyncio.Semaphore(IPAMS_AT_ONCE), list[Failure](), False

        async def renew_one(ipam: Ipam) -> None:
            nonlocal is_away
            async with turns:
                if is_away:
                    return
                try:
                    told[ipam.ipam_id] = at, await self._ask(ipam)
                except self._away as error:
                    failures.append(Failure(self._source, ipam.ipam_id, str(error)))
                    is_away |= _does_not_answer(error)

        try:
            async with asyncio.timeout(self._longest_seconds):
                await asyncio.gather(*map(renew_one, sorted(ipams, key=self._told_at)))
        except TimeoutError:
            why = f"it did not tell all within {self._longest_seconds:g} seconds"
            failures.append(Failure(self._source, None, why))
        self._told = told
        return failures

    def _told_at(self, ipam: Ipam) -> float:
        told = self._told.get(ipam.ipam_id)
        return told[0].timestamp() if told else 0

    def told(self, ipam: Ipam, since: datetime) -> T | None:
        """What was told after ``since``."""
        at, answer = self._told.get(ipam.ipam_id, (since, None))
        return answer if at > since else None


def _does_not_answer(error: Exception) -> bool:
    return isinstance(error, CadastreError) and kind_of(error) is Unavailable
