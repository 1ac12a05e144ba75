"""ObservationService: what is in use without an allocation, and what VPCs have."""

from cadastre.allocation.v1 import observation_service_pb2 as pb
from cadastre.allocation.v1 import observation_service_pb2_grpc
from services.allocation.messages import vpc_cidrs_from_proto
from services.allocation.service.view import Observations, Reader, VpcObservations
from services.allocation.servicer import listings
from services.allocation.servicer.placement_messages import observed_from_proto
from shared.rpc.interceptor import Context


class ObservationServicer(observation_service_pb2_grpc.ObservationServiceServicer):
    """Translates; nothing has to be decided."""

    def __init__(self, observations: Observations, vpcs: VpcObservations, reader: Reader) -> None:
        self._observations, self._vpcs, self._reader = observations, vpcs, reader

    async def ReportObservedCidrs(
        self, request: pb.ReportObservedCidrsRequest, _context: Context
    ) -> pb.ReportObservedCidrsResponse:
        await self._observations.report(
            request.ipam_scope_id,
            observed_from_proto(request.observed, "observed"),
            observed_from_proto(request.gone, "gone"),
        )
        return pb.ReportObservedCidrsResponse()

    async def ListObservedCidrs(
        self, request: pb.ListObservedCidrsRequest, _context: Context
    ) -> pb.ListObservedCidrsResponse:
        return await self._reader.read(lambda view: listings.observed_cidrs(view, request))

    async def ReportVpcCidrs(
        self, request: pb.ReportVpcCidrsRequest, _context: Context
    ) -> pb.ReportVpcCidrsResponse:
        await self._vpcs.report(
            vpc_cidrs_from_proto(request.seen, "seen"), vpc_cidrs_from_proto(request.gone, "gone")
        )
        return pb.ReportVpcCidrsResponse()

    async def ListVpcCidrs(
        self, request: pb.ListVpcCidrsRequest, _context: Context
    ) -> pb.ListVpcCidrsResponse:
        return await self._reader.read(lambda view: listings.vpc_cidrs(view, request))
