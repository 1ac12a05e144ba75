"""Several workers on one PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from shared.persistence.database import Database
from shared.persistence.outbox import Step
from shared.persistence.steps import Steps
from tests.postgres import PostgresServer
from tests.shared.persistence.books import Books, outbox
from tests.shared.persistence.workers import enqueue, outbox_of, settled, working

pytestmark = pytest.mark.postgres


@pytest.fixture
def replicas(postgres: PostgresServer) -> Iterator[list[Database]]:
    with postgres.empty_database() as url:
        replicas = [Database(url), Database(url)]
        Books(replicas[0], create=True)
        yield replicas
        for replica in replicas:
            replica.close()


async def test_no_step_is_done_by_two(replicas: list[Database]) -> None:
    done: Counter[str] = Counter()

    async def count(step: Step) -> None:
        done[step.payload["text"]] += 1

    boxes = [outbox_of(replica, count) for replica in replicas]
    subjects = [str(number) for number in range(60)]
    for subject in subjects:
        enqueue(replicas[0], f"{subject}.1", f"{subject}.2", subject=subject)
    async with working(*boxes):
        assert all([await settled(boxes[0], subject) for subject in subjects])
    assert len(done) == 120
    assert set(done.values()) == {1}
    texts = Books(replicas[0], create=False).texts
    assert all(texts.index(f"{subject}.1") < texts.index(f"{subject}.2") for subject in subjects)


def test_a_claim_does_not_wait_for_one_that_is_being_made(replicas: list[Database]) -> None:
    enqueue(replicas[0], "1", subject="a")
    enqueue(replicas[0], "2", subject="b")
    with replicas[0].write() as connection:
        connection.execute(sa.select(outbox).where(outbox.c.subject == "a").with_for_update())
        claimed = Steps(replicas[1], outbox).claim(now=1, until=10, renewed=(), limit=9)
    assert [step.subject for step in claimed] == ["b"]


async def test_a_subject_settled_by_another_replica_is_settled(replicas: list[Database]) -> None:
    here, elsewhere = (outbox_of(replica) for replica in replicas)
    enqueue(replicas[0], "done")
    async with working(elsewhere):
        assert await settled(here)


async def test_a_stopped_replica_gives_its_steps_up_at_once(replicas: list[Database]) -> None:
    begun = asyncio.Event()

    async def hang(step: Step) -> None:
        begun.set()
        await asyncio.Event().wait()

    stopping, staying = outbox_of(replicas[0], hang), outbox_of(replicas[1], clock=lambda: 0.0)
    enqueue(replicas[0], "done")
    async with working(stopping):
        await begun.wait()
    # Its clock stands still, so it gets what was given up and nothing whose time has to come.
    async with working(staying):
        assert await settled(staying)
