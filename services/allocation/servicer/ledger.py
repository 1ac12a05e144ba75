"""LedgerService: what the other contexts tell the ledger and ask of it."""

from cadastre.allocation.v1 import ledger_service_pb2 as pb
from cadastre.allocation.v1 import ledger_service_pb2_grpc
from services.allocation.changes import TokenKey
from services.allocation.messages import (
    allocation_to_proto,
    definition_from_proto,
    policy_from_proto,
    resource_block_from_proto,
    source_pool_to_proto,
    usage_to_proto,
)
from services.allocation.service.command import Once
from services.allocation.service.ledger import Ledger
from services.allocation.service.view import Policies, Reader
from services.allocation.servicer import listings
from shared.caller import Caller
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of

_FOREIGN_TOLD = 10


class LedgerServicer(ledger_service_pb2_grpc.LedgerServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(self, ledger: Ledger, policies: Policies, reader: Reader) -> None:
        self._ledger, self._policies, self._reader = ledger, policies, reader

    async def PutIpamPool(
        self, request: pb.PutIpamPoolRequest, _context: Context
    ) -> pb.PutIpamPoolResponse:
        await self._ledger.define(definition_from_proto(request.definition))
        return pb.PutIpamPoolResponse()

    async def RetireIpamPool(
        self, request: pb.RetireIpamPoolRequest, _context: Context
    ) -> pb.RetireIpamPoolResponse:
        await self._ledger.retire(
            request.ipam_pool_id, cascade=request.cascade, dry_run=request.dry_run
        )
        return pb.RetireIpamPoolResponse()

    async def PutIpamPolicy(
        self, request: pb.PutIpamPolicyRequest, _context: Context
    ) -> pb.PutIpamPolicyResponse:
        await self._policies.put(policy_from_proto(request.definition))
        return pb.PutIpamPolicyResponse()

    async def GetIpamPoolUsage(
        self, request: pb.GetIpamPoolUsageRequest, _context: Context
    ) -> pb.GetIpamPoolUsageResponse:
        pool_ids = request.ipam_pool_ids
        found = await self._reader.read(lambda view: view.usage(pool_ids))
        usages = [usage_to_proto(i, found[i]) for i in pool_ids if i in found]
        return pb.GetIpamPoolUsageResponse(usages=usages)

    async def ListForeignAllocations(
        self, request: pb.ListForeignAllocationsRequest, _context: Context
    ) -> pb.ListForeignAllocationsResponse:
        limit = request.max_results or _FOREIGN_TOLD
        found = await self._reader.read(
            lambda view: view.foreign_allocations(request.ipam_pool_ids, limit)
        )
        return pb.ListForeignAllocationsResponse(ipam_pool_allocation_ids=found)

    async def AllocateResourceCidr(
        self, request: pb.AllocateResourceCidrRequest, context: Context
    ) -> pb.AllocateResourceCidrResponse:
        caller = caller_of(context)
        allocation, pool = await self._ledger.allocate_to_resource(
            caller,
            resource_block_from_proto(request),
            once=Once(_token_key(caller, request.client_token), request),
            dry_run=request.dry_run,
        )
        return pb.AllocateResourceCidrResponse(
            ipam_pool_allocation=allocation_to_proto(allocation),
            source_pool=source_pool_to_proto(pool),
        )

    async def CancelResourceAllocation(
        self, request: pb.CancelResourceAllocationRequest, context: Context
    ) -> pb.CancelResourceAllocationResponse:
        await self._ledger.cancel(_token_key(caller_of(context), request.client_token))
        return pb.CancelResourceAllocationResponse()

    async def ReleaseResourceAllocations(
        self, request: pb.ReleaseResourceAllocationsRequest, _context: Context
    ) -> pb.ReleaseResourceAllocationsResponse:
        released = await self._ledger.release_of_resources(request.ipam_pool_allocation_ids)
        return pb.ReleaseResourceAllocationsResponse(released_ipam_pool_allocation_ids=released)

    async def ListResourceAllocations(
        self, request: pb.ListResourceAllocationsRequest, _context: Context
    ) -> pb.ListResourceAllocationsResponse:
        return await self._reader.read(lambda view: listings.resource_allocations(view, request))


def _token_key(caller: Caller, client_token: str) -> TokenKey:
    """A resource's token is its service's, whichever account the resource is of."""
    return TokenKey(f"service/{caller.service}", "AllocateResourceCidr", client_token)
