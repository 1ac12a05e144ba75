"""An audit trail in a database: written a moment later, told newest first, not for ever."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from shared.audit import AuditEvent, AuditQuery
from shared.errors import InvalidNextToken, ServiceUnavailable
from shared.persistence import audit_trail
from shared.persistence.audit_trail import AuditTrail, EventsAfter, audit_table
from shared.persistence.database import Database
from tests.waiting import eventually

METADATA = sa.MetaData()
TABLE = audit_table(METADATA)
NOW = datetime.now(UTC)
ACCOUNT, HOME = "123456789012", "us-east-1"
EVENT = AuditEvent(
    event_id="0" * 32,
    event_time=NOW,
    event_source="ec2.amazonaws.com",
    event_name="CreateIpamPool",
    account_id=ACCOUNT,
    region=HOME,
    principal=f"arn:aws:iam::{ACCOUNT}:user/alice",
    request_id="request",
    error_code="",
    error_message="",
    resource_names=("ipam-scope-1", "ipam-pool-1"),
)
ALL = AuditQuery(ACCOUNT, HOME)


@pytest.fixture
def trail(database: Database) -> AuditTrail:
    with database.write() as connection:
        METADATA.create_all(connection)
    return AuditTrail(database, TABLE, retention_days=90)


@asynccontextmanager
async def running(trail: AuditTrail) -> AsyncIterator[None]:
    task = asyncio.create_task(trail.run())
    # So that there is something to cancel.
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def told(trail: AuditTrail, query: AuditQuery = ALL) -> list[AuditEvent]:
    def everything(events_after: EventsAfter) -> list[AuditEvent]:
        return [event for _, event in events_after(None)]

    return await trail.ask(query, everything)


async def test_what_is_recorded_is_told_newest_first(trail: AuditTrail) -> None:
    events = [EVENT._replace(event_id=f"{number:032x}") for number in range(500)]
    async with running(trail):
        for event in events:
            trail.record(event)

        async def all_are_told() -> bool:
            return len(await told(trail)) == len(events)

        await eventually(all_are_told)
    assert await told(trail) == events[::-1]


async def test_what_was_recorded_before_a_stop_is_kept(trail: AuditTrail) -> None:
    async with running(trail):
        trail.record(EVENT)
    assert await told(trail) == [EVENT]


@pytest.mark.parametrize(
    ("query", "is_told"),
    [
        (ALL, True),
        (replace(ALL, account_id="210987654321"), False),
        (replace(ALL, region="us-west-2"), False),
        (replace(ALL, start_time=NOW - timedelta(seconds=1)), True),
        (replace(ALL, start_time=NOW + timedelta(seconds=1)), False),
        (replace(ALL, end_time=NOW - timedelta(seconds=1)), False),
        (replace(ALL, end_time=NOW), True),
        (replace(ALL, event_id=EVENT.event_id), True),
        (replace(ALL, event_id="1" * 32), False),
        (replace(ALL, event_name="CreateIpamPool"), True),
        (replace(ALL, event_name="CreateIpam"), False),
        (replace(ALL, event_source="ram.amazonaws.com"), False),
        (replace(ALL, username="alice"), True),
        (replace(ALL, username="bob"), False),
        (replace(ALL, resource_name="ipam-pool-1"), True),
        (replace(ALL, resource_name="ipam-pool-2"), False),
    ],
)
async def test_only_what_is_asked_for_is_told(
    trail: AuditTrail, query: AuditQuery, *, is_told: bool
) -> None:
    async with running(trail):
        trail.record(EVENT)
    assert await told(trail, query) == ([EVENT] if is_told else [])


async def test_a_page_begins_after_the_key_of_the_last(trail: AuditTrail) -> None:  # BEY-6
    async with running(trail):
        for number in range(5):
            trail.record(EVENT._replace(event_id=f"{number:032x}"))
    keys = await trail.ask(ALL, lambda events_after: [key for key, _ in events_after(None)])
    rest = await trail.ask(ALL, lambda events_after: [key for key, _ in events_after(keys[2])])
    assert rest == keys[3:]


async def test_what_is_older_than_wanted_goes(trail: AuditTrail) -> None:
    old = EVENT._replace(event_time=NOW - timedelta(days=91))
    kept = EVENT._replace(event_time=NOW - timedelta(days=89))
    async with running(trail):
        for event in (old, kept):
            trail.record(event)
    async with running(trail):

        async def only_the_younger_is_left() -> bool:
            return await told(trail) == [kept]

        await eventually(only_the_younger_is_left)


async def test_events_wait_for_a_database_that_is_away(
    trail: AuditTrail, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_trail, "_RETRY_SECONDS", 0.05)
    run, is_away = database.run, True

    async def run_if_there(*work: Any) -> Any:
        if is_away:
            raise ServiceUnavailable("The database does not answer")
        return await run(*work)

    monkeypatch.setattr(database, "run", run_if_there)
    with capture_logs() as logs:
        async with running(trail):
            trail.record(EVENT)

            async def it_was_told() -> bool:
                return any(line["event"] == "audit events not written" for line in logs)

            await eventually(it_was_told)
            is_away = False

            async def it_is_there() -> bool:
                return await told(trail) == [EVENT]

            await eventually(it_is_there)
    assert "alice" not in str(logs)


async def test_a_stop_waits_for_what_is_being_written(
    trail: AuditTrail, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, is_asked, run = threading.Event(), asyncio.Event(), database.run

    async def run_noting(work: Any, *arguments: Any) -> Any:
        if [EVENT] in arguments:
            is_asked.set()
        return await run(work, *arguments)

    monkeypatch.setattr(database, "run", run_noting)
    task = asyncio.create_task(trail.run())
    # All threads are taken, so that writing has to wait for its turn.
    holding = [asyncio.ensure_future(run(go_on.wait, 20)) for _ in range(8)]
    trail.record(EVENT)
    await is_asked.wait()
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(task, *holding, return_exceptions=True)
    assert await told(trail) == [EVENT]


@pytest.mark.parametrize(
    "event",
    [
        EVENT._replace(request_id="x" * 1000, error_code="y" * 1000, principal="z" * 5000),
        EVENT._replace(error_message="nul \0 and half of a pair \ud800"),
        EVENT._replace(resource_names=("\0", "\ud800")),
    ],
    ids=["longer than anything", "what no database takes", "names like that"],
)
async def test_an_odd_event_keeps_no_other_from_being_written(
    trail: AuditTrail, event: AuditEvent
) -> None:
    async with running(trail):
        for one in (event, EVENT):
            trail.record(one)
    assert len(await told(trail)) == 2


async def test_an_event_that_cannot_be_written_at_all_is_left_out(
    trail: AuditTrail, database: Database
) -> None:
    with database.write() as connection:
        connection.execute(sa.text("CREATE UNIQUE INDEX once ON audit_events (event_id)"))
    with capture_logs() as logs:
        async with running(trail):
            for number in (1, 2, 2, 3):
                trail.record(EVENT._replace(event_id=str(number)))
    assert sorted(event.event_id for event in await told(trail)) == ["1", "2", "3"]
    assert [line["event_id"] for line in logs if "event_id" in line] == ["2"]


async def test_times_are_told_in_utc_whatever_the_databases_own(
    trail: AuditTrail, database: Database
) -> None:
    async with running(trail):
        trail.record(EVENT)
    if database.dialect == "postgresql":
        with database.write() as connection:
            name = connection.scalar(sa.text("SELECT current_database()"))
            connection.execute(sa.text(f"ALTER DATABASE \"{name}\" SET timezone TO 'Asia/Seoul'"))
        database.engine.dispose()
    [event] = await told(trail)
    assert (event.event_time, event.event_time.tzinfo) == (NOW, UTC)


async def test_a_key_that_was_never_given_is_refused(trail: AuditTrail) -> None:  # BEY-6
    with pytest.raises(InvalidNextToken):
        await trail.ask(ALL, lambda events_after: list(events_after("x")))


async def test_many_old_events_go_in_blocks(
    trail: AuditTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_trail, "_PRUNED_ROWS", 3)
    old = NOW - timedelta(days=91)
    async with running(trail):
        for number in range(10):
            trail.record(EVENT._replace(event_id=str(number), event_time=old))
        trail.record(EVENT)
    async with running(trail):

        async def only_the_younger_is_left() -> bool:
            return await told(trail) == [EVENT]

        await eventually(only_the_younger_is_left)
