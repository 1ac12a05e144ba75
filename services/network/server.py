"""Wiring."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from cadastre.network.v1 import inventory_service_pb2_grpc, network_service_pb2_grpc
from services.network import tables
from services.network.clients import LedgerClient
from services.network.quotas import Quotas
from services.network.service.feed import Inventory
from services.network.service.tagging import Tagging
from services.network.service.undertaking import Undertakings
from services.network.service.vpcs import Vpcs
from services.network.servicer.inventory import InventoryServicer
from services.network.servicer.network import NetworkServicer
from services.network.store.store import SqlStore
from shared.feed import Bell
from shared.persistence.audit_trail import AuditTrail
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.rpc.audit_trail import audited
from shared.rpc.client import Remote
from shared.rpc.server import Binding, Runtime, background

UNDOING_INTERVAL_SECONDS = 1.0


@asynccontextmanager
async def network(runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
    """The context, ready to serve; what a former process left half done is undone from now on."""
    database = Database(runtime.settings.database_url_of("network"))
    try:
        await database.run(upgrade, database, "services.network")
        bell = Bell()
        store = SqlStore(database, on_change=bell.ring)
        async with Remote.to("allocation", runtime.settings, runtime.signer) as remote:
            undertakings = Undertakings(store, LedgerClient(remote), _now)
            vpcs = Vpcs(store, undertakings, Quotas())
            days = runtime.settings.audit_retention_days
            trail = AuditTrail(database, tables.audit_events, retention_days=days)
            async with background(_undo_abandoned(undertakings, runtime), trail.run()):
                yield audited(_bindings(vpcs, Tagging(store), Inventory(store, bell)), trail)
    finally:
        database.close()


def _bindings(vpcs: Vpcs, tagging: Tagging, inventory: Inventory) -> Sequence[Binding]:
    return [
        Binding(
            network_service_pb2_grpc.add_NetworkServiceServicer_to_server,
            NetworkServicer(vpcs, tagging),
            "cadastre.network.v1.NetworkService",
        ),
        Binding(
            inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server,
            InventoryServicer(inventory),
            "cadastre.network.v1.InventoryService",
        ),
    ]


async def _undo_abandoned(undertakings: Undertakings, runtime: Runtime) -> None:
    while True:
        for failure in await undertakings.undo_abandoned():
            runtime.log.warning("undoing an allocation failed; it is tried again", exc_info=failure)
        await asyncio.sleep(UNDOING_INTERVAL_SECONDS)


def _now() -> datetime:
    return datetime.now(UTC)
