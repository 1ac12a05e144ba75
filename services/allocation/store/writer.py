"""Carries commands out in batches, each one transaction (design.md section 4)."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar, cast

from prometheus_client import CollectorRegistry
from sqlalchemy.exc import IntegrityError

from services.allocation.batcher import Batcher
from services.allocation.changes import Decision
from services.allocation.errors import PartRefused
from services.allocation.gathering import Linger
from services.allocation.service.command import Batch, Command, Once, Part
from services.allocation.service.rows import Rows
from services.allocation.store.cache import PoolCache
from services.allocation.store.observed import ObservedCache
from services.allocation.store.pool_loader import save_snapshots
from services.allocation.store.sql_rows import SqlRows
from services.allocation.telemetry import LedgerTelemetry
from shared.errors import CadastreError, DryRunOperation
from shared.fail_points import FailPoint, reach
from shared.persistence.database import Database
from shared.persistence.failures import ConcurrentModification

ATTEMPTS = 5
"""How often a batch is tried that lost against another replica's."""
LONGEST_BATCH = 500
POSTGRESQL_COMMITTERS = 4
LINGER = Linger(after_batches_of=8, enough=128, pace_seconds=0.016)
CACHED_BLOCKS = 1_000_000
"""So many free blocks, of all pools in memory, take up about 250 MB."""
IDLE_SECONDS = 900.0
_FORGETS_EVERY_SECONDS = 60.0

T = TypeVar("T")
Work: TypeAlias = Command[object] | Batch[object]


class SqlWriter:
    """`Writer` over one database, which other replicas may share."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        on_commit: Callable[[], None] = lambda: None,
        cool_down: timedelta = timedelta(),
        telemetry: LedgerTelemetry | None = None,
    ) -> None:
        """``on_commit`` is called, in the event loop, when something was committed.

        Released space rests for the ``cool_down`` in pools that don't say it themselves. Without
        ``telemetry``, what is counted is told to nobody.
        """
        self._database, self._clock, self._on_commit = database, clock, on_commit
        self._cool_down = cool_down
        self._observed = ObservedCache()
        self._cache = PoolCache(most_blocks=CACHED_BLOCKS, idle_seconds=IDLE_SECONDS)
        # SQLite has one writer at a time: the more goes in its transaction, the better.
        is_single_writer = database.dialect == "sqlite"
        self._batcher: Batcher[Work] = Batcher(
            self._commit,
            committers=1 if is_single_writer else POSTGRESQL_COMMITTERS,
            mixes=is_single_writer,
            longest_batch=LONGEST_BATCH,
            linger=LINGER,
        )
        self._telemetry = telemetry or LedgerTelemetry(CollectorRegistry())
        self._telemetry.follow_line(lambda: self._batcher.waiting)

    async def carry_out(self, command: Command[T]) -> T:
        return cast(T, await self._batcher.submit(cast("Command[object]", command)))

    async def carry_out_all(self, batch: Batch[T]) -> Sequence[T | CadastreError]:
        outcomes = await self._batcher.submit(cast("Batch[object]", batch))
        return cast("Sequence[T | CadastreError]", outcomes)

    async def run(self) -> None:
        """Carry out what is submitted; never ends by itself."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._batcher.run())
            group.create_task(self._forget_idle_pools())

    async def _forget_idle_pools(self) -> None:
        while True:
            await asyncio.sleep(_FORGETS_EVERY_SECONDS)
            self._cache.forget_idle()

    async def _commit(self, commands: Sequence[Work]) -> Sequence[object]:
        began = time.perf_counter()
        outcomes = await self._database.run(self._commit_or_repeat, commands)
        seconds = time.perf_counter() - began
        self._telemetry.committed(sum(command.weight for command in commands), seconds)
        self._on_commit()
        return outcomes

    def _commit_or_repeat(self, commands: Sequence[Work]) -> Sequence[object]:
        for _ in range(ATTEMPTS - 1):
            try:
                return self._try(commands)
            except (ConcurrentModification, IntegrityError):
                # Somebody was faster; what is read now shows it, and the decisions follow suit.
                continue
        return self._try(commands)

    def _try(self, commands: Sequence[Work]) -> Sequence[object]:
        cached = self._cache.take({key for command in commands for key in command.pools})
        with self._database.write() as connection:
            rows = SqlRows(
                connection, self._clock(), commands, cached, self._observed, self._cool_down
            )
            outcomes = [_outcome(rows, command) for command in commands]
            rows.booking.flush()
            save_snapshots(connection, rows.cached_pools)
            reach(FailPoint.LEDGER_BEFORE_COMMIT)
        reach(FailPoint.LEDGER_AFTER_COMMIT)
        self._cache.put(rows.cached_pools)
        self._telemetry.changed(rows.booking.change_counts)
        return outcomes


def _outcome(rows: SqlRows, work: Work) -> object:
    """The answer or the refusal; a refusal has changed nothing."""
    try:
        if isinstance(work, Command):
            return _answer(rows, work.decide, work.once, dry_run=work.dry_run)
        return _answers(rows, work)
    except CadastreError as refusal:
        return refusal


def _answers(rows: SqlRows, batch: Batch[object]) -> Sequence[object]:
    if not (batch.all_or_nothing or batch.dry_run):
        return [_part_outcome(rows, part) for part in batch.parts]
    with rows.booking.all_or_nothing():
        answers = [_part_answer(rows, *numbered) for numbered in enumerate(batch.parts, 1)]
        if batch.dry_run:
            raise DryRunOperation
        return answers


def _part_outcome(rows: SqlRows, part: Part[object]) -> object:
    try:
        return _answer(rows, part.decide, part.once)
    except CadastreError as refusal:
        return refusal


def _part_answer(rows: SqlRows, number: int, part: Part[object]) -> object:
    try:
        return _answer(rows, part.decide, part.once)
    except CadastreError as refusal:
        raise PartRefused(number, refusal) from refusal


def _answer(
    rows: SqlRows,
    decide: Callable[[Rows], Decision[object]],
    once: Once | None,
    *,
    dry_run: bool = False,
) -> object:
    first = rows.tokens.recall(once) if once else None
    decision = None if first else decide(rows)
    if dry_run:
        raise DryRunOperation
    if decision is None:
        return first
    rows.booking.carry_out(decision.changes)
    if once:
        rows.tokens.remember(once, decision.answer)  # type: ignore[arg-type]
    return decision.answer
