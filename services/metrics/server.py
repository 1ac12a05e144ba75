"""Wiring."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from cadastre.metrics.v1 import metrics_service_pb2_grpc
from services.metrics.clients import OwnTarget, RemoteTarget
from services.metrics.http import listen, serving
from services.metrics.service import Scrape, Target
from services.metrics.servicer import MetricsServicer
from shared.rpc.client import Remote
from shared.rpc.server import Binding, Runtime
from shared.settings import Context

GATHERED: tuple[Context, ...] = ("control_plane", "allocation", "network", "discovery")
"""The gateway is no gRPC service; Prometheus asks it itself."""


@asynccontextmanager
async def metrics(runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
    """The context, ready to serve gRPC and scrapes."""
    settings = runtime.settings
    async with AsyncExitStack() as stack:
        listener = listen(settings.host, settings.prometheus_port)
        scrape = Scrape(await _targets(runtime, stack))
        await stack.enter_async_context(serving(scrape, listener))
        runtime.log.info("answering scrapes", address="{}:{}".format(*listener.getsockname()))
        yield [
            Binding(
                metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server,
                MetricsServicer(scrape),
                "cadastre.metrics.v1.MetricsService",
            )
        ]


async def _targets(runtime: Runtime, stack: AsyncExitStack) -> Mapping[str, Target]:
    targets: dict[str, Target] = {"metrics": OwnTarget(runtime.registry)}
    for context in GATHERED:
        remote = Remote.to(context, runtime.settings, runtime.signer)
        targets[context] = RemoteTarget(await stack.enter_async_context(remote))
    return targets
