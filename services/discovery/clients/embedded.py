"""The ledger, and the embedded cloud as a source."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from cadastre.allocation.v1 import (
    allocation_service_pb2,
    allocation_service_pb2_grpc,
    ledger_service_pb2,
    ledger_service_pb2_grpc,
    observation_service_pb2,
    observation_service_pb2_grpc,
)
from cadastre.network.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from services.discovery.service.following import HeldAllocation
from services.discovery.sources import AccountRegion, Association, Change, VpcCidr
from shared.caller import Caller
from shared.cidr import Cidr
from shared.rpc.client import Remote

# No account's: what is read and released here is everybody's.
SELF = Caller(account_id="", region="", principal="service/discovery", service="discovery")

_VPC = "vpc"


class LedgerClient:
    """What the ledger holds for resources and knows of VPCs, and what it is told about both."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = ledger_service_pb2_grpc.LedgerServiceStub(remote.channel)
        self._observations = observation_service_pb2_grpc.ObservationServiceStub(remote.channel)

    async def held_allocations(self, source: str) -> AsyncIterator[list[HeldAllocation]]:
        request = ledger_service_pb2.ListResourceAllocationsRequest(service=source)
        pages = self._remote.pages(self._stub.ListResourceAllocations, request, caller=SELF)
        async for page in pages:
            yield [
                HeldAllocation(held.ipam_pool_allocation_id, held.client_token)
                for held in page.resource_allocations
            ]

    async def release(self, ipam_pool_allocation_ids: Sequence[str]) -> Sequence[str]:
        answer: ledger_service_pb2.ReleaseResourceAllocationsResponse = await self._remote.call(
            self._stub.ReleaseResourceAllocations,
            ledger_service_pb2.ReleaseResourceAllocationsRequest(
                ipam_pool_allocation_ids=ipam_pool_allocation_ids
            ),
            caller=SELF,
            retry_seconds=10,
        )
        return answer.released_ipam_pool_allocation_ids

    async def vpc_cidrs(self) -> AsyncIterator[list[VpcCidr]]:
        request = observation_service_pb2.ListVpcCidrsRequest()
        pages = self._remote.pages(self._observations.ListVpcCidrs, request, caller=SELF)
        async for page in pages:
            yield [vpc_cidr_from_proto(known) for known in page.vpc_cidrs]

    async def report_vpc_cidrs(self, seen: Sequence[VpcCidr], gone: Sequence[VpcCidr]) -> None:
        await self._remote.call(
            self._observations.ReportVpcCidrs,
            observation_service_pb2.ReportVpcCidrsRequest(
                seen=map(vpc_cidr_to_proto, seen), gone=map(vpc_cidr_to_proto, gone)
            ),
            caller=SELF,
            retry_seconds=10,
        )


class LedgerChanges:
    """The ledger's change feed."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = allocation_service_pb2_grpc.AllocationServiceStub(remote.channel)

    async def changes(self, after: int) -> AsyncGenerator[int, None]:
        request = allocation_service_pb2.WatchRequest(after_sequence=after)
        async for change in self._remote.stream(self._stub.Watch, request, caller=SELF):
            yield change.sequence


class NetworkSource:
    """The embedded cloud."""

    name = "network"

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = inventory_service_pb2_grpc.InventoryServiceStub(remote.channel)

    async def changes(self, after: int) -> AsyncGenerator[Change, None]:
        request = inventory_service_pb2.WatchRequest(after_sequence=after)
        async for change in self._remote.stream(self._stub.Watch, request, caller=SELF):
            yield change_from_proto(change)

    async def associations(self) -> AsyncIterator[list[Association]]:
        request = inventory_service_pb2.ListCidrAssociationsRequest()
        pages = self._remote.pages(self._stub.ListCidrAssociations, request, caller=SELF)
        async for page in pages:
            yield [association_from_proto(found) for found in page.cidr_associations]


def change_from_proto(change: inventory_service_pb2.WatchResponse) -> Change:
    is_gone = change.kind == inventory_service_pb2.CHANGE_KIND_CIDR_DISASSOCIATED
    concerned = change.cidr_association
    place = AccountRegion(concerned.owner_id, concerned.region)
    return Change(change.sequence, is_gone, association_from_proto(concerned), place)


def association_from_proto(found: inventory_service_pb2.CidrAssociation) -> Association:
    has_vpc_cidr = found.resource_type == _VPC and found.cidr
    return Association(
        found.association_id,
        found.ipam_pool_allocation_id or None,
        VpcCidr(found.resource_id, Cidr.parse(found.cidr), found.owner_id, found.region)
        if has_vpc_cidr
        else None,
    )


def vpc_cidr_from_proto(known: observation_service_pb2.VpcCidr) -> VpcCidr:
    return VpcCidr(known.vpc_id, Cidr.parse(known.cidr), known.owner_id, known.region)


def vpc_cidr_to_proto(vpc_cidr: VpcCidr) -> observation_service_pb2.VpcCidr:
    return observation_service_pb2.VpcCidr(
        vpc_id=vpc_cidr.vpc_id,
        cidr=str(vpc_cidr.cidr),
        owner_id=vpc_cidr.owner_id,
        region=vpc_cidr.region,
    )
