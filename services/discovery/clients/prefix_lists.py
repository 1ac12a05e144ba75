"""Prefix lists of the embedded cloud."""

from collections.abc import Mapping, Sequence

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import prefix_list_sync_service_pb2 as pb
from cadastre.network.v1 import prefix_list_sync_service_pb2_grpc
from services.discovery.resolvers.target import NamedPrefixList, Target
from services.discovery.service.syncing import PrefixListSummary
from shared.caller import Caller
from shared.cidr import AddressFamily, Cidr
from shared.rpc.client import Remote

_FAMILIES: Mapping[AddressFamily, types_pb2.AddressFamily.ValueType] = {
    AddressFamily.IPV4: types_pb2.ADDRESS_FAMILY_IPV4,
    AddressFamily.IPV6: types_pb2.ADDRESS_FAMILY_IPV6,
}


class NetworkPrefixLists:
    """`PrefixLists`; each call is in the name of the list's owner, in the list's region."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = prefix_list_sync_service_pb2_grpc.PrefixListSyncServiceStub(remote.channel)

    async def summary(self, named: NamedPrefixList) -> PrefixListSummary:
        answer: pb.GetPrefixListSummaryResponse = await self._remote.call(
            self._stub.GetPrefixListSummary,
            pb.GetPrefixListSummaryRequest(prefix_list_id=named.prefix_list_id),
            caller=_on_behalf_of(named),
            retry_seconds=5,
        )
        is_ipv6 = answer.address_family == types_pb2.ADDRESS_FAMILY_IPV6
        return PrefixListSummary(
            AddressFamily.IPV6 if is_ipv6 else AddressFamily.IPV4,
            answer.ipam_prefix_list_resolver_target_id or None,
        )

    async def attach(self, target: Target, family: AddressFamily) -> None:
        await self._remote.call(
            self._stub.AttachPrefixListResolverTarget,
            pb.AttachPrefixListResolverTargetRequest(
                prefix_list_id=target.prefix_list_id,
                ipam_prefix_list_resolver_target_id=target.target_id,
                address_family=_FAMILIES[family],
            ),
            caller=_on_behalf_of(target.prefix_list),
        )

    async def put(self, target: Target, version: int, cidrs: Sequence[Cidr]) -> None:
        await self._remote.call(
            self._stub.PutPrefixListEntries,
            pb.PutPrefixListEntriesRequest(
                prefix_list_id=target.prefix_list_id,
                ipam_prefix_list_resolver_target_id=target.target_id,
                resolver_version=version,
                cidrs=map(str, cidrs),
            ),
            caller=_on_behalf_of(target.prefix_list),
        )

    async def detach(self, target: Target) -> None:
        await self._remote.call(
            self._stub.DetachPrefixListResolverTarget,
            pb.DetachPrefixListResolverTargetRequest(
                prefix_list_id=target.prefix_list_id,
                ipam_prefix_list_resolver_target_id=target.target_id,
            ),
            caller=_on_behalf_of(target.prefix_list),
        )


def _on_behalf_of(named: NamedPrefixList) -> Caller:
    return Caller(named.owner_id, named.region, "service/discovery", service="discovery")
