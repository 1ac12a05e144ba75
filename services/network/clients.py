"""The ledger, as this context knows it."""

from cadastre.allocation.v1 import ledger_service_pb2 as pb
from cadastre.allocation.v1 import ledger_service_pb2_grpc, pool_allocation_pb2
from services.network.changes import CidrRecord
from services.network.service.undertaking import (
    ALLOCATION_SECONDS,
    CANCELLATION_SECONDS,
    Allocation,
    Order,
)
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import CadastreError, DryRunOperation
from shared.rpc.client import Remote
from shared.tags import tags_to_proto


class LedgerClient:
    """Calls on behalf of the account whose VPC it is, in its region."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = ledger_service_pb2_grpc.LedgerServiceStub(remote.channel)

    async def allocate(self, order: Order) -> Allocation:
        allocation = (await self._call(order, dry_run=False)).ipam_pool_allocation
        return Allocation(Cidr.parse(allocation.cidr), allocation.ipam_pool_allocation_id)

    async def check(self, order: Order) -> None:
        try:
            await self._call(order, dry_run=True)
        except CadastreError as error:
            if error.reason != DryRunOperation.reason:
                raise

    async def cancel(self, pending: CidrRecord) -> None:
        await self._remote.call(
            self._stub.CancelResourceAllocation,
            pb.CancelResourceAllocationRequest(client_token=pending.association_id),
            caller=_on_behalf_of(pending),
            timeout_seconds=CANCELLATION_SECONDS,
        )

    async def _call(self, order: Order, *, dry_run: bool) -> pb.AllocateResourceCidrResponse:
        source = order.source
        answer: pb.AllocateResourceCidrResponse = await self._remote.call(
            self._stub.AllocateResourceCidr,
            pb.AllocateResourceCidrRequest(
                ipam_pool_id=source.ipam_pool_id,
                cidr=str(source.cidr) if source.cidr else None,
                netmask_length=source.netmask_length,
                resource_type=pool_allocation_pb2.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_VPC,
                resource_id=order.pending.resource_id,
                resource_tags=tags_to_proto(order.resource_tags),
                client_token=order.pending.association_id,
                dry_run=dry_run,
            ),
            caller=_on_behalf_of(order.pending),
            timeout_seconds=ALLOCATION_SECONDS,
            # The client token makes a repeat harmless.
            retry_seconds=ALLOCATION_SECONDS,
        )
        return answer


def _on_behalf_of(pending: CidrRecord) -> Caller:
    return Caller(
        account_id=pending.owner_id,
        region=pending.region,
        principal="service/network",
        service="network",
    )
