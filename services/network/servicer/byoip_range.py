"""ByoipRangeService: messages to use cases and back."""

from cadastre.network.v1 import byoip_range_service_pb2 as pb
from cadastre.network.v1 import byoip_range_service_pb2_grpc
from services.network.network_border_group import check_network_border_group
from services.network.service.byoip_ranges import ByoipRanges, NewByoipRange
from shared.cidr import Cidr
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of
from shared.tags import tags_from_proto


class ByoipRangeServicer(byoip_range_service_pb2_grpc.ByoipRangeServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(self, ranges: ByoipRanges) -> None:
        self._ranges = ranges

    async def AddByoipRange(
        self, request: pb.AddByoipRangeRequest, context: Context
    ) -> pb.AddByoipRangeResponse:
        caller = caller_of(context)
        group = request.network_border_group or caller.region
        wanted = NewByoipRange(
            pool_id=request.pool_id,
            cidr=Cidr.parse(request.cidr),
            network_border_group=check_network_border_group(group, caller.region),
            description=request.description,
            tags=tags_from_proto(request.tags),
        )
        await self._ranges.add(caller, wanted)
        return pb.AddByoipRangeResponse()

    async def RemoveByoipRange(
        self, request: pb.RemoveByoipRangeRequest, context: Context
    ) -> pb.RemoveByoipRangeResponse:
        await self._ranges.remove(caller_of(context), request.pool_id)
        return pb.RemoveByoipRangeResponse()
