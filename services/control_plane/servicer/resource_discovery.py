"""ResourceDiscoveryService: messages to use cases and back."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from cadastre.control.v1 import resource_discovery_service_pb2 as pb
from cadastre.control.v1 import resource_discovery_service_pb2_grpc
from services.control_plane.quotas import Quotas
from services.control_plane.resource_discoveries.association import SeenAssociation
from services.control_plane.resource_discoveries.resource_discovery import ResourceDiscovery
from services.control_plane.service import discovery_associations, resource_discoveries
from services.control_plane.service.ports import Commands, Reader
from services.control_plane.servicer.listings import Listing, Record, Resource
from services.control_plane.servicer.once import once_of
from services.control_plane.servicer.resource_discovery_messages import (
    association_to_proto,
    new_association_from_proto,
    new_resource_discovery_from_proto,
    resource_discovery_change_from_proto,
    resource_discovery_to_proto,
)
from shared.ids import IPAM_RESOURCE_DISCOVERY, IPAM_RESOURCE_DISCOVERY_ASSOCIATION
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of

_DISCOVERIES: Listing[ResourceDiscovery, pb.IpamResourceDiscovery] = Listing(
    IPAM_RESOURCE_DISCOVERY,
    lambda discovery: discovery.ipam_resource_discovery_id,
    lambda rows: partial(resource_discoveries.visible_discoveries, rows),
    pb.IpamResourceDiscovery.DESCRIPTOR,
    resource_discovery_to_proto,
)
_ASSOCIATIONS: Listing[SeenAssociation, pb.IpamResourceDiscoveryAssociation] = Listing(
    IPAM_RESOURCE_DISCOVERY_ASSOCIATION,
    lambda seen: seen.association.ipam_resource_discovery_association_id,
    lambda rows: partial(discovery_associations.visible_associations, rows),
    pb.IpamResourceDiscoveryAssociation.DESCRIPTOR,
    association_to_proto,
)


class ResourceDiscoveryServicer(
    resource_discovery_service_pb2_grpc.ResourceDiscoveryServiceServicer
):
    """Translates; what is decided is decided in ``service``."""

    def __init__(self, reader: Reader, commands: Commands, quotas: Quotas) -> None:
        self._reader, self._commands, self._quotas = reader, commands, quotas

    async def CreateIpamResourceDiscovery(
        self, request: pb.CreateIpamResourceDiscoveryRequest, context: Context
    ) -> pb.CreateIpamResourceDiscoveryResponse:
        caller, wanted = caller_of(context), new_resource_discovery_from_proto(request)
        answer = await self._commands.create(
            lambda rows: resource_discoveries.create_resource_discovery(rows, caller, wanted),
            lambda discovery: pb.CreateIpamResourceDiscoveryResponse(
                ipam_resource_discovery=resource_discovery_to_proto(discovery)
            ),
            once=once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.CreateIpamResourceDiscoveryResponse.FromString(answer)

    async def DescribeIpamResourceDiscoveries(
        self, request: pb.DescribeIpamResourceDiscoveriesRequest, context: Context
    ) -> pb.DescribeIpamResourceDiscoveriesResponse:
        ids = request.ipam_resource_discovery_ids
        records, token = await self._page(_DISCOVERIES, request, context, ids)
        return pb.DescribeIpamResourceDiscoveriesResponse(
            ipam_resource_discoveries=records, next_token=token
        )

    async def ModifyIpamResourceDiscovery(
        self, request: pb.ModifyIpamResourceDiscoveryRequest, context: Context
    ) -> pb.ModifyIpamResourceDiscoveryResponse:
        caller, change = caller_of(context), resource_discovery_change_from_proto(request)
        discovery = await self._commands.change(
            lambda rows: resource_discoveries.modify_resource_discovery(
                rows, caller, request.ipam_resource_discovery_id, change, self._quotas
            ),
            dry_run=request.dry_run,
        )
        return pb.ModifyIpamResourceDiscoveryResponse(
            ipam_resource_discovery=resource_discovery_to_proto(discovery)
        )

    async def DeleteIpamResourceDiscovery(
        self, request: pb.DeleteIpamResourceDiscoveryRequest, context: Context
    ) -> pb.DeleteIpamResourceDiscoveryResponse:
        caller = caller_of(context)
        discovery = await self._commands.change(
            lambda rows: resource_discoveries.delete_resource_discovery(
                rows, caller, request.ipam_resource_discovery_id
            ),
            dry_run=request.dry_run,
        )
        return pb.DeleteIpamResourceDiscoveryResponse(
            ipam_resource_discovery=resource_discovery_to_proto(discovery)
        )

    async def AssociateIpamResourceDiscovery(
        self, request: pb.AssociateIpamResourceDiscoveryRequest, context: Context
    ) -> pb.AssociateIpamResourceDiscoveryResponse:
        caller, wanted = caller_of(context), new_association_from_proto(request)
        answer = await self._commands.create(
            lambda rows: discovery_associations.associate(rows, caller, wanted, self._quotas),
            lambda seen: pb.AssociateIpamResourceDiscoveryResponse(
                ipam_resource_discovery_association=association_to_proto(seen)
            ),
            once=once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.AssociateIpamResourceDiscoveryResponse.FromString(answer)

    async def DisassociateIpamResourceDiscovery(
        self, request: pb.DisassociateIpamResourceDiscoveryRequest, context: Context
    ) -> pb.DisassociateIpamResourceDiscoveryResponse:
        caller = caller_of(context)
        seen = await self._commands.change(
            lambda rows: discovery_associations.disassociate(
                rows, caller, request.ipam_resource_discovery_association_id
            ),
            dry_run=request.dry_run,
        )
        return pb.DisassociateIpamResourceDiscoveryResponse(
            ipam_resource_discovery_association=association_to_proto(seen)
        )

    async def DescribeIpamResourceDiscoveryAssociations(
        self, request: pb.DescribeIpamResourceDiscoveryAssociationsRequest, context: Context
    ) -> pb.DescribeIpamResourceDiscoveryAssociationsResponse:
        ids = request.ipam_resource_discovery_association_ids
        records, token = await self._page(_ASSOCIATIONS, request, context, ids)
        return pb.DescribeIpamResourceDiscoveryAssociationsResponse(
            ipam_resource_discovery_associations=records, next_token=token
        )

    async def _page(
        self, listing: Listing[Resource, Record], request: Any, context: Context, ids: Sequence[str]
    ) -> tuple[list[Record], str | None]:
        caller = caller_of(context)
        return await self._reader.read(lambda rows: listing.page(rows, caller, request, ids))
