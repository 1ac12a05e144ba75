"""The processes whose metrics are gathered."""

import asyncio

import grpc

from cadastre.common.v1 import telemetry_service_pb2, telemetry_service_pb2_grpc
from services.metrics.clients.words import SELF
from shared.errors import CadastreError
from shared.rpc.client import Remote

ANSWER_SECONDS = 2.0
"""Well under Prometheus's usual scrape timeout of 10 seconds."""


class RemoteReplica:
    """A process of another service."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = telemetry_service_pb2_grpc.TelemetryServiceStub(remote.channel)

    async def metrics(self) -> bytes | None:
        request = telemetry_service_pb2.GetMetricsRequest()
        try:
            answer = await self._remote.call(
                self._stub.GetMetrics, request, caller=SELF, timeout_seconds=ANSWER_SECONDS
            )
        except (CadastreError, grpc.aio.AioRpcError):
            # Whatever is wrong with it, the others' figures are wanted now more than ever.
            return None
        except asyncio.CancelledError:
            # Another scrape found it gone, and closed it; this one goes on without it.
            if (scrape := asyncio.current_task()) and scrape.cancelling():
                raise
            return None
        exposition: bytes = answer.exposition
        return exposition

    async def close(self) -> None:
        await self._remote.close()
