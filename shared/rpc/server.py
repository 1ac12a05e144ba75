"""One way to start a gRPC service."""

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import structlog
import uvloop
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from cadastre.common.v1 import telemetry_service_pb2_grpc
from shared import fail_points, telemetry
from shared.errors import StartFailed
from shared.identity import TokenSigner, TokenVerifier, load_secret
from shared.rpc.client import MAX_MESSAGE_BYTES
from shared.rpc.interceptor import ChassisInterceptor, caller_of
from shared.rpc.metrics import RpcMetrics
from shared.rpc.telemetry_servicer import TelemetryServicer
from shared.settings import Context as ContextName
from shared.settings import Settings

__all__ = [
    "Binding",
    "Build",
    "RunningServer",
    "Runtime",
    "background",
    "caller_of",
    "main",
    "running",
]

_OPTIONS = [
    # Otherwise a second process would silently share the port.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
]
# Objects that came and stayed, collections of these, and collections of those in turn.
_COLLECTED_AFTER = (50_000, 20, 50)


@dataclass(frozen=True)
class Runtime:
    """What the chassis gives a context to build itself with."""

    context: ContextName
    settings: Settings
    registry: CollectorRegistry
    signer: TokenSigner
    log: structlog.typing.FilteringBoundLogger


@dataclass(frozen=True)
class Binding:
    """A servicer and how it is registered. ``full_name`` is the service's, package included."""

    add: Callable[[Any, grpc.aio.Server], None]
    servicer: object
    full_name: str


@dataclass(frozen=True)
class RunningServer:
    """A server that accepts calls."""

    host: str
    port: int

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{self.host}:{self.port}"


Build: TypeAlias = Callable[[Runtime], AbstractAsyncContextManager[Sequence[Binding]]]
"""A context's wiring: opens its database, clients and background work, and closes them."""


class PortTaken(StartFailed):
    """The port can't be bound."""


def main(context: ContextName, build: Build) -> None:
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


async def _serve_until_told(context: ContextName, build: Build, settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(context, build, settings):
        _settle_memory()
        await stop.wait()


def _settle_memory() -> None:
    """Keep the garbage collector off what stays for good: all that was imported and set up.

    Looking through that takes tens of milliseconds each time, in which every call waits. What a
    call leaves behind is mostly freed without the collector, so that it can come by less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTED_AFTER)


@asynccontextmanager
async def running(
    context: ContextName, build: Build, settings: Settings
) -> AsyncIterator[RunningServer]:
    """A context's server, from the moment it serves to the moment it has drained.

    Raises:
        StartFailed: the signing key is unusable, the port taken, or what ``build`` says.
    """
    secret = load_secret(settings.identity_secret_path)
    registry, log = telemetry.new_registry(), telemetry.logger(context)
    runtime = Runtime(context, settings, registry, TokenSigner(secret), log)
    interceptor = ChassisInterceptor(
        verifier=TokenVerifier(secret), metrics=RpcMetrics(registry), log=log
    )
    server = grpc.aio.server(interceptors=[interceptor], options=_OPTIONS)
    async with build(runtime) as bindings:
        healths = _register(server, [*bindings, _telemetry_binding(registry)])
        bound = RunningServer(
            settings.host, _bind(server, settings.host, settings.port_of(context))
        )
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


@asynccontextmanager
async def background(*coroutines: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Work that goes on for the length of the block.

    When one of them fails, the task that opened the block is cancelled, so the service stops.

    Raises:
        ExceptionGroup: at the end of the block, with what failed.
    """
    owner = asyncio.current_task()

    def ended(task: asyncio.Task[None]) -> None:
        if owner and not task.cancelled() and task.exception():
            owner.cancel()

    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    for task in tasks:
        task.add_done_callback(ended)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        if failures := [result for result in results if isinstance(result, Exception)]:
            raise ExceptionGroup("background work failed", failures)


def _telemetry_binding(registry: CollectorRegistry) -> Binding:
    return Binding(
        telemetry_service_pb2_grpc.add_TelemetryServiceServicer_to_server,
        TelemetryServicer(registry),
        "cadastre.common.v1.TelemetryService",
    )


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


def _bind(server: grpc.aio.Server, host: str, port: int) -> int:
    try:
        return server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:
        raise PortTaken(
            f"{host}:{port} can't be bound; is something else listening there? CADASTRE_PORT moves"
            " all ports"
        ) from error


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
