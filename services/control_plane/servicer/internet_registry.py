"""InternetRegistryService: messages to use cases and back."""

from collections.abc import Callable, Iterator
from datetime import datetime

from cadastre.control.v1 import internet_registry_service_pb2 as pb
from cadastre.control.v1 import internet_registry_service_pb2_grpc
from services.control_plane.delegated_rpki.resources import Range
from services.control_plane.internet_registries import asns
from services.control_plane.internet_registries.association import InternetRegistryAssociation
from services.control_plane.quotas import Quotas
from services.control_plane.service.internet_registries import associations
from services.control_plane.service.internet_registries.holding import known_association
from services.control_plane.service.ports import Commands, Reader
from services.control_plane.service.rows import Rows
from services.control_plane.servicer.internet_registry_messages import (
    asn_to_proto,
    association_to_proto,
    cidr_to_proto,
    new_association_from_proto,
    parent_from_proto,
)
from services.control_plane.servicer.listings import Listing
from services.control_plane.servicer.once import once_of
from services.control_plane.servicer.routing_policy import roas_page
from shared.caller import Caller
from shared.filters import FilterSet
from shared.ids import IPAM_INTERNET_REGISTRY_ASSOCIATION
from shared.paging import paginate
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of

_ASSOCIATIONS: Listing[InternetRegistryAssociation, pb.IpamInternetRegistryAssociation] = Listing(
    IPAM_INTERNET_REGISTRY_ASSOCIATION,
    lambda association: association.ipam_internet_registry_association_id,
    lambda rows: rows.internet_registries.visible,
    pb.IpamInternetRegistryAssociation.DESCRIPTOR,
    association_to_proto,
)


