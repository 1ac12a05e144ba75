"""PlacementService: where pools place what is asked of them."""

from collections.abc import Callable
from datetime import datetime

from cadastre.allocation.v1 import placement_service_pb2 as pb
from cadastre.allocation.v1 import placement_service_pb2_grpc
from services.allocation.messages import block_to_allocate_from_proto, given
from services.allocation.service.ledger import Ledger
from services.allocation.service.view import Reader
from services.allocation.servicer import listings
from services.allocation.servicer.allocation import once_of
from services.allocation.servicer.placement_messages import (
    free_space_to_proto,
    hold_to_proto,
    placement_change_from_proto,
    placement_to_proto,
    time_to_live_from_proto,
)
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of


class PlacementServicer(placement_service_pb2_grpc.PlacementServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(self, ledger: Ledger, reader: Reader, clock: Callable[[], datetime]) -> None:
        self._ledger, self._reader, self._clock = ledger, reader, clock

    async def GetIpamPoolPlacement(
        self, request: pb.GetIpamPoolPlacementRequest, context: Context
    ) -> pb.GetIpamPoolPlacementResponse:
        caller, pool_id = caller_of(context), request.ipam_pool_id
        placement = await self._reader.read(lambda view: listings.placement(view, caller, pool_id))
        return pb.GetIpamPoolPlacementResponse(
            ipam_pool_placement=placement_to_proto(pool_id, placement)
        )

    async def ModifyIpamPoolPlacement(
        self, request: pb.ModifyIpamPoolPlacementRequest, context: Context
    ) -> pb.ModifyIpamPoolPlacementResponse:
        placement = await self._ledger.change_placement(
            caller_of(context),
            request.ipam_pool_id,
            placement_change_from_proto(request),
            dry_run=request.dry_run,
        )
        return pb.ModifyIpamPoolPlacementResponse(
            ipam_pool_placement=placement_to_proto(request.ipam_pool_id, placement)
        )

    async def HoldIpamPoolCidr(
        self, request: pb.HoldIpamPoolCidrRequest, context: Context
    ) -> pb.HoldIpamPoolCidrResponse:
        caller = caller_of(context)
        hold = await self._ledger.hold(
            caller,
            request.ipam_pool_id,
            block_to_allocate_from_proto(request),
            time_to_live_from_proto(request),
            once=once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.HoldIpamPoolCidrResponse(ipam_pool_hold=hold_to_proto(hold))

    async def ReleaseIpamPoolHold(
        self, request: pb.ReleaseIpamPoolHoldRequest, context: Context
    ) -> pb.ReleaseIpamPoolHoldResponse:
        await self._ledger.release_hold(
            caller_of(context),
            request.ipam_pool_id,
            request.ipam_pool_hold_id,
            dry_run=request.dry_run,
        )
        return pb.ReleaseIpamPoolHoldResponse()

    async def GetIpamPoolUnavailableCidrs(
        self, request: pb.GetIpamPoolUnavailableCidrsRequest, context: Context
    ) -> pb.GetIpamPoolUnavailableCidrsResponse:
        caller, now = caller_of(context), self._clock()
        return await self._reader.read(
            lambda view: listings.unavailable_cidrs(view, caller, request, now)
        )

    async def GetIpamPoolFreeSpace(
        self, request: pb.GetIpamPoolFreeSpaceRequest, context: Context
    ) -> pb.GetIpamPoolFreeSpaceResponse:
        outlook = await self._ledger.outlook(
            caller_of(context),
            request.ipam_pool_id,
            given(request, "netmask_length"),
            dry_run=request.dry_run,
        )
        return free_space_to_proto(outlook)
