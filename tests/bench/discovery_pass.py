"""Discovery's passes over a generated world, in a process of their own: its memory is theirs.

``python -m tests.bench.discovery_pass`` reads what to do as JSON and prints what came of it, a line
for each pass.
"""

import asyncio
import json
import resource
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time, thread_time
from typing import Any, ParamSpec, TypeVar

import uvloop

from services.discovery.service.evaluating import Evaluator, Policy
from services.discovery.service.passes import Passes, PassReport
from services.discovery.store.inventories import SqlInventories
from services.discovery.store.records import SqlRecords
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.rpc.server import settle_memory
from tests.bench.discovery_world import (
    VPCS_PER_PLACE,
    GeneratedSource,
    MemoryLedger,
    StaticControlPlane,
)

PASSES = ("first pass", "no change", "1 % changed")
STAGES = ("read", "take in", "view", "judge", "save", "remember", "other")

P = ParamSpec("P")
T = TypeVar("T")

_STAGE_OF = {"_take_in": "take in", "_view": "view", "_save": "save", "_remember": "remember"}


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to run."""

    database_url: str
    folder: str
    """Where the world is."""
    places: int
    is_together: bool = False
    """All of it is one account's in one region."""


@dataclass(frozen=True, kw_only=True)
class Passed:
    """A pass."""

    name: str
    seconds: float
    cpu_seconds: dict[str, float]
    """Of this process, by stage."""
    peak_mb: float
    """Most memory so far."""
    changes: int
    """CIDRs that were added, changed or removed."""
    records: int
    """That began or ended."""

    @property
    def cpu_total(self) -> float:
        return sum(self.cpu_seconds.values())


class TimedDatabase(Database):
    """Adds up what each kind of use case takes of a processor."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.seconds: defaultdict[str, float] = defaultdict(float)

    async def run(self, use_case: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        stage = _STAGE_OF.get(use_case.__name__, "other")
        return await super().run(self.timed(stage, use_case), *args, **kwargs)

    async def judging(self, judge: Callable[..., T], *args: Any) -> T:
        return await asyncio.to_thread(self.timed("judge", judge), *args)

    def timed(self, stage: str, call: Callable[P, T]) -> Callable[P, T]:
        def timed_call(*args: P.args, **kwargs: P.kwargs) -> T:
            began = thread_time()
            try:
                return call(*args, **kwargs)
            finally:
                self.seconds[stage] += thread_time() - began

        return timed_call


async def run(job: Job, tell: Callable[[Passed], None]) -> None:
    """All passes, one after the other; each is told of when it is done."""
    database = TimedDatabase(job.database_url)
    try:
        await database.run(upgrade, database, "services.discovery")
        source = GeneratedSource(Path(job.folder), job.places, is_together=job.is_together)
        evaluator = Evaluator(
            MemoryLedger(0 if job.is_together else job.places * VPCS_PER_PLACE),
            SqlRecords(database),
            _now,
            Policy(),
            database.judging,
        )
        control = StaticControlPlane(source.places)
        passes = Passes(control, [source], SqlInventories(database), evaluator, _now)
        for name in PASSES:
            source.is_changed = name == PASSES[-1]
            tell(await _measured(name, passes, source, database))
    finally:
        database.close()


async def _measured(
    name: str, passes: Passes, source: GeneratedSource, database: TimedDatabase
) -> Passed:
    source.seconds = 0.0
    database.seconds.clear()
    began, cpu_began = perf_counter(), process_time()
    report = await passes.run()
    seconds, cpu_seconds = perf_counter() - began, process_time() - cpu_began
    _check(report)
    stages = {"read": source.seconds, **database.seconds}
    stages["other"] = cpu_seconds - sum(stages.values()) + stages.get("other", 0.0)
    done = [evaluated for _, evaluated in report.evaluated]
    return Passed(
        name=name,
        seconds=seconds,
        cpu_seconds=stages,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
        changes=report.added + report.changed + report.removed,
        records=sum(one.begun + one.ended for one in done),
    )


def _check(report: PassReport) -> None:
    if report.failures or report.unevaluated:
        raise RuntimeError(f"the pass failed: {report}")


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    settle_memory()
    job = Job(**json.load(sys.stdin))
    uvloop.run(run(job, lambda passed: print(json.dumps(asdict(passed)), flush=True)))


if __name__ == "__main__":
    main()
