"""CloudWatch's reads over gRPC."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.metrics.v1 import cloud_watch_service_pb2 as pb
from cadastre.metrics.v1 import cloud_watch_service_pb2_grpc
from services.metrics.aws_ipam import POOL_COMPLIANT, SCOPE_COMPLIANT, VPC_IP_USAGE
from services.metrics.cloud_watch.history import History, Home, Line
from services.metrics.cloud_watch.samples import Samples, Span
from services.metrics.cloud_watch.service import CloudWatch
from services.metrics.cloud_watch.window import RecentWindow
from services.metrics.series import Metric
from services.metrics.servicer.cloud_watch import CloudWatchServicer
from shared.errors import CadastreError, ServiceUnavailable
from shared.paging import token_after
from shared.rpc.server import Binding, Runtime, running
from tests.metrics.cloud_watch.support import HOME, NOON, POOL, series, vpc
from tests.network.support import CALLER, SERVICE, Client, settings_for

MINUTES = 30
ME = replace(CALLER, account_id=HOME.account_id, region=HOME.region)
ABROAD = replace(ME, region="eu-west-1")
STRANGER = replace(ME, account_id="210987654321")
SCOPE = ("ipv4", "ipam-scope-1")
MANY_VPCS = 501

HALF_PAST = NOON + timedelta(minutes=MINUTES)


class OutOfReach:
    """A past that nobody tells."""

    async def lines(self, home: Home, metrics: Sequence[Metric], since: int) -> Iterable[Line]:
        raise ServiceUnavailable("gone")

    async def samples(
        self, home: Home, metric: Metric, wanted: Mapping[str, str], span: Span
    ) -> Mapping[Line, Samples]:
        raise ServiceUnavailable("gone")


@asynccontextmanager
async def served(folder: Path, history: History) -> AsyncIterator[Client]:
    @asynccontextmanager
    async def build(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        yield [
            Binding(
                cloud_watch_service_pb2_grpc.add_CloudWatchServiceServicer_to_server,
                CloudWatchServicer(CloudWatch(history, lambda: HALF_PAST)),
                "cadastre.metrics.v1.CloudWatchService",
            )
        ]

    settings = settings_for(folder)
    async with running("metrics", build, settings) as server:
        client = Client(
            server.address, settings, cloud_watch_service_pb2_grpc.CloudWatchServiceStub
        )
        yield client
        await client.close()


@pytest.fixture
def window() -> RecentWindow:
    """Half an hour: a pool fills up by one percent a minute."""
    window = RecentWindow(timedelta(hours=3))
    for minute in range(MINUTES):
        window.record(
            NOON + timedelta(minutes=minute),
            [
                series(minute),
                series(7, metric=POOL_COMPLIANT),
                series(8, SCOPE, metric=SCOPE_COMPLIANT),
                series(minute / 100, vpc("vpc-1"), VPC_IP_USAGE),
                series(0.1, vpc("vpc-2"), VPC_IP_USAGE),
            ],
        )
    return window


@pytest.fixture
async def client(tmp_path: Path, window: RecentWindow) -> AsyncIterator[Client]:
    async with served(tmp_path, window) as found:
        yield found


def time(at: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(at)
    return found


def dimensions(metric: Metric, values: tuple[str, ...]) -> list[pb.Dimension]:
    pairs = zip(metric.dimensions, values, strict=True)
    return [pb.Dimension(name=name, value=value) for name, value in pairs]


PERCENT: dict[str, Any] = {
    "namespace": "AWS/IPAM",
    "metric_name": "PercentAllocated",
    "dimensions": dimensions(POOL_COMPLIANT, POOL),
}


def statistics_of(**members: Any) -> pb.GetMetricStatisticsRequest:
    asked = {"start_time": time(NOON), "end_time": time(HALF_PAST), "period": 600}
    given = {**PERCENT, **asked, "statistics": ["Average"], **members}
    return pb.GetMetricStatisticsRequest(**given)


def data_of(*queries: pb.MetricDataQuery, **members: Any) -> pb.GetMetricDataRequest:
    asked = {"start_time": time(NOON), "end_time": time(HALF_PAST)}
    return pb.GetMetricDataRequest(metric_data_queries=queries, **{**asked, **members})


def percent(query_id: str = "m1", **members: Any) -> pb.MetricDataQuery:
    stat = pb.MetricStat(metric=pb.Metric(**PERCENT), period=600, stat="Maximum")
    return pb.MetricDataQuery(id=query_id, metric_stat=stat, **members)


def minutes(timestamps: Iterable[Timestamp]) -> list[int]:
    return [(stamp.seconds - time(NOON).seconds) // 60 for stamp in timestamps]


async def refused(client: Client, request: Any) -> CadastreError:
    with pytest.raises(CadastreError) as refusal:
        await client.call(request, caller=ME)
    return refusal.value


async def test_metrics_are_listed_by_name_and_dimensions(client: Client) -> None:
    answer = await client.call(pb.ListMetricsRequest(), caller=ME)
    assert [(one.metric_name, len(one.dimensions)) for one in answer.metrics] == [
        ("CompliantResourceCidrs", 2),
        ("CompliantResourceCidrs", 4),
        ("PercentAllocated", 4),
        ("VpcIPUsage", 5),
        ("VpcIPUsage", 5),
    ]
    assert answer.metrics[2] == pb.Metric(**PERCENT)
    assert not answer.owning_accounts
    assert not answer.HasField("next_token")


@pytest.mark.parametrize(
    ("members", "count"),
    [
        ({"namespace": "AWS/IPAM", "recently_active": pb.RECENTLY_ACTIVE_PT3H}, 5),
        ({"namespace": "AWS/EC2"}, 0),
        ({"metric_name": "VpcIPUsage"}, 2),
        ({"metric_name": "vpcipusage"}, 0),
        ({"dimensions": [pb.DimensionFilter(name="PoolID")]}, 2),
        ({"dimensions": [pb.DimensionFilter(name="ScopeID", value=POOL[3])]}, 5),
        (
            {
                "metric_name": "VpcIPUsage",
                "dimensions": [
                    pb.DimensionFilter(name="Region"),
                    pb.DimensionFilter(name="VpcID", value="vpc-2"),
                ],
            },
            1,
        ),
        ({"owning_account": HOME.account_id}, 5),
        ({"owning_account": STRANGER.account_id}, 0),
    ],
)
async def test_filters_all_have_to_pass(
    client: Client, members: dict[str, Any], count: int
) -> None:
    answer = await client.call(pb.ListMetricsRequest(**members), caller=ME)
    assert len(answer.metrics) == count


async def test_owners_are_told_where_linked_accounts_are_included(client: Client) -> None:
    request = pb.ListMetricsRequest(include_linked_accounts=True, metric_name="VpcIPUsage")
    answer = await client.call(request, caller=ME)
    assert list(answer.owning_accounts) == [HOME.account_id] * 2


async def test_a_page_of_metrics_holds_five_hundred(client: Client, window: RecentWindow) -> None:
    vpcs = [vpc(f"vpc-{number}") for number in range(MANY_VPCS)]
    window.record(HALF_PAST, [series(0.5, one, VPC_IP_USAGE) for one in vpcs])
    request = pb.ListMetricsRequest(metric_name="VpcIPUsage")
    first = await client.call(request, caller=ME)
    request.next_token = first.next_token
    second = await client.call(request, caller=ME)
    assert (len(first.metrics), len(second.metrics), second.next_token) == (500, 1, "")
    listed = {one.dimensions[4].value for one in [*first.metrics, *second.metrics]}
    assert len(listed) == MANY_VPCS
    request.metric_name = "PercentAllocated"
    assert (await refused(client, request)).reason == "InvalidNextToken"


@pytest.mark.parametrize("caller", [ABROAD, STRANGER, SERVICE], ids=["abroad", "other", "service"])
async def test_metrics_are_seen_by_their_owner_at_their_home_only(
    client: Client, caller: Any
) -> None:  # MET-1
    assert not (await client.call(pb.ListMetricsRequest(), caller=caller)).metrics
    assert not (await client.call(statistics_of(), caller=caller)).datapoints
    search = pb.MetricDataQuery(
        id="q1", expression='SELECT MAX(VpcIPUsage) FROM "AWS/IPAM"', period=60
    )
    answer = await client.call(data_of(percent(), search), caller=caller)
    assert [list(one.values) for one in answer.metric_data_results] == [[], []]


async def test_statistics_are_by_time_with_what_was_asked(client: Client) -> None:
    request = statistics_of(statistics=["Maximum", "SampleCount"])
    answer = await client.call(request, caller=ME)
    assert answer.label == "PercentAllocated"
    assert minutes(point.timestamp for point in answer.datapoints) == [0, 10, 20]
    assert [(point.maximum, point.sample_count) for point in answer.datapoints] == [
        (9, 10),
        (19, 10),
        (29, 10),
    ]
    assert not answer.datapoints[0].HasField("average")
    assert {point.unit for point in answer.datapoints} == {pb.STANDARD_UNIT_PERCENT}


async def test_the_end_is_exclusive_to_the_nanosecond(client: Client) -> None:
    for nanos, count in [(0, 1), (1, 2)]:
        end = Timestamp(seconds=time(NOON).seconds + 60, nanos=nanos)
        answer = await client.call(statistics_of(end_time=end, period=60), caller=ME)
        assert len(answer.datapoints) == count


async def test_percentiles_are_told_by_their_names(client: Client) -> None:
    request = statistics_of(statistics=[], extended_statistics=["p50", "p99.9"], period=3600)
    (point,) = (await client.call(request, caller=ME)).datapoints
    assert dict(point.extended_statistics) == {"p50": 14, "p99.9": 29}


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"unit": pb.STANDARD_UNIT_COUNT}, id="another unit"),
        pytest.param({"dimensions": PERCENT["dimensions"][:3]}, id="a dimension less"),
        pytest.param({"namespace": "AWS/EC2"}, id="another namespace"),
        pytest.param({"metric_name": "PercentWasted"}, id="no such metric"),
        pytest.param(
            {"end_time": time(NOON), "start_time": time(NOON - timedelta(hours=1))},
            id="before it began",
        ),
    ],
)
async def test_what_was_not_measured_has_no_data_points(
    client: Client, members: dict[str, Any]
) -> None:
    answer = await client.call(statistics_of(**members), caller=ME)
    assert not answer.datapoints


@pytest.mark.parametrize(
    ("members", "reason", "message"),
    [
        ({"statistics": []}, "InvalidParameterCombination", "at least one"),
        ({"extended_statistics": ["p50"]}, "InvalidParameterCombination", "not both"),
        ({"statistics": ["Median"]}, "InvalidParameterValue", "use one of Average, Minimum"),
        (
            {"statistics": [], "extended_statistics": ["tm99"]},
            "InvalidParameterValue",
            "p0.0 to p100",
        ),
        ({"period": 90}, "InvalidParameterValue", "multiple of 60"),
        ({"period": 0}, "InvalidParameterValue", "period"),
        ({"end_time": time(NOON)}, "InvalidParameterCombination", "must be less than"),
        (
            {"start_time": time(NOON - timedelta(days=3)), "period": 60},
            "InvalidParameterCombination",
            "4,350 data points are more than the limit of 1,440; use a Period of 240",
        ),
        ({"start_time": None}, "MissingParameter", "startTime"),
    ],
)
async def test_statistics_that_can_not_be_are_refused(
    client: Client, members: dict[str, Any], reason: str, message: str
) -> None:
    refusal = await refused(client, statistics_of(**members))
    assert (refusal.reason, message in refusal.message) == (reason, True)


async def test_the_period_that_a_refusal_names_would_do(client: Client) -> None:
    start = time(NOON - timedelta(days=3, seconds=25))
    refusal = await refused(client, statistics_of(start_time=start, period=60))
    period = int(refusal.metadata["period"])
    await client.call(statistics_of(start_time=start, period=period), caller=ME)
    shorter = await refused(client, statistics_of(start_time=start, period=period - 60))
    assert shorter.reason == "InvalidParameterCombination"


async def test_data_of_metrics_searches_and_expressions_comes_newest_first(client: Client) -> None:
    search = (
        'SELECT MAX(VpcIPUsage) FROM SCHEMA("AWS/IPAM",AddressFamily,OwnerID,Region,ScopeID,VpcID)'
    )
    request = data_of(
        percent(label="Full"),
        pb.MetricDataQuery(id="q1", expression=search, period=600, return_data=False),
        pb.MetricDataQuery(id="e1", expression="100 * q1 - m1"),
    )
    answer = await client.call(request, caller=ME)
    full, expression = answer.metric_data_results
    assert (full.id, full.label, list(full.values)) == ("m1", "Full", [29, 19, 9])
    assert minutes(full.timestamps) == [20, 10, 0]
    assert full.status_code == pb.METRIC_DATA_STATUS_COMPLETE
    assert expression.label == "e1"
    assert list(expression.values) == pytest.approx([0, 0, 1])
    request.scan_by = pb.SCAN_BY_TIMESTAMP_ASCENDING
    answer = await client.call(request, caller=ME)
    assert list(answer.metric_data_results[0].values) == [9, 19, 29]


async def test_the_guides_alarm_over_each_vpc(client: Client) -> None:  # MET-4
    search = 'SELECT MAX(VpcIPUsage) FROM "AWS/IPAM" GROUP BY VpcID ORDER BY MAX() DESC'
    query = pb.MetricDataQuery(id="q1", expression=search, period=1800)
    answer = await client.call(data_of(query), caller=ME)
    assert [(one.id, one.label, list(one.values)) for one in answer.metric_data_results] == [
        ("q1", "vpc-1", [0.29]),
        ("q1", "vpc-2", [0.1]),
    ]


async def test_pages_of_data_are_followed_by_their_tokens(client: Client) -> None:
    request, seen = data_of(percent(), percent("m2"), max_datapoints=2), list[list[Any]]()
    while True:
        answer = await client.call(request, caller=ME)
        statuses = pb.MetricDataStatus
        seen.append(
            [
                (one.id, list(one.values), statuses.Name(one.status_code).split("_")[3])
                for one in answer.metric_data_results
            ]
        )
        if not answer.HasField("next_token"):
            break
        request.next_token = answer.next_token
    assert seen == [
        [("m1", [29, 19], "PARTIAL"), ("m2", [], "PARTIAL")],
        [("m1", [9], "COMPLETE"), ("m2", [29], "PARTIAL")],
        [("m2", [19, 9], "COMPLETE")],
    ]
    request.scan_by = pb.SCAN_BY_TIMESTAMP_ASCENDING
    assert (await refused(client, request)).reason == "InvalidNextToken"


async def test_a_token_of_another_form_is_refused(client: Client) -> None:
    request = data_of(percent())
    for key in ("1 2", "1 2 three", ""):
        request.next_token = token_after(request, key)
        assert (await refused(client, request)).reason == "InvalidNextToken"


UNFIT = {
    "an id twice": (data_of(percent(), percent()), "'m1' is given to 2 queries"),
    "a malformed id": (data_of(percent("M1")), "'M1'"),
    "both": (data_of(percent(expression="m2")), "either MetricStat or Expression"),
    "neither": (data_of(pb.MetricDataQuery(id="m1")), "either MetricStat or Expression"),
    "a function": (
        data_of(pb.MetricDataQuery(id="e1", expression="SEARCH('x')")),
        "SEARCH is not supported",
    ),
    "half a query": (
        data_of(pb.MetricDataQuery(id="q1", expression="SELECT all")),
        "expected one of AVG",
    ),
    "no time": (data_of(percent(), end_time=time(NOON)), "EndTime must be greater than StartTime"),
}


@pytest.mark.parametrize(("unfit", "message"), UNFIT.values(), ids=UNFIT)
async def test_data_that_can_not_be_is_refused(
    client: Client, unfit: pb.GetMetricDataRequest, message: str
) -> None:
    refusal = await refused(client, unfit)
    assert (refusal.reason, message in refusal.message) == ("ValidationError", True)


@pytest.mark.parametrize("character", ["x", "\u00e9", "\U0001f600"], ids=ascii)
@pytest.mark.parametrize("begin", ["SELECT ", "("])
async def test_a_long_expression_is_refused_as_a_short_one_is(
    client: Client, begin: str, character: str
) -> None:
    expression = begin + character * (2048 - len(begin))
    request = data_of(pb.MetricDataQuery(id="e1", expression=expression))
    assert (await refused(client, request)).reason == "ValidationError"


async def test_long_ids_make_no_long_refusal(client: Client) -> None:
    wanted = [percent(f"m{number:0254}") for number in range(499)]
    request = data_of(*wanted, pb.MetricDataQuery(id="e1", expression="a" * 2048))
    refusal = await refused(client, request)
    assert (refusal.reason, "is no query's id" in refusal.message) == ("ValidationError", True)


async def test_more_than_five_hundred_queries_are_refused(client: Client) -> None:
    request = data_of(*(percent(f"m{number}") for number in range(501)))
    assert (await refused(client, request)).reason == "InvalidParameterValue"


async def test_a_past_out_of_reach_is_told_and_never_hidden(tmp_path: Path) -> None:
    async with served(tmp_path, OutOfReach()) as client:
        for request in (pb.ListMetricsRequest(), statistics_of()):
            assert (await refused(client, request)).reason == "Unavailable"
        (result,) = (await client.call(data_of(percent()), caller=ME)).metric_data_results
        assert result.status_code == pb.METRIC_DATA_STATUS_INTERNAL_ERROR
        assert not result.values
