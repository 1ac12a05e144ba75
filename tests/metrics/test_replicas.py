"""Connections to processes that are there, or are not."""

import asyncio

from services.metrics.clients.replicas import RemoteReplica
from shared.identity import TokenSigner
from shared.rpc.client import Remote


async def test_a_replica_that_is_closed_while_asked_tells_nothing() -> None:
    """One scrape finds a replica gone while another one waits for it."""
    is_asked, is_over = asyncio.Event(), asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_asked.set()
        await is_over.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    replica = RemoteReplica(Remote(f"127.0.0.1:{port}", signer=TokenSigner(b"x" * 32)))
    async with server:
        asking = asyncio.create_task(replica.metrics())
        await is_asked.wait()
        await replica.close()
        assert await asking is None
        is_over.set()
