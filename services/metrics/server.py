"""Wiring."""

import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import grpc

from cadastre.metrics.v1 import cloud_watch_service_pb2_grpc, metrics_service_pb2_grpc
from services.metrics.clients.control_plane import ControlPlaneClient
from services.metrics.clients.discovery import DiscoveryClient
from services.metrics.clients.ledger import LedgerClient
from services.metrics.clients.replicas import RemoteReplica
from services.metrics.cloud_watch.history import History
from services.metrics.cloud_watch.prometheus import prometheus
from services.metrics.cloud_watch.service import CloudWatch
from services.metrics.cloud_watch.window import RecentWindow
from services.metrics.collecting import Collector, Sources
from services.metrics.http import listen, serving
from services.metrics.loops import Pace, check_ledger, publish_figures, read_on_demand
from services.metrics.publishing import Publisher
from services.metrics.resources import OnDemand, read_resources
from services.metrics.service import Scrape, Target
from services.metrics.servicer.cloud_watch import CloudWatchServicer
from services.metrics.servicer.gathering import MetricsServicer
from services.metrics.settings import MetricsSettings, PrometheusSettings, Quotas
from services.metrics.targets import OwnTarget, RemoteTarget
from services.metrics.telemetry import CollectionMetrics, LedgerCheckMetrics
from shared.errors import CadastreError
from shared.identity import TokenSigner
from shared.rpc.client import Remote
from shared.rpc.encryption import channel_credentials
from shared.rpc.quota_servicer import quota_binding
from shared.rpc.server import Binding, Runtime, background
from shared.settings import Context

GATHERED: tuple[Context, ...] = ("control_plane", "allocation", "network", "discovery")
"""The gateway is no gRPC service; Prometheus asks it itself."""


_AWAY = (CadastreError, grpc.aio.AioRpcError)
"""What a call ends with when the other service refuses, stops or breaks; all of it may pass."""


@dataclass(frozen=True, slots=True)
class _Peers:
    """The services that figures are read of."""

    control_plane: ControlPlaneClient
    ledger: LedgerClient
    discovery: DiscoveryClient


@asynccontextmanager
async def metrics(runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
    """The context, ready to serve gRPC and scrapes, and collecting figures now and then."""
    settings, own, past = runtime.settings, MetricsSettings(), PrometheusSettings()
    quotas = Quotas()
    async with AsyncExitStack() as stack:
        listener = listen(settings.host, settings.prometheus_port)
        scrape = Scrape(await _targets(runtime, stack))
        peers = await _peers(runtime, stack)
        window = None if past.url else RecentWindow(timedelta(seconds=own.window_seconds))
        history: History = (
            await stack.enter_async_context(prometheus(past.url, own.names))
            if window is None
            else window
        )
        figures = Publisher(_collector(peers, own, quotas), window, own.names)
        resources = _resources(peers, own)
        grace_seconds = settings.shutdown_grace_seconds
        await stack.enter_async_context(
            serving(scrape, figures, resources, listener, grace_seconds=grace_seconds)
        )
        runtime.log.info("answering scrapes", address="{}:{}".format(*listener.getsockname()))
        work = _work(runtime, peers, figures, resources, own)
        await stack.enter_async_context(background(*work))
        yield [*_bindings(scrape, history), quota_binding(quotas)]


async def _peers(runtime: Runtime, stack: AsyncExitStack) -> _Peers:
    async def remote(context: Context) -> Remote:
        made = Remote.to(context, runtime.settings, runtime.signer)
        return await stack.enter_async_context(made)

    return _Peers(
        ControlPlaneClient(await remote("control_plane")),
        LedgerClient(await remote("allocation")),
        DiscoveryClient(await remote("discovery")),
    )


def _collector(peers: _Peers, own: MetricsSettings, quotas: Quotas) -> Collector:
    return Collector(
        Sources(peers.control_plane, peers.ledger, peers.discovery, _AWAY),
        quotas.limits_of,
        stale_after=timedelta(seconds=own.stale_seconds),
        clock=_now,
    )


def _resources(peers: _Peers, own: MetricsSettings) -> OnDemand:
    return OnDemand(
        partial(read_resources, peers.control_plane, peers.discovery),
        stale_seconds=own.stale_seconds,
        clock=time.monotonic,
    )


def _work(
    runtime: Runtime,
    peers: _Peers,
    figures: Publisher,
    resources: OnDemand,
    own: MetricsSettings,
) -> Iterator[Coroutine[Any, Any, None]]:
    pace = Pace(own.interval_seconds, _AWAY, runtime.log)
    yield publish_figures(figures, CollectionMetrics(runtime.registry), pace)
    yield read_on_demand(resources, pace)
    if seconds := own.ledger_check_interval_seconds:
        of_checks = LedgerCheckMetrics(runtime.registry)
        pace = Pace(seconds, _AWAY, runtime.log)
        yield check_ledger(peers.ledger.check, of_checks, _now, pace)


def _bindings(scrape: Scrape, history: History) -> Sequence[Binding]:
    return [
        Binding(
            metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server,
            MetricsServicer(scrape),
            "cadastre.metrics.v1.MetricsService",
        ),
        Binding(
            cloud_watch_service_pb2_grpc.add_CloudWatchServiceServicer_to_server,
            CloudWatchServicer(CloudWatch(history, _now)),
            "cadastre.metrics.v1.CloudWatchService",
        ),
    ]


async def _targets(runtime: Runtime, stack: AsyncExitStack) -> Sequence[Target]:
    targets: list[Target] = [OwnTarget("metrics", runtime.registry)]
    credentials = channel_credentials(runtime.settings)
    for context in GATHERED:
        address = runtime.settings.address_of(context)
        target = RemoteTarget(context, address, partial(_replica, runtime.signer, credentials))
        targets.append(target)
        stack.push_async_callback(target.close)
    return targets


def _replica(
    signer: TokenSigner, credentials: grpc.ChannelCredentials | None, address: str, name: str
) -> RemoteReplica:
    remote = Remote(address, signer=signer, credentials=credentials, certified_name=name)
    return RemoteReplica(remote)


def _now() -> datetime:
    return datetime.now(UTC)
