"""What was metered, put straight into a database, and the two services that tell it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from cadastre.control.v1 import inventory_service_pb2
from cadastre.discovery.billing.v1 import cost_explorer_service_pb2_grpc
from cadastre.discovery.v1 import cost_service_pb2_grpc
from services.discovery import tables
from services.discovery.clients.access import ControlPlaneAccess
from services.discovery.server import cost_bindings
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.rpc.client import Remote
from shared.rpc.server import Binding, Runtime, running
from tests.discovery import fake_control_plane
from tests.discovery.fake_control_plane import FakeControlPlane
from tests.discovery.monitored import HOME, IPAM, MEMBER, NOW, OWNER, as_account
from tests.network.support import Client, settings_for

MANAGEMENT = "111122223333"
HOUR = 3_600_000
"""In milliseconds."""
PRICE = Decimal("0.00027")


@dataclass
class Billed:
    """A running server, and what its database is filled with; its clock stands at `NOW`."""

    database: Database
    costs: Client
    cost_explorer: Client
    control: FakeControlPlane

    async def ask(self, request: Any, account_id: str = OWNER) -> Any:
        is_own = request.DESCRIPTOR.file.package == "cadastre.discovery.v1"
        client = self.costs if is_own else self.cost_explorer
        return await client.call(request, caller=as_account(account_id))

    def used(self, started_at: datetime, hours: float, **members: Any) -> None:
        """By `OWNER`'s own addresses, unless ``members`` say otherwise."""
        values = {
            "ipam_id": IPAM,
            "started_at": started_at,
            "is_whole_day": False,
            "resource_owner_id": OWNER,
            "payer_id": OWNER,
            "ipam_owner_id": OWNER,
            "ipam_region": HOME,
            "milliseconds": round(hours * HOUR),
            **members,
        }
        with self.database.write() as connection:
            connection.execute(tables.active_ip_usage.insert().values(values))


@asynccontextmanager
async def billing(database_url: str, folder: Path) -> AsyncIterator[Billed]:
    """`OWNER` and `MEMBER` are of `MANAGEMENT`'s organization."""
    settings, control = settings_for(folder), FakeControlPlane()
    control.organizations = [
        inventory_service_pb2.ListedOrganization(
            organization_id="o-exampleorgid",
            management_account_id=MANAGEMENT,
            account_ids=sorted([MANAGEMENT, OWNER, MEMBER]),
        )
    ]
    database = Database(database_url)

    @asynccontextmanager
    async def build(runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        async with Remote(address, signer=runtime.signer) as control_plane:
            yield cost_bindings(ControlPlaneAccess(control_plane), database, lambda: NOW, PRICE)

    try:
        await database.run(upgrade, database, "services.discovery")
        async with (
            fake_control_plane.serving(control, settings) as address,
            running("discovery", build, settings) as server,
        ):
            stubs = (
                cost_service_pb2_grpc.CostServiceStub,
                cost_explorer_service_pb2_grpc.CostExplorerServiceStub,
            )
            costs, cost_explorer = (Client(server.address, settings, stub) for stub in stubs)
            try:
                yield Billed(database, costs, cost_explorer, control)
            finally:
                await costs.close()
                await cost_explorer.close()
    finally:
        database.close()
