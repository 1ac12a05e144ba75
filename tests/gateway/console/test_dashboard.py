"""The dashboard: whom it asks for its widgets, and what becomes of the answers (MON-7)."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import grpc
import grpc.aio
import pytest
import structlog
from anyio.from_thread import start_blocking_portal
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from structlog.testing import LogCapture

from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_pool_pb2, ipam_scope_pb2
from cadastre.discovery.v1 import monitoring_service_pb2 as monitoring
from cadastre.discovery.v1 import usage_service_pb2 as usage
from cadastre.metrics.v1 import cloud_watch_service_pb2 as metrics
from services.gateway.routes import Rpc
from services.gateway.server import running
from shared.encryption_keys import create_encryption_keys
from shared.identity import create_secret
from shared.settings import Settings
from tests.gateway.console.signed_in import HERE, Browser, links_of, signed_in, text_of
from tests.gateway.edge import ACCOUNT_ID, BEHIND, CREDENTIALS, Edge
from tests.gateway.fakes import FakeServices, Refusal, fake_services

IPAM_ID = "ipam-0de83dba6694560a9"
PRIVATE = "ipam-scope-02fc38cd4c48e7d38"
PUBLIC = "ipam-scope-0b9eed026396dbc16"
POOL_ID = "ipam-pool-0ec231690a6d2a4aa"
EVIL = "<script>alert(1)</script>"
HALF_PAST = datetime(2026, 1, 2, 3, 30, tzinfo=UTC)
FIGURES = ("ListResourceCidrCounts", "ListResourceUtilization")
OVER_TIME = "overlap-history,compliance-history,pool-assignment,pool-allocation"


@pytest.fixture(scope="module")
def running_edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """A gateway whose discovery tells figures."""
    data, captured = tmp_path_factory.mktemp("data"), LogCapture()
    log = structlog.wrap_logger(None, processors=[captured])
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(fake_services()) as fakes,
    ):
        discovery, port = portal.call(_serve, fakes)
        addresses = dict.fromkeys(BEHIND, f"127.0.0.1:{fakes.port}")
        addresses["discovery"] = f"127.0.0.1:{port}"
        settings = Settings(data=data, port=0, addresses=addresses)
        create_secret(settings.identity_secret_path)
        create_encryption_keys(settings.encryption_key_path)
        settings.credentials_path.parent.mkdir(parents=True)
        settings.credentials_path.write_text(CREDENTIALS)
        with portal.wrap_async_context_manager(running(settings, log)) as gateway:
            yield Edge(gateway, fakes, settings, captured.entries, portal)
        portal.call(discovery.stop, None)


async def _serve(fakes: FakeServices) -> tuple[grpc.aio.Server, int]:
    """Discovery's figures, from the fakes: these have handlers of AWS's operations alone."""
    server, service = grpc.aio.server(), usage.DESCRIPTOR.services_by_name["UsageService"]
    handlers = {
        method.name: _handler(fakes, Rpc("discovery", method)) for method in service.methods
    }
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service.full_name, handlers)]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, port


def _handler(fakes: FakeServices, rpc: Rpc) -> "grpc.RpcMethodHandler[Any, Any]":
    async def answer(request: Message, context: Any) -> Message:
        return await fakes.serve(rpc, request, context)

    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=rpc.request_type.FromString,
        response_serializer=rpc.response_type.SerializeToString,
    )


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    """Somebody with two scopes and a pool, of which CloudWatch knows a little."""
    with signed_in(edge) as browser:
        edge.fakes.answers.update(
            DescribeIpamScopes=control.DescribeIpamScopesResponse(
                ipam_scopes=[
                    a_scope(PUBLIC, types_pb2.IPAM_SCOPE_TYPE_PUBLIC),
                    a_scope(PRIVATE, types_pb2.IPAM_SCOPE_TYPE_PRIVATE),
                ]
            ),
            DescribeIpamPools=control.DescribeIpamPoolsResponse(ipam_pools=[a_pool()]),
            GetMetricData=lambda request: history(request, values=[3.0, 1.0, 8.0]),
            ListResourceCidrCounts=counts(),
            ListResourceUtilization=utilizations(),
        )
        yield browser


def a_scope(
    scope_id: str, kind: types_pb2.IpamScopeType.ValueType, owner: str = ACCOUNT_ID
) -> ipam_scope_pb2.IpamScope:
    return ipam_scope_pb2.IpamScope(
        ipam_scope_id=scope_id,
        ipam_scope_arn=f"arn:aws:ec2::{owner}:ipam-scope/{scope_id}",
        ipam_arn=f"arn:aws:ec2::{owner}:ipam/{IPAM_ID}",
        owner_id=owner,
        ipam_scope_type=kind,
        is_default=True,
        pool_count=41,
    )


def a_pool() -> ipam_pool_pb2.IpamPool:
    return ipam_pool_pb2.IpamPool(
        ipam_pool_id=POOL_ID,
        ipam_pool_arn=f"arn:aws:ec2::{ACCOUNT_ID}:ipam-pool/{POOL_ID}",
        owner_id=ACCOUNT_ID,
        locale="us-west-2",
        tags=[types_pb2.Tag(key="Name", value=EVIL)],
    )


def a_count(count: int, **members: Any) -> usage.ResourceCidrCount:
    common: dict[str, Any] = {
        "ipam_scope_id": PRIVATE,
        "address_family": types_pb2.ADDRESS_FAMILY_IPV4,
        "resource_type": monitoring.IPAM_RESOURCE_TYPE_VPC,
        "management_state": monitoring.IPAM_MANAGEMENT_STATE_MANAGED,
        "compliance_status": monitoring.IPAM_COMPLIANCE_STATUS_COMPLIANT,
        "overlap_status": monitoring.IPAM_OVERLAP_STATUS_NONOVERLAPPING,
        "count": count,
    }
    return usage.ResourceCidrCount(**common | members)


def counts() -> usage.ListResourceCidrCountsResponse:
    return usage.ListResourceCidrCountsResponse(
        counts=[
            a_count(7),
            a_count(
                2,
                management_state=monitoring.IPAM_MANAGEMENT_STATE_UNMANAGED,
                overlap_status=monitoring.IPAM_OVERLAP_STATUS_OVERLAPPING,
            ),
            a_count(300, ipam_scope_id=PUBLIC),
            a_count(5000, address_family=types_pb2.ADDRESS_FAMILY_IPV6),
        ]
    )


def utilizations() -> usage.ListResourceUtilizationResponse:
    names = [EVIL, *(f"vpc {number}" for number in range(1, 7))]
    return usage.ListResourceUtilizationResponse(
        utilizations=[
            usage.ResourceUtilization(
                resource_id=f"vpc-{number}", name=name, ip_usage=0.9 - number / 10
            )
            for number, name in enumerate(names)
        ]
    )


def history(
    request: metrics.GetMetricDataRequest,
    *,
    values: list[float],
    status: metrics.MetricDataStatus.ValueType = metrics.METRIC_DATA_STATUS_COMPLETE,
) -> metrics.GetMetricDataResponse:
    start = int(HALF_PAST.timestamp())
    return metrics.GetMetricDataResponse(
        metric_data_results=[
            metrics.MetricDataResult(
                id=query.id,
                timestamps=[Timestamp(seconds=start + 60 * n) for n in range(len(values))],
                values=values,
                status_code=status,
            )
            for query in request.metric_data_queries
        ]
    )


def asked(edge: Edge, action: str) -> list[Any]:
    return [request for path, request in edge.fakes.requests if path.endswith(f"/{action}")]


def widget_of(page: str, title: str) -> str:
    """What a widget says; empty: it isn't shown."""
    found = re.search(
        rf'<section[^>]* aria-label="{re.escape(title)}">(.*?)</section>', page, re.DOTALL
    )
    return text_of(found[1].replace("<", " <")) if found else ""


