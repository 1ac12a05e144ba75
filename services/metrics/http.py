"""Where Prometheus scrapes: ``GET /metrics``."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.metrics.service import Scrape
from shared.errors import StartFailed


class PrometheusPortTaken(StartFailed):
    """The port for scrapes can't be bound."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the chassis's, which ends this server together with the rest."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """Bind the address.

    Raises:
        PrometheusPortTaken: it can't be.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise PrometheusPortTaken(
            f"{host}:{port} can't be bound for Prometheus's scrapes; is something else listening"
            " there? CADASTRE_PORT moves all ports"
        ) from error


@asynccontextmanager
async def serving(scrape: Scrape, listener: socket.socket) -> AsyncIterator[None]:
    """Answer scrapes on ``listener`` for the length of the block, then close it."""

    async def metrics(_request: Request) -> Response:
        return Response(await scrape.gather(), media_type=CONTENT_TYPE_LATEST)

    app = Starlette(routes=[Route("/metrics", metrics)])
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    server = _Server(config)
    answering = asyncio.create_task(server.serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await answering
        listener.close()
