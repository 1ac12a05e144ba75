"""What discovery asks of allocation, in memory, as a gRPC server that can come back."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from cadastre.allocation.v1 import (
    ledger_service_pb2_grpc,
    observation_service_pb2_grpc,
)
from cadastre.allocation.v1 import observation_service_pb2 as pb
from shared.rpc.server import Binding, Runtime, running
from shared.settings import Settings
from tests.network.fake_ledger import FakeLedger


class FakeObservations(observation_service_pb2_grpc.ObservationServiceServicer):
    """``vpc_cidrs`` is what VPCs are known to have: pairs of a VPC's id and a CIDR."""

    def __init__(self) -> None:
        self.vpc_cidrs: set[tuple[str, str]] = set()

    async def ReportVpcCidrs(self, request: Any, context: Any) -> Any:
        self.vpc_cidrs -= {(one.vpc_id, one.cidr) for one in request.gone}
        self.vpc_cidrs |= {(one.vpc_id, one.cidr) for one in request.seen}
        return pb.ReportVpcCidrsResponse()

    async def ListVpcCidrs(self, request: Any, context: Any) -> Any:
        known = [pb.VpcCidr(vpc_id=vpc_id, cidr=cidr) for vpc_id, cidr in self.vpc_cidrs]
        return pb.ListVpcCidrsResponse(vpc_cidrs=known)

    async def ReportObservedCidrs(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    async def ListObservedCidrs(self, request: Any, context: Any) -> Any:
        raise NotImplementedError


@asynccontextmanager
async def serving(
    ledger: FakeLedger, observations: FakeObservations, settings: Settings
) -> AsyncIterator[str]:
    """The address both answer at."""

    @asynccontextmanager
    async def build(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        yield [
            Binding(
                ledger_service_pb2_grpc.add_LedgerServiceServicer_to_server,
                ledger,
                "cadastre.allocation.v1.LedgerService",
            ),
            Binding(
                observation_service_pb2_grpc.add_ObservationServiceServicer_to_server,
                observations,
                "cadastre.allocation.v1.ObservationService",
            ),
        ]

    async with running("allocation", build, settings) as server:
        yield server.address
