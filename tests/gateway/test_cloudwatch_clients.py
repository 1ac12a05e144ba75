"""Unmodified boto3 and AWS CLI against CloudWatch, in each of the protocols it has had."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
import botocore.session
import cbor2
import grpc
import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import StructureShape
from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.metrics.v1 import cloud_watch_service_pb2 as pb
from services.gateway.cloudwatch import CLOUDWATCH_CODES
from services.gateway.errors import INTERNAL_ERROR
from services.gateway.model import load_model
from shared import errors
from tests.gateway.edge import Edge
from tests.gateway.fakes import Refusal

SERVICE = "/cadastre.metrics.v1.CloudWatchService"
PROTOCOLS = ("json", "query", "smithy-rpc-v2-cbor")
MEDIA_TYPES = {
    "json": "application/x-amz-json-1.0",
    "query": "text/xml;charset=UTF-8",
    "smithy-rpc-v2-cbor": "application/cbor",
}
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
END = START + timedelta(hours=3)
POOL = pb.Metric(
    namespace="AWS/IPAM",
    metric_name="PercentAllocated",
    dimensions=[
        pb.Dimension(name="PoolID", value="ipam-pool-1"),
        pb.Dimension(name="Locale", value="None"),
    ],
)
POOL_OF_AWS = {
    "Namespace": "AWS/IPAM",
    "MetricName": "PercentAllocated",
    "Dimensions": [
        {"Name": "PoolID", "Value": "ipam-pool-1"},
        {"Name": "Locale", "Value": "None"},
    ],
}
everywhere = pytest.mark.parametrize("protocol", PROTOCOLS)


class OneProtocolLoader(Loader):
    """Botocore's models, in which each service speaks just this protocol."""

    def __init__(self, protocol: str) -> None:
        super().__init__([Loader.BUILTIN_DATA_PATH])
        self._protocol = protocol

    def load_service_model(self, *args: Any, **kwargs: Any) -> Any:
        model = super().load_service_model(*args, **kwargs)
        if "metadata" not in model:
            return model
        return {**model, "metadata": {**model["metadata"], "protocols": [self._protocol]}}


@cache
def session_speaking(protocol: str) -> boto3.Session:
    session = botocore.session.Session()
    session.register_component("data_loader", OneProtocolLoader(protocol))
    return boto3.Session(botocore_session=session)


def cloudwatch(edge: Edge, protocol: str) -> Any:
    return edge.client("cloudwatch", session=session_speaking(protocol))


