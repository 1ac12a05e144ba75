"""CostService through gRPC: who sees which hours, by what they are grouped (ACC-3, IPAM-8)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.discovery.v1 import cost_service_pb2 as pb
from services.discovery.servicer.monitoring_messages import time_to_proto
from shared.errors import CadastreError
from tests.discovery.billed import MANAGEMENT, Billed, billing
from tests.discovery.monitored import IPAM, MEMBER, NOW, OTHER_IPAM, OWNER, STRANGER

HOURLY = pb.ACTIVE_IP_HOURS_GRANULARITY_HOURLY
DAILY = pb.ACTIVE_IP_HOURS_GRANULARITY_DAILY
MONTHLY = pb.ACTIVE_IP_HOURS_GRANULARITY_MONTHLY
BY_IPAM = pb.ACTIVE_IP_HOURS_GROUPING_IPAM
BY_PAYER = pb.ACTIVE_IP_HOURS_GROUPING_PAYER_ACCOUNT
BY_OWNER = pb.ACTIVE_IP_HOURS_GROUPING_RESOURCE_OWNER

on_sqlite_alone = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def it(database_url: str, tmp_path: Path) -> AsyncIterator[Billed]:
    async with billing(database_url, tmp_path) as billed:
        yield billed


def day(month: int, of_month: int, hour: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, of_month, hour, tzinfo=UTC)


def request(
    start: datetime, end: datetime, granularity: Any, *group_by: Any, **members: Any
) -> Any:
    return pb.GetActiveIpHoursRequest(
        start_time=time_to_proto(start),
        end_time=time_to_proto(end),
        granularity=granularity,
        group_by=group_by,
        **members,
    )


def told(answer: Any) -> list[tuple[datetime, str, str]]:
    """Start, group and hours of each line."""
    return [
        (
            one.start_time.ToDatetime(tzinfo=UTC),
            " ".join([one.ipam_id, one.payer_account_id, one.resource_owner_id]).strip(),
            one.hours,
        )
        for one in answer.active_ip_hours
    ]


def fill(it: Billed) -> None:
    """Of January a day, of February an hour, of March two."""
    it.used(day(1, 31), 24, is_whole_day=True)
    it.used(day(2, 28, 23), 1.5)
    it.used(day(3, 1, 0), 0.5)
    it.used(day(3, 1, 1), 2, resource_owner_id=MEMBER, payer_id=MEMBER)
    it.used(day(3, 1, 1), 1 / 3600, resource_owner_id=STRANGER)
    it.used(day(3, 1, 1), 64, ipam_id=OTHER_IPAM, ipam_owner_id=STRANGER, payer_id=STRANGER)


async def test_hours_are_added_up_by_hours_days_and_months(it: Billed) -> None:
    fill(it)
    whole = request(day(1, 1), day(4, 1), MONTHLY)
    assert told(await it.ask(whole)) == [
        (day(1, 1), "", "24"),
        (day(2, 1), "", "1.5"),
        (day(3, 1), "", "2.5002777778"),
    ]
    days = request(day(1, 31), day(3, 2), DAILY)
    assert told(await it.ask(days)) == [
        (day(1, 31), "", "24"),
        (day(2, 28), "", "1.5"),
        (day(3, 1), "", "2.5002777778"),
    ]
    hours = request(day(2, 28, 23), day(3, 1, 1), HOURLY)
    assert told(await it.ask(hours)) == [(day(2, 28, 23), "", "1.5"), (day(3, 1), "", "0.5")]
    [last] = (await it.ask(request(day(3, 1), day(3, 8), MONTHLY))).active_ip_hours
    assert last.end_time.ToDatetime(tzinfo=UTC) == day(3, 8)


async def test_the_owner_sees_all_of_an_ipam_others_what_they_pay(it: Billed) -> None:  # IPAM-8
    fill(it)
    march = request(day(3, 1), day(4, 1), MONTHLY, BY_PAYER, BY_OWNER, BY_IPAM)
    of = {
        OWNER: [
            (day(3, 1), f"{IPAM} {OWNER} {OWNER}", "0.5"),
            (day(3, 1), f"{IPAM} {OWNER} {STRANGER}", "0.0002777778"),
            (day(3, 1), f"{IPAM} {MEMBER} {MEMBER}", "2"),
        ],
        MEMBER: [(day(3, 1), f"{IPAM} {MEMBER} {MEMBER}", "2")],
        # Pays for its own IPAM; what it has in another's is that one's owner's to pay.
        STRANGER: [(day(3, 1), f"{OTHER_IPAM} {STRANGER} {OWNER}", "64")],
        MANAGEMENT: [],
    }
    for account_id, lines in of.items():
        assert told(await it.ask(march, account_id)) == lines
    of_one = request(day(3, 1), day(4, 1), MONTHLY, ipam_id=OTHER_IPAM)
    assert told(await it.ask(of_one)) == []
    assert told(await it.ask(of_one, STRANGER)) == [(day(3, 1), "", "64")]


@on_sqlite_alone
async def test_pages_put_together_are_the_whole(it: Billed) -> None:
    fill(it)
    arguments = (day(1, 1), day(4, 1), DAILY, BY_PAYER, BY_OWNER)
    whole = told(await it.ask(request(*arguments)))
    found, token = [], ""
    while True:
        page = await it.ask(request(*arguments, max_results=1, next_token=token))
        found += told(page)
        token = page.next_token
        if not token:
            break
    assert found == whole
    assert len(found) == 5


@on_sqlite_alone
@pytest.mark.parametrize(
    ("start", "end", "granularity", "parameter", "what_would_do"),
    [
        (day(3, 1), day(3, 1), DAILY, "Start", "before the end"),
        (day(3, 1, 1), day(3, 2), DAILY, "Start", "beginning of a day"),
        (day(3, 1), day(3, 1, 1), MONTHLY, "End", "beginning of a day"),
        (NOW, NOW + timedelta(minutes=90), HOURLY, "End", "beginning of an hour"),
        (day(2, 15, 11), day(3, 1), HOURLY, "Start", "since 2026-02-15T12:00:00Z"),
        (day(1, 31, year=2025), day(3, 1), MONTHLY, "Start", "2025-02-01T00:00:00Z"),
        (day(3, 1), day(3, 3, year=2027), DAILY, "End", "before 2027-03-02T12:00:00Z"),
    ],
)
async def test_periods_that_cannot_be_told_are_refused(
    it: Billed,
    start: datetime,
    end: datetime,
    granularity: Any,
    parameter: str,
    what_would_do: str,
) -> None:
    with pytest.raises(CadastreError, match=what_would_do) as caught:
        await it.ask(request(start, end, granularity))
    assert caught.value.reason == "InvalidParameterValue"
    assert caught.value.metadata["parameter"] == parameter


@on_sqlite_alone
async def test_what_makes_no_sense_is_refused(it: Billed) -> None:
    march = (day(3, 1), day(4, 1), MONTHLY)
    with pytest.raises(CadastreError, match="twice"):
        await it.ask(request(*march, BY_IPAM, BY_IPAM))
    beyond = request(*march)
    beyond.start_time.CopyFrom(Timestamp(seconds=1 << 60))
    with pytest.raises(CadastreError, match="StartTime"):
        await it.ask(beyond)
