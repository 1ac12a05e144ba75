"""The control plane, asked who may see what."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence

from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import (
    control_service_pb2,
    control_service_pb2_grpc,
    inventory_service_pb2,
    inventory_service_pb2_grpc,
    ipam_pb2,
    resource_discovery_service_pb2,
    resource_discovery_service_pb2_grpc,
)
from services.discovery.clients.embedded import SELF
from services.discovery.service.access import ResourceDiscovery, Scope
from services.discovery.service.prefix_list_resolvers import KnownIpam
from services.discovery.service.routes import DiscoveredRoute
from shared.caller import Caller
from shared.cidr import Cidr
from shared.ids import IPAM, IPAM_POOL, IPAM_RESOURCE_DISCOVERY, IPAM_SCOPE
from shared.rpc.client import Remote

_MOST_OWNERS = 1000
"""That one question may be about."""
_BEING_DELETED = (ipam_pb2.IPAM_STATE_DELETE_IN_PROGRESS, ipam_pb2.IPAM_STATE_DELETE_COMPLETE)


class ControlPlaneAccess:
    """`Access`, `ControlPlane` and `Payers`.

    Nothing is kept, so that what changed counts at once (BEY-2).
    """

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._control = control_service_pb2_grpc.ControlPlaneServiceStub(remote.channel)
        self._discoveries = resource_discovery_service_pb2_grpc.ResourceDiscoveryServiceStub(
            remote.channel
        )
        self._inventory = inventory_service_pb2_grpc.InventoryServiceStub(remote.channel)

    async def scope(self, caller: Caller, ipam_scope_id: str) -> Scope:
        answer: control_service_pb2.DescribeIpamScopesResponse = await self._remote.call(
            self._control.DescribeIpamScopes,
            control_service_pb2.DescribeIpamScopesRequest(ipam_scope_ids=[ipam_scope_id]),
            caller=caller,
        )
        own = [scope for scope in answer.ipam_scopes if scope.owner_id == caller.account_id]
        if not own:
            raise IPAM_SCOPE.unknown(ipam_scope_id)
        [scope] = own
        return Scope(
            ipam_scope_id,
            ipam_id=scope.ipam_arn.rpartition("/")[2],
            is_public=scope.ipam_scope_type == types_pb2.IPAM_SCOPE_TYPE_PUBLIC,
        )

    async def ipam(self, caller: Caller, ipam_id: str) -> KnownIpam:
        answer: control_service_pb2.DescribeIpamsResponse = await self._remote.call(
            self._control.DescribeIpams,
            control_service_pb2.DescribeIpamsRequest(ipam_ids=[ipam_id]),
            caller=caller,
        )
        if not answer.ipams:
            raise IPAM.unknown(ipam_id)
        [ipam] = answer.ipams
        return KnownIpam(
            ipam_id,
            ipam.ipam_region,
            is_free_tier=ipam.tier == ipam_pb2.IPAM_TIER_FREE,
            is_being_deleted=ipam.state in _BEING_DELETED,
        )

    async def paid_for_by(self, account_id: str) -> Collection[str]:
        """The accounts whose bills are the account's to see (`Payers`)."""
        request = inventory_service_pb2.ListOrganizationsRequest(account_id=account_id)
        pages = self._remote.pages(self._inventory.ListOrganizations, request, caller=SELF)
        accounts = {account_id}
        async for page in pages:
            for part in page.organizations:
                if part.management_account_id == account_id:
                    accounts.update(part.account_ids)
        return accounts

    async def scopes_of_pools(
        self, caller: Caller, ipam_pool_ids: Collection[str]
    ) -> Mapping[str, str]:
        answer: control_service_pb2.DescribeIpamPoolsResponse = await self._remote.call(
            self._control.DescribeIpamPools,
            control_service_pb2.DescribeIpamPoolsRequest(ipam_pool_ids=sorted(ipam_pool_ids)),
            caller=caller,
        )
        scopes = {
            pool.ipam_pool_id: pool.ipam_scope_arn.rpartition("/")[2] for pool in answer.ipam_pools
        }
        for missing in sorted(set(ipam_pool_ids) - scopes.keys()):
            raise IPAM_POOL.unknown(missing)
        return scopes

    async def discovery(self, caller: Caller, ipam_resource_discovery_id: str) -> ResourceDiscovery:
        request = resource_discovery_service_pb2.DescribeIpamResourceDiscoveriesRequest(
            ipam_resource_discovery_ids=[ipam_resource_discovery_id]
        )
        answer = await self._remote.call(
            self._discoveries.DescribeIpamResourceDiscoveries, request, caller=caller
        )
        if not answer.ipam_resource_discoveries:
            raise IPAM_RESOURCE_DISCOVERY.unknown(ipam_resource_discovery_id)
        [discovery] = answer.ipam_resource_discoveries
        unit_ids = await self._unit_ids(ipam_resource_discovery_id)
        is_owner = discovery.owner_id == caller.account_id
        return ResourceDiscovery(
            ipam_resource_discovery_id,
            [region.region_name for region in discovery.operating_regions],
            unit_ids if is_owner else dict.fromkeys(unit_ids, ""),
        )

    async def routes(self, account_ids: Collection[str], region: str) -> Sequence[DiscoveredRoute]:
        owners, found = sorted(account_ids), list[DiscoveredRoute]()
        for start in range(0, len(owners), _MOST_OWNERS):
            some = owners[start : start + _MOST_OWNERS]
            answer: inventory_service_pb2.ListByoipRoutesResponse = await self._remote.call(
                self._inventory.ListByoipRoutes,
                inventory_service_pb2.ListByoipRoutesRequest(owner_ids=some, region=region),
                caller=SELF,
            )
            found += map(_route_from_proto, answer.byoip_routes)
        return found

    async def _unit_ids(self, ipam_resource_discovery_id: str) -> dict[str, str]:
        """Of each account that is covered the OU, empty for none.

        All IPAMs that see through it see the same, so one association is enough; its records stand
        one right after the other.
        """
        unit_ids: dict[str, str] = {}
        association_id: str | None = None
        async for part in self._parts():
            is_of_it = part.ipam_resource_discovery_id == ipam_resource_discovery_id
            its_association = part.ipam_resource_discovery_association_id
            if association_id is None and is_of_it:
                association_id = its_association
            if association_id is None:
                continue
            if not is_of_it or its_association != association_id:
                break
            known = part.organizational_unit_ids or [""] * len(part.account_ids)
            unit_ids.update(zip(part.account_ids, known, strict=True))
        return unit_ids

    async def _parts(self) -> AsyncIterator[inventory_service_pb2.ListedResourceDiscovery]:
        request = inventory_service_pb2.ListResourceDiscoveriesRequest()
        pages = self._remote.pages(self._inventory.ListResourceDiscoveries, request, caller=SELF)
        async for page in pages:
            for part in page.resource_discoveries:
                yield part


def _route_from_proto(route: inventory_service_pb2.ByoipRoute) -> DiscoveredRoute:
    return DiscoveredRoute(
        owner_id=route.owner_id,
        region=route.region,
        cidr=Cidr.parse(route.cidr),
        asn=route.asn,
        state=route.state,
        advertisement_type=route.advertisement_type,
        network_border_group=route.network_border_group,
        pool_id=route.pool_id or None,
        ipam_pool_id=route.ipam_pool_id or None,
    )
