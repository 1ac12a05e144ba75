"""The ledger, and the embedded cloud as a source."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from cadastre.allocation.v1 import ledger_service_pb2, ledger_service_pb2_grpc
from cadastre.network.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from services.discovery.service import HeldAllocation
from services.discovery.sources import Change
from shared.caller import Caller
from shared.rpc.client import Remote

# No account's: what is read and released here is everybody's.
_SELF = Caller(account_id="", region="", principal="service/discovery", service="discovery")


class LedgerClient:
    """The ledger's list of what is held, and its release of what is not needed any more."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = ledger_service_pb2_grpc.LedgerServiceStub(remote.channel)

    async def held_allocations(self, source: str) -> AsyncIterator[list[HeldAllocation]]:
        request = ledger_service_pb2.ListResourceAllocationsRequest(service=source)
        while True:
            page = await self._remote.call(
                self._stub.ListResourceAllocations, request, caller=_SELF
            )
            yield [
                HeldAllocation(held.ipam_pool_allocation_id, held.client_token)
                for held in page.resource_allocations
            ]
            if not page.next_token:
                return
            request.next_token = page.next_token

    async def release(self, ipam_pool_allocation_ids: Sequence[str]) -> Sequence[str]:
        answer: ledger_service_pb2.ReleaseResourceAllocationsResponse = await self._remote.call(
            self._stub.ReleaseResourceAllocations,
            ledger_service_pb2.ReleaseResourceAllocationsRequest(
                ipam_pool_allocation_ids=ipam_pool_allocation_ids
            ),
            caller=_SELF,
            retry_seconds=10,
        )
        return answer.released_ipam_pool_allocation_ids


class NetworkSource:
    """The embedded cloud."""

    name = "network"

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = inventory_service_pb2_grpc.InventoryServiceStub(remote.channel)

    async def changes(self, after: int) -> AsyncGenerator[Change, None]:
        request = inventory_service_pb2.WatchRequest(after_sequence=after)
        async for change in self._remote.stream(self._stub.Watch, request, caller=_SELF):
            yield change_from_proto(change)

    async def association_ids(self) -> AsyncIterator[list[str]]:
        request = inventory_service_pb2.ListCidrAssociationsRequest()
        while True:
            page = await self._remote.call(self._stub.ListCidrAssociations, request, caller=_SELF)
            yield [found.association_id for found in page.cidr_associations]
            if not page.next_token:
                return
            request.next_token = page.next_token


def change_from_proto(change: inventory_service_pb2.WatchResponse) -> Change:
    is_gone = change.kind == inventory_service_pb2.CHANGE_KIND_CIDR_DISASSOCIATED
    allocation_id = change.cidr_association.ipam_pool_allocation_id
    return Change(change.sequence, (allocation_id or None) if is_gone else None)
