"""PrefixListSyncService: messages to use cases and back."""

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import prefix_list_sync_service_pb2 as pb
from cadastre.network.v1 import prefix_list_sync_service_pb2_grpc
from services.network.service.prefix_list_syncing import PrefixListSyncing
from shared.cidr import AddressFamily, Cidr
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of

_FAMILIES = {
    AddressFamily.IPV4: types_pb2.ADDRESS_FAMILY_IPV4,
    AddressFamily.IPV6: types_pb2.ADDRESS_FAMILY_IPV6,
}
_FAMILIES_BY_NUMBER = {number: family for family, number in _FAMILIES.items()}


class PrefixListSyncServicer(prefix_list_sync_service_pb2_grpc.PrefixListSyncServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(self, syncing: PrefixListSyncing) -> None:
        self._syncing = syncing

    async def AttachPrefixListResolverTarget(
        self, request: pb.AttachPrefixListResolverTargetRequest, context: Context
    ) -> pb.AttachPrefixListResolverTargetResponse:
        await self._syncing.attach(
            caller_of(context),
            request.prefix_list_id,
            request.ipam_prefix_list_resolver_target_id,
            _FAMILIES_BY_NUMBER[request.address_family],
        )
        return pb.AttachPrefixListResolverTargetResponse()

    async def PutPrefixListEntries(
        self, request: pb.PutPrefixListEntriesRequest, context: Context
    ) -> pb.PutPrefixListEntriesResponse:
        prefix_list = await self._syncing.put(
            caller_of(context),
            request.prefix_list_id,
            request.ipam_prefix_list_resolver_target_id,
            [Cidr.parse(cidr) for cidr in request.cidrs],
            request.resolver_version,
        )
        return pb.PutPrefixListEntriesResponse(prefix_list_version=prefix_list.version)

    async def DetachPrefixListResolverTarget(
        self, request: pb.DetachPrefixListResolverTargetRequest, context: Context
    ) -> pb.DetachPrefixListResolverTargetResponse:
        await self._syncing.detach(
            caller_of(context), request.prefix_list_id, request.ipam_prefix_list_resolver_target_id
        )
        return pb.DetachPrefixListResolverTargetResponse()

    async def GetPrefixListSummary(
        self, request: pb.GetPrefixListSummaryRequest, context: Context
    ) -> pb.GetPrefixListSummaryResponse:
        found = await self._syncing.prefix_list(caller_of(context), request.prefix_list_id)
        return pb.GetPrefixListSummaryResponse(
            address_family=_FAMILIES[found.family],
            max_entries=found.max_entries,
            version=found.version,
            state=found.state,
            ipam_prefix_list_resolver_target_id=found.resolver_target_id or "",
            ipam_prefix_list_resolver_sync_enabled=found.is_synchronised,
        )
