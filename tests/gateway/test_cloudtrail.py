"""CloudTrail's event history: the newest of all services' events first, in pages."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.parsers import JSONParser
from hypothesis import given
from hypothesis import strategies as st

from cadastre.common.v1 import audit_trail_service_pb2 as pb
from services.gateway.answers import Call
from services.gateway.clients import KEEPING_RECORD
from services.gateway.cloudtrail import CloudTrailProtocol
from services.gateway.model import load_model
from services.gateway.routes import Rpc
from services.gateway.sigv4 import SignedRequest
from shared.errors import CadastreError
from shared.settings import Context

MODEL = load_model("cloudtrail")
TARGET = f"{MODEL.metadata['targetPrefix']}.LookupEvents"
START = datetime(2026, 1, 1, tzinfo=UTC)


class Trails:
    """Each context's events, newest first, told in pages as the contract says."""

    def __init__(self, minutes: dict[Context, list[int]]) -> None:
        self.events = {
            context: [
                event_at(context, minute) for minute in sorted(minutes.get(context, []))[::-1]
            ]
            for context in KEEPING_RECORD
        }
        self.asked: list[pb.LookupEventsRequest] = []

    async def call(self, rpc: Rpc, request: Any, _call: Call) -> pb.LookupEventsResponse:
        self.asked.append(request)
        start = int(request.next_token or 0)
        events = self.events[rpc.context]
        end = start + request.max_results
        page = [with_token(event, start + n) for n, event in enumerate(events[start:end], 1)]
        more = str(end) if end < len(events) else None
        return pb.LookupEventsResponse(events=page, next_token=more)


def event_at(context: Context, minute: int) -> pb.AuditEvent:
    event = pb.AuditEvent(
        event_id=f"{context}-{minute}",
        event_source="ec2.amazonaws.com",
        event_name="CreateVpc",
        account_id="123456789012",
        region="us-east-1",
        principal="arn:aws:iam::123456789012:user/alice",
        request_id="request",
        resource_names=["vpc-1"],
    )
    event.event_time.FromDatetime(START + timedelta(minutes=minute))
    return event


def with_token(event: pb.AuditEvent, position: int) -> pb.AuditEvent:
    told = pb.AuditEvent()
    told.CopyFrom(event)
    told.next_token = str(position)
    return told


async def lookup(trails: Any, **document: Any) -> Any:
    """What botocore makes of the answer."""
    body = json.dumps(document).encode()
    call = Call("id", request=SignedRequest("POST", "/", "", {"x-amz-target": TARGET}, body))
    answer = await CloudTrailProtocol(trails).answer(call)
    assert call.action == "LookupEvents"
    shape: Any = MODEL.operation_model("LookupEvents").output_shape
    sent = {"status_code": 200, "headers": {}, "body": answer.body}
    return JSONParser().parse(sent, shape)


def token_of(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


async def test_no_event_is_skipped_where_replicas_clocks_differ() -> None:
    trails = Trails({"network": [1, 3], "allocation": [0, 2]})
    # Written later, by a clock that is behind.
    trails.events["network"].reverse()
    first = await lookup(trails, MaxResults=2)
    second = await lookup(trails, MaxResults=2, NextToken=first["NextToken"])
    told = [event["EventId"] for page in (first, second) for event in page["Events"]]
    assert sorted(told) == ["allocation-0", "allocation-2", "network-1", "network-3"]


async def test_null_stands_for_absent() -> None:
    answer = await lookup(Trails({"network": [1]}), MaxResults=None, NextToken=None)
    assert len(answer["Events"]) == 1


MINUTES = st.fixed_dictionaries(
    {context: st.lists(st.integers(0, 30), max_size=8) for context in KEEPING_RECORD}
)


@given(MINUTES, st.integers(1, 10))
async def test_all_events_are_told_once_newest_first(
    minutes: dict[Context, list[int]], size: int
) -> None:
    trails, told = Trails(minutes), list[Any]()
    page = await lookup(trails, MaxResults=size)
    while True:
        told += page["Events"]
        assert len(page["Events"]) <= size
        if "NextToken" not in page:
            break
        page = await lookup(trails, MaxResults=size, NextToken=page["NextToken"])
    every = [event.event_id for events in trails.events.values() for event in events]
    assert sorted(event["EventId"] for event in told) == sorted(every)
    times = [event["EventTime"] for event in told]
    assert times == sorted(times, reverse=True)


async def test_an_event_is_told_as_cloudtrail_tells_it() -> None:
    [event] = (await lookup(Trails({"network": [1]})))["Events"]
    record = json.loads(event.pop("CloudTrailEvent"))
    assert event == {
        "EventId": "network-1",
        "EventName": "CreateVpc",
        "ReadOnly": "false",
        "EventTime": START + timedelta(minutes=1),
        "EventSource": "ec2.amazonaws.com",
        "Username": "alice",
        "Resources": [{"ResourceName": "vpc-1"}],
    }
    assert record["userIdentity"]["arn"] == "arn:aws:iam::123456789012:user/alice"
    assert (record["awsRegion"], record["eventTime"]) == ("us-east-1", "2026-01-01T00:01:00Z")
    assert "errorCode" not in record


async def test_what_is_asked_for_is_passed_on() -> None:
    trails = Trails({})
    attribute = {"AttributeKey": "ResourceName", "AttributeValue": "vpc-1"}
    await lookup(trails, LookupAttributes=[attribute], StartTime=1.5, EndTime=2, MaxResults=7)
    assert len(trails.asked) == len(KEEPING_RECORD)
    for asked in trails.asked:
        assert (asked.resource_name, asked.max_results) == ("vpc-1", 7)
        assert (asked.start_time.ToMilliseconds(), asked.end_time.ToMilliseconds()) == (1500, 2000)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"MaxResults": 0}, "InvalidMaxResultsException"),
        ({"MaxResults": 51}, "InvalidMaxResultsException"),
        ({"MaxResults": True}, "InvalidMaxResultsException"),
        ({"StartTime": 2, "EndTime": 1}, "InvalidTimeRangeException"),
        ({"StartTime": "today"}, "InvalidTimeRangeException"),
        ({"LookupAttributes": [{"AttributeKey": "Colour", "AttributeValue": "red"}]}, "*"),
        ({"LookupAttributes": [{"AttributeKey": "EventName"}]}, "*"),
        ({"LookupAttributes": ["EventName"]}, "*"),
        (
            {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "\ud800"}]},
            "*",
        ),
        ({"NextToken": "nonsense"}, "InvalidNextToken"),
        ({"NextToken": token_of('{"network": "\\ud800"}')}, "InvalidNextToken"),
        ({"NextToken": token_of("[" * 100_000)}, "InvalidNextToken"),
        ({"NextToken": "eyJnYXRld2F5IjogIiJ9"}, "InvalidNextToken"),
        ({"EventCategory": "insight"}, "UnsupportedOperation"),
    ],
)
async def test_what_cannot_be_looked_up_is_refused(document: dict[str, Any], reason: str) -> None:
    trails = Trails({})
    with pytest.raises(CadastreError) as refusal:
        await lookup(trails, **document)
    expected = "InvalidLookupAttributesException" if reason == "*" else reason
    assert refusal.value.reason == expected
    assert trails.asked == []
