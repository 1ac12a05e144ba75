"""The ledger, as this context knows it."""

from cadastre.allocation.v1 import ledger_service_pb2 as pb
from cadastre.allocation.v1 import ledger_service_pb2_grpc, pool_allocation_pb2
from cadastre.common.v1 import types_pb2
from services.network.changes import CidrRecord
from services.network.cidr_blocks import PolicyPrecedence
from services.network.resource import PublicIpSource, ResourceType, SourcePool
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
from shared.rpc.enums import aws_enum_name
from shared.tags import tags_to_proto

_RESOURCE_TYPES = {
    ResourceType.VPC: pool_allocation_pb2.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_VPC,
    ResourceType.SUBNET: pool_allocation_pb2.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_SUBNET,
    ResourceType.EIP: pool_allocation_pb2.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_EIP,
    ResourceType.PUBLIC_IPV4_POOL: (
        pool_allocation_pb2.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_EC2_PUBLIC_IPV4_POOL
    ),
}
_PRECEDENCE = {
    PolicyPrecedence.NONE: None,
    PolicyPrecedence.FIRST: pb.IPAM_POLICY_PRECEDENCE_FIRST,
    PolicyPrecedence.ONLY: pb.IPAM_POLICY_PRECEDENCE_ONLY,
}
_PUBLIC_IP_SOURCE = types_pb2.IpamPoolPublicIpSource


class LedgerClient:
    """Calls on behalf of the account whose resource it is, in its region."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = ledger_service_pb2_grpc.LedgerServiceStub(remote.channel)

    async def allocate(self, order: Order) -> Allocation:
        answer = await self._call(order, dry_run=False)
        allocation = answer.ipam_pool_allocation
        return Allocation(
            Cidr.parse(allocation.cidr),
            answer.source_pool.ipam_pool_id,
            allocation.ipam_pool_allocation_id,
            source_pool_from_proto(answer.source_pool),
        )

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
        source, holder = order.source, order.holder
        answer: pb.AllocateResourceCidrResponse = await self._remote.call(
            self._stub.AllocateResourceCidr,
            pb.AllocateResourceCidrRequest(
                ipam_pool_id=source.ipam_pool_id,
                cidr=str(source.cidr) if source.cidr else None,
                netmask_length=source.netmask_length,
                resource_type=_RESOURCE_TYPES[holder.resource_type],
                resource_id=holder.resource_id,
                resource_tags=tags_to_proto(holder.tags),
                client_token=order.pending.association_id,
                dry_run=dry_run,
                vpc_id=holder.vpc_id or "",
                network_border_group=holder.network_border_group or "",
                ipam_policy_precedence=_PRECEDENCE[source.precedence],
            ),
            caller=_on_behalf_of(order.pending),
            timeout_seconds=ALLOCATION_SECONDS,
            # The client token makes a repeat harmless.
            retry_seconds=ALLOCATION_SECONDS,
        )
        return answer


def source_pool_from_proto(pool: pb.SourcePool) -> SourcePool:
    source = pool.public_ip_source
    return SourcePool(
        ipam_region=pool.ipam_region,
        locale=pool.locale,
        is_public=pool.ipam_scope_type == types_pb2.IPAM_SCOPE_TYPE_PUBLIC,
        public_ip_source=(
            PublicIpSource(aws_enum_name(_PUBLIC_IP_SOURCE.DESCRIPTOR, source)) if source else None
        ),
        publicly_advertisable=pool.publicly_advertisable,
    )


def _on_behalf_of(pending: CidrRecord) -> Caller:
    return Caller(
        account_id=pending.owner_id,
        region=pending.region,
        principal="service/network",
        service="network",
    )
