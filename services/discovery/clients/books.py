"""What the ledger knows of an IPAM, and is told of its resources."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

from cadastre.allocation.v1 import (
    inventory_service_pb2,
    inventory_service_pb2_grpc,
    observation_service_pb2,
    observation_service_pb2_grpc,
)
from cadastre.allocation.v1 import pool_allocation_pb2 as types
from cadastre.common.v1 import types_pb2
from services.discovery.clients.embedded import SELF, LedgerClient
from services.discovery.evaluation.model import Allocation, AllocationType, Books, Import, Pool
from services.discovery.resource_cidr import ResourceType
from services.discovery.service.evaluating import ImportRefused, ObservedCidr
from services.discovery.service.following import in_sets
from shared.cidr import AddressFamily, Cidr
from shared.errors import ServiceUnavailable
from shared.rpc.client import Remote

_ALLOCATION_TYPES: Mapping[int, AllocationType] = {
    types.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_VPC: AllocationType.VPC,
    types.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_EC2_PUBLIC_IPV4_POOL: AllocationType.PUBLIC_IPV4_POOL,
    types.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_CUSTOM: AllocationType.CUSTOM,
    types.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_SUBNET: AllocationType.SUBNET,
    types.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_EIP: AllocationType.EIP,
    types.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_ANYCAST_IP_LIST: AllocationType.ANYCAST_IP_LIST,
}
_RESOURCE_TYPES = {
    ResourceType.VPC: types.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_VPC,
    ResourceType.PUBLIC_IPV4_POOL: types.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_EC2_PUBLIC_IPV4_POOL,
    ResourceType.EIP: types.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_EIP,
}
_FAMILIES: Mapping[int, AddressFamily] = {
    types_pb2.ADDRESS_FAMILY_IPV4: AddressFamily.IPV4,
    types_pb2.ADDRESS_FAMILY_IPV6: AddressFamily.IPV6,
}

Word = TypeVar("Word")


class UnknownAnswer(ServiceUnavailable):
    """The ledger, of a later version maybe, answers what is not understood here."""

    def __init__(self, what: str, value: int) -> None:
        super().__init__(
            f"The ledger answers with {value} for {what}, which is not known; run discovery and"
            " allocation in the same version",
            what=what,
            value=value,
        )


class BooksClient:
    """Reads page by page; all that it tells may be told twice."""

    def __init__(self, remote: Remote) -> None:
        self._remote, self._ledger = remote, LedgerClient(remote)
        self._inventory = inventory_service_pb2_grpc.InventoryServiceStub(remote.channel)
        self._observations = observation_service_pb2_grpc.ObservationServiceStub(remote.channel)

    async def books(self, ipam_id: str) -> Books:
        pools = {pool.pool_id: pool async for pool in self._pools(ipam_id)}
        return Books(pools, [allocation async for allocation in self._allocations(ipam_id)])

    async def take_in(self, imports: Sequence[Import]) -> Sequence[ImportRefused]:
        refused: list[ImportRefused] = []
        for some in in_sets(imports):
            answer = await self._remote.call(
                self._inventory.ImportResourceCidrs,
                inventory_service_pb2.ImportResourceCidrsRequest(
                    imports=map(_import_to_proto, some)
                ),
                caller=SELF,
                retry_seconds=10,
            )
            if len(answer.outcomes) != len(some):
                raise UnknownAnswer(f"the outcomes of {len(some)} imports", len(answer.outcomes))
            refused.extend(
                ImportRefused(wanted, outcome.reason, outcome.message)
                for wanted, outcome in zip(some, answer.outcomes, strict=True)
                if not outcome.ipam_pool_allocation_id
            )
        return refused

    async def release(self, ipam_pool_allocation_ids: Sequence[str]) -> Sequence[str]:
        return [
            released
            for some in in_sets(ipam_pool_allocation_ids)
            for released in await self._ledger.release(some)
        ]

    async def observed(self, scope_id: str) -> AbstractSet[ObservedCidr]:
        request = observation_service_pb2.ListObservedCidrsRequest(ipam_scope_id=scope_id)
        pages = self._remote.pages(self._observations.ListObservedCidrs, request, caller=SELF)
        return {
            ObservedCidr(Cidr.parse(one.cidr), one.resource_id)
            async for page in pages
            for one in page.observed_cidrs
        }

    async def report_observed(
        self, scope_id: str, seen: Iterable[ObservedCidr], gone: Iterable[ObservedCidr]
    ) -> None:
        for some in in_sets(gone):
            await self._report(scope_id, gone=some)
        for some in in_sets(seen):
            await self._report(scope_id, observed=some)

    async def _report(self, scope_id: str, **told: Sequence[ObservedCidr]) -> None:
        members = {
            name: [
                observation_service_pb2.ObservedCidr(
                    cidr=str(one.cidr), resource_id=one.resource_id
                )
                for one in some
            ]
            for name, some in told.items()
        }
        await self._remote.call(
            self._observations.ReportObservedCidrs,
            observation_service_pb2.ReportObservedCidrsRequest(ipam_scope_id=scope_id, **members),
            caller=SELF,
            retry_seconds=10,
        )

    async def _pools(self, ipam_id: str) -> AsyncIterator[Pool]:
        request = inventory_service_pb2.ListPoolsRequest(ipam_id=ipam_id)
        async for page in self._remote.pages(self._inventory.ListPools, request, caller=SELF):
            for record in page.pools:
                yield _pool_from_proto(record)

    async def _allocations(self, ipam_id: str) -> AsyncIterator[Allocation]:
        request = inventory_service_pb2.ListAllocationsRequest(ipam_id=ipam_id)
        async for page in self._remote.pages(self._inventory.ListAllocations, request, caller=SELF):
            for record in page.allocations:
                yield _allocation_from_proto(record)


def _pool_from_proto(record: inventory_service_pb2.PoolRecord) -> Pool:
    pool = record.definition
    lengths = {field.name: value for field, value in pool.ListFields()}
    return Pool(
        pool_id=pool.ipam_pool_id,
        scope_id=pool.ipam_scope_id,
        family=_known(_FAMILIES, pool.address_family, "a pool's family"),
        locale=pool.locale,
        source_pool_id=pool.source_ipam_pool_id or None,
        auto_import=pool.auto_import,
        min_netmask_length=lengths.get("allocation_min_netmask_length"),
        max_netmask_length=lengths.get("allocation_max_netmask_length"),
        resource_tags={tag.key: tag.value for tag in pool.allocation_resource_tags},
        cidrs=tuple(map(Cidr.parse, record.cidrs)),
        plans_vpc=pool.source_resource_id or None,
    )


def _allocation_from_proto(record: inventory_service_pb2.AllocationRecord) -> Allocation:
    return Allocation(
        allocation_id=record.ipam_pool_allocation_id,
        pool_id=record.ipam_pool_id,
        cidr=Cidr.parse(record.cidr),
        allocation_type=_known(_ALLOCATION_TYPES, record.resource_type, "an allocation's type"),
        resource_id=record.resource_id,
        region=record.resource_region,
        owner_id=record.resource_owner,
        service=record.service,
    )


def _known(words: Mapping[int, Word], number: int, what: str) -> Word:
    if (word := words.get(number)) is None:
        raise UnknownAnswer(what, number)
    return word


def _import_to_proto(wanted: Import) -> inventory_service_pb2.ResourceImport:
    resource = wanted.candidate
    return inventory_service_pb2.ResourceImport(
        ipam_pool_id=wanted.pool_id,
        cidr=str(resource.cidr),
        resource_type=_RESOURCE_TYPES[resource.resource_type],
        resource_id=resource.resource_id,
        resource_region=resource.region,
        resource_owner=resource.owner_id,
    )
