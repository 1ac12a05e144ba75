"""One way to start a gRPC service."""

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc
import uvloop
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from shared import fail_points, telemetry, tracing
from shared.errors import StartFailed
from shared.identity import TokenVerifier, load_secret
from shared.rpc.background import background
from shared.rpc.client import MAX_MESSAGE_BYTES
from shared.rpc.encryption import server_credentials
from shared.rpc.fronts.ports import PortTaken
from shared.rpc.fronts.serving import fronted
from shared.rpc.interceptor import ChassisInterceptor, caller_of
from shared.rpc.metrics import RpcMetrics
from shared.rpc.telemetry_servicer import TELEMETRY_SERVICE, TelemetryServicer, telemetry_binding
from shared.rpc.wiring import Binding, Build, RunningServer, Runtime, runtime_for
from shared.settings import Context as ContextName
from shared.settings import GrpcContext, Settings

__all__ = [
    "Binding",
    "Build",
    "PortTaken",
    "RunningServer",
    "Runtime",
    "background",
    "caller_of",
    "main",
    "running",
    "settle_memory",
]

_OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    # Clients connect anew then, and see which replicas there are; calls under way are not ended.
    ("grpc.max_connection_age_ms", 60_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
]
# Objects that came and stayed, collections of these, and collections of those in turn.
_COLLECTED_AFTER = (50_000, 20, 50)


def main(context: GrpcContext, build: Build) -> None:
    """Serve until SIGTERM or Ctrl-C. Ends the process with 1 when it can't start or go on."""
    try:
        settings = Settings()
        telemetry.configure_logging(settings.log_level)
        fail_points.arm(settings.fail_point)
        if settings.fail_point:
            log = telemetry.logger(context)
            log.warning("told to die at a fail point", fail_point=settings.fail_point)
        uvloop.run(_serve_until_told(context, build, settings))
    except ValidationError as error:
        sys.exit(f"{context}: the configuration is wrong: {error}")
    except StartFailed as error:
        sys.exit(f"{context}: {error}")


async def _serve_until_told(context: GrpcContext, build: Build, settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    fronts = settings.fronts.get(context, 0)
    server = fronted(context, build, settings, fronts) if fronts else None
    with tracing.exported(context, flush_seconds=settings.shutdown_grace_seconds) as begin_export:
        async with server or running(context, build, settings):
            # The fronts are there by now; forks and threads don't go together.
            begin_export()
            settle_memory()
            await stop.wait()


def settle_memory() -> None:
    """Keep the garbage collector off what stays for good: all that was imported and set up.

    Looking through that takes tens of milliseconds each time, in which every call waits. What a
    call leaves behind is mostly freed without the collector, so that it can come by less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTED_AFTER)


@asynccontextmanager
async def running(
    context: ContextName, build: Build, settings: Settings, *, shared_port: int | None = None
) -> AsyncIterator[RunningServer]:
    """A context's server, from the moment it serves to the moment it has drained.

    ``shared_port`` is one that other processes of this service may listen on, too.

    Raises:
        StartFailed: the signing key or a certificate is unusable, the port taken, or what ``build``
            says.
    """
    secret = load_secret(settings.identity_secret_path)
    runtime = runtime_for(context, settings, secret)
    log = runtime.log
    interceptor = ChassisInterceptor(
        verifier=TokenVerifier(secret), metrics=RpcMetrics(runtime.registry), log=log
    )
    # Not asked for, a second process would silently share the port.
    is_shared = shared_port is not None
    options = [*_OPTIONS, ("grpc.so_reuseport", int(is_shared))]
    server = grpc.aio.server(interceptors=[interceptor], options=options)
    async with build(runtime) as bindings:
        healths = _register(server, _with_telemetry(bindings, runtime.registry))
        port = settings.port_of(context) if shared_port is None else shared_port
        bound = RunningServer(settings.host, _bind(server, settings, port))
        await server.start()
        await _report(healths, bindings, is_serving=True)
        log.info("serving", address=bound.address)
        try:
            yield bound
        finally:
            await _report(healths, bindings, is_serving=False)
            interceptor.drain()
            await server.stop(settings.shutdown_grace_seconds)
            log.info("stopped")


def _with_telemetry(bindings: Sequence[Binding], registry: CollectorRegistry) -> Sequence[Binding]:
    """And the service's own metrics, unless somebody else gathers them."""
    if any(binding.full_name == TELEMETRY_SERVICE for binding in bindings):
        return bindings
    return [*bindings, telemetry_binding(TelemetryServicer(registry))]


def _register(server: grpc.aio.Server, bindings: Sequence[Binding]) -> health.aio.HealthServicer:
    for binding in bindings:
        binding.add(binding.servicer, server)
    healths = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(healths, server)
    names = [binding.full_name for binding in bindings]
    reflection.enable_server_reflection(
        [*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server
    )
    return healths


def _bind(server: grpc.aio.Server, settings: Settings, port: int) -> int:
    address, credentials = f"{settings.host}:{port}", server_credentials(settings)
    try:
        if credentials:
            return server.add_secure_port(address, credentials)
        return server.add_insecure_port(address)
    except RuntimeError as error:
        raise PortTaken(settings.host, port) from error


async def _report(
    healths: health.aio.HealthServicer,
    bindings: Sequence[Binding],
    *,
    is_serving: bool,
) -> None:
    response = health_pb2.HealthCheckResponse
    status = response.SERVING if is_serving else response.NOT_SERVING
    for name in ["", *(binding.full_name for binding in bindings)]:
        await healths.set(name, status)
