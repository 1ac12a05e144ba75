"""What is to be discovered, in memory, as a gRPC server."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from cadastre.control.v1 import inventory_service_pb2 as pb
from cadastre.control.v1 import inventory_service_pb2_grpc
from shared.rpc.server import Binding, Runtime, running
from shared.settings import Settings


class FakeControlPlane(inventory_service_pb2_grpc.InventoryServiceServicer):
    """``ipams``, ``resource_discoveries`` and ``organizations`` are all there are."""

    def __init__(self) -> None:
        self.ipams: list[pb.ListedIpam] = []
        self.resource_discoveries: list[pb.ListedResourceDiscovery] = []
        self.organizations: list[pb.ListedOrganization] = []
        self.routes: list[pb.ByoipRoute] = []
        self.most_owners = 0
        """That it was asked of at once about."""

    async def ListIpamPools(self, request: Any, context: Any) -> Any:
        return pb.ListIpamPoolsResponse()

    async def ListIpams(self, request: Any, context: Any) -> Any:
        return pb.ListIpamsResponse(ipams=self.ipams)

    async def ListResourceDiscoveries(self, request: Any, context: Any) -> Any:
        return pb.ListResourceDiscoveriesResponse(resource_discoveries=self.resource_discoveries)

    async def ListOrganizations(self, request: Any, context: Any) -> Any:
        found = [
            one
            for one in self.organizations
            if not request.account_id or request.account_id in one.account_ids
        ]
        return pb.ListOrganizationsResponse(organizations=found)

    async def ListByoipRoutes(self, request: Any, context: Any) -> Any:
        owners = list(request.owner_ids)
        self.most_owners = max(self.most_owners, len(owners))
        found = [
            one for one in self.routes if one.owner_id in owners and one.region == request.region
        ]
        return pb.ListByoipRoutesResponse(byoip_routes=found)


@asynccontextmanager
async def serving(control_plane: FakeControlPlane, settings: Settings) -> AsyncIterator[str]:
    """The address it answers at."""

    @asynccontextmanager
    async def build(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        yield [
            Binding(
                inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server,
                control_plane,
                "cadastre.control.v1.InventoryService",
            )
        ]

    async with running("control_plane", build, settings) as server:
        yield server.address
