"""What is to be discovered, in memory, as a gRPC server."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from cadastre.control.v1 import inventory_service_pb2 as pb
from cadastre.control.v1 import inventory_service_pb2_grpc
from shared.rpc.server import Binding, Runtime, running
from shared.settings import Settings


class FakeControlPlane(inventory_service_pb2_grpc.InventoryServiceServicer):
    """``ipams`` and ``resource_discoveries`` are all there are."""

    def __init__(self) -> None:
        self.ipams: list[pb.ListedIpam] = []
        self.resource_discoveries: list[pb.ListedResourceDiscovery] = []

    async def ListIpamPools(self, request: Any, context: Any) -> Any:
        return pb.ListIpamPoolsResponse()

    async def ListIpams(self, request: Any, context: Any) -> Any:
        return pb.ListIpamsResponse(ipams=self.ipams)

    async def ListResourceDiscoveries(self, request: Any, context: Any) -> Any:
        return pb.ListResourceDiscoveriesResponse(resource_discoveries=self.resource_discoveries)


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
