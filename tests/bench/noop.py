"""A service on the same chassis that answers at once: what a call costs before any work is done."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from cadastre.allocation.v1 import (
    allocation_service_pb2,
    allocation_service_pb2_grpc,
    pool_allocation_pb2,
)
from shared.rpc.interceptor import Context
from shared.rpc.server import Binding, Runtime, main

_ANSWER = allocation_service_pb2.AllocateIpamPoolCidrResponse(
    ipam_pool_allocation=pool_allocation_pb2.IpamPoolAllocation(
        cidr="10.0.0.0/29",
        ipam_pool_allocation_id="ipam-pool-alloc-00000000000000000000000000000000",
        resource_type=pool_allocation_pb2.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_CUSTOM,
        resource_region="us-east-1",
        resource_owner="123456789012",
    )
)


class NoOp(allocation_service_pb2_grpc.AllocationServiceServicer):
    async def AllocateIpamPoolCidr(
        self, request: allocation_service_pb2.AllocateIpamPoolCidrRequest, context: Context
    ) -> allocation_service_pb2.AllocateIpamPoolCidrResponse:
        return _ANSWER


@asynccontextmanager
async def noop(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
    yield [
        Binding(
            allocation_service_pb2_grpc.add_AllocationServiceServicer_to_server,
            NoOp(),  # type: ignore[abstract]  # the rest of the contract is never called
            "cadastre.allocation.v1.AllocationService",
        )
    ]


if __name__ == "__main__":
    main("allocation", noop)
