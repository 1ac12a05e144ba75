"""MetricsService: messages to use cases and back."""

from cadastre.metrics.v1 import metrics_service_pb2 as pb
from cadastre.metrics.v1 import metrics_service_pb2_grpc
from services.metrics.service import Scrape
from shared.rpc.interceptor import Context


class MetricsServicer(metrics_service_pb2_grpc.MetricsServiceServicer):
    """Translates."""

    def __init__(self, scrape: Scrape) -> None:
        self._scrape = scrape

    async def GatherMetrics(
        self,
        _request: pb.GatherMetricsRequest,
        _context: Context,
    ) -> pb.GatherMetricsResponse:
        return pb.GatherMetricsResponse(exposition=await self._scrape.gather())