def test_it_begins_with_the_default_private_scope(edge: Edge, browser: Browser) -> None:
    page = browser.get("/dashboard").text
    facts = widget_of(page, "Scope")
    assert PRIVATE in facts
    assert "Pools in this scope 41" in facts
    links = links_of(page)
    assert links["41"] == f"{HERE}/pools?scope={PRIVATE}"
    assert links["View resources in this scope"] == f"{HERE}/resources?scope={PRIVATE}"
    assert links["Search IP history in this scope"] == f"{HERE}/history?scope={PRIVATE}"
    [request] = asked(edge, "ListResourceCidrCounts")
    assert request.ipam_id == IPAM_ID


@pytest.mark.parametrize(
    ("query", "managed", "unmanaged"),
    [({}, "7", "2"), ({"scope": PUBLIC}, "300", "0"), ({"family": "ipv6"}, "5,000", "0")],
)
def test_counts_are_those_of_one_scope_and_family(
    browser: Browser, query: dict[str, str], managed: str, unmanaged: str
) -> None:
    told = widget_of(browser.get("/dashboard", **query).text, "Management state")
    assert f"Managed CIDRs {managed} Unmanaged CIDRs {unmanaged} Ignored CIDRs 0" in told


def test_counts_lead_to_what_they_count(browser: Browser) -> None:
    page = browser.get("/dashboard").text
    assert "Nonoverlapping CIDRs 7 Overlapping CIDRs 2" in widget_of(
        page, "Overlapping resource CIDRs"
    )
    url = urlsplit(links_of(page)["Overlapping CIDRs"])
    assert url.path == f"{HERE}/resources"
    assert parse_qs(url.query) == {"scope": [PRIVATE], "f.overlap-status": ["overlapping"]}


