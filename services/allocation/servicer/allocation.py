"""AllocationService: what AWS's clients ask of the ledger."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from cadastre.allocation.v1 import allocation_service_pb2 as pb
from cadastre.allocation.v1 import (
    allocation_service_pb2_grpc,
    pool_allocation_pb2,
    pool_cidr_pb2,
)
from services.allocation.allocation import Allocation
from services.allocation.changes import TokenKey
from services.allocation.messages import (
    allocation_to_proto,
    block_to_allocate_from_proto,
    block_to_provision_from_proto,
    fill_in_allocation,
    pool_cidr_to_proto,
    proof_from_proto,
    reservation_from_proto,
)
from services.allocation.service.command import Once
from services.allocation.service.feed import Feed
from services.allocation.service.ledger import Ledger
from services.allocation.service.view import Annotator, Reader
from services.allocation.servicer import listings
from services.allocation.servicer.feed_messages import committed_to_proto
from shared.caller import Caller
from shared.cidr import Cidr
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of
from shared.tags import Tags, tags_from_proto, with_tags, without_tags


class AllocationServicer(allocation_service_pb2_grpc.AllocationServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(self, ledger: Ledger, reader: Reader, annotator: Annotator, feed: Feed) -> None:
        self._ledger, self._reader = ledger, reader
        self._annotator, self._feed = annotator, feed

    async def ProvisionIpamPoolCidr(
        self, request: pb.ProvisionIpamPoolCidrRequest, context: Context
    ) -> pb.ProvisionIpamPoolCidrResponse:
        caller = caller_of(context)
        pool_cidr = await self._ledger.provision(
            caller,
            request.ipam_pool_id,
            block_to_provision_from_proto(request),
            proof=proof_from_proto(request),
            once=once_of(request, caller),
            dry_run=request.dry_run,
        )
        state = pool_cidr_pb2.IPAM_POOL_CIDR_STATE_PENDING_PROVISION
        return pb.ProvisionIpamPoolCidrResponse(ipam_pool_cidr=pool_cidr_to_proto(pool_cidr, state))

    async def DeprovisionIpamPoolCidr(
        self, request: pb.DeprovisionIpamPoolCidrRequest, context: Context
    ) -> pb.DeprovisionIpamPoolCidrResponse:
        pool_cidr = await self._ledger.deprovision(
            caller_of(context),
            request.ipam_pool_id,
            Cidr.parse(request.cidr) if request.HasField("cidr") else None,
            dry_run=request.dry_run,
        )
        state = pool_cidr_pb2.IPAM_POOL_CIDR_STATE_PENDING_DEPROVISION
        return pb.DeprovisionIpamPoolCidrResponse(
            ipam_pool_cidr=pool_cidr_to_proto(pool_cidr, state)
        )

    async def GetIpamPoolCidrs(
        self, request: pb.GetIpamPoolCidrsRequest, context: Context
    ) -> pb.GetIpamPoolCidrsResponse:
        caller = caller_of(context)
        return await self._reader.read(lambda view: listings.pool_cidrs(view, caller, request))

    async def AllocateIpamPoolCidr(
        self, request: pb.AllocateIpamPoolCidrRequest, context: Context
    ) -> pb.AllocateIpamPoolCidrResponse:
        caller = caller_of(context)
        if request.preview_next_cidr:
            return await self._preview(request, caller)
        allocation = await self._ledger.reserve(
            caller,
            reservation_from_proto(request),
            once=once_of(request, caller),
            dry_run=request.dry_run,
        )
        response = pb.AllocateIpamPoolCidrResponse()
        fill_in_allocation(response.ipam_pool_allocation, allocation)
        return response

    async def ReleaseIpamPoolAllocation(
        self, request: pb.ReleaseIpamPoolAllocationRequest, context: Context
    ) -> pb.ReleaseIpamPoolAllocationResponse:
        await self._ledger.release(
            caller_of(context),
            request.ipam_pool_id,
            Cidr.parse(request.cidr),
            request.ipam_pool_allocation_id,
            dry_run=request.dry_run,
        )
        return pb.ReleaseIpamPoolAllocationResponse(success=True)

    async def ModifyIpamPoolAllocation(
        self, request: pb.ModifyIpamPoolAllocationRequest, context: Context
    ) -> pb.ModifyIpamPoolAllocationResponse:
        # Left out or empty, the description goes, as with AWS.
        description = request.description or None
        [allocation] = await self._annotator.annotate(
            caller_of(context),
            [request.ipam_pool_allocation_id],
            lambda allocation: allocation._replace(description=description),
            dry_run=request.dry_run,
        )
        return pb.ModifyIpamPoolAllocationResponse(
            ipam_pool_allocation=allocation_to_proto(allocation)
        )

    async def GetIpamPoolAllocations(
        self, request: pb.GetIpamPoolAllocationsRequest, context: Context
    ) -> pb.GetIpamPoolAllocationsResponse:
        caller = caller_of(context)
        return await self._reader.read(lambda view: listings.allocations(view, caller, request))

    async def DescribeIpamPoolAllocations(
        self, request: pb.DescribeIpamPoolAllocationsRequest, context: Context
    ) -> pb.DescribeIpamPoolAllocationsResponse:
        caller = caller_of(context)
        return await self._reader.read(lambda view: listings.all_allocations(view, caller, request))

    async def CreateTags(
        self, request: pb.CreateTagsRequest, context: Context
    ) -> pb.CreateTagsResponse:
        added = tags_from_proto(request.tags)
        await self._tag(request, context, lambda tags: with_tags(tags, added))
        return pb.CreateTagsResponse()

    async def DeleteTags(
        self, request: pb.DeleteTagsRequest, context: Context
    ) -> pb.DeleteTagsResponse:
        await self._tag(request, context, lambda tags: without_tags(tags, request.tags))
        return pb.DeleteTagsResponse()

    async def Watch(
        self, request: pb.WatchRequest, context: Context
    ) -> AsyncIterator[pb.WatchResponse]:
        async for committed in self._feed.follow(caller_of(context), request.after_sequence):
            yield committed_to_proto(committed)

    async def _preview(
        self, request: pb.AllocateIpamPoolCidrRequest, caller: Caller
    ) -> pb.AllocateIpamPoolCidrResponse:
        cidr = await self._ledger.preview(
            caller,
            request.ipam_pool_id,
            block_to_allocate_from_proto(request),
            dry_run=request.dry_run,
        )
        allocation = pool_allocation_pb2.IpamPoolAllocation(cidr=str(cidr))
        return pb.AllocateIpamPoolCidrResponse(ipam_pool_allocation=allocation)

    async def _tag(
        self,
        request: pb.CreateTagsRequest | pb.DeleteTagsRequest,
        context: Context,
        change: Callable[[Tags], dict[str, str]],
    ) -> Sequence[Allocation]:
        return await self._annotator.annotate(
            caller_of(context),
            request.resources,
            lambda allocation: allocation._replace(tags=change(allocation.tags)),
            dry_run=request.dry_run,
        )


def once_of(request: Any, caller: Caller) -> Once | None:
    """How the request is known again; without a token it is no repetition of any other."""
    if not request.client_token:
        return None
    operation = type(request).__name__.removesuffix("Request")
    return Once(TokenKey(caller.account_id, operation, request.client_token), request)
