"""Wiring."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from cadastre.control.v1 import control_service_pb2_grpc, inventory_service_pb2_grpc
from services.control_plane import tables
from services.control_plane.clients import LedgerClient
from services.control_plane.quotas import Quotas
from services.control_plane.saga import Saga
from services.control_plane.service.ipams import adopt_quotas
from services.control_plane.servicer import ControlPlaneServicer
from services.control_plane.servicer.inventory import InventoryServicer
from services.control_plane.store.commands import SqlCommands
from services.control_plane.store.reader import SqlReader
from services.control_plane.store.steps import outbox_handlers
from shared.persistence.client_tokens import ClientTokens
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.persistence.outbox import Outbox
from shared.rpc.client import Remote
from shared.rpc.server import Binding, Runtime, background


@asynccontextmanager
async def control_plane(runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
    """The context, ready to serve; steps a former process left are carried out from now on."""
    quotas = Quotas()
    database = Database(runtime.settings.database_url_of("control_plane"))
    try:
        await database.run(upgrade, database, "services.control_plane")
        async with Remote.to("allocation", runtime.settings, runtime.signer) as remote:
            ledger, reader = LedgerClient(remote), SqlReader(database)
            handlers = outbox_handlers(Saga(reader, ledger).handlers)
            outbox = Outbox(database, tables.outbox, handlers)
            commands = SqlCommands(database, outbox, ClientTokens(tables.client_tokens))
            await database.run(commands.enqueue_all, lambda rows: adopt_quotas(rows, quotas))
            servicer = ControlPlaneServicer(reader, commands, ledger, quotas)
            async with background(outbox.run()):
                yield [
                    Binding(
                        control_service_pb2_grpc.add_ControlPlaneServiceServicer_to_server,
                        servicer,
                        "cadastre.control.v1.ControlPlaneService",
                    ),
                    Binding(
                        inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server,
                        InventoryServicer(reader),
                        "cadastre.control.v1.InventoryService",
                    ),
                ]
    finally:
        database.close()
