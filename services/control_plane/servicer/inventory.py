"""InventoryService: messages to use cases and back."""

from collections.abc import Iterator

from cadastre.control.v1 import inventory_service_pb2 as pb
from cadastre.control.v1 import inventory_service_pb2_grpc
from services.control_plane.messages import listed_pool_to_proto
from services.control_plane.service.ports import Reader
from services.control_plane.service.rows import Rows
from shared.paging import paginate
from shared.rpc.interceptor import Context


class InventoryServicer(inventory_service_pb2_grpc.InventoryServiceServicer):
    """Translates."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def ListIpamPools(
        self, request: pb.ListIpamPoolsRequest, _context: Context
    ) -> pb.ListIpamPoolsResponse:
        return await self._reader.read(lambda rows: _page(rows, request))


def _page(rows: Rows, request: pb.ListIpamPoolsRequest) -> pb.ListIpamPoolsResponse:
    def records_after(after: str | None) -> Iterator[tuple[str, pb.ListedIpamPool]]:
        for key, pool, ipam in rows.all_pools(after):
            yield key, listed_pool_to_proto(pool, ipam)

    found, token = paginate(request, records_after)
    return pb.ListIpamPoolsResponse(ipam_pools=found, next_token=token)
