"""The public space of a fake ledger, and a fake network's pools of it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from cadastre.allocation.v1 import ledger_service_pb2, public_space_service_pb2_grpc
from cadastre.allocation.v1 import public_space_service_pb2 as pb
from cadastre.network.v1 import byoip_range_service_pb2 as ranges_pb2
from cadastre.network.v1 import byoip_range_service_pb2_grpc
from shared.caller import Caller
from shared.errors import (
    DependencyViolation,
    DryRunOperation,
    IncorrectState,
    InvalidParameterValue,
    ServiceUnavailable,
)
from shared.ids import IPAM_POOL_CIDR
from shared.rpc.server import Binding, Runtime, caller_of


class FakePublicSpace(public_space_service_pb2_grpc.PublicSpaceServiceServicer):
    """A test says what there is and what is refused, and reads what it was told."""

    def __init__(self, definitions: Mapping[str, ledger_service_pb2.IpamPoolDefinition]) -> None:
        self._definitions = definitions
        self.cidrs: list[pb.PublicCidr] = []
        """Provisioned to pools."""
        self.shared_with: dict[str, str] = {}
        """By pool, another account that may use it."""
        self.pins: dict[str, str] = {}
        self.pins_fail = False
        self.pins_failed = 0
        """So often."""
        self.moves_fail = False
        self.moves_are_lost = False
        """They are carried out, but never answered."""
        self.vanish_when_pinned = False
        """Somebody deprovisions just before."""
        self.registered: dict[str, str] = {}
        """Without an IPAM: by CIDR, who brought it along."""
        self.allocated: set[str] = set()
        """CIDRs without an IPAM of which something is allocated."""
        self.refusals: dict[str, str] = {}
        """By CIDR, why it is neither taken in nor moved."""
        self.waiting: dict[str, pb.PendingCidr] = {}
        self.concluded: dict[str, str] = {}
        self.conclusions_fail = False
        self.is_down = False
        self.watches = 0
        self._news = asyncio.Event()

    def provision(self, cidr: str, pool: Any, locale: str | None = None) -> str:
        """Give a pool of the control plane's a CIDR: its id."""
        cidr_id = IPAM_POOL_CIDR.new()
        definition = self._definitions[pool.ipam_pool_id]
        self.cidrs.append(
            pb.PublicCidr(
                ipam_pool_cidr_id=cidr_id,
                cidr=cidr,
                ipam_pool_id=pool.ipam_pool_id,
                ipam_id=definition.ipam_id,
                owner_id=definition.owner_id,
                locale=locale or definition.locale,
                aws_service=definition.aws_service,
                public_ip_source=definition.public_ip_source,
                publicly_advertisable=definition.publicly_advertisable,
            )
        )
        return cidr_id

    def deprovision(self, cidr_id: str) -> None:
        self.cidrs = [cidr for cidr in self.cidrs if cidr.ipam_pool_cidr_id != cidr_id]

    def wait_for(self, **members: Any) -> str:
        """Have a CIDR wait for proof of control: its id."""
        pending = pb.PendingCidr(ipam_pool_cidr_id=IPAM_POOL_CIDR.new(), **members)
        self.waiting[pending.ipam_pool_cidr_id] = pending
        self._news.set()
        return pending.ipam_pool_cidr_id

    async def ListPublicCidrs(
        self, request: pb.ListPublicCidrsRequest, context: Any
    ) -> pb.ListPublicCidrsResponse:
        self._check_up()
        found = [
            cidr
            for cidr in self.cidrs
            if request.account_id in (cidr.owner_id, self.shared_with.get(cidr.ipam_pool_id))
            and f"{cidr.locale}-".startswith(f"{request.region}-")
            and (not request.HasField("cidr") or request.cidr == cidr.cidr)
        ]
        # Pages of one, so that a client that reads only the first is found out.
        start = int(request.next_token or 0)
        token = str(start + 1) if start + 1 < len(found) else None
        return pb.ListPublicCidrsResponse(public_cidrs=found[start : start + 1], next_token=token)

    async def PinPoolCidr(self, request: pb.PinPoolCidrRequest, context: Any) -> Any:
        self._check_pins()
        if self.vanish_when_pinned:
            self.deprovision(request.ipam_pool_cidr_id)
        if not any(one.ipam_pool_cidr_id == request.ipam_pool_cidr_id for one in self.cidrs):
            raise IPAM_POOL_CIDR.unknown(request.ipam_pool_cidr_id)
        self.pins[request.ipam_pool_cidr_id] = request.reason
        return pb.PinPoolCidrResponse()

    async def UnpinPoolCidr(self, request: pb.UnpinPoolCidrRequest, context: Any) -> Any:
        self._check_pins()
        self.pins.pop(request.ipam_pool_cidr_id, None)
        return pb.UnpinPoolCidrResponse()

    async def RegisterByoipCidr(self, request: pb.RegisterByoipCidrRequest, context: Any) -> Any:
        self._check_up()
        self._check_not_refused(request.cidr)
        if self.registered.get(request.cidr, request.owner_id) != request.owner_id:
            raise InvalidParameterValue(f"{request.cidr} is somebody's already")
        if request.dry_run:
            raise DryRunOperation
        self.registered[request.cidr] = request.owner_id
        return pb.RegisterByoipCidrResponse()

    async def UnregisterByoipCidr(
        self, request: pb.UnregisterByoipCidrRequest, context: Any
    ) -> Any:
        self._check_up()
        if request.cidr in self.allocated:
            raise DependencyViolation(f"something of {request.cidr} is allocated")
        self.registered.pop(request.cidr, None)
        return pb.UnregisterByoipCidrResponse()

    async def MoveByoipCidr(self, request: pb.MoveByoipCidrRequest, context: Any) -> Any:
        self._check_up()
        self._check_not_refused(request.cidr)
        if self.moves_fail:
            raise ServiceUnavailable("busy")
        definition = self._definitions[request.ipam_pool_id]
        assert definition.owner_id == request.ipam_pool_owner
        there = [
            one.ipam_pool_cidr_id
            for one in self.cidrs
            if (one.cidr, one.ipam_pool_id) == (request.cidr, request.ipam_pool_id)
        ]
        if not there:
            del self.registered[request.cidr]
            there = [self.provision(request.cidr, definition)]
        if self.moves_are_lost:
            raise ServiceUnavailable("the answer was lost")
        answer = pb.MoveByoipCidrResponse()
        answer.ipam_pool_cidr.ipam_pool_cidr_id = there[0]
        return answer

    async def WatchPendingCidrs(
        self, request: pb.WatchPendingCidrsRequest, context: Any
    ) -> AsyncIterator[pb.WatchPendingCidrsResponse]:
        self._check_up()
        self.watches += 1
        told = set[str]()
        while True:
            self._news = asyncio.Event()
            for cidr_id, pending in list(self.waiting.items()):
                if cidr_id not in told:
                    told.add(cidr_id)
                    yield pb.WatchPendingCidrsResponse(pending_cidr=pending)
            await self._news.wait()
            self._check_up()

    async def ConcludeProvision(self, request: pb.ConcludeProvisionRequest, context: Any) -> Any:
        self._check_up()
        if self.conclusions_fail:
            raise ServiceUnavailable("busy")
        if self.waiting.pop(request.ipam_pool_cidr_id, None):
            self.concluded[request.ipam_pool_cidr_id] = request.failure
        return pb.ConcludeProvisionResponse()

    def go_down(self) -> None:
        """Break what streams there are, and answer nobody."""
        self.is_down = True
        self._news.set()

    def _check_up(self) -> None:
        if self.is_down:
            raise ServiceUnavailable("down")

    def _check_pins(self) -> None:
        self._check_up()
        if self.pins_fail:
            self.pins_failed += 1
            raise ServiceUnavailable("busy")

    def _check_not_refused(self, cidr: str) -> None:
        if cidr in self.refusals:
            raise IncorrectState(self.refusals[cidr])

    @property
    def binding(self) -> Binding:
        return Binding(
            public_space_service_pb2_grpc.add_PublicSpaceServiceServicer_to_server,
            self,
            "cadastre.allocation.v1.PublicSpaceService",
        )


