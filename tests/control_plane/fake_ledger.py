"""A ledger that records what it is told, and can be told to be down or to refuse."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from cadastre.allocation.v1 import ledger_service_pb2 as pb
from cadastre.allocation.v1 import (
    ledger_service_pb2_grpc,
    observation_service_pb2,
    observation_service_pb2_grpc,
)
from shared.errors import (
    AuthFailure,
    DependencyViolation,
    DryRunOperation,
    IncorrectState,
    ServiceUnavailable,
)
from shared.rpc.server import Binding, Runtime
from tests.control_plane.fake_public_space import FakePublicSpace


class FakeLedger(ledger_service_pb2_grpc.LedgerServiceServicer):
    """Serves on a real channel; a test sets what it should do and reads what it was told."""

    def __init__(self) -> None:
        self.definitions: dict[str, pb.IpamPoolDefinition] = {}
        self.public_space = FakePublicSpace(self.definitions)
        self.policies: dict[str, pb.IpamPolicyDefinition] = {}
        self.retired: list[str] = []
        self.calls: list[str] = []
        self.is_down = False
        self.calls_when_down = 0
        self.is_shut = False
        """It lets nobody in."""
        self.up_for = 0
        """Calls that are answered even while it is down."""
        self.is_lost_after_retiring: set[str] = set()
        """Pools whose retirement is carried out, but never answered."""
        self.holdings: dict[str, str] = {}
        """What a pool has that stands in the way of retiring it without cascade."""
        self.refusals: dict[str, str] = {}
        """Why whatever is asked of a pool is refused for good."""
        self.foreign: dict[str, str] = {}
        """By pool, what another account has of it."""
        self.vpc_cidrs: list[observation_service_pb2.VpcCidr] = []
        """What discovery has seen."""
        self.dry_run_misses: set[str] = set()
        """Pools that came to have something between the dry run and the real one."""

    async def PutIpamPool(
        self,
        request: pb.PutIpamPoolRequest,
        context: Any,
    ) -> pb.PutIpamPoolResponse:
        definition = request.definition
        pool_id = definition.ipam_pool_id
        self._answer("put", pool_id)
        if pool_id in self.retired:
            raise IncorrectState(f"'{pool_id}' was retired")
        known = self.definitions.get(pool_id)
        if known is None or known.version < definition.version:
            self.definitions[pool_id] = definition
        return pb.PutIpamPoolResponse()

    async def PutIpamPolicy(
        self, request: pb.PutIpamPolicyRequest, context: Any
    ) -> pb.PutIpamPolicyResponse:
        definition = request.definition
        self._answer("put", definition.ipam_policy_id)
        known = self.policies.get(definition.ipam_policy_id)
        if known is None or known.version < definition.version:
            self.policies[definition.ipam_policy_id] = definition
        return pb.PutIpamPolicyResponse()

    async def ListForeignAllocations(
        self,
        request: pb.ListForeignAllocationsRequest,
        context: Any,
    ) -> pb.ListForeignAllocationsResponse:
        found = [self.foreign[pool] for pool in request.ipam_pool_ids if pool in self.foreign]
        return pb.ListForeignAllocationsResponse(ipam_pool_allocation_ids=found)

    async def RetireIpamPool(
        self,
        request: pb.RetireIpamPoolRequest,
        context: Any,
    ) -> pb.RetireIpamPoolResponse:
        pool_id = request.ipam_pool_id
        self._answer("check" if request.dry_run else "retire", pool_id)
        missed = request.dry_run and pool_id in self.dry_run_misses
        if pool_id in self.holdings and not request.cascade and not missed:
            raise DependencyViolation(f"'{pool_id}' has {self.holdings[pool_id]}")
        if request.dry_run:
            raise DryRunOperation
        if pool_id not in self.retired:
            self.retired.append(pool_id)
        self.definitions.pop(pool_id, None)
        if pool_id in self.is_lost_after_retiring:
            raise ServiceUnavailable("the answer was lost")
        return pb.RetireIpamPoolResponse()

    def _answer(self, call: str, pool_id: str) -> None:
        self.calls.append(f"{call} {pool_id}")
        if self.is_down and not self.up_for:
            self.calls_when_down += 1
            raise ServiceUnavailable("down")
        self.up_for = max(0, self.up_for - 1)
        if self.is_shut:
            raise AuthFailure("the token is not valid")
        if pool_id in self.refusals:
            raise IncorrectState(self.refusals[pool_id])

    @asynccontextmanager
    async def build(self, runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        """For `running`, which serves it like the real one."""
        del runtime
        yield [
            Binding(
                ledger_service_pb2_grpc.add_LedgerServiceServicer_to_server,
                self,
                "cadastre.allocation.v1.LedgerService",
            ),
            Binding(
                observation_service_pb2_grpc.add_ObservationServiceServicer_to_server,
                FakeObservations(self.vpc_cidrs),
                "cadastre.allocation.v1.ObservationService",
            ),
            self.public_space.binding,
        ]


class FakeObservations(observation_service_pb2_grpc.ObservationServiceServicer):
    """Tells what a test says was seen."""

    def __init__(self, vpc_cidrs: list[observation_service_pb2.VpcCidr]) -> None:
        self._vpc_cidrs = vpc_cidrs

    async def ListVpcCidrs(
        self, request: observation_service_pb2.ListVpcCidrsRequest, context: Any
    ) -> observation_service_pb2.ListVpcCidrsResponse:
        found = [seen for seen in self._vpc_cidrs if seen.vpc_id in request.vpc_ids]
        return observation_service_pb2.ListVpcCidrsResponse(vpc_cidrs=found)

    async def ReportVpcCidrs(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    async def ReportObservedCidrs(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    async def ListObservedCidrs(self, request: Any, context: Any) -> Any:
        raise NotImplementedError
