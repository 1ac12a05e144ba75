"""Wiring."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import grpc

from cadastre.discovery.v1 import discovery_service_pb2_grpc
from services.discovery.clients import LedgerClient, NetworkSource
from services.discovery.service import Discovery
from services.discovery.servicer import DiscoveryServicer
from services.discovery.store import SqlStore
from shared.errors import CadastreError
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.rpc.client import Remote
from shared.rpc.server import Binding, Runtime, background

AWAY = (CadastreError, grpc.aio.AioRpcError)
"""What a call ends with when the other service refuses, stops or breaks; all of it may pass."""

FIRST_RECONNECT_SECONDS = 0.1
LAST_RECONNECT_SECONDS = 2.0
PASS_RETRY_SECONDS = 5.0


@asynccontextmanager
async def discovery(runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
    """The context, ready to serve, following its source and comparing now and then."""
    settings = runtime.settings
    database = Database(settings.database_url_of("discovery"))
    try:
        await database.run(upgrade, database, "services.discovery")
        store = SqlStore(database)
        await database.run(store.add_source, NetworkSource.name)
        async with (
            Remote.to("network", settings, runtime.signer) as network,
            Remote.to("allocation", settings, runtime.signer) as allocation,
        ):
            service = Discovery(NetworkSource(network), LedgerClient(allocation), store, _now)
            async with background(_follow(service, runtime), _run_passes(service, runtime)):
                yield [
                    Binding(
                        discovery_service_pb2_grpc.add_DiscoveryServiceServicer_to_server,
                        DiscoveryServicer(service),
                        "cadastre.discovery.v1.DiscoveryService",
                    )
                ]
    finally:
        database.close()


async def _follow(service: Discovery, runtime: Runtime) -> None:
    """Begin again when the source or the ledger was away, more slowly each time nothing came."""
    delay = FIRST_RECONNECT_SECONDS
    while True:
        before = await service.progress()
        try:
            await service.follow()
        except AWAY as error:
            runtime.log.warning("following the source was interrupted", error=str(error))
        if before != await service.progress():
            delay = FIRST_RECONNECT_SECONDS
        await asyncio.sleep(delay)
        delay = min(2 * delay, LAST_RECONNECT_SECONDS)


async def _run_passes(service: Discovery, runtime: Runtime) -> None:
    interval = runtime.settings.discovery_interval_seconds
    while True:
        try:
            released = await service.run_pass()
        except AWAY as error:
            runtime.log.warning("discovery pass failed", error=str(error))
            await asyncio.sleep(min(PASS_RETRY_SECONDS, interval))
        else:
            runtime.log.info("discovery pass", released_total=len(released))
            await asyncio.sleep(interval)


def _now() -> datetime:
    return datetime.now(UTC)
