"""The outbox: what must still happen after a transaction, kept in that transaction.

A row and its next step are written together; a worker carries the step out and ends it together
with the change it leads to. A crash at any point resumes (design.md section 5).
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from shared.persistence.database import Database

_LEASE_SECONDS = 5.0
_POLL_SECONDS = 1.0
_STEPS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. Steps of one subject are done in order."""

    id: int
    kind: str
    subject: str
    payload: dict[str, Any]
    attempts: int


Finish = Callable[[Connection], None]
"""The local change a step leads to, made in the transaction that ends the step."""

Handler = Callable[[Step], Awaitable[Finish]]
"""Does the remote part of a step, which may be repeated after a crash."""


def outbox_table(metadata: MetaData) -> Table:
    """The table, for a context's ``tables.py``."""
    return Table("outbox", metadata, *_columns(), sqlite_autoincrement=True)


def create_outbox_table(op: Any) -> None:
    """The table, for a context's migration; ``op`` is alembic's."""
    op.create_table("outbox", *_columns(), sqlite_autoincrement=True)
    op.create_index("outbox_by_subject", "outbox", ["subject", "id"])


class Outbox:
    """The steps of one context and the worker that carries them out.

    Replicas may each run one: a step is leased, and the lease of a worker that died runs out.
    """

    def __init__(
        self,
        database: Database,
        table: Table,
        handlers: Mapping[str, Handler],
        *,
        clock: Callable[[], float] = time.time,
        first_retry_seconds: float = 0.05,
        last_retry_seconds: float = 5,
        on_failure: Callable[[Step, Exception], None] | None = None,
    ) -> None:
        """``on_failure`` hears of every attempt that failed; the step is tried again."""
        self._database, self._table, self._handlers = database, table, handlers
        self._clock, self._on_failure = clock, on_failure
        self._first_retry, self._last_retry = first_retry_seconds, last_retry_seconds
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._waiting: defaultdict[str, list[asyncio.Future[bool]]] = defaultdict(list)

    def enqueue(
        self, connection: Connection, *, kind: str, subject: str, payload: Mapping[str, Any]
    ) -> int:
        """Add a step in the caller's transaction; `kick` after the commit."""
        step = {"kind": kind, "subject": subject, "payload": dict(payload)}
        unclaimed = {"attempts": 0, "due_at": 0.0, "claimed_until": 0.0}
        key: int = connection.execute(
            insert(self._table).values(**step, **unclaimed).returning(self._table.c.id)
        ).scalar_one()
        return key

    def kick(self) -> None:
        """Have the worker look now. May be called from any thread."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._wake.set)

    async def settled(self, subject: str, *, timeout_seconds: float) -> bool:
        """Have the worker look now, and wait until no step of ``subject`` is open.

        False when that takes longer than ``timeout_seconds`` or an attempt fails.
        """
        waiting: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[subject].append(waiting)
        try:
            self.kick()
            if not await self._database.run(self._has_open_step, subject):
                return True
            async with asyncio.timeout(timeout_seconds):
                return await waiting
        except TimeoutError:
            return False
        finally:
            self._waiting[subject].remove(waiting)
            if not self._waiting[subject]:
                del self._waiting[subject]

    async def run(self) -> None:
        """Carry steps out until cancelled, beginning with what a crash left."""
        self._loop = asyncio.get_running_loop()
        if self._database.dialect == "sqlite":
            await self._database.run(self._release_claims)
        try:
            while True:
                self._wake.clear()
                wait = await self._start_due_steps()
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._wake.wait()
        finally:
            self._loop = None
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _start_due_steps(self) -> float:
        """Start what is due; how long to wait before looking again."""
        steps, next_due = await self._database.run(self._claim, list(self._under_way))
        for step in steps:
            self._under_way[step.id] = asyncio.create_task(self._carry_out(step))
        return min(_POLL_SECONDS, max(0.0, next_due - self._clock()))

    async def _carry_out(self, step: Step) -> None:
        try:
            try:
                finish = await self._handlers[step.kind](step)
                is_settled = await self._database.run(self._end, step, finish)
            except Exception as error:  # noqa: BLE001 - the worker's edge: reported and tried again
                if self._on_failure:
                    self._on_failure(step, error)
                await self._database.run(self._postpone, step)
                self._tell(step.subject, settled=False)
            else:
                if is_settled:
                    self._tell(step.subject, settled=True)
        finally:
            del self._under_way[step.id]
            self._wake.set()

    def _tell(self, subject: str, *, settled: bool) -> None:
        for waiting in self._waiting.get(subject, []):
            if not waiting.done():
                waiting.set_result(settled)

    def _claim(self, under_way: list[int]) -> tuple[list[Step], float]:
        """Renew the leases of what is under way and claim what is due.

        Only the oldest step of a subject is ever claimed, so its steps are done in order.
        """
        columns, now = self._table.c, self._clock()
        oldest = select(func.min(columns.id)).group_by(columns.subject)
        with self._database.write() as connection:
            self._lease(connection, under_way, now)
            rows = connection.execute(
                select(self._table)
                .where(columns.id.in_(oldest), columns.id.not_in(under_way))
                .order_by(columns.id)
                .with_for_update(skip_locked=True)
            ).all()
            free = [row for row in rows if row.claimed_until <= now]
            due = [row for row in free if row.due_at <= now]
            chosen = due[: max(0, _STEPS_AT_ONCE - len(under_way))]
            self._lease(connection, [row.id for row in chosen], now)
        steps = [Step(r.id, r.kind, r.subject, r.payload, r.attempts) for r in chosen]
        return steps, min((row.due_at for row in free if row.due_at > now), default=now + 1e9)

    def _lease(self, connection: Connection, ids: list[int], now: float) -> None:
        if ids:
            connection.execute(
                update(self._table)
                .where(self._table.c.id.in_(ids))
                .values(claimed_until=now + _LEASE_SECONDS)
            )

    def _release_claims(self) -> None:
        """SQLite has one process, so whatever is claimed was claimed by one that died."""
        with self._database.write() as connection:
            connection.execute(update(self._table).values(claimed_until=0.0, due_at=0.0))

    def _end(self, step: Step, finish: Finish) -> bool:
        """End a step; True when its subject has no other."""
        with self._database.write() as connection:
            finish(connection)
            connection.execute(delete(self._table).where(self._table.c.id == step.id))
            return not self._is_open(connection, step.subject)

    def _postpone(self, step: Step) -> None:
        delay = min(self._last_retry, self._first_retry * 2.0**step.attempts)
        # Jitter, so that what failed together does not come back together.
        due_at = self._clock() + delay * random.uniform(0.5, 1.0)  # noqa: S311
        with self._database.write() as connection:
            connection.execute(
                update(self._table)
                .where(self._table.c.id == step.id)
                .values(attempts=step.attempts + 1, due_at=due_at, claimed_until=0.0)
            )

    def _has_open_step(self, subject: str) -> bool:
        with self._database.read() as connection:
            return self._is_open(connection, subject)

    def _is_open(self, connection: Connection, subject: str) -> bool:
        found = select(self._table.c.id).where(self._table.c.subject == subject).limit(1)
        return connection.execute(found).first() is not None


def _columns() -> list[Column[Any]]:
    return [
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("kind", String, nullable=False),
        Column("subject", String, nullable=False),
        Column("payload", JSON, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("due_at", Float, nullable=False),
        Column("claimed_until", Float, nullable=False),
    ]