class FakeNetwork(byoip_range_service_pb2_grpc.ByoipRangeServiceServicer):
    """A network that has public IPv4 pools."""

    def __init__(self) -> None:
        self.pools: dict[str, tuple[Caller, ranges_pb2.AddByoipRangeRequest]] = {}
        self.refusals: dict[str, str] = {}
        """By what is done ("add", "remove"), why it is refused."""

    async def AddByoipRange(self, request: ranges_pb2.AddByoipRangeRequest, context: Any) -> Any:
        self._check_not_refused("add")
        self.pools[request.pool_id] = caller_of(context), request
        return ranges_pb2.AddByoipRangeResponse()

    async def RemoveByoipRange(
        self, request: ranges_pb2.RemoveByoipRangeRequest, context: Any
    ) -> Any:
        self._check_not_refused("remove")
        self.pools.pop(request.pool_id, None)
        return ranges_pb2.RemoveByoipRangeResponse()

    def _check_not_refused(self, what: str) -> None:
        if what in self.refusals:
            raise DependencyViolation(self.refusals[what])

    @asynccontextmanager
    async def build(self, runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        """For `running`, which serves it like the real one."""
        del runtime
        yield [
            Binding(
                byoip_range_service_pb2_grpc.add_ByoipRangeServiceServicer_to_server,
                self,
                "cadastre.network.v1.ByoipRangeService",
            )
        ]
