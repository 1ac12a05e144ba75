"""What the chassis gives a context to build itself with, and what it gets to serve."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import structlog
from prometheus_client import CollectorRegistry

from shared import telemetry
from shared.identity import TokenSigner
from shared.settings import Context, Settings


@dataclass(frozen=True)
class Runtime:
    """What the chassis gives a context to build itself with."""

    context: Context
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


def runtime_for(context: Context, settings: Settings, secret: bytes) -> Runtime:
    """With a registry and a logger of its own."""
    registry, log = telemetry.new_registry(), telemetry.logger(context)
    return Runtime(context, settings, registry, TokenSigner(secret), log)
