"""The audit log: what CloudTrail is asked, and what is told of its events (BEY-7)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from services.gateway.console.api import Api
from tests.gateway.console.signed_in import HERE, Browser, links_of, signed_in, text_of
from tests.gateway.edge import Edge

EVIL = "<script>alert(1)</script>"
EVENT_ID = "7ab63972-b505-4e2a-820d-6f5d3a1b2c3d"
EVENT = {
    "EventId": EVENT_ID,
    "EventName": "CreateIpamPool",
    "EventTime": 1767225600.5,
    "EventSource": "ec2.amazonaws.com",
    "Username": EVIL,
    "Resources": [{"ResourceName": "ipam-pool-0ec231690a6d2a4aa"}],
    "CloudTrailEvent": json.dumps(
        {
            "userIdentity": {"arn": f"arn:aws:iam::123456789012:user/{EVIL}"},
            "errorCode": "UnauthorizedOperation",
            "errorMessage": EVIL,
        }
    ),
}


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    with signed_in(edge) as browser:
        yield browser


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """What CloudTrail is asked; it knows one event."""
    documents: list[Mapping[str, Any]] = []

    async def look_up(_: Api, document: Mapping[str, Any]) -> Mapping[str, Any]:
        documents.append(document)
        return {"Events": [EVENT], "NextToken": "more"}

    monkeypatch.setattr(Api, "look_up_events", look_up)
    return documents


def test_tells_events_and_goes_on(asked: list[Mapping[str, Any]], browser: Browser) -> None:
    page = browser.get("/audit").text
    assert EVIL not in page
    assert "2026-01-01 00:00:00" in text_of(page)
    assert "UnauthorizedOperation" in text_of(page)
    assert links_of(page)["Next page"] == f"{HERE}/audit?token=more"
    assert links_of(page)["CreateIpamPool"] == f"{HERE}/audit/{EVENT_ID}"
    browser.get("/audit", token="more")
    assert asked == [{"MaxResults": 50}, {"MaxResults": 50, "NextToken": "more"}]


def test_narrows_by_one_thing_and_times(asked: list[Mapping[str, Any]], browser: Browser) -> None:
    browser.get(
        "/audit",
        **{
            "f.EventName": "CreateIpamPool",
            "f.StartTime": "2026-01-01",
            "f.EndTime": "2026-01-01T12:00:00+09:00",
        },
    )
    assert asked == [
        {
            "MaxResults": 50,
            "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "CreateIpamPool"}],
            "StartTime": 1767225600.0,
            "EndTime": 1767236400.0,
        }
    ]


@pytest.mark.parametrize(
    ("filters", "complaint"),
    [
        ({"f.EventName": "a", "f.Username": "b"}, "by one thing at a time"),
        ({"f.StartTime": "yesterday"}, "Use a time in UTC such as"),
    ],
)
def test_what_it_cant_narrow_by_is_refused(
    asked: list[Mapping[str, Any]], browser: Browser, filters: dict[str, str], complaint: str
) -> None:
    answer = browser.get("/audit", **filters)
    assert answer.status_code == 400
    assert complaint in text_of(answer.text)
    assert asked == []


def test_an_event_is_told_with_its_record(asked: list[Mapping[str, Any]], browser: Browser) -> None:
    page = browser.get(f"/audit/{EVENT_ID}").text
    assert EVIL not in page
    assert '"errorCode": "UnauthorizedOperation"' in text_of(page)
    [document] = asked
    assert document["LookupAttributes"] == [{"AttributeKey": "EventId", "AttributeValue": EVENT_ID}]


def test_an_event_that_isnt_there_is_not_found(browser: Browser) -> None:
    assert browser.get(f"/audit/{EVENT_ID}").status_code == 404
