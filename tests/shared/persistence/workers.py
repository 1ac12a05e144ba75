"""Outboxes whose handlers note what they did, and their workers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy import Connection

from shared.persistence.database import Database
from shared.persistence.outbox import Finish, Handler, Outbox, Step
from shared.persistence.steps import Steps
from tests.shared.persistence.books import note, outbox
from tests.waiting import PATIENCE_SECONDS

RemotePart = Callable[[Step], Awaitable[object]]


async def nothing(step: Step) -> None:
    """A remote part that has nothing to do."""


def noting(remote_part: RemotePart = nothing) -> Handler:
    """Do the remote part, then note the step's text in the books."""

    async def handle(step: Step) -> Finish:
        await remote_part(step)

        def finish(connection: Connection) -> None:
            note(connection, step.payload["text"])

        return finish

    return handle


def outbox_of(database: Database, remote_part: RemotePart = nothing, **options: Any) -> Outbox:
    """An outbox of steps of the kind "note"."""
    options = {"first_retry_seconds": 0.001, "last_retry_seconds": 0.01} | options
    return Outbox(database, outbox, {"note": noting(remote_part)}, **options)


def enqueue(database: Database, *texts: str, subject: str = "s") -> None:
    """Add steps in one transaction."""
    steps = Steps(database, outbox)
    with database.write() as connection:
        for text in texts:
            steps.add(connection, kind="note", subject=subject, payload={"text": text})


async def settled(outbox: Outbox, subject: str = "s") -> bool:
    return await outbox.settled(subject, timeout_seconds=PATIENCE_SECONDS)


@asynccontextmanager
async def working(*outboxes: Outbox) -> AsyncIterator[None]:
    """Their workers run for the length of the block."""
    tasks = [asyncio.create_task(outbox.run()) for outbox in outboxes]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
