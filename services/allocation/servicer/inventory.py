"""InventoryService: what discovery reads of the ledger and has it take in."""

from collections.abc import Callable
from datetime import datetime

from cadastre.allocation.v1 import inventory_service_pb2 as pb
from cadastre.allocation.v1 import inventory_service_pb2_grpc
from services.allocation.service.ledger import Ledger
from services.allocation.service.view import Reader
from services.allocation.servicer import listings
from services.allocation.servicer.inventory_messages import imports_from_proto, outcome_to_proto
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of


class InventoryServicer(inventory_service_pb2_grpc.InventoryServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(self, ledger: Ledger, reader: Reader, clock: Callable[[], datetime]) -> None:
        self._ledger, self._reader, self._clock = ledger, reader, clock

    async def ListPools(
        self, request: pb.ListPoolsRequest, _context: Context
    ) -> pb.ListPoolsResponse:
        return await self._reader.read(lambda view: listings.pools_of_ipam(view, request))

    async def ListPoolUsages(
        self, request: pb.ListPoolUsagesRequest, _context: Context
    ) -> pb.ListPoolUsagesResponse:
        now = self._clock()
        return await self._reader.read(lambda view: listings.pool_usages(view, request, now))

    async def ListAllocations(
        self, request: pb.ListAllocationsRequest, _context: Context
    ) -> pb.ListAllocationsResponse:
        return await self._reader.read(lambda view: listings.allocations_of_ipam(view, request))

    async def ImportResourceCidrs(
        self, request: pb.ImportResourceCidrsRequest, context: Context
    ) -> pb.ImportResourceCidrsResponse:
        outcomes = await self._ledger.import_resources(
            caller_of(context), imports_from_proto(request.imports)
        )
        return pb.ImportResourceCidrsResponse(outcomes=map(outcome_to_proto, outcomes))
