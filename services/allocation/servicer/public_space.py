"""PublicSpaceService: what waits for proof, what is advertised, what came without an IPAM."""

from collections.abc import AsyncIterator
from datetime import UTC

from cadastre.allocation.v1 import public_space_service_pb2 as pb
from cadastre.allocation.v1 import public_space_service_pb2_grpc
from services.allocation.messages import pool_cidr_to_proto
from services.allocation.service.public_space import PublicSpace
from services.allocation.service.view import Reader
from services.allocation.servicer import listings
from services.allocation.servicer.public_space_messages import (
    brought_range_from_proto,
    waiting_to_proto,
)
from shared.cidr import Cidr
from shared.rpc.interceptor import Context


class PublicSpaceServicer(public_space_service_pb2_grpc.PublicSpaceServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(self, public_space: PublicSpace, reader: Reader) -> None:
        self._public_space, self._reader = public_space, reader

    async def WatchPendingCidrs(
        self, _request: pb.WatchPendingCidrsRequest, _context: Context
    ) -> AsyncIterator[pb.WatchPendingCidrsResponse]:
        async for waiting in self._public_space.waiting():
            yield pb.WatchPendingCidrsResponse(pending_cidr=waiting_to_proto(waiting))

    async def ConcludeProvision(
        self, request: pb.ConcludeProvisionRequest, _context: Context
    ) -> pb.ConcludeProvisionResponse:
        await self._public_space.conclude(
            request.ipam_pool_cidr_id,
            request.failure,
            request.requested_at.ToDatetime(tzinfo=UTC)
            if request.HasField("requested_at")
            else None,
        )
        return pb.ConcludeProvisionResponse()

    async def ListPublicCidrs(
        self, request: pb.ListPublicCidrsRequest, _context: Context
    ) -> pb.ListPublicCidrsResponse:
        return await self._reader.read(lambda view: listings.public_cidrs(view, request))

    async def PinPoolCidr(
        self, request: pb.PinPoolCidrRequest, _context: Context
    ) -> pb.PinPoolCidrResponse:
        await self._public_space.pin(request.ipam_pool_cidr_id, request.reason)
        return pb.PinPoolCidrResponse()

    async def UnpinPoolCidr(
        self, request: pb.UnpinPoolCidrRequest, _context: Context
    ) -> pb.UnpinPoolCidrResponse:
        await self._public_space.unpin(request.ipam_pool_cidr_id)
        return pb.UnpinPoolCidrResponse()

    async def RegisterByoipCidr(
        self, request: pb.RegisterByoipCidrRequest, _context: Context
    ) -> pb.RegisterByoipCidrResponse:
        brought = brought_range_from_proto(request)
        await self._public_space.register(brought, dry_run=request.dry_run)
        return pb.RegisterByoipCidrResponse()

    async def UnregisterByoipCidr(
        self, request: pb.UnregisterByoipCidrRequest, _context: Context
    ) -> pb.UnregisterByoipCidrResponse:
        await self._public_space.unregister(Cidr.parse(request.cidr), request.owner_id)
        return pb.UnregisterByoipCidrResponse()

    async def MoveByoipCidr(
        self, request: pb.MoveByoipCidrRequest, _context: Context
    ) -> pb.MoveByoipCidrResponse:
        arrived = await self._public_space.move(
            brought_range_from_proto(request), request.ipam_pool_id, request.ipam_pool_owner
        )
        return pb.MoveByoipCidrResponse(ipam_pool_cidr=pool_cidr_to_proto(arrived))
