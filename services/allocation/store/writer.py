"""Carries commands out in batches, each one transaction (design.md section 4)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar, cast

from sqlalchemy.exc import IntegrityError

from services.allocation.batcher import Batcher, Linger
from services.allocation.service.command import Command
from services.allocation.store.cache import PoolCache
from services.allocation.store.pool_loader import save_snapshots
from services.allocation.store.sql_rows import SqlRows
from shared.errors import CadastreError, DryRunOperation
from shared.fail_points import FailPoint, reach
from shared.persistence.database import Database
from shared.persistence.failures import ConcurrentModification

ATTEMPTS = 5
"""How often a batch is tried that lost against another replica's."""
LONGEST_BATCH = 500
POSTGRESQL_COMMITTERS = 4
LINGER = Linger(after_batches_of=8, enough=48, seconds=0.005, quiet_seconds=0.001)
CACHED_POOLS = 10_000

T = TypeVar("T")


class SqlWriter:
    """`Writer` over one database, which other replicas may share."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_commit`` is called, in the event loop, when something was committed."""
        self._database, self._clock, self._on_commit = database, clock, on_commit
        self._cache = PoolCache(capacity=CACHED_POOLS)
        # SQLite has one writer at a time: the more goes in its transaction, the better.
        is_single_writer = database.dialect == "sqlite"
        self._batcher: Batcher[Command[object]] = Batcher(
            self._commit,
            committers=1 if is_single_writer else POSTGRESQL_COMMITTERS,
            mixes=is_single_writer,
            longest_batch=LONGEST_BATCH,
            linger=LINGER,
        )

    async def carry_out(self, command: Command[T]) -> T:
        return cast(T, await self._batcher.submit(cast(Command[object], command)))

    async def run(self) -> None:
        """Carry out what is submitted; never ends by itself."""
        await self._batcher.run()

    async def _commit(self, commands: Sequence[Command[object]]) -> Sequence[object]:
        outcomes = await self._database.run(self._commit_or_repeat, commands)
        self._on_commit()
        return outcomes

    def _commit_or_repeat(self, commands: Sequence[Command[object]]) -> Sequence[object]:
        for _ in range(ATTEMPTS - 1):
            try:
                return self._try(commands)
            except (ConcurrentModification, IntegrityError):
                # Somebody was faster; what is read now shows it, and the decisions follow suit.
                continue
        return self._try(commands)

    def _try(self, commands: Sequence[Command[object]]) -> Sequence[object]:
        cached = self._cache.take({key for command in commands for key in command.pools})
        with self._database.write() as connection:
            rows = SqlRows(connection, self._clock(), commands, cached)
            outcomes = [_outcome(rows, command) for command in commands]
            rows.booking.flush()
            save_snapshots(connection, rows.cached_pools)
            reach(FailPoint.LEDGER_BEFORE_COMMIT)
        reach(FailPoint.LEDGER_AFTER_COMMIT)
        self._cache.put(rows.cached_pools)
        return outcomes


def _outcome(rows: SqlRows, command: Command[object]) -> object:
    """The answer or the refusal; a refusal has changed nothing."""
    try:
        return _answer(rows, command)
    except CadastreError as refusal:
        return refusal


def _answer(rows: SqlRows, command: Command[object]) -> object:
    first = rows.tokens.recall(command.once) if command.once else None
    decision = None if first else command.decide(rows)
    if command.dry_run:
        raise DryRunOperation
    if decision is None:
        return first
    rows.booking.carry_out(decision.changes)
    if command.once:
        rows.tokens.remember(command.once, decision.answer)  # type: ignore[arg-type]
    return decision.answer