def test_resources_are_listed_from_both_ends(edge: Edge, browser: Browser) -> None:
    told = widget_of(browser.get("/dashboard").text, "VPC utilization (IPv4)")
    highest, _, lowest = told.partition("Lowest")
    assert re.findall(r"[\d.]+%", highest) == ["90%", "80%", "70%", "60%", "50%"]
    assert re.findall(r"[\d.]+%", lowest) == ["30%", "40%", "50%", "60%", "70%"]
    groups = {
        (one.ipam_scope_id, one.resource_type, one.address_family, one.highest, one.lowest)
        for one in asked(edge, "ListResourceUtilization")
    }
    vpc, subnet = monitoring.IPAM_RESOURCE_TYPE_VPC, monitoring.IPAM_RESOURCE_TYPE_SUBNET
    assert groups == {
        (PRIVATE, vpc, types_pb2.ADDRESS_FAMILY_IPV4, 5, 5),
        (PRIVATE, vpc, types_pb2.ADDRESS_FAMILY_IPV6, 5, 5),
        (PRIVATE, subnet, types_pb2.ADDRESS_FAMILY_IPV4, 5, 5),
    }


def test_the_past_is_cloudwatchs_of_this_scope_alone(edge: Edge, browser: Browser) -> None:
    browser.get("/dashboard", window="7d")
    [request] = asked(edge, "GetMetricData")
    assert request.end_time.seconds - request.start_time.seconds == 7 * 24 * 3600
    stats = [query.metric_stat for query in request.metric_data_queries]
    assert {stat.period for stat in stats} == {3600}
    of_scope = {"AddressFamily": "ipv4", "ScopeID": PRIVATE}
    of_pool = {**of_scope, "Locale": "us-west-2", "PoolID": POOL_ID}
    assert [
        (stat.metric.metric_name, {one.name: one.value for one in stat.metric.dimensions})
        for stat in stats
    ] == [
        ("OverlappingResourceCidrs", of_scope),
        ("CompliantResourceCidrs", of_scope),
        ("NoncompliantResourceCidrs", of_scope),
        ("PercentAssigned", of_pool),
        ("PercentAllocated", of_pool),
    ]
    [pools] = asked(edge, "DescribeIpamPools")
    assert {one.name: list(one.values) for one in pools.filters} == {
        "ipam-scope-arn": [f"arn:aws:ec2::{ACCOUNT_ID}:ipam-scope/{PRIVATE}"],
        "address-family": ["ipv4"],
    }


@pytest.mark.parametrize("window", ["1h", "3h", "1d", "7d", "30d"])
def test_no_window_has_more_points_than_can_be_seen(
    edge: Edge, browser: Browser, window: str
) -> None:
    browser.get("/dashboard", window=window)
    [request] = asked(edge, "GetMetricData")
    span = request.end_time.seconds - request.start_time.seconds
    assert all(span / one.metric_stat.period <= 200 for one in request.metric_data_queries)


def test_a_chart_is_told_in_a_table_too(browser: Browser) -> None:
    page = browser.get("/dashboard").text
    told = widget_of(page, "Overlap status over time")
    assert "What At first Least Most At last Overlapping 3 1 8 8" in told
    told = widget_of(page, "Pool assignment: space assigned to resources")
    assert f"{EVIL} 3% 1% 8% 8%" in told


def test_names_are_text(browser: Browser) -> None:
    """Of VPCs and of pools, in lists, drawings and tables."""
    page = browser.get("/dashboard").text
    assert EVIL not in page
    assert "&lt;script&gt;" in page


