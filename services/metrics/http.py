"""Where Prometheus scrapes: ``GET /metrics``, and every resource at ``GET /metrics/resources``."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from services.metrics.publishing import Publisher
from services.metrics.resources import OnDemand
from services.metrics.service import Scrape
from shared.errors import StartFailed

FIRST_READING_SECONDS = 8.0
"""How long the first scrape of resources waits; under Prometheus's usual timeout of 10 seconds."""


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
async def serving(
    scrape: Scrape,
    figures: Publisher,
    resources: OnDemand,
    listener: socket.socket,
    *,
    grace_seconds: float,
) -> AsyncIterator[None]:
    """Answer scrapes on ``listener`` for the length of the block, then close it.

    Services are asked for their own metrics by each scrape; figures are only sent. At the end,
    whoever is still reading has ``grace_seconds`` left.
    """

    async def metrics(_request: Request) -> Response:
        own = await scrape.gather()
        return Response(own + figures.text, media_type=CONTENT_TYPE_LATEST)

    async def every_resource(_request: Request) -> Response:
        text = await resources.text(within_seconds=FIRST_READING_SECONDS)
        if text is None:
            return PlainTextResponse("not read yet; scrape again at the next interval\n", 503)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    app = Starlette(
        routes=[Route("/metrics", metrics), Route("/metrics/resources", every_resource)]
    )
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=round(grace_seconds),
    )
    server = _Server(config)
    answering = asyncio.create_task(server.serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await answering
        listener.close()
