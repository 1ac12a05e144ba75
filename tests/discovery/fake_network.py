"""An inventory in memory, as a gRPC server that can go away and come back at the same address."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from cadastre.common.v1.inventory_pb2 import InventoryPart
from cadastre.network.v1 import inventory_service_pb2 as pb
from cadastre.network.v1 import inventory_service_pb2_grpc
from shared.rpc.server import Binding, Runtime, running
from shared.settings import Settings

GAINED = pb.CHANGE_KIND_CIDR_ASSOCIATED
LOST = pb.CHANGE_KIND_CIDR_DISASSOCIATED


def vpc_cidr(vpc_id: str, cidr: str, **members: str) -> pb.CidrAssociation:
    """A block of a VPC, or of what else ``members`` say."""
    return pb.CidrAssociation(
        **{
            "association_id": f"vpc-cidr-assoc-{uuid4().hex[:17]}",
            "resource_id": vpc_id,
            "resource_type": "vpc",
            "owner_id": "123456789012",
            "region": "us-west-2",
            "cidr": cidr,
            **members,
        }
    )


class FakeNetwork(inventory_service_pb2_grpc.InventoryServiceServicer):
    """``changes`` is the whole feed; ``associations`` what there is, or is being made, by id.

    ``around_list`` is called before and after these are read for a list. ``inventories`` is what
    accounts have in regions.
    """

    def __init__(self) -> None:
        self.changes: list[pb.WatchResponse] = []
        self.associations: dict[str, pb.CidrAssociation] = {}
        self.asked_after: list[int] = []
        self.around_list: Callable[[], object] = bool
        self.inventories: dict[tuple[str, str], list[InventoryPart]] = {}
        self._news = asyncio.Event()

    def hold(self, *association_ids: str) -> None:
        """Have blocks of which no more matters."""
        for id_ in association_ids:
            self.associations[id_] = pb.CidrAssociation(association_id=id_)

    def gain(self, *gained: pb.CidrAssociation) -> int:
        """Have blocks and tell of them; the last change's number."""
        for association in gained:
            self.associations[association.association_id] = association
            self._append(GAINED, association)
        return len(self.changes)

    def lose(self, *lost: pb.CidrAssociation) -> int:
        """Have blocks no longer and tell of it; the last change's number."""
        for association in lost:
            del self.associations[association.association_id]
            self._append(LOST, association)
        return len(self.changes)

    def tell(self, kind: "pb.ChangeKind.ValueType", allocation_id: str = "") -> int:
        """Append a change of which no more matters to the feed; its number."""
        self._append(kind, pb.CidrAssociation(ipam_pool_allocation_id=allocation_id))
        return len(self.changes)

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
        later = sorted(id_ for id_ in self.associations if id_ > request.next_token)
        page = [self.associations[id_] for id_ in later[:1000]]
        self.around_list()
        return pb.ListCidrAssociationsResponse(
            cidr_associations=page,
            next_token=later[999] if len(later) > 1000 else None,
        )

    async def GetInventory(
        self, request: Any, context: Any
    ) -> AsyncIterator[pb.GetInventoryResponse]:
        for part in self.inventories.get((request.owner_id, request.region), []):
            yield pb.GetInventoryResponse(part=part)

    def _append(self, kind: "pb.ChangeKind.ValueType", association: pb.CidrAssociation) -> None:
        sequence = len(self.changes) + 1
        self.changes.append(
            pb.WatchResponse(sequence=sequence, kind=kind, cidr_association=association)
        )
        self._news.set()
        self._news = asyncio.Event()


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