def at(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def told_in(answer: Any) -> str:
    media_type: str = answer["ResponseMetadata"]["HTTPHeaders"]["content-type"]
    return media_type


@everywhere
def test_values_of_metrics_are_got(edge: Edge, protocol: str) -> None:
    edge.fakes.answers["GetMetricData"] = pb.GetMetricDataResponse(
        metric_data_results=[
            pb.MetricDataResult(
                id="q1",
                label="PercentAllocated",
                timestamps=[at(START + timedelta(milliseconds=500)), at(START)],
                values=[12.5, 0.1],
                status_code=pb.METRIC_DATA_STATUS_PARTIAL_DATA,
            )
        ],
        next_token="a+b/c=",
        messages=[pb.MessageData(code="Late", value="<&>")],
    )
    answer = cloudwatch(edge, protocol).get_metric_data(
        MetricDataQueries=[
            {
                "Id": "q1",
                "MetricStat": {
                    "Metric": POOL_OF_AWS,
                    "Period": 300,
                    "Stat": "Average",
                    "Unit": "Percent",
                },
                "ReturnData": False,
            },
            {"Id": "q2", "Expression": 'SELECT MAX(VpcIPUsage) FROM "AWS/IPAM"', "Period": 60},
        ],
        StartTime=START,
        EndTime=END,
        ScanBy="TimestampAscending",
        MaxDatapoints=1000,
        LabelOptions={"Timezone": "+0130"},
    )
    assert told_in(answer) == MEDIA_TYPES[protocol]
    assert answer["MetricDataResults"] == [
        {
            "Id": "q1",
            "Label": "PercentAllocated",
            "Timestamps": [START + timedelta(milliseconds=500), START],
            "Values": [12.5, 0.1],
            "StatusCode": "PartialData",
            "Messages": [],
        }
    ]
    assert answer["NextToken"] == "a+b/c="
    assert answer["Messages"] == [{"Code": "Late", "Value": "<&>"}]
    asked = pb.GetMetricDataRequest(
        metric_data_queries=[
            pb.MetricDataQuery(
                id="q1",
                metric_stat=pb.MetricStat(
                    metric=POOL, period=300, stat="Average", unit=pb.STANDARD_UNIT_PERCENT
                ),
                return_data=False,
            ),
            pb.MetricDataQuery(
                id="q2", expression='SELECT MAX(VpcIPUsage) FROM "AWS/IPAM"', period=60
            ),
        ],
        start_time=at(START),
        end_time=at(END),
        scan_by=pb.SCAN_BY_TIMESTAMP_ASCENDING,
        max_datapoints=1000,
        label_options=pb.LabelOptions(timezone="+0130"),
    )
    assert edge.fakes.requests == [(f"{SERVICE}/GetMetricData", asked)]


@everywhere
def test_statistics_of_a_metric_are_got(edge: Edge, protocol: str) -> None:
    edge.fakes.answers["GetMetricStatistics"] = pb.GetMetricStatisticsResponse(
        label="PercentAllocated",
        datapoints=[
            pb.Datapoint(
                timestamp=at(START),
                average=0.0,
                unit=pb.STANDARD_UNIT_COUNT_PER_SECOND,
                extended_statistics={"p99.9": 98.75, "p50": 1e-9},
            ),
            pb.Datapoint(timestamp=at(END), average=3.0),
        ],
    )
    answer = cloudwatch(edge, protocol).get_metric_statistics(
        **POOL_OF_AWS,
        StartTime=START,
        EndTime=END,
        Period=60,
        Statistics=["Average"],
        ExtendedStatistics=["p99.9", "p50"],
        Unit="Bytes/Second",
    )
    assert answer["Label"] == "PercentAllocated"
    assert answer["Datapoints"] == [
        {
            "Timestamp": START,
            "Average": 0.0,
            "Unit": "Count/Second",
            "ExtendedStatistics": {"p99.9": 98.75, "p50": 1e-9},
        },
        {"Timestamp": END, "Average": 3.0},
    ]
    asked = pb.GetMetricStatisticsRequest(
        namespace="AWS/IPAM",
        metric_name="PercentAllocated",
        dimensions=POOL.dimensions,
        start_time=at(START),
        end_time=at(END),
        period=60,
        statistics=["Average"],
        extended_statistics=["p99.9", "p50"],
        unit=pb.STANDARD_UNIT_BYTES_PER_SECOND,
    )
    assert edge.fakes.requests == [(f"{SERVICE}/GetMetricStatistics", asked)]


@everywhere
def test_metrics_are_listed_page_by_page(edge: Edge, protocol: str) -> None:
    pages = {"": "1", "1": None}
    edge.fakes.answers["ListMetrics"] = lambda request: pb.ListMetricsResponse(
        metrics=[POOL], next_token=pages[request.next_token]
    )
    paginator = cloudwatch(edge, protocol).get_paginator("list_metrics")
    found = paginator.paginate(
        Namespace="AWS/IPAM", Dimensions=[{"Name": "PoolID"}], RecentlyActive="PT3H"
    ).build_full_result()
    assert found == {"Metrics": [POOL_OF_AWS, POOL_OF_AWS], "OwningAccounts": []}
    assert edge.fakes.requests[0][1] == pb.ListMetricsRequest(
        namespace="AWS/IPAM",
        dimensions=[pb.DimensionFilter(name="PoolID")],
        recently_active=pb.RECENTLY_ACTIVE_PT3H,
    )


def refused(edge: Edge, protocol: str, refusal: Refusal) -> Any:
    """The exception that boto3 raises when the context refuses."""
    edge.fakes.answers["ListMetrics"] = refusal
    with pytest.raises(ClientError) as raised:
        cloudwatch(edge, protocol).list_metrics()
    assert raised.value.response["ResponseMetadata"]["RequestId"]
    return raised.value


MODELLED: Mapping[str, Any] = {
    str(shape.error_code): shape
    for shape in load_model("cloudwatch").error_shapes
    if isinstance(shape, StructureShape)
}
REASONS = (
    "InternalServiceError",
    "InvalidNextToken",
    "InvalidParameterCombination",
    "InvalidParameterValue",
    "LimitExceeded",
    "MissingParameter",
    "ValidationError",
)


@everywhere
@pytest.mark.parametrize("code", REASONS)
def test_a_code_of_the_model_is_the_clients_own_exception(
    edge: Edge, protocol: str, code: str
) -> None:
    error = refused(edge, protocol, Refusal(code, "<no> & 'why'"))
    assert type(error).__name__ == MODELLED[code].name
    assert error.response["Error"]["Code"] == code
    assert error.response["Error"]["Message"] == "<no> & 'why'"
    status = MODELLED[code].metadata["error"]["httpStatusCode"]
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status


@everywhere
@pytest.mark.parametrize(
    ("code", "reason", "told"),
    [
        ("PERMISSION_DENIED", "UnauthorizedOperation", ("AccessDenied", 403, "Sender")),
        ("INTERNAL", "", ("InternalServiceError", 500, "Receiver")),
    ],
)
def test_a_general_reason_becomes_cloudwatchs_own(
    edge: Edge, protocol: str, code: str, reason: str, told: tuple[str, int, str]
) -> None:
    response = refused(edge, protocol, Refusal(reason, "no", grpc.StatusCode[code])).response
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    assert (response["Error"]["Code"], status, response["Error"]["Type"]) == told
    assert response["Error"]["Message"] == ("no" if reason else "An internal error has occurred")


def test_the_table_names_general_reasons() -> None:
    reasons = {getattr(error, "reason", None) for error in vars(errors).values()}
    assert set(CLOUDWATCH_CODES) <= {*reasons, INTERNAL_ERROR}
    # AWS answers so for every service; no model says it.
    assert set(CLOUDWATCH_CODES.values()) <= {*MODELLED, "AccessDenied", "ServiceUnavailable"}


@everywhere
def test_what_is_not_offered_is_refused_by_name(edge: Edge, protocol: str) -> None:
    with pytest.raises(ClientError) as raised:
        cloudwatch(edge, protocol).describe_alarms()
    error = raised.value.response["Error"]
    assert error["Code"] == {"query": "InvalidAction"}.get(protocol, "UnsupportedOperation")
    assert "DescribeAlarms is not available in this installation" in error["Message"]
    assert edge.fakes.requests == []


@everywhere
def test_who_is_not_known_is_told_so(edge: Edge, protocol: str) -> None:  # ORG-10
    session = session_speaking(protocol)
    client = edge.client("cloudwatch", session=session, key=("AKIA" + "Z" * 16, "x"))
    with pytest.raises(ClientError) as raised:
        client.list_metrics()
    assert raised.value.response["Error"]["Code"] == "InvalidClientTokenId"


def test_a_service_that_is_not_here_refuses_in_cbor_too(edge: Edge) -> None:
    client = edge.client("logs", session=session_speaking("smithy-rpc-v2-cbor"))
    with pytest.raises(ClientError) as raised:
        client.describe_log_groups()
    assert raised.value.response["Error"]["Code"] == "UnknownOperationException"


TARGET = "GraniteServiceVersion20100801"


def post_cbor(edge: Edge, body: bytes, path: str = "ListMetrics", **headers: str) -> Any:
    sent = {"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", **headers}
    return edge.post(
        body, service="monitoring", headers=sent, path=f"/service/{TARGET}/operation/{path}"
    )


class TestOnTheWire:
    """What SDKs other than botocore look for."""

    def test_cbor(self, edge: Edge) -> None:
        answer = post_cbor(edge, b"\xa0")
        assert answer.status_code == 200
        assert answer.headers["smithy-protocol"] == "rpc-v2-cbor"
        assert answer.headers["content-type"] == "application/cbor"
        assert cbor2.loads(answer.content) == {"Metrics": [], "OwningAccounts": []}

    def test_a_refusal_in_cbor(self, edge: Edge) -> None:
        edge.fakes.answers["ListMetrics"] = Refusal("MissingParameter", "no")
        answer = post_cbor(edge, b"")
        assert answer.status_code == 400
        assert answer.headers["smithy-protocol"] == "rpc-v2-cbor"
        assert answer.headers["x-amzn-query-error"] == "MissingParameter;Sender"
        assert cbor2.loads(answer.content) == {
            "__type": "com.amazonaws.cloudwatch#MissingRequiredParameterException",
            "message": "no",
        }

    def test_a_refusal_in_json(self, edge: Edge) -> None:
        edge.fakes.answers["ListMetrics"] = Refusal("MissingParameter", "no")
        answer = edge.post(
            "{}",
            service="monitoring",
            headers={
                "Content-Type": "application/x-amz-json-1.0",
                "X-Amz-Target": f"{TARGET}.ListMetrics",
            },
        )
        assert answer.headers["x-amzn-errortype"] == "MissingRequiredParameterException"
        assert answer.headers["x-amzn-query-error"] == "MissingParameter;Sender"
        assert answer.json() == {"__type": "MissingRequiredParameterException", "message": "no"}

    @pytest.mark.parametrize(
        ("body", "path", "name"),
        [
            (b'{"Namespace": "AWS/IPAM"}', "ListMetrics", "SerializationException"),
            (cbor2.dumps({"Namespace": 5}), "ListMetrics", "SerializationException"),
            (cbor2.dumps({"namespace": "a"}), "ListMetrics", "ValidationException"),
            (
                cbor2.dumps({"RecentlyActive": "PT4H"}),
                "ListMetrics",
                "InvalidParameterValueException",
            ),
            (b"\xa0", "PutMetricData", "UnsupportedOperation"),
            (b"\xa0", "Fly", "UnknownOperationException"),
        ],
    )
    def test_a_wrong_request_in_cbor_goes_nowhere(
        self, edge: Edge, body: bytes, path: str, name: str
    ) -> None:
        answer = post_cbor(edge, body, path)
        assert answer.status_code == 400
        assert cbor2.loads(answer.content)["__type"].rpartition("#")[2] == name
        assert edge.fakes.requests == []

    def test_an_older_client_sends_a_form(self, edge: Edge) -> None:
        answer = edge.post(
            "Action=ListMetrics&Version=2010-08-01&Dimensions.member.1.Name=PoolID",
            service="monitoring",
        )
        assert "<ListMetricsResult><Metrics></Metrics>" in answer.text
        [(_, request)] = edge.fakes.requests
        assert request.dimensions == [pb.DimensionFilter(name="PoolID")]


class TestCli:
    """The AWS CLI as a user types it."""

    WHEN = "--start-time 2026-01-02T03:04:05Z --end-time 2026-01-02T06:04:05Z"

    def test_values_are_got(self, edge: Edge) -> None:
        edge.fakes.answers["GetMetricData"] = pb.GetMetricDataResponse(
            metric_data_results=[
                pb.MetricDataResult(id="q1", timestamps=[at(START)], values=[12.5])
            ]
        )
        query = json.dumps(
            [{"Id": "q1", "MetricStat": {"Metric": POOL_OF_AWS, "Period": 300, "Stat": "Average"}}]
        )
        done = edge.aws(
            f"aws cloudwatch get-metric-data --metric-data-queries '{query}' {self.WHEN}"
        )
        [result] = json.loads(done.stdout)["MetricDataResults"]
        assert result["Values"] == [12.5]
        assert datetime.fromtimestamp(result["Timestamps"][0], UTC) == START
        [(_, request)] = edge.fakes.requests
        assert request.metric_data_queries[0].metric_stat.metric == POOL
        assert request.end_time == at(END)

    def test_metrics_are_listed(self, edge: Edge) -> None:
        edge.fakes.answers["ListMetrics"] = pb.ListMetricsResponse(metrics=[POOL])
        done = edge.aws("aws cloudwatch list-metrics --namespace AWS/IPAM --profile ipam-account")
        assert json.loads(done.stdout)["Metrics"] == [POOL_OF_AWS]

    def test_a_refusal_is_shown(self, edge: Edge) -> None:
        edge.fakes.answers["GetMetricStatistics"] = Refusal(
            "InvalidParameterCombination", "either statistics or extended ones"
        )
        done = edge.aws(
            "aws cloudwatch get-metric-statistics --namespace AWS/IPAM --period 60"
            f" --metric-name PercentAllocated --statistics Average {self.WHEN}"
        )
        assert "(InvalidParameterCombination)" in done.stderr
        assert "either statistics or extended ones" in done.stderr
