"""Every service's own metrics, for the metrics context to gather."""

from prometheus_client import CollectorRegistry, generate_latest

from cadastre.common.v1 import telemetry_service_pb2, telemetry_service_pb2_grpc
from shared.rpc.interceptor import Context
from shared.rpc.wiring import Binding

TELEMETRY_SERVICE = "cadastre.common.v1.TelemetryService"


class TelemetryServicer(telemetry_service_pb2_grpc.TelemetryServiceServicer):
    """Serves one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    async def GetMetrics(
        self, _request: telemetry_service_pb2.GetMetricsRequest, _context: Context
    ) -> telemetry_service_pb2.GetMetricsResponse:
        return telemetry_service_pb2.GetMetricsResponse(exposition=generate_latest(self._registry))


def telemetry_binding(servicer: telemetry_service_pb2_grpc.TelemetryServiceServicer) -> Binding:
    return Binding(
        telemetry_service_pb2_grpc.add_TelemetryServiceServicer_to_server,
        servicer,
        TELEMETRY_SERVICE,
    )
