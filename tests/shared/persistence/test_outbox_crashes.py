"""A crash at any point resumes (design.md section 5)."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from shared.persistence.database import Database
from shared.persistence.outbox import Step
from tests.postgres import PostgresServer
from tests.shared.persistence import crashing
from tests.shared.persistence.books import Books
from tests.shared.persistence.workers import enqueue, outbox_of, settled, working
from tests.waiting import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).parents[3]


def tomorrow() -> float:
    """A clock to which every lease has run out."""
    return time.time() + 86_400


def yesterday() -> float:
    """A clock to which no lease has run out."""
    return time.time() - 86_400


@pytest.mark.parametrize("point", ["before its change", "during its change"])
async def test_what_a_dead_worker_began_is_done_again(
    database_url: str, tmp_path: Path, point: str
) -> None:
    database = Database(database_url)
    Books(database, create=True)
    enqueue(database, "by the next one")
    database.close()

    remote = tmp_path / "remote"
    command = [sys.executable, "-m", crashing.__name__, database_url, point, str(remote)]
    died = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    assert await died.wait() == crashing.EXIT_CODE
    assert remote.read_text() == "done"

    database = Database(database_url)
    # A new process knows on SQLite that it is the only one, and waits for no lease.
    box = outbox_of(database, clock=yesterday if database.dialect == "sqlite" else tomorrow)
    async with working(box):
        assert await settled(box)
    assert Books(database, create=False).texts == ["by the next one"]
    database.close()


async def test_a_worker_that_is_stopped_leaves_its_steps_to_the_next(books: Books) -> None:
    begun = asyncio.Event()

    async def hang(step: Step) -> None:
        begun.set()
        await asyncio.Event().wait()

    stopped = outbox_of(books.database, hang)
    enqueue(books.database, "done")
    async with working(stopped):
        await begun.wait()
    following = outbox_of(books.database)
    async with working(following):
        assert await settled(following)
    assert books.texts == ["done"]


@pytest.mark.postgres
async def test_a_database_that_goes_away_for_a_while_does_not_stop_the_worker(
    postgres: PostgresServer,
) -> None:
    begun, is_away, reported = asyncio.Event(), asyncio.Event(), asyncio.Event()
    looks: list[float] = []

    async def outlast(step: Step) -> None:
        begun.set()
        await is_away.wait()

    def clock() -> float:
        looks.append(tomorrow() if is_away.is_set() else time.time())
        return looks[-1]

    with postgres.empty_database() as url:
        database = Database(url)
        books = Books(database, create=True)
        box = outbox_of(database, outlast, clock=clock, on_failure=lambda *_: reported.set())
        enqueue(database, "done")
        async with working(box):
            await begun.wait()
            with postgres.outage_of(url):
                is_away.set()
                await reported.wait()
                assert not await box.settled("s", timeout_seconds=PATIENCE_SECONDS)
                # The second look from now on begins only after the first one failed.
                wanted = len(looks) + 2
                await asyncio.to_thread(wait_until, lambda: len(looks) >= wanted)
            assert await settled(box)
        assert books.texts == ["done"]
        database.close()
