"""Active-IP hours, and what they would cost (ACC-3)."""

from collections.abc import Iterator

import pytest

from cadastre.discovery.v1 import cost_service_pb2 as pb
from tests.gateway.console.signed_in import Browser, signed_in, text_of
from tests.gateway.edge import Edge

IPAM_ID = "ipam-0de83dba6694560a9"


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    with signed_in(edge) as browser:
        yield browser


def test_hours_are_told_with_what_they_would_cost(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["GetActiveIpHours"] = pb.GetActiveIpHoursResponse(
        active_ip_hours=[
            pb.ActiveIpHours(ipam_id=IPAM_ID, hours=hours) for hours in ("10000", "2500", "0")
        ]
    )
    answer = browser.get("/costs", start="2026-01-01", end="2026-01-04")
    page = text_of(answer.text)
    assert "10,000.00" in page
    assert "2.7000" in page, "0.00027 USD an hour"
    assert 'aria-label="Of the most on this page: 25' in answer.text
    csv = browser.get("/costs", format="csv", start="2026-01-01").text.splitlines()
    assert csv[2].endswith(f'{IPAM_ID},"2,500.00",0.6750')


def test_asks_for_the_days_and_the_grouping(edge: Edge, browser: Browser) -> None:
    browser.get("/costs", start="2026-01-01", end="2026-01-04", group="owner")
    [(_, request)] = edge.fakes.requests
    assert request.start_time.ToJsonString() == "2026-01-01T00:00:00Z"
    assert request.end_time.ToJsonString() == "2026-01-04T00:00:00Z"
    assert request.granularity == pb.ACTIVE_IP_HOURS_GRANULARITY_DAILY
    assert list(request.group_by) == [pb.ACTIVE_IP_HOURS_GROUPING_RESOURCE_OWNER]


@pytest.mark.parametrize("end", ["2026-04-02", "2026-04-30", "2026-05-01"])
def test_months_are_whole(edge: Edge, browser: Browser, end: str) -> None:
    browser.get("/costs", start="2026-02-17", end=end, by="monthly")
    [(_, request)] = edge.fakes.requests
    assert request.start_time.ToJsonString() == "2026-02-01T00:00:00Z"
    assert request.end_time.ToJsonString() == "2026-05-01T00:00:00Z"


@pytest.mark.parametrize("wrong", [{"group": "colour"}, {"by": "week"}, {"start": "today"}])
def test_what_it_doesnt_know_is_refused(
    edge: Edge, browser: Browser, wrong: dict[str, str]
) -> None:
    assert browser.get("/costs", **wrong).status_code == 400
    assert edge.fakes.requests == []
