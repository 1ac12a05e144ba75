"""DiscoveryService: messages to use cases and back."""

from collections.abc import Awaitable, Callable, Sequence

from cadastre.discovery.v1 import discovery_service_pb2 as pb
from cadastre.discovery.v1 import discovery_service_pb2_grpc
from services.discovery.service.following import Discovery
from shared.rpc.interceptor import Context


class DiscoveryServicer(discovery_service_pb2_grpc.DiscoveryServiceServicer):
    """Translates."""

    def __init__(
        self, discovery: Discovery, run_pass: Callable[[], Awaitable[Sequence[str]]]
    ) -> None:
        self._discovery, self._run_pass = discovery, run_pass

    async def RunDiscoveryPass(
        self,
        _request: pb.RunDiscoveryPassRequest,
        _context: Context,
    ) -> pb.RunDiscoveryPassResponse:
        released = await self._run_pass()
        return pb.RunDiscoveryPassResponse(released_ipam_pool_allocation_ids=released)

    async def GetDiscoveryStatus(
        self,
        _request: pb.GetDiscoveryStatusRequest,
        _context: Context,
    ) -> pb.GetDiscoveryStatusResponse:
        progress = await self._discovery.progress()
        answer = pb.GetDiscoveryStatusResponse(network_sequence=progress.sequence)
        if progress.last_successful_pass_time:
            answer.last_successful_pass_time.FromDatetime(progress.last_successful_pass_time)
        return answer
