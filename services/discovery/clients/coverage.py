"""What the control plane says is to be discovered."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from collections.abc import Set as AbstractSet

from cadastre.control.v1 import inventory_service_pb2 as pb
from cadastre.control.v1 import inventory_service_pb2_grpc
from services.discovery.clients.embedded import SELF
from services.discovery.coverage import Coverage, Ipam
from services.discovery.evaluation.model import Scopes
from services.discovery.service.passes import PoolVersion
from services.discovery.sources import AccountRegion
from shared.rpc.client import Remote


class CoverageClient:
    """Asks for all of it each time: it is small beside what is discovered."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = inventory_service_pb2_grpc.InventoryServiceStub(remote.channel)

    async def coverage(self) -> Coverage:
        """As of now.

        Raises:
            CadastreError: the control plane does not answer.
        """
        listed = [ipam async for ipam in self._ipams()]
        members = await self._administered() if _may_share_costs(listed) else {}
        places: set[AccountRegion] = set()
        of_ipams: defaultdict[str, set[AccountRegion]] = defaultdict(set)
        async for discovery in self._discoveries():
            seen = {
                AccountRegion(account_id, region)
                for account_id in discovery.account_ids
                for region in discovery.operating_regions
            }
            places |= seen
            if discovery.ipam_id:
                of_ipams[discovery.ipam_id] |= seen
        frozen = {ipam_id: frozenset(seen) for ipam_id, seen in of_ipams.items()}
        return Coverage(
            [_ipam_from_proto(ipam, members) for ipam in listed if not ipam.is_being_deleted],
            frozenset(ipam.ipam_id for ipam in listed),
            frozenset(places),
            frozen,
        )

    async def pools(self) -> AbstractSet[PoolVersion]:
        """Every pool's definition.

        Raises:
            CadastreError: the control plane does not answer.
        """
        pages = self._remote.pages(self._stub.ListIpamPools, pb.ListIpamPoolsRequest(), caller=SELF)
        return {
            PoolVersion(pool.ipam_pool_id, pool.definition_version, pool.is_changing)
            async for page in pages
            for pool in page.ipam_pools
        }

    async def _ipams(self) -> AsyncIterator[pb.ListedIpam]:
        pages = self._remote.pages(self._stub.ListIpams, pb.ListIpamsRequest(), caller=SELF)
        async for page in pages:
            for ipam in page.ipams:
                yield ipam

    async def _discoveries(self) -> AsyncIterator[pb.ListedResourceDiscovery]:
        request = pb.ListResourceDiscoveriesRequest()
        pages = self._remote.pages(self._stub.ListResourceDiscoveries, request, caller=SELF)
        async for page in pages:
            for discovery in page.resource_discoveries:
                yield discovery

    async def _administered(self) -> Mapping[str, frozenset[str]]:
        """The accounts of organizations, by who administers IPAM for them."""
        members: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
        request = pb.ListOrganizationsRequest()
        pages = self._remote.pages(self._stub.ListOrganizations, request, caller=SELF)
        async for page in pages:
            for part in page.organizations:
                if part.HasField("ipam_administrator_id"):
                    members[part.ipam_administrator_id] |= frozenset(part.account_ids)
        return members


def _may_share_costs(listed: Iterable[pb.ListedIpam]) -> bool:
    return any(ipam.distributes_costs for ipam in listed)


def _ipam_from_proto(ipam: pb.ListedIpam, members: Mapping[str, frozenset[str]]) -> Ipam:
    is_shared = ipam.distributes_costs
    return Ipam(
        Scopes(
            ipam_id=ipam.ipam_id,
            private_default=ipam.private_default_scope_id,
            public_default=ipam.public_default_scope_id,
            private=frozenset(ipam.private_scope_ids),
        ),
        owner_id=ipam.owner_id,
        region=ipam.region,
        is_free_tier=ipam.is_free_tier,
        self_paying=members.get(ipam.owner_id, frozenset()) if is_shared else frozenset(),
    )
