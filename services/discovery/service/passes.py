"""Passes: what sources tell becomes what is there, and IPAMs make of it what they will (DISC-6)."""

import asyncio
import enum
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from services.discovery.coverage import Coverage, Ipam
from services.discovery.resource_cidr import ContradictorySnapshot
from services.discovery.service.evaluating import Evaluated, Evaluator, Seen
from services.discovery.service.taking_in import Inventories, Taken
from services.discovery.sources import (
    AccountRegion,
    FailureCode,
    SnapshotFailed,
    SnapshotSource,
)
from shared.errors import CadastreError, Conflict, Precondition

HISTORY_KEPT = timedelta(days=3 * 365 + 1)
"""How long what is no more stays in histories (HIST-1)."""


class Changed(enum.Enum):
    """What the control plane may say that is new."""

    COVERAGE = enum.auto()
    POOLS = enum.auto()


class PoolVersion(NamedTuple):
    """A pool's definition, as the control plane tells it."""

    pool_id: str
    version: int
    is_changing: bool
    """The ledger may not know it yet."""


class ControlPlane(Protocol):
    """Says what is to be discovered."""

    async def coverage(self) -> Coverage: ...

    async def pools(self) -> AbstractSet[PoolVersion]: ...


class AskedInventories(Inventories, Protocol):
    """And which of them fail."""

    async def failing_places(self) -> int:
        """Accounts' regions of which some source could not tell the last time."""


@dataclass(slots=True)
class PassReport:
    """What a pass did."""

    places: int = 0
    failures: list[tuple[str, AccountRegion, SnapshotFailed]] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    removed: int = 0
    evaluated: list[tuple[str, Evaluated]] = field(default_factory=list)
    unevaluated: list[tuple[str, Exception]] = field(default_factory=list)
    """IPAMs that could not be evaluated, and why; the next pass tries again."""
    evaluation_seconds: list[float] = field(default_factory=list)
    """How long each evaluation took that came to its end."""
    failing_places: int = 0
    """Accounts' regions of which some source could not tell the last time."""

    def add(self, taken: Taken) -> None:
        self.places += 1
        self.added += taken.added
        self.changed += taken.changed
        self.removed += taken.removed


