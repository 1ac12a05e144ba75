"""Carries out what changes something: decision, answer and next steps commit together."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection

from services.control_plane.service.ports import Answer, Once
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep
from services.control_plane.store.rows import SqlRows
from services.control_plane.store.steps import add_step
from shared.feed import Bell
from shared.persistence.client_tokens import ClientTokens, fingerprint
from shared.persistence.database import Database
from shared.persistence.outbox import Outbox
from shared.persistence.steps import Steps

FIRST_ATTEMPT_SECONDS = 3.0
"""How long an answer waits for its steps: longer than a ledger that is up, and busy, needs."""

T = TypeVar("T")


class SqlCommands:
    """One transaction per command, then its steps' first attempts."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        steps: Steps,
        tokens: ClientTokens,
        bell: Bell,
    ) -> None:
        """``bell`` is rung at every commit, for whoever follows what is committed."""
        self._database, self._outbox, self._steps = database, outbox, steps
        self._tokens, self._bell = tokens, bell

    async def change(self, decide: Callable[[Rows], Accepted[T]], *, dry_run: bool) -> T:
        accepted = await self._database.run(self._commit, decide, dry_run=dry_run)
        self._bell.ring()
        await self._first_attempts(accepted.steps)
        return accepted.resource

    async def create(
        self,
        decide: Callable[[Rows], Accepted[T]],
        answer: Callable[[T], Answer],
        *,
        once: Once,
        dry_run: bool,
    ) -> bytes:
        if not once.token:
            return answer(await self.change(decide, dry_run=dry_run)).SerializeToString()
        first, steps = await self._database.run(self._once, decide, answer, once, dry_run=dry_run)
        self._bell.ring()
        await self._first_attempts(steps)
        return first

    async def tag(self, decide: Callable[[Rows], None], *, dry_run: bool) -> None:
        await self._database.run(self._tag, decide, dry_run=dry_run)

    def enqueue_all(self, decide: Callable[[Rows], list[NextStep]]) -> None:
        """Commit a decision that leaves any number of steps; blocking, for the start."""
        with self._database.write() as connection:
            for step in decide(SqlRows(connection)):
                add_step(self._steps, connection, step)

    async def _first_attempts(self, steps: Sequence[NextStep]) -> None:
        settled = partial(self._outbox.settled, timeout_seconds=FIRST_ATTEMPT_SECONDS)
        await asyncio.gather(*map(settled, {step.subject for step in steps}))

    def _tag(self, decide: Callable[[Rows], None], *, dry_run: bool) -> None:
        with self._database.write(dry_run=dry_run) as connection:
            decide(SqlRows(connection))

    def _commit(self, decide: Callable[[Rows], Accepted[T]], *, dry_run: bool) -> Accepted[T]:
        with self._database.write(dry_run=dry_run) as connection:
            return self._accept(connection, decide)

    def _once(
        self,
        decide: Callable[[Rows], Accepted[T]],
        answer: Callable[[T], Answer],
        once: Once,
        *,
        dry_run: bool,
    ) -> tuple[bytes, Sequence[NextStep]]:
        token = _key_of(once)
        with self._database.write(dry_run=dry_run) as connection:
            if earlier := self._tokens.recall(connection, **token):
                return earlier, ()
            accepted = self._accept(connection, decide)
            first = answer(accepted.resource).SerializeToString()
            now = datetime.now(UTC)
            self._tokens.remember(connection, **token, answer=first, now=now)
            return first, accepted.steps

    def _accept(self, connection: Connection, decide: Callable[[Rows], Accepted[T]]) -> Accepted[T]:
        accepted = decide(SqlRows(connection))
        for step in accepted.steps:
            add_step(self._steps, connection, step)
        return accepted


def _key_of(once: Once) -> dict[str, Any]:
    return {
        "account_id": once.account_id,
        "operation": once.operation,
        "token": once.token,
        "fingerprint": fingerprint(once.request),
    }
