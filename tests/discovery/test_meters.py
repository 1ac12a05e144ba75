"""Meters of IPAMs in the database: each moment is charged for once (ACC-3, IPAM-8)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from services.discovery import tables
from services.discovery.coverage import Ipam
from services.discovery.evaluation.model import Scopes
from services.discovery.metering import HOUR, Account, Pace, Reading, reading_of
from services.discovery.record import Turn
from services.discovery.service.costs import Tidying
from services.discovery.service.evaluating import Seen
from services.discovery.sources import AccountRegion
from services.discovery.store.costs import SqlUsages
from services.discovery.store.records import SqlRecords
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.discovery.monitored import HOME, IPAM, MEMBER, NOW, OWNER, PRIVATE, PUBLIC, WEST

MINUTE = timedelta(minutes=1)
MILLISECONDS = 3_600_000
"""Of an hour."""
ADVANCED = Ipam(Scopes(IPAM, PRIVATE, PUBLIC, frozenset({PRIVATE})), OWNER, HOME, False)
SHARED = replace(ADVANCED, self_paying=frozenset({OWNER, MEMBER}))
FREE = replace(ADVANCED, is_free_tier=True)
COUNTS = {OWNER: 1, MEMBER: 2}
OWN, OWNERS_FOR_MEMBER, OF_MEMBER = (
    Account(OWNER, OWNER),
    Account(MEMBER, OWNER),
    Account(MEMBER, MEMBER),
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = Database(database_url)
    await found.run(upgrade, found, "services.discovery")
    yield found
    found.close()


async def save(
    database: Database, version: int, at: datetime, ipam: Ipam, reading: Reading | None = None
) -> bool:
    """What an evaluation after ``version`` others saves that found `COUNTS`."""
    records = SqlRecords(database, Pace(longest=HOUR))
    read = reading_of(ipam, COUNTS) if reading is None else reading
    return await records.save(ipam, version, Turn([], [], 0), [], read, at)


def used(database: Database) -> dict[tuple[datetime, Account], int]:
    """By hour, or day."""
    with database.read() as connection:
        return {
            (row.started_at, Account(row.resource_owner_id, row.payer_id)): row.milliseconds
            for row in connection.execute(sa.select(tables.active_ip_usage))
        }


async def test_each_account_has_its_hours(database: Database) -> None:
    for version, at in enumerate([NOW, NOW + 30 * MINUTE, NOW + 90 * MINUTE]):
        assert await save(database, version, at, ADVANCED)
    next_hour, half = NOW + HOUR, MILLISECONDS // 2
    assert used(database) == {
        (NOW, OWN): MILLISECONDS,
        (NOW, OWNERS_FOR_MEMBER): 2 * MILLISECONDS,
        (next_hour, OWN): half,
        (next_hour, OWNERS_FOR_MEMBER): MILLISECONDS,
    }
    with database.read() as connection:
        total = connection.scalar(sa.select(tables.meters.c.milliseconds))
    assert total == sum(used(database).values())


async def test_of_replicas_that_evaluate_at_once_one_meters(database: Database) -> None:
    assert await save(database, 0, NOW, ADVANCED)
    at = NOW + 30 * MINUTE
    saved = await asyncio.gather(*(save(database, 1, at, ADVANCED) for _ in range(4)))
    assert sorted(saved) == [False, False, False, True]
    half = MILLISECONDS // 2
    assert used(database) == {(NOW, OWN): half, (NOW, OWNERS_FOR_MEMBER): 2 * half}


async def test_what_is_not_saved_is_not_metered(database: Database) -> None:
    assert await save(database, 0, NOW, ADVANCED)
    assert not await save(database, 0, NOW + HOUR, ADVANCED)
    assert used(database) == {}


async def test_tier_and_payers_hold_from_their_switch_on(database: Database) -> None:
    # IPAM-4, IPAM-8
    quarter = 15 * MINUTE
    switched = [ADVANCED, SHARED, FREE, SHARED, SHARED]
    for version, ipam in enumerate(switched):
        assert await save(database, version, NOW + version * quarter, ipam)
    part = MILLISECONDS // 4
    assert used(database) == {
        (NOW, OWN): 3 * part,
        (NOW, OWNERS_FOR_MEMBER): 2 * part,
        (NOW, OF_MEMBER): 2 * 2 * part,
    }


async def test_what_was_metered_outlives_its_ipam(database: Database) -> None:  # IPAM-9
    for version, at in enumerate([NOW, NOW + HOUR]):
        assert await save(database, version, at, ADVANCED)
    before = used(database)
    await SqlRecords(database).keep_only([])
    assert used(database) == before != {}
    # One of the same id begins with nothing.
    assert await save(database, 0, NOW + 2 * HOUR, ADVANCED)
    assert used(database) == before


async def test_what_is_read_is_what_metrics_count(database: Database) -> None:
    """Of each source, where the IPAM monitors: `usage_of` in test_usage_api.py."""
    rows = [
        (OWNER, HOME, "network", 1),
        (OWNER, HOME, "aws", 2),
        (OWNER, WEST, "network", 4),
        (MEMBER, HOME, "network", 8),
        (MEMBER, WEST, "network", 16),
    ]
    with database.write() as connection:
        for account_id, region, source, count in rows:
            connection.execute(
                tables.inventories.insert().values(
                    account_id=account_id,
                    region=region,
                    source=source,
                    active_ip_count=count,
                    version=1,
                    last_attempted_at=NOW,
                    last_successful_at=NOW,
                )
            )
    places = [AccountRegion(OWNER, HOME), AccountRegion(OWNER, WEST), AccountRegion(MEMBER, HOME)]
    view = await SqlRecords(database).view(IPAM, Seen(frozenset(places), frozenset()))
    assert view.active_ips == {OWNER: 7, MEMBER: 8}


def put(database: Database, started_at: datetime, milliseconds: int, **members: Any) -> None:
    values = {
        "ipam_id": IPAM,
        "started_at": started_at,
        "is_whole_day": False,
        "resource_owner_id": MEMBER,
        "payer_id": MEMBER,
        "ipam_owner_id": OWNER,
        "ipam_region": HOME,
        "milliseconds": milliseconds,
        **members,
    }
    with database.write() as connection:
        connection.execute(tables.active_ip_usage.insert().values(values))


def kept(database: Database) -> Sequence[tuple[datetime, bool, str, int]]:
    columns = tables.active_ip_usage.c
    query = sa.select(
        columns.started_at, columns.is_whole_day, columns.payer_id, columns.milliseconds
    ).order_by(columns.started_at, columns.payer_id)
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


async def test_hours_become_days_after_two_weeks_and_are_forgotten_after_13_months(
    database: Database,
) -> None:
    # NOW is noon of 2026-03-01: hours are known since noon of 2026-02-15, months since 2025-02.
    old, young = NOW.replace(month=2, day=14, hour=0), NOW.replace(month=2, day=15, hour=0)
    for hour in (0, 13, 23):
        put(database, old + hour * HOUR, 1 << hour)
        put(database, young + hour * HOUR, 1 << hour)
    put(database, old + HOUR, 5, payer_id=OWNER)
    forgotten, still_known = (
        datetime(2025, 1, 31, tzinfo=NOW.tzinfo),
        NOW.replace(year=2025, month=2, hour=0),
    )
    put(database, forgotten, 7, is_whole_day=True)
    put(database, still_known, 9, is_whole_day=True)
    tidying = Tidying(SqlUsages(database), lambda: NOW)
    # As replicas do, and a second time: nothing is counted twice.
    await asyncio.gather(*(tidying.tidy() for _ in range(3)))
    await tidying.tidy()
    assert kept(database) == [
        (still_known, True, MEMBER, 9),
        (old, True, OWNER, 5),
        (old, True, MEMBER, 1 + (1 << 13) + (1 << 23)),
        *((young + hour * HOUR, False, MEMBER, 1 << hour) for hour in (0, 13, 23)),
    ]