class Passes:
    """Whole and partial passes may run side by side; IPAMs are evaluated one at a time."""

    def __init__(
        self,
        control_plane: ControlPlane,
        sources: Sequence[SnapshotSource],
        inventories: AskedInventories,
        evaluator: Evaluator,
        clock: Callable[[], datetime],
        away: tuple[type[Exception], ...] = (CadastreError,),
    ) -> None:
        """``away`` is what calls end with when another service refuses, stops or breaks."""
        self._control_plane, self._sources = control_plane, sources
        self._inventories, self._evaluator = inventories, evaluator
        self._clock = clock
        self._evaluating = asyncio.Lock()
        self._attempts: defaultdict[tuple[str, AccountRegion], asyncio.Lock] = defaultdict(
            asyncio.Lock
        )
        self._away = away
        self._places: AbstractSet[AccountRegion] | None = None
        self._ipam_ids: AbstractSet[str] | None = None
        self._coverage: Coverage | None = None
        self._pools: AbstractSet[PoolVersion] | None = None

    async def run(self) -> PassReport:
        """Everything: all accounts and regions of all sources, then all IPAMs.

        What a source can't tell stays as it was (DISC-6).

        Raises:
            CadastreError: the control plane does not say what is to be discovered.
        """
        report, coverage = PassReport(), await self._control_plane.coverage()
        await self._drop_inventories(coverage)
        await self._ask_sources(self._sources, coverage.places, report)
        await self._evaluate(coverage, coverage.ipams, report)
        await self._drop_ipams()
        await self._evaluator.prune(self._clock() - HISTORY_KEPT)
        report.failing_places = await self._inventories.failing_places()
        return report

    async def _drop_inventories(self, coverage: Coverage) -> None:
        """Those of places that nobody sees, and nobody saw at the last pass.

        What changes while it is listed may be missing once.
        """
        before, self._places = self._places, coverage.places
        if before is not None:
            asked = {source.name for source in self._sources}
            await self._inventories.keep_only(coverage.places | before, asked)

    async def _drop_ipams(self) -> None:
        """What is known for IPAMs that are not there now, and were not at the last pass."""
        coverage = await self._control_plane.coverage()
        before, self._ipam_ids = self._ipam_ids, coverage.ipam_ids
        if before is not None:
            await self._evaluator.keep_only(coverage.ipam_ids | before)

    async def refresh(
        self, places: AbstractSet[AccountRegion], ipam_ids: AbstractSet[str] | None
    ) -> PassReport:
        """Ask near sources about some places, and evaluate the IPAMs that see them.

        ``ipam_ids`` are evaluated as well; None: all are.

        Raises:
            CadastreError: the control plane does not say what is to be discovered.
        """
        report, coverage = PassReport(), await self._control_plane.coverage()
        near = [source for source in self._sources if source.is_asked_between_passes]
        await self._ask_sources(near, coverage.places & places, report)
        concerned = [
            ipam
            for ipam in coverage.ipams
            if ipam_ids is None or ipam.ipam_id in ipam_ids or coverage.monitored(ipam) & places
        ]
        await self._evaluate(coverage, concerned, report)
        report.failing_places = await self._inventories.failing_places()
        return report

    async def what_changed(self) -> Changed | None:
        """Whether the control plane says something else than when this was asked last.

        Raises:
            CadastreError: it says nothing.
        """
        coverage = await self._control_plane.coverage()
        pools = await self._control_plane.pools()
        is_other_coverage, is_other_pools = coverage != self._coverage, pools != self._pools
        self._coverage, self._pools = coverage, pools
        if is_other_coverage:
            return Changed.COVERAGE
        return Changed.POOLS if is_other_pools else None

    async def _ask_sources(
        self,
        sources: Iterable[SnapshotSource],
        places: Collection[AccountRegion],
        report: PassReport,
    ) -> None:
        await asyncio.gather(*(self._ask(source, places, report) for source in sources))

    async def _ask(
        self, source: SnapshotSource, places: Collection[AccountRegion], report: PassReport
    ) -> None:
        attempts = asyncio.Semaphore(source.attempts_at_once)

        async def attempt(place: AccountRegion) -> None:
            async with attempts:
                await self._attempt(source, place, report)

        await asyncio.gather(*map(attempt, sorted(source.serves(places))))

    async def _attempt(
        self, source: SnapshotSource, place: AccountRegion, report: PassReport
    ) -> None:
        # Of two at a time the one that began later may tell what was so earlier.
        async with self._attempts[source.name, place]:
            await self._attempt_now(source, place, report)

    async def _attempt_now(
        self, source: SnapshotSource, place: AccountRegion, report: PassReport
    ) -> None:
        started_at = self._clock()
        try:
            snapshot = await source.snapshot(place)
            report.add(await self._inventories.take_in(source.name, snapshot))
        except SnapshotFailed as failure:
            await self._note(source, place, failure, started_at, report)
        except ContradictorySnapshot as contradiction:
            garbage = SnapshotFailed(FailureCode.OTHER, str(contradiction))
            await self._note(source, place, garbage, started_at, report)
        except (Precondition, Conflict):
            # A later snapshot was there before, or another replica took one in at this moment.
            report.places += 1

    async def _note(
        self,
        source: SnapshotSource,
        place: AccountRegion,
        failure: SnapshotFailed,
        attempted_at: datetime,
        report: PassReport,
    ) -> None:
        report.failures.append((source.name, place, failure))
        await self._inventories.note_failure(source.name, place, failure, attempted_at)

    async def _evaluate(
        self, coverage: Coverage, ipams: Iterable[Ipam], report: PassReport
    ) -> None:
        asked = {
            (source.name, place)
            for source in self._sources
            for place in source.serves(coverage.places)
        }
        for ipam in ipams:
            seen = Seen(coverage.monitored(ipam), asked)
            try:
                async with self._evaluating:
                    began_at = self._clock()
                    evaluated = await self._evaluator.evaluate(ipam, seen)
                    took = self._clock() - began_at
            except self._away as error:
                report.unevaluated.append((ipam.ipam_id, error))
            else:
                report.evaluated.append((ipam.ipam_id, evaluated))
                report.evaluation_seconds.append(took.total_seconds())
