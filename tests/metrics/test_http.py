"""The HTTP server that answers scrapes."""

import asyncio

from services.metrics.http import listen, serving
from services.metrics.publishing import Publisher
from services.metrics.resources import OnDemand
from services.metrics.service import Scrape
from tests.metrics.test_collecting import World
from tests.waiting import PATIENCE_SECONDS

MORE_THAN_BUFFERS_HOLD = b"# \n" * 16_000_000


async def nothing() -> bytes:
    return b""


async def test_a_scraper_that_stops_reading_does_not_hold_up_the_end() -> None:
    figures = Publisher(World().collector, None, "yace")
    figures.text = MORE_THAN_BUFFERS_HOLD
    resources = OnDemand(nothing, stale_seconds=1, clock=lambda: 0)
    listener = listen("127.0.0.1", 0)
    host, port = listener.getsockname()
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        serving(Scrape([]), figures, resources, listener, grace_seconds=0),
    ):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.close()
