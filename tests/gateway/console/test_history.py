"""The search of IP history: what is asked for, and how it is drawn (HIST-1 to HIST-3)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_scope_pb2
from cadastre.discovery.v1 import monitoring_service_pb2 as pb
from services.gateway.console.sections.history import drawing_of, question_of
from tests.gateway.console.signed_in import HERE, Browser, links_of, signed_in, text_of
from tests.gateway.edge import ACCOUNT_ID, Edge
from tests.gateway.fakes import Refusal

SCOPE_ID = "ipam-scope-0a158dde35c51107b"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOTHING_ASKED = {"cidr": "10.0.0.0/24", "vpc": "", "start": "", "end": ""}


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    with signed_in(edge) as browser:
        edge.fakes.answers["DescribeIpamScopes"] = control.DescribeIpamScopesResponse(
            ipam_scopes=[
                ipam_scope_pb2.IpamScope(
                    ipam_scope_id=SCOPE_ID,
                    owner_id=ACCOUNT_ID,
                    is_default=True,
                    ipam_scope_type=types_pb2.IPAM_SCOPE_TYPE_PRIVATE,
                )
            ]
        )
        yield browser


def a_record(name: str, start: datetime, **members: Any) -> pb.IpamAddressHistoryRecord:
    record = pb.IpamAddressHistoryRecord(
        resource_id=f"vpc-{name}",
        resource_name=name,
        resource_type=pb.IPAM_ADDRESS_HISTORY_RESOURCE_TYPE_VPC,
        resource_owner_id=ACCOUNT_ID,
        resource_cidr="10.0.0.0/24",
        **members,
    )
    record.sampled_start_time.FromDatetime(start)
    return record


def ended(record: pb.IpamAddressHistoryRecord, end: datetime) -> pb.IpamAddressHistoryRecord:
    record.sampled_end_time.FromDatetime(end)
    return record


def asked_for(edge: Edge) -> pb.GetIpamAddressHistoryRequest:
    [request] = [
        request for path, request in edge.fakes.requests if path.endswith("/GetIpamAddressHistory")
    ]
    assert isinstance(request, pb.GetIpamAddressHistoryRequest)
    return request


@pytest.mark.parametrize(
    ("given", "cidr"), [("10.2.1.155", "10.2.1.155/32"), ("2001:db8::1", "2001:db8::1/128")]
)
def test_an_address_is_a_block_of_one(edge: Edge, browser: Browser, given: str, cidr: str) -> None:
    browser.get("/history", cidr=given, vpc="vpc-1", start="2026-01-31T12:00")
    request = asked_for(edge)
    assert (request.cidr, request.ipam_scope_id, request.vpc_id) == (cidr, SCOPE_ID, "vpc-1")
    assert request.start_time.ToDatetime(tzinfo=UTC) == NOON
    assert not request.HasField("end_time")


def test_the_latest_is_first_and_leads_to_its_resource(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["GetIpamAddressHistory"] = pb.GetIpamAddressHistoryResponse(
        history_records=[
            ended(a_record("<script>old", NOON), NOON + timedelta(hours=1)),
            a_record("new", NOON + timedelta(hours=1)),
        ]
    )
    page = browser.get("/history", cidr="10.0.0.0/24").text
    assert "<script>old" not in page
    rows = browser.get("/history", cidr="10.0.0.0/24", format="csv").text.splitlines()
    assert [row.split(",")[:3] for row in rows[1:]] == [
        ["2026-01-31 13:00:00", "Still so", "new"],
        ["2026-01-31 12:00:00", "2026-01-31 13:00:00", "<script>old"],
    ]
    links = links_of(page)
    assert links["new"].startswith(f"{HERE}/resources/vpc-new?scope={SCOPE_ID}")
    assert "<script>old" not in links, "it isn't there any more"


def test_nothing_is_asked_without_an_address(edge: Edge, browser: Browser) -> None:
    assert "Give an address or a CIDR" in text_of(browser.get("/history").text)
    assert [path for path, _ in edge.fakes.requests if path.endswith("History")] == []


def test_a_refusal_leaves_the_form_as_it_was(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["GetIpamAddressHistory"] = Refusal("InvalidParameterValue", "no CIDR")
    answer = browser.get("/history", cidr='abc"><b>', start="2026-01-31T12:00")
    assert answer.status_code == 400
    assert "no CIDR" in text_of(answer.text)
    assert 'value="abc&#34;&gt;&lt;b&gt;"' in answer.text
    assert 'value="2026-01-31T12:00"' in answer.text


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ({"start": "noon"}, "Value (noon) for parameter start is invalid"),
        ({"window": "1h"}, "Value (1h) for parameter window is invalid. Use one of now, 1d"),
        (
            {"start": "2026-02-01T00:00", "end": "2026-01-01T00:00"},
            "Use a time after that of start",
        ),
    ],
)
def test_times_that_are_none_are_refused(
    browser: Browser, query: dict[str, str], complaint: str
) -> None:
    answer = browser.get("/history", cidr="10.0.0.0/24", **query)
    assert answer.status_code == 400
    assert complaint in text_of(answer.text)


def test_a_window_ends_now() -> None:
    """Without times GetIpamAddressHistory tells the current state only (HIST-1)."""
    assert question_of(NOTHING_ASKED, "", NOON).start == NOON - timedelta(days=30)
    assert question_of(NOTHING_ASKED, "now", NOON).start is None
    times = {**NOTHING_ASKED, "end": "2026-01-01T00:00+09:00"}
    question = question_of(times, "7d", NOON)
    assert (question.window, question.start) == ("", None)
    assert question.end == datetime(2025, 12, 31, 15, tzinfo=UTC)


def test_a_resource_has_one_lane() -> None:
    hour = timedelta(hours=1)
    drawing = drawing_of(
        [
            a_record("b", NOON - hour),
            ended(
                a_record(
                    "b",
                    NOON - 2 * hour,
                    resource_overlap_status=pb.IPAM_OVERLAP_STATUS_OVERLAPPING,
                ),
                NOON - hour,
            ),
            ended(a_record("a&b", NOON - 4 * hour), NOON - 3 * hour),
        ],
        now=NOON,
        start=NOON - timedelta(days=30),
        is_tight=True,
    )
    assert drawing is not None
    svg = ET.fromstring(drawing)
    assert svg.attrib["aria-label"].startswith("Timeline of 2 resources from 2026-01-31 08:00 to")
    labels = [one.text for one in svg if one.attrib.get("class") == "lane-label"]
    assert labels == ["b", "a&b"]
    bars = [
        (one.attrib["class"], float(one.attrib["width"]))
        for one in svg
        if one.tag == "rect" and one.attrib["class"] != "lane-back"
    ]
    assert [kind for kind, _ in bars] == ["lane-open", "lane-ended lane-bad", "lane-ended"]
    assert len({width for _, width in bars}) == 1, "each is an hour wide"
    assert drawing_of([], now=NOON) is None
