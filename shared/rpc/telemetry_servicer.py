"""Every service's own metrics, for the metrics context to gather."""

from prometheus_client import CollectorRegistry, generate_latest

from cadastre.common.v1 import telemetry_service_pb2, telemetry_service_pb2_grpc
from shared.rpc.interceptor import Context


class TelemetryServicer(telemetry_service_pb2_grpc.TelemetryServiceServicer):
    """Serves one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    async def GetMetrics(
        self, _request: telemetry_service_pb2.GetMetricsRequest, _context: Context
    ) -> telemetry_service_pb2.GetMetricsResponse:
        return telemetry_service_pb2.GetMetricsResponse(exposition=generate_latest(self._registry))
