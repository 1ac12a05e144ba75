import asyncio
import threading

import pytest
from opentelemetry.trace import SpanKind
from sqlalchemy import Connection

from shared import tracing
from shared.errors import DryRunOperation, ServiceUnavailable
from shared.persistence.outbox import Finish, Outbox, Step
from shared.persistence.steps import Steps
from tests.shared.persistence.books import Books, note, outbox
from tests.shared.persistence.workers import (
    enqueue,
    outbox_of,
    settled,
    working,
)
from tests.spans import recorded
from tests.waiting import PATIENCE_SECONDS


async def test_a_step_is_carried_out_and_its_change_made(books: Books) -> None:
    seen: list[Step] = []

    async def see(step: Step) -> None:
        seen.append(step)

    box = outbox_of(books.database, see)
    enqueue(books.database, "done")
    async with working(box):
        assert await settled(box)
    assert books.texts == ["done"]
    assert seen == [Step(seen[0].id, "note", "s", {"text": "done"}, attempts=0)]


async def test_a_step_added_while_the_worker_sleeps_is_begun_by_a_kick(books: Books) -> None:
    begun = asyncio.Event()

    async def tell(step: Step) -> None:
        begun.set()

    box = outbox_of(books.database, tell)
    async with working(box):
        assert await settled(box)
        enqueue(books.database, "done")
        threading.Thread(target=box.kick).start()
        await begun.wait()
        assert await settled(box)


def test_a_kick_without_a_worker_does_nothing(books: Books) -> None:
    outbox_of(books.database).kick()


async def test_a_transaction_that_fails_takes_its_steps_along(books: Books) -> None:
    box = outbox_of(books.database)
    with pytest.raises(DryRunOperation), books.database.write(dry_run=True) as connection:
        Steps(books.database, outbox).add(
            connection, kind="note", subject="s", payload={"text": "never"}
        )
    async with working(box):
        assert await settled(box)
    assert books.texts == []


async def test_a_subject_is_not_settled_while_its_step_is_under_way(books: Books) -> None:
    may_end = asyncio.Event()
    box = outbox_of(books.database, lambda _: may_end.wait())
    enqueue(books.database, "done")
    async with working(box):
        assert not await box.settled("s", timeout_seconds=0.1)
        assert await settled(box, "another subject")
        may_end.set()
        assert await settled(box)


async def test_a_subject_is_not_settled_when_nobody_works(books: Books) -> None:
    box = outbox_of(books.database)
    enqueue(books.database, "done")
    assert not await box.settled("s", timeout_seconds=0.05)


async def test_a_subject_is_settled_after_its_last_step(books: Books) -> None:
    box = outbox_of(books.database)
    enqueue(books.database, "1", "2", "3")
    async with working(box):
        assert await settled(box)
    assert books.texts == ["1", "2", "3"]


async def test_steps_of_one_subject_keep_their_order_over_failures(books: Books) -> None:
    attempted: list[str] = []

    async def fail_twice(step: Step) -> None:
        attempted.append(step.payload["text"])
        if step.payload["text"] == "2" and step.attempts < 2:
            raise ServiceUnavailable("not now")

    box = outbox_of(books.database, fail_twice)
    enqueue(books.database, "1", "2", "3")
    async with working(box):
        assert await settled(box)
    assert attempted == ["1", "2", "2", "2", "3"]


async def test_different_subjects_do_not_wait_for_each_other(books: Books) -> None:
    together = asyncio.Barrier(3)
    box = outbox_of(books.database, lambda _: together.wait())
    for subject in "abc":
        enqueue(books.database, subject, subject=subject)
    async with working(box):
        assert all([await settled(box, subject) for subject in "abc"])


async def test_more_steps_than_are_done_at_once_are_all_done(books: Books) -> None:
    box = outbox_of(books.database)
    subjects = [str(number) for number in range(100)]
    for subject in subjects:
        enqueue(books.database, subject, subject=subject)
    async with working(box):
        assert all([await settled(box, subject) for subject in subjects])
    assert sorted(books.texts) == sorted(subjects)


@pytest.mark.parametrize(
    "error", [ServiceUnavailable("not now"), OSError("unplugged"), KeyError("a mistake")], ids=repr
)
async def test_whatever_fails_is_reported_and_tried_again(books: Books, error: Exception) -> None:
    reported: list[tuple[int, Exception]] = []

    async def fail_twice(step: Step) -> None:
        if step.attempts < 2:
            raise error

    box = outbox_of(
        books.database, fail_twice, on_failure=lambda s, e: reported.append((s.attempts, e))
    )
    enqueue(books.database, "done")
    async with working(box):
        assert await settled(box)
    assert reported == [(0, error), (1, error)]
    assert books.texts == ["done"]


async def test_a_change_that_fails_is_undone_and_its_step_tried_again(books: Books) -> None:
    async def handle(step: Step) -> Finish:
        def finish(connection: Connection) -> None:
            note(connection, "done")
            if step.attempts < 2:
                raise LookupError

        return finish

    box = Outbox(books.database, outbox, {"note": handle}, first_retry_seconds=0.001)
    enqueue(books.database, "")
    async with working(box):
        assert await settled(box)
    assert books.texts == ["done"]


async def test_a_kind_nobody_knows_holds_up_its_own_subject_only(books: Books) -> None:
    box = outbox_of(books.database)
    with books.database.write() as connection:
        Steps(books.database, outbox).add(
            connection, kind="of a newer version", subject="new", payload={}
        )
    enqueue(books.database, "done")
    async with working(box):
        assert await settled(box)
        assert not await box.settled("new", timeout_seconds=0.1)


async def test_a_report_that_fails_does_not_stop_the_worker(books: Books) -> None:
    reports = asyncio.Queue[Exception]()
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: reports.put_nowait(context["exception"])
    )

    def report(step: Step, error: Exception) -> None:
        raise BufferError

    async def fail_once(step: Step) -> None:
        if not step.attempts:
            raise LookupError

    box = outbox_of(books.database, fail_once, on_failure=report)
    enqueue(books.database, "done")
    async with working(box):
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert isinstance(await reports.get(), BufferError)
        assert await settled(box)


async def test_a_step_is_a_trace_that_all_it_asks_of_others_is_part_of(books: Books) -> None:
    told: list[list[str]] = []

    async def ask(step: Step) -> None:
        told.append(tracing.carried()["traceparent"].split("-"))

    box = outbox_of(books.database, ask)
    with recorded() as spans:
        enqueue(books.database, "done")
        async with working(box):
            assert await settled(box)
    span = spans.one("step note", SpanKind.INTERNAL)
    [[_version, trace_id, span_id, _flags]] = told
    assert (trace_id, span_id) == (span.trace_id, span.span_id)
