"""InventoryService: messages to use cases and back."""

from collections.abc import Iterator

from cadastre.control.v1 import inventory_service_pb2 as pb
from cadastre.control.v1 import inventory_service_pb2_grpc
from services.control_plane.messages import listed_ipam_to_proto, listed_pool_to_proto
from services.control_plane.service.byoip.routes import ByoipRoutes
from services.control_plane.service.coverage import discovered_parts
from services.control_plane.service.organizations.listing import (
    OrganizationPart,
    organization_parts,
)
from services.control_plane.service.ports import Reader
from services.control_plane.service.rows import Rows
from services.control_plane.servicer.resource_discovery_messages import part_to_proto
from services.control_plane.servicer.route_protection_messages import route_to_proto
from shared.paging import paginate
from shared.rpc.interceptor import Context

# Each with a thousand accounts, in OUs of the longest ids, they fit into one gRPC message.
LARGEST_DISCOVERIES_PAGE = 40
# Likewise; their accounts take a third of one.
LARGEST_ORGANIZATIONS_PAGE = 100


class InventoryServicer(inventory_service_pb2_grpc.InventoryServiceServicer):
    """Translates."""

    def __init__(self, reader: Reader, routes: ByoipRoutes) -> None:
        self._reader, self._routes = reader, routes

    async def ListIpamPools(
        self, request: pb.ListIpamPoolsRequest, _context: Context
    ) -> pb.ListIpamPoolsResponse:
        return await self._reader.read(lambda rows: _pools_page(rows, request))

    async def ListIpams(
        self, request: pb.ListIpamsRequest, _context: Context
    ) -> pb.ListIpamsResponse:
        return await self._reader.read(lambda rows: _ipams_page(rows, request))

    async def ListResourceDiscoveries(
        self, request: pb.ListResourceDiscoveriesRequest, _context: Context
    ) -> pb.ListResourceDiscoveriesResponse:
        return await self._reader.read(lambda rows: _discoveries_page(rows, request))

    async def ListOrganizations(
        self, request: pb.ListOrganizationsRequest, _context: Context
    ) -> pb.ListOrganizationsResponse:
        return await self._reader.read(lambda rows: _organizations_page(rows, request))

    async def ListByoipRoutes(
        self, request: pb.ListByoipRoutesRequest, _context: Context
    ) -> pb.ListByoipRoutesResponse:
        routes = await self._routes.of_owners(set(request.owner_ids), request.region)
        return pb.ListByoipRoutesResponse(byoip_routes=map(route_to_proto, routes))


def _pools_page(rows: Rows, request: pb.ListIpamPoolsRequest) -> pb.ListIpamPoolsResponse:
    def records_after(after: str | None) -> Iterator[tuple[str, pb.ListedIpamPool]]:
        for key, pool, ipam in rows.all_pools(after):
            yield key, listed_pool_to_proto(pool, ipam)

    found, token = paginate(request, records_after)
    return pb.ListIpamPoolsResponse(ipam_pools=found, next_token=token)


def _ipams_page(rows: Rows, request: pb.ListIpamsRequest) -> pb.ListIpamsResponse:
    def records_after(after: str | None) -> Iterator[tuple[str, pb.ListedIpam]]:
        for key, ipam, scopes in rows.all_ipams(after):
            yield key, listed_ipam_to_proto(ipam, scopes)

    found, token = paginate(request, records_after)
    return pb.ListIpamsResponse(ipams=found, next_token=token)


def _discoveries_page(
    rows: Rows, request: pb.ListResourceDiscoveriesRequest
) -> pb.ListResourceDiscoveriesResponse:
    def records_after(after: str | None) -> Iterator[tuple[str, pb.ListedResourceDiscovery]]:
        for key, part in discovered_parts(rows, after):
            yield key, part_to_proto(part)

    bounded = pb.ListResourceDiscoveriesRequest(
        max_results=min(request.max_results or LARGEST_DISCOVERIES_PAGE, LARGEST_DISCOVERIES_PAGE),
        next_token=request.next_token,
    )
    found, token = paginate(bounded, records_after)
    return pb.ListResourceDiscoveriesResponse(resource_discoveries=found, next_token=token)


def _organizations_page(
    rows: Rows, request: pb.ListOrganizationsRequest
) -> pb.ListOrganizationsResponse:
    account_id = request.account_id if request.HasField("account_id") else None

    def records_after(after: str | None) -> Iterator[tuple[str, pb.ListedOrganization]]:
        for key, part in organization_parts(rows, account_id, after):
            yield key, _organization_to_proto(part)

    bounded = pb.ListOrganizationsRequest(
        account_id=account_id,
        max_results=request.max_results or LARGEST_ORGANIZATIONS_PAGE,
        next_token=request.next_token,
    )
    found, token = paginate(bounded, records_after)
    return pb.ListOrganizationsResponse(organizations=found, next_token=token)


def _organization_to_proto(part: OrganizationPart) -> pb.ListedOrganization:
    return pb.ListedOrganization(
        organization_id=part.organization.organization_id,
        management_account_id=part.organization.management_account_id,
        ipam_administrator_id=part.ipam_administrator_id,
        account_ids=part.account_ids,
    )