class InternetRegistryServicer(internet_registry_service_pb2_grpc.InternetRegistryServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(
        self,
        reader: Reader,
        commands: Commands,
        check_host: associations.CheckHost,
        quotas: Quotas,
        clock: Callable[[], datetime],
    ) -> None:
        self._reader, self._commands = reader, commands
        self._check_host, self._quotas, self._clock = check_host, quotas, clock

    async def CreateIpamInternetRegistryAssociation(
        self, request: pb.CreateIpamInternetRegistryAssociationRequest, context: Context
    ) -> pb.CreateIpamInternetRegistryAssociationResponse:
        caller, wanted = caller_of(context), new_association_from_proto(request)
        answer = await self._commands.create(
            lambda rows: associations.create_association(
                rows, caller, request.ipam_id, wanted, self._quotas
            ),
            lambda association: pb.CreateIpamInternetRegistryAssociationResponse(
                ipam_internet_registry_association=association_to_proto(association)
            ),
            once=once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.CreateIpamInternetRegistryAssociationResponse.FromString(answer)

    async def DescribeIpamInternetRegistryAssociations(
        self, request: pb.DescribeIpamInternetRegistryAssociationsRequest, context: Context
    ) -> pb.DescribeIpamInternetRegistryAssociationsResponse:
        caller, ids = caller_of(context), request.ipam_internet_registry_association_ids
        records, token = await self._reader.read(
            lambda rows: _ASSOCIATIONS.page(rows, caller, request, ids)
        )
        return pb.DescribeIpamInternetRegistryAssociationsResponse(
            ipam_internet_registry_associations=records, next_token=token
        )

    async def EnableIpamInternetRegistryAssociation(
        self, request: pb.EnableIpamInternetRegistryAssociationRequest, context: Context
    ) -> pb.EnableIpamInternetRegistryAssociationResponse:
        caller, now = caller_of(context), self._clock()
        parent = parent_from_proto(request, now)
        answer = await self._commands.create(
            lambda rows: associations.enable_association(
                rows,
                caller,
                request.ipam_internet_registry_association_id,
                parent,
                self._check_host,
                now,
            ),
            lambda association: pb.EnableIpamInternetRegistryAssociationResponse(
                ipam_internet_registry_association=association_to_proto(association)
            ),
            once=once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.EnableIpamInternetRegistryAssociationResponse.FromString(answer)

    async def DeleteIpamInternetRegistryAssociation(
        self, request: pb.DeleteIpamInternetRegistryAssociationRequest, context: Context
    ) -> pb.DeleteIpamInternetRegistryAssociationResponse:
        caller = caller_of(context)
        association = await self._commands.change(
            lambda rows: associations.delete_association(
                rows, caller, request.ipam_internet_registry_association_id
            ),
            dry_run=request.dry_run,
        )
        return pb.DeleteIpamInternetRegistryAssociationResponse(
            ipam_internet_registry_association=association_to_proto(association)
        )

    async def GetIpamInternetRegistryAssociationAsns(
        self, request: pb.GetIpamInternetRegistryAssociationAsnsRequest, context: Context
    ) -> pb.GetIpamInternetRegistryAssociationAsnsResponse:
        caller = caller_of(context)
        records, token = await self._reader.read(lambda rows: _asns_page(rows, caller, request))
        return pb.GetIpamInternetRegistryAssociationAsnsResponse(
            ipam_internet_registry_association_asns=records, next_token=token
        )

    async def GetIpamInternetRegistryAssociationCidrs(
        self, request: pb.GetIpamInternetRegistryAssociationCidrsRequest, context: Context
    ) -> pb.GetIpamInternetRegistryAssociationCidrsResponse:
        caller = caller_of(context)
        records, token = await self._reader.read(lambda rows: _cidrs_page(rows, caller, request))
        return pb.GetIpamInternetRegistryAssociationCidrsResponse(
            ipam_internet_registry_association_cidrs=records, next_token=token
        )

    async def GetIpamRouteOriginAuthorizations(
        self, request: pb.GetIpamRouteOriginAuthorizationsRequest, context: Context
    ) -> pb.GetIpamRouteOriginAuthorizationsResponse:
        caller = caller_of(context)
        records, token = await self._reader.read(lambda rows: roas_page(rows, caller, request))
        return pb.GetIpamRouteOriginAuthorizationsResponse(
            ipam_route_origin_authorizations=records, next_token=token
        )


def _asns_page(
    rows: Rows, caller: Caller, request: pb.GetIpamInternetRegistryAssociationAsnsRequest
) -> tuple[list[pb.IpamInternetRegistryAssociationAsn], str | None]:
    association_id = request.ipam_internet_registry_association_id
    observed_at = known_association(rows, caller, association_id).observed_at
    filters = FilterSet(request.filters, pb.IpamInternetRegistryAssociationAsn.DESCRIPTOR)
    eligible = asns.eligible((one.name, one.values) for one in request.filters)

    def ranges_from(first: int) -> Iterator[Range]:
        return rows.internet_registries.asn_ranges(association_id, first)

    def records_after(
        after: str | None,
    ) -> Iterator[tuple[str, pb.IpamInternetRegistryAssociationAsn]]:
        first = 0 if after is None else asns.asn_of_key(after) + 1
        for number in asns.numbers(first, eligible, ranges_from):
            record = asn_to_proto(number, observed_at)
            if filters.matches(record):
                yield record.asn, record

    return paginate(request, records_after)


def _cidrs_page(
    rows: Rows, caller: Caller, request: pb.GetIpamInternetRegistryAssociationCidrsRequest
) -> tuple[list[pb.IpamInternetRegistryAssociationCidr], str | None]:
    association_id = request.ipam_internet_registry_association_id
    observed_at = known_association(rows, caller, association_id).observed_at
    filters = FilterSet(request.filters, pb.IpamInternetRegistryAssociationCidr.DESCRIPTOR)

    def records_after(
        after: str | None,
    ) -> Iterator[tuple[str, pb.IpamInternetRegistryAssociationCidr]]:
        for key, cidr in rows.internet_registries.cidrs(association_id, after):
            record = cidr_to_proto(cidr, observed_at)
            if filters.matches(record):
                yield key, record

    return paginate(request, records_after)
