"""InventoryService: messages to use cases and back."""

from collections.abc import AsyncIterator
from dataclasses import replace

from cadastre.network.v1 import inventory_service_pb2 as pb
from cadastre.network.v1 import inventory_service_pb2_grpc
from services.network.changes import CidrRecord
from services.network.service.feed import CidrRecordsAfter, Inventory
from services.network.servicer.inventory_messages import parts_to_proto
from services.network.servicer.messages import record_to_proto
from shared.paging import paginate
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of


class InventoryServicer(inventory_service_pb2_grpc.InventoryServiceServicer):
    """Translates."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    async def Watch(
        self,
        request: pb.WatchRequest,
        _context: Context,
    ) -> AsyncIterator[pb.WatchResponse]:
        async for numbered in self._inventory.changes(request.after_sequence):
            yield pb.WatchResponse(
                sequence=numbered.sequence,
                kind=pb.ChangeKind.ValueType(numbered.change.kind.value),
                cidr_association=record_to_proto(numbered.change.record),
            )

    async def ListCidrAssociations(
        self,
        request: pb.ListCidrAssociationsRequest,
        _context: Context,
    ) -> pb.ListCidrAssociationsResponse:
        def page(records: CidrRecordsAfter) -> tuple[list[CidrRecord], str | None]:
            return paginate(request, records)

        found, token = await self._inventory.cidr_records(page)
        return pb.ListCidrAssociationsResponse(
            cidr_associations=map(record_to_proto, found), next_token=token
        )

    async def GetInventory(
        self,
        request: pb.GetInventoryRequest,
        context: Context,
    ) -> AsyncIterator[pb.GetInventoryResponse]:
        owner = replace(caller_of(context), account_id=request.owner_id, region=request.region)
        # All are made before the first is sent, so that no transaction waits for a slow reader.
        for part in await self._inventory.resources(owner, parts_to_proto):
            yield pb.GetInventoryResponse(part=part)
