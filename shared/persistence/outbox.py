"""The outbox: what must still happen after a transaction, kept in that transaction.

A row and its next step are written together; a worker carries the step out and ends it together
with the change it leads to. A crash at any point resumes (design.md section 5).
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import structlog
from sqlalchemy import Table
from sqlalchemy.exc import SQLAlchemyError

from shared import tracing
from shared.errors import CadastreError, Unavailable
from shared.fail_points import FailPoint, reach
from shared.persistence.database import Database
from shared.persistence.steps import Finish, Step, Steps, create_outbox_table, outbox_table

__all__ = ["Finish", "Handler", "Outbox", "Step", "create_outbox_table", "outbox_table"]

Handler = Callable[[Step], Awaitable[Finish]]
"""Does the remote part of a step, which may be repeated; no transaction is open meanwhile."""

_LEASE_SECONDS = 10.0
# Leases are renewed at each look, and what another replica left is found by it.
_LOOK_SECONDS = 1.0
_ELSEWHERE_SECONDS = 0.1
_STEPS_AT_ONCE = 32
_MAX_DOUBLINGS = 30
_DATABASE_FAILURES = (CadastreError, SQLAlchemyError, OSError)

_log = structlog.get_logger()


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
        """``on_failure`` hears of every attempt that failed, instead of the log.

        The step is tried again in any case, after twice the time each time, up to the last.
        """
        self._database, self._steps, self._handlers = database, Steps(database, table), handlers
        self._clock, self._on_failure = clock, on_failure or _log_failure
        self._first_retry, self._last_retry = first_retry_seconds, last_retry_seconds
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._listening: defaultdict[str, list[asyncio.Event]] = defaultdict(list)

    def kick(self) -> None:
        """Have the worker look now. May be called from any thread, also when no worker runs."""
        if loop := self._loop:
            # The worker, and its loop, may end between this line and the one before.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._wake.set)

    async def settled(self, subject: str, *, timeout_seconds: float) -> bool:
        """Have the worker look now, and wait until no step of ``subject`` is open.

        False when that takes longer than ``timeout_seconds``, or the database does not answer.
        """
        self.kick()
        with self._listening_to(subject) as step_ended:
            with suppress(TimeoutError, Unavailable):
                async with asyncio.timeout(timeout_seconds):
                    while await self._database.run(self._steps.is_open, subject):
                        await self._wait_for_end(step_ended)
                    return True
            return False

    async def run(self) -> None:
        """Carry steps out until cancelled, beginning with what a crash left."""
        self._loop = asyncio.get_running_loop()
        try:
            if self._database.dialect == "sqlite":
                # One process only, so whoever claimed these is gone.
                await self._database.run(self._steps.release_all)
            while True:
                self._wake.clear()
                await self._start_due_steps()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await self._wake.wait()
        finally:
            self._loop = None
            await self._stop()

    async def _stop(self) -> None:
        given_up = dict(self._under_way)
        for task in given_up.values():
            task.cancel()
        await asyncio.gather(*given_up.values(), return_exceptions=True)
        # So that another replica need not wait for the leases to run out.
        with suppress(*_DATABASE_FAILURES):
            await self._database.run(self._steps.release, list(given_up))

    async def _start_due_steps(self) -> None:
        now = self._clock()
        try:
            steps = await self._database.run(
                self._steps.claim,
                now=now,
                until=now + _LEASE_SECONDS,
                renewed=list(self._under_way),
                limit=_STEPS_AT_ONCE - len(self._under_way),
            )
        except _DATABASE_FAILURES as error:
            _log.warning("outbox not readable", error=repr(error))
            return
        for step in steps:
            self._under_way[step.id] = asyncio.create_task(self._carry_out(step))

    async def _carry_out(self, step: Step) -> None:
        try:
            with tracing.work(f"step {step.kind}"):
                reach(FailPoint.OUTBOX_BEFORE_REMOTE)
                finish = await self._handlers[step.kind](step)
                reach(FailPoint.OUTBOX_BEFORE_FINISH)
                await self._database.run(self._steps.end, step, finish)
        except Exception as error:  # noqa: BLE001 - the worker's edge: reported and tried again
            await self._try_again_later(step, error)
        finally:
            del self._under_way[step.id]
            self._wake.set()
            for listener in self._listening.get(step.subject, ()):
                listener.set()

    async def _try_again_later(self, step: Step, error: Exception) -> None:
        doublings = min(step.attempts, _MAX_DOUBLINGS)
        longest = min(self._last_retry, self._first_retry * 2.0**doublings)
        # Jitter, so that what failed together does not come back together.
        delay = longest * random.uniform(0.5, 1.0)  # noqa: S311
        # Should this fail too, the lease runs out.
        with suppress(*_DATABASE_FAILURES):
            await self._database.run(self._steps.postpone, step, self._clock() + delay)
        asyncio.get_running_loop().call_later(delay, self.kick)
        self._on_failure(step, error)

    async def _wait_for_end(self, step_ended: asyncio.Event) -> None:
        elsewhere = _ELSEWHERE_SECONDS if self._database.dialect == "postgresql" else None
        # Another replica's worker may have the step, and nothing tells when it is done.
        with suppress(TimeoutError):
            async with asyncio.timeout(elsewhere):
                await step_ended.wait()
        step_ended.clear()

    @contextmanager
    def _listening_to(self, subject: str) -> Iterator[asyncio.Event]:
        listener = asyncio.Event()
        self._listening[subject].append(listener)
        try:
            yield listener
        finally:
            self._listening[subject].remove(listener)
            if not self._listening[subject]:
                del self._listening[subject]


def _log_failure(step: Step, error: Exception) -> None:
    log = _log.bind(kind=step.kind, subject=step.subject, attempts=step.attempts)
    if isinstance(error, Unavailable | OSError):
        log.info("step failed", error=repr(error))
    else:
        log.error("step failed", exc_info=error)
