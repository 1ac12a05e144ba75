"""An inventory in memory, as a gRPC server that can go away and come back at the same address."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from cadastre.network.v1 import inventory_service_pb2 as pb
from cadastre.network.v1 import inventory_service_pb2_grpc
from shared.rpc.server import Binding, Runtime, running
from shared.settings import Settings


class FakeNetwork(inventory_service_pb2_grpc.InventoryServiceServicer):
    """``changes`` is the whole feed; ``association_ids`` what there is, or is being made, now.

    ``around_list`` is called before and after these are read for a list.
    """

    def __init__(self) -> None:
        self.changes: list[pb.WatchResponse] = []
        self.association_ids: set[str] = set()
        self.asked_after: list[int] = []
        self.around_list: Callable[[], object] = bool
        self._news = asyncio.Event()

    def tell(self, kind: "pb.ChangeKind.ValueType", allocation_id: str = "") -> int:
        """Append a change to the feed; its number."""
        sequence = len(self.changes) + 1
        association = pb.CidrAssociation(ipam_pool_allocation_id=allocation_id)
        self.changes.append(
            pb.WatchResponse(sequence=sequence, kind=kind, cidr_association=association)
        )
        self._news.set()
        self._news = asyncio.Event()
        return sequence

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[pb.WatchResponse]:
        after = request.after_sequence
        self.asked_after.append(after)
        while True:
            news = self._news
            for change in self.changes[after:]:
                yield change
                after = change.sequence
            await news.wait()

    async def ListCidrAssociations(self, request: Any, context: Any) -> Any:
        self.around_list()
        later = sorted(id_ for id_ in self.association_ids if id_ > request.next_token)
        self.around_list()
        return pb.ListCidrAssociationsResponse(
            cidr_associations=[pb.CidrAssociation(association_id=id_) for id_ in later[:1000]],
            next_token=later[999] if len(later) > 1000 else None,
        )


@asynccontextmanager
async def serving(network: FakeNetwork, settings: Settings) -> AsyncIterator[str]:
    """The address ``network`` answers at."""

    @asynccontextmanager
    async def build(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        yield [
            Binding(
                inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server,
                network,
                "cadastre.network.v1.InventoryService",
            )
        ]

    async with running("network", build, settings) as server:
        yield server.address
