"""What discovery does beside serving; each goes on when something was away."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from services.discovery.service.agenda import Agenda, Errand
from services.discovery.service.following import Discovery, LedgerFollower, Progress
from services.discovery.service.passes import Changed, Passes, PassReport
from services.discovery.telemetry import DiscoveryTelemetry

FIRST_RECONNECT_SECONDS = 0.1
LAST_RECONNECT_SECONDS = 2.0
PASS_RETRY_SECONDS = 5.0
LEAST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Work:
    """What the loops drive."""

    orphans: Discovery
    ledger: LedgerFollower
    passes: Passes
    agenda: Agenda
    away: tuple[type[Exception], ...]
    """What a call ends with when the other service refuses, stops or breaks; all of it may pass."""
    log: FilteringBoundLogger
    telemetry: DiscoveryTelemetry

    async def run_pass(self) -> Sequence[str]:
        """A whole pass; the allocations that were released because nobody has them any more."""
        try:
            return await self.release_orphans()
        finally:
            await self.run_passes()

    async def release_orphans(self) -> Sequence[str]:
        """Give back what resources of the embedded cloud held that are gone."""
        released = await self.orphans.run_pass()
        self.log.info("orphans released", released_total=len(released))
        return released

    async def run_passes(self) -> None:
        """Everything that is asked, whether or not the embedded cloud or the ledger answers."""
        began_at, started = time.time(), time.monotonic()
        try:
            report = await self.passes.run()
        except Exception:
            self.telemetry.pass_failed()
            raise
        self.telemetry.passed(report, began_at, time.monotonic() - started)
        self._tell("discovery pass", report)

    async def run(self, errand: Errand) -> None:
        """What has gathered; what can't be done now is done with what gathers next."""
        try:
            if errand.is_whole_pass:
                await self.run_passes()
            else:
                report = await self.passes.refresh(errand.places, errand.ipam_ids)
                self.telemetry.refreshed(report)
                self._tell("discovery refresh", report)
        except self.away:
            self.agenda.put_back(errand)
            raise

    def _tell(self, what: str, report: PassReport) -> None:
        for source, place, failure in report.failures:
            self.log.warning(
                "snapshot failed",
                source=source,
                account_id=place.account_id,
                region=place.region,
                code=failure.code.value,
                why=failure.message,
            )
        for ipam_id, error in report.unevaluated:
            self.log.warning("evaluation failed", ipam_id=ipam_id, error=str(error))
        self.log.info(
            what,
            places_total=report.places,
            added_total=report.added,
            changed_total=report.changed,
            removed_total=report.removed,
            begun_total=sum(done.begun for _, done in report.evaluated),
            ended_total=sum(done.ended for _, done in report.evaluated),
            imported_total=sum(done.imported for _, done in report.evaluated),
        )


class _Followed(Protocol):
    """A change feed."""

    async def follow(self) -> None: ...

    async def progress(self) -> Progress: ...


async def follow(feed: _Followed, work: Work) -> None:
    """Begin again when somebody was away, more slowly each time nothing came."""
    delay, known = FIRST_RECONNECT_SECONDS, Progress()
    while True:
        try:
            await feed.follow()
        except work.away as error:
            name = type(feed).__name__
            work.log.warning("following was interrupted", feed=name, error=str(error))
        before, known = known, await _progress(feed, work, known)
        if before != known:
            delay = FIRST_RECONNECT_SECONDS
        await asyncio.sleep(delay)
        delay = min(2 * delay, LAST_RECONNECT_SECONDS)


async def _progress(feed: _Followed, work: Work, known: Progress) -> Progress:
    """How far it has come, or ``known`` when the database does not tell now."""
    try:
        return await feed.progress()
    except work.away as error:
        work.log.warning("the database is away", error=str(error))
        return known


async def repeat(do: Callable[[], Awaitable[object]], interval_seconds: float, work: Work) -> None:
    """Do something now and then; soon again after it could not be done."""
    while True:
        try:
            await do()
        except work.away as error:
            work.log.warning("discovery pass failed", error=str(error))
            await asyncio.sleep(min(PASS_RETRY_SECONDS, interval_seconds))
        else:
            await asyncio.sleep(interval_seconds)


async def do_errands(work: Work, clock: Callable[[], float] = time.monotonic) -> None:
    """Look at once at what something said that it changed.

    That is at most a fifth of the time, and the less the longer it takes: where it takes ten
    seconds, a minute gathers before the next.
    """
    while True:
        errand = await work.agenda.next()
        # After that: it may have been quiet for long.
        started = clock()
        try:
            await work.run(errand)
        except work.away as error:
            work.log.warning("discovery refresh failed", error=str(error))
        took = clock() - started
        pause = min(took * max(took, 4.0), LONGEST_PAUSE_SECONDS)
        await asyncio.sleep(max(pause, LEAST_PAUSE_SECONDS))


async def watch_coverage(work: Work, interval_seconds: float) -> None:
    """Notice other accounts, regions and rules; asking takes at most a twentieth of the time."""
    while True:
        started = time.monotonic()
        try:
            match await work.passes.what_changed():
                case Changed.COVERAGE:
                    work.agenda.look_everywhere()
                case Changed.POOLS:
                    work.agenda.evaluate_all()
        except work.away as error:
            work.log.warning("asking what to discover failed", error=str(error))
        took = time.monotonic() - started
        await asyncio.sleep(max(interval_seconds, 20 * took))
