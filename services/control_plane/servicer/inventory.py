"""InventoryService: messages to use cases and back."""

from collections.abc import Iterator

from cadastre.control.v1 import inventory_service_pb2 as pb
from cadastre.control.v1 import inventory_service_pb2_grpc
from services.control_plane.messages import listed_pool_to_proto
from services.control_plane.service.coverage import parts_seen
from services.control_plane.service.ports import Reader
from services.control_plane.service.rows import Rows
from services.control_plane.servicer.resource_discovery_messages import seen_part_to_proto
from shared.paging import paginate
from shared.rpc.interceptor import Context

# Each with a thousand accounts, they fit into one gRPC message.
_DISCOVERIES_PER_PAGE = 100


class InventoryServicer(inventory_service_pb2_grpc.InventoryServiceServicer):
    """Translates."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def ListIpamPools(
        self, request: pb.ListIpamPoolsRequest, _context: Context
    ) -> pb.ListIpamPoolsResponse:
        return await self._reader.read(lambda rows: _pools_page(rows, request))

    async def ListResourceDiscoveries(
        self, request: pb.ListResourceDiscoveriesRequest, _context: Context
    ) -> pb.ListResourceDiscoveriesResponse:
        return await self._reader.read(lambda rows: _discoveries_page(rows, request))


def _pools_page(rows: Rows, request: pb.ListIpamPoolsRequest) -> pb.ListIpamPoolsResponse:
    def records_after(after: str | None) -> Iterator[tuple[str, pb.ListedIpamPool]]:
        for key, pool, ipam in rows.all_pools(after):
            yield key, listed_pool_to_proto(pool, ipam)

    found, token = paginate(request, records_after)
    return pb.ListIpamPoolsResponse(ipam_pools=found, next_token=token)


def _discoveries_page(
    rows: Rows, request: pb.ListResourceDiscoveriesRequest
) -> pb.ListResourceDiscoveriesResponse:
    def records_after(after: str | None) -> Iterator[tuple[str, pb.ListedResourceDiscovery]]:
        for key, part in parts_seen(rows, after):
            yield key, seen_part_to_proto(part)

    bounded = pb.ListResourceDiscoveriesRequest(
        max_results=request.max_results or _DISCOVERIES_PER_PAGE, next_token=request.next_token
    )
    found, token = paginate(bounded, records_after)
    return pb.ListResourceDiscoveriesResponse(resource_discoveries=found, next_token=token)