def test_a_hidden_widget_is_not_asked_for(edge: Edge, browser: Browser) -> None:
    page = browser.get("/dashboard", hide=f"vpcs-ipv4,{OVER_TIME},gone-since").text
    assert widget_of(page, "VPC utilization (IPv4)") == ""
    assert widget_of(page, "VPCs with the most IPs assigned") != ""
    assert "Over time" not in text_of(page)
    assert asked(edge, "GetMetricData") == []
    assert asked(edge, "DescribeIpamPools") == []
    edge.fakes.requests.clear()
    browser.get("/dashboard", hide="subnets-ipv4,subnets-allocated")
    assert {one.resource_type for one in asked(edge, "ListResourceUtilization")} == {
        monitoring.IPAM_RESOURCE_TYPE_VPC
    }


def test_widgets_are_hidden_and_shown_again_by_links(browser: Browser) -> None:
    """What else the page's address says stays."""
    page = browser.get("/dashboard", family="ipv6", hide="types").text
    hide = links_of(page)["Hide Management state"]
    assert parse_qs(urlsplit(hide).query) == {"family": ["ipv6"], "hide": ["types,management"]}
    page = browser.client.get(hide).text
    assert widget_of(page, "Resource CIDR types") == widget_of(page, "Management state") == ""
    links = links_of(page)
    assert links["All widgets"] == f"{HERE}/dashboard?family=ipv6"
    page = browser.client.get(links["Management state"]).text
    assert widget_of(page, "Management state") != ""
    assert widget_of(page, "Resource CIDR types") == ""
    assert 'name="hide" value="types"' in page, "choosing another scope keeps it"


def test_all_widgets_can_be_hidden(browser: Browser) -> None:
    hide = "scope"
    while left := [
        url
        for text, url in links_of(browser.get("/dashboard", hide=hide).text).items()
        if text.startswith("Hide ")
    ]:
        hide = parse_qs(urlsplit(left[0]).query)["hide"][0]
    assert len(hide.split(",")) == 14


def test_a_refused_past_leaves_the_rest(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["GetMetricData"] = Refusal("UnauthorizedOperation", "You may not.")
    answer = browser.get("/dashboard")
    assert answer.status_code == 200
    assert "aren't available just now: You may not." in text_of(answer.text)
    assert "Managed CIDRs 7" in widget_of(answer.text, "Management state")


def test_a_past_out_of_reach_is_not_told_as_none(edge: Edge, browser: Browser) -> None:
    """CloudWatch refuses nothing then: it says of each line that it couldn't tell."""
    edge.fakes.answers["GetMetricData"] = lambda request: history(
        request, values=[], status=metrics.METRIC_DATA_STATUS_INTERNAL_ERROR
    )
    page = browser.get("/dashboard").text
    assert "What tells of the past did not answer." in text_of(page)
    assert "There are no figures in this time yet." not in text_of(page)


def test_no_past_yet_is_told_as_such(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["GetMetricData"] = lambda request: history(request, values=[])
    page = browser.get("/dashboard").text
    assert "There are no figures in this time yet." in widget_of(page, "Overlap status over time")
    assert "aren't available" not in text_of(page)


def test_others_scopes_are_not_told_of(edge: Edge, browser: Browser) -> None:
    """Figures are internal: nobody but the page asks whose the scope is (ACC-3)."""
    theirs = a_scope(PRIVATE, types_pb2.IPAM_SCOPE_TYPE_PRIVATE, owner="210987654321")
    edge.fakes.answers["DescribeIpamScopes"] = control.DescribeIpamScopesResponse(
        ipam_scopes=[theirs]
    )
    assert browser.get("/dashboard", scope=PRIVATE).status_code == 404
    assert [one for action in (*FIGURES, "GetMetricData") for one in asked(edge, action)] == []


@pytest.mark.parametrize("query", [{"family": "ipv5"}, {"window": "1y"}])
def test_what_there_is_not_is_refused(browser: Browser, query: dict[str, str]) -> None:
    answer = browser.get("/dashboard", **query)
    assert answer.status_code == 400
    assert f"for parameter {next(iter(query))} is invalid" in text_of(answer.text)


def test_without_an_ipam_there_is_nothing_to_ask(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["DescribeIpamScopes"] = control.DescribeIpamScopesResponse()
    assert browser.get("/dashboard").status_code == 200
    assert {path.rpartition("/")[2] for path, _ in edge.fakes.requests} == {"DescribeIpamScopes"}
