"""Questions and answers of CloudWatch as messages."""

from collections.abc import Iterable, Iterator, Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.metrics.v1 import cloud_watch_service_pb2 as pb
from services.metrics.cloud_watch.data import DataPage, DataQuestion, Position, Result, Status
from services.metrics.cloud_watch.history import Home, Line
from services.metrics.cloud_watch.named import MetricFilter, NamedMetric
from services.metrics.cloud_watch.queries import Lookup, Queries, Query, expressed, lookup
from services.metrics.cloud_watch.samples import MINUTE_SECONDS, Span
from services.metrics.cloud_watch.service import Datapoints, StatisticsQuestion
from services.metrics.errors import ValidationError
from services.metrics.series import NAMESPACE
from shared.errors import InvalidNextToken
from shared.paging import key_of_token, page_of, token_after
from shared.rpc.enums import aws_enum_name, enum_number

METRICS_PER_PAGE = 500
MOST_DATAPOINTS = 100_800

_UNITS = pb.StandardUnit.DESCRIPTOR
_STATUSES = {
    Status.COMPLETE: pb.METRIC_DATA_STATUS_COMPLETE,
    Status.PARTIAL_DATA: pb.METRIC_DATA_STATUS_PARTIAL_DATA,
    Status.INTERNAL_ERROR: pb.METRIC_DATA_STATUS_INTERNAL_ERROR,
}
_MEMBERS = {
    "Average": "average",
    "Minimum": "minimum",
    "Maximum": "maximum",
    "Sum": "sum",
    "SampleCount": "sample_count",
}
"""The field of a data point that holds each statistic."""


def filter_from_proto(request: pb.ListMetricsRequest) -> MetricFilter:
    return MetricFilter(
        request.namespace or None,
        request.metric_name or None,
        [(one.name, one.value if one.HasField("value") else None) for one in request.dimensions],
    )


def listing_page(
    request: pb.ListMetricsRequest, home: Home, lines: Iterable[Line]
) -> pb.ListMetricsResponse:
    """The page that ``request`` asks for; ``lines`` are all, in order."""
    is_own = request.owning_account in ("", home.account_id)

    def records_after(after: str | None) -> Iterator[tuple[str, Line]]:
        for line in lines if is_own else ():
            if after is None or line.key > after:
                yield line.key, line

    found, token = page_of(
        request, records_after, token=request.next_token, max_results=METRICS_PER_PAGE
    )
    accounts = [home.account_id] * len(found) if request.include_linked_accounts else []
    return pb.ListMetricsResponse(
        metrics=map(metric_to_proto, found), next_token=token, owning_accounts=accounts
    )


def metric_to_proto(line: Line) -> pb.Metric:
    return pb.Metric(
        namespace=NAMESPACE,
        metric_name=line.metric.name,
        dimensions=[
            pb.Dimension(name=name, value=value) for name, value in line.values_by_name.items()
        ],
    )


def statistics_question_from_proto(request: pb.GetMetricStatisticsRequest) -> StatisticsQuestion:
    return StatisticsQuestion(
        _named(request.namespace, request.metric_name, request.dimensions),
        *_seconds(request),
        period_seconds=request.period,
        statistics=request.statistics,
        extended_statistics=request.extended_statistics,
        unit=_unit(request.unit),
    )


def datapoints_to_proto(
    datapoints: Datapoints, question: StatisticsQuestion
) -> pb.GetMetricStatisticsResponse:
    unit = enum_number(_UNITS, datapoints.unit)
    answer = pb.GetMetricStatisticsResponse(label=question.metric.name)
    for at, minute in enumerate(datapoints.minutes):
        values = {name: values[at] for name, values in datapoints.values.items()}
        answer.datapoints.add(
            timestamp=_timestamp(minute),
            unit=unit,
            extended_statistics={name: values[name] for name in question.extended_statistics},
            **{_MEMBERS[name]: values[name] for name in question.statistics},
        )
    return answer


def data_question_from_proto(request: pb.GetMetricDataRequest, now_seconds: int) -> DataQuestion:
    """What is asked of the times up to ``now_seconds``.

    Raises:
        ValidationError: it can't be answered as written.
    """
    start, end = _seconds(request)
    if start >= end:
        raise ValidationError("The parameter EndTime must be greater than StartTime")
    return DataQuestion(
        Queries(list(map(_query_from_proto, request.metric_data_queries))),
        Span.between(start, end, now_seconds),
        is_ascending=request.scan_by == pb.SCAN_BY_TIMESTAMP_ASCENDING,
        most_datapoints=request.max_datapoints or MOST_DATAPOINTS,
    )


def position_from_token(request: pb.GetMetricDataRequest) -> Position | None:
    """Where the page that ``request`` asks for begins.

    Raises:
        InvalidNextToken: its token was not issued for this query.
    """
    if (key := key_of_token(request, request.next_token)) is None:
        return None
    try:
        return Position(*map(int, key.split(" ")))
    except (TypeError, ValueError):
        raise InvalidNextToken from None


def page_to_proto(page: DataPage, request: pb.GetMetricDataRequest) -> pb.GetMetricDataResponse:
    token = None if page.last is None else token_after(request, " ".join(map(str, page.last)))
    return pb.GetMetricDataResponse(
        metric_data_results=map(_result_to_proto, page.results), next_token=token
    )


def _result_to_proto(result: Result) -> pb.MetricDataResult:
    return pb.MetricDataResult(
        id=result.query_id,
        label=result.label,
        timestamps=map(_timestamp, result.minutes),
        values=result.values,
        status_code=_STATUSES[result.status],
    )


def _query_from_proto(query: pb.MetricDataQuery) -> Query:
    if query.HasField("metric_stat") is query.HasField("expression"):
        raise ValidationError(
            f"The query '{query.id}' must have either MetricStat or Expression", id=query.id
        )
    return Query(
        query.id,
        expressed(query.expression, query.period or None)
        if query.HasField("expression")
        else _lookup_from_proto(query.metric_stat),
        label=query.label,
        is_returned=query.return_data or not query.HasField("return_data"),
        account_id=query.account_id or None,
    )


def _lookup_from_proto(wanted: pb.MetricStat) -> Lookup:
    metric = wanted.metric
    named = _named(metric.namespace, metric.metric_name, metric.dimensions)
    return lookup(named, wanted.period, wanted.stat, _unit(wanted.unit))


def _named(namespace: str, name: str, dimensions: Sequence[pb.Dimension]) -> NamedMetric:
    return NamedMetric(namespace, name, tuple((one.name, one.value) for one in dimensions))


def _unit(number: "pb.StandardUnit.ValueType") -> str | None:
    return aws_enum_name(_UNITS, number) if number else None


def _seconds(
    request: pb.GetMetricStatisticsRequest | pb.GetMetricDataRequest,
) -> tuple[int, int]:
    """Start and end, whatever is less than a second rounded away from the middle."""
    end = request.end_time
    return request.start_time.seconds, end.seconds + (end.nanos > 0)


def _timestamp(minute: int) -> Timestamp:
    return Timestamp(seconds=minute * MINUTE_SECONDS)
