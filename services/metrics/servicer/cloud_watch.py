"""CloudWatchService: messages to use cases and back."""

from cadastre.metrics.v1 import cloud_watch_service_pb2 as pb
from cadastre.metrics.v1 import cloud_watch_service_pb2_grpc
from services.metrics.cloud_watch.history import Home
from services.metrics.cloud_watch.service import CloudWatch
from services.metrics.servicer.cloud_watch_messages import (
    data_question_from_proto,
    datapoints_to_proto,
    filter_from_proto,
    listing_page,
    page_to_proto,
    position_from_token,
    statistics_question_from_proto,
)
from shared.rpc.interceptor import Context, caller_of


class CloudWatchServicer(cloud_watch_service_pb2_grpc.CloudWatchServiceServicer):
    """Translates."""

    def __init__(self, cloud_watch: CloudWatch) -> None:
        self._cloud_watch = cloud_watch

    async def ListMetrics(
        self, request: pb.ListMetricsRequest, context: Context
    ) -> pb.ListMetricsResponse:
        home = _home_of(context)
        lines = await self._cloud_watch.metrics(home, filter_from_proto(request))
        return listing_page(request, home, lines)

    async def GetMetricStatistics(
        self, request: pb.GetMetricStatisticsRequest, context: Context
    ) -> pb.GetMetricStatisticsResponse:
        question = statistics_question_from_proto(request)
        datapoints = await self._cloud_watch.statistics(_home_of(context), question)
        return datapoints_to_proto(datapoints, question)

    async def GetMetricData(
        self, request: pb.GetMetricDataRequest, context: Context
    ) -> pb.GetMetricDataResponse:
        question = data_question_from_proto(request, self._cloud_watch.now_seconds())
        after = position_from_token(request)
        page = await self._cloud_watch.data(_home_of(context), question, after)
        return page_to_proto(page, request)


def _home_of(context: Context) -> Home:
    caller = caller_of(context)
    return Home(caller.account_id, caller.region)
