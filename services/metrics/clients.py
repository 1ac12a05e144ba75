"""The services whose metrics are gathered."""

import grpc
from prometheus_client import CollectorRegistry, generate_latest

from cadastre.common.v1 import telemetry_service_pb2, telemetry_service_pb2_grpc
from shared.caller import Caller
from shared.errors import CadastreError
from shared.rpc.client import Remote

ANSWER_SECONDS = 2.0
"""Well under Prometheus's usual scrape timeout of 10 seconds."""

_SELF = Caller(account_id="", region="", principal="service/metrics", service="metrics")


class RemoteTarget:
    """Another service."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = telemetry_service_pb2_grpc.TelemetryServiceStub(remote.channel)

    async def metrics(self) -> bytes | None:
        request = telemetry_service_pb2.GetMetricsRequest()
        try:
            answer = await self._remote.call(
                self._stub.GetMetrics, request, caller=_SELF, timeout_seconds=ANSWER_SECONDS
            )
        except (CadastreError, grpc.aio.AioRpcError):
            # Whatever is wrong with it, the others' figures are wanted now more than ever.
            return None
        exposition: bytes = answer.exposition
        return exposition


class OwnTarget:
    """This service itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    async def metrics(self) -> bytes | None:
        return generate_latest(self._registry)
