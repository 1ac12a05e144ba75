"""A service whose gRPC is spoken by fronts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from prometheus_client import CollectorRegistry, generate_latest

from cadastre.common.v1 import telemetry_service_pb2, telemetry_service_pb2_grpc
from shared.exposition import merged
from shared.identity import load_secret
from shared.rpc.background import background
from shared.rpc.fronts.hello import Hello
from shared.rpc.fronts.hosting import FrontGone, HostedFront, hosted_by
from shared.rpc.fronts.ports import claimed_port
from shared.rpc.fronts.processes import any_ended, drained, front_process, ready
from shared.rpc.interceptor import Context
from shared.rpc.telemetry_servicer import telemetry_binding
from shared.rpc.wiring import Build, RunningServer, runtime_for
from shared.settings import Context as ContextName
from shared.settings import Settings

PROCESS = "process"
"""The label that tells the processes of one service apart."""


@asynccontextmanager
async def fronted(
    context: ContextName, build: Build, settings: Settings, count: int
) -> AsyncIterator[RunningServer]:
    """A context's server, carried out here and spoken for by ``count`` other processes.

    From the moment it serves to the moment it has drained; when a front ends before, the task that
    opened the block is cancelled.

    Raises:
        StartFailed: the signing key is unusable, the port taken, or what ``build`` says.
    """
    runtime = runtime_for(context, settings, load_secret(settings.identity_secret_path))
    port = settings.port_of(context)
    async with (
        build(runtime) as built,
        claimed_port(settings.host, port) as port,
        AsyncExitStack() as stack,
    ):
        fronts: list[HostedFront] = []
        figures = FrontedTelemetryServicer(runtime.registry, fronts)
        bindings = [*built, telemetry_binding(figures)]
        methods = hosted_by(bindings)
        fronts += [HostedFront(methods, runtime.log) for _ in range(count)]
        hello = Hello(
            context=context,
            settings=settings.model_dump_json(),
            port=port,
            modules=[binding.add.__module__ for binding in bindings],
            services=[binding.full_name for binding in bindings],
        )
        processes = [
            await stack.enter_async_context(front_process(hello, front)) for front in fronts
        ]
        for process, front in zip(processes, fronts, strict=True):
            await ready(process, front)
        server = RunningServer(settings.host, port)
        runtime.log.info("serving", address=server.address, fronts=count)
        try:
            async with background(any_ended(processes)):
                yield server
        finally:
            await drained(processes, settings.shutdown_grace_seconds)
            runtime.log.info("stopped")


class FrontedTelemetryServicer(telemetry_service_pb2_grpc.TelemetryServiceServicer):
    """The figures of the core and of all fronts."""

    def __init__(self, registry: CollectorRegistry, fronts: Sequence[HostedFront]) -> None:
        self._registry, self._fronts = registry, fronts

    async def GetMetrics(
        self, _request: telemetry_service_pb2.GetMetricsRequest, _context: Context
    ) -> telemetry_service_pb2.GetMetricsResponse:
        told = await asyncio.gather(*map(_figures_of, self._fronts))
        processes = [("core", generate_latest(self._registry))]
        processes += [(f"front-{number}", figures) for number, figures in enumerate(told, 1)]
        exposition = merged(({PROCESS: process}, figures) for process, figures in processes)
        return telemetry_service_pb2.GetMetricsResponse(exposition=exposition)


async def _figures_of(front: HostedFront) -> bytes:
    try:
        return await front.figures()
    except FrontGone:
        # The service is about to end for it.
        return b""
