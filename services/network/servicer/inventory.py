"""InventoryService: messages to use cases and back."""

from collections.abc import AsyncIterator

from cadastre.network.v1 import inventory_service_pb2 as pb
from cadastre.network.v1 import inventory_service_pb2_grpc
from services.network.changes import CidrRecord
from services.network.service.feed import CidrRecordsAfter, Inventory
from services.network.servicer.messages import record_to_proto
from shared.paging import paginate
from shared.rpc.interceptor import Context


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
