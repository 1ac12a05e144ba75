"""A ledger in memory that keeps the promises network and discovery build on, as a gRPC server."""

import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from cadastre.allocation.v1 import ledger_service_pb2 as pb
from cadastre.allocation.v1 import ledger_service_pb2_grpc, pool_allocation_pb2
from cadastre.common.v1 import types_pb2
from shared.cidr import Cidr
from shared.errors import (
    DryRunOperation,
    Exhausted,
    IncorrectState,
    InvalidParameterValue,
    OperationNotPermitted,
)
from shared.ids import IPAM_POOL
from shared.rpc.server import Binding, Runtime, caller_of, running
from shared.settings import Settings

IPV4_POOL = "ipam-pool-00000000000000004"
IPV6_POOL = "ipam-pool-00000000000000006"
TAGGED_POOL = "ipam-pool-0000000000000000a"
BYOIP_POOL = "ipam-pool-0000000000000000b"
CONTIGUOUS_POOL = "ipam-pool-0000000000000000c"
LOCAL_ZONE_POOL = "ipam-pool-0000000000000000d"
PUBLIC_IP_SOURCES = {
    "": types_pb2.IPAM_POOL_PUBLIC_IP_SOURCE_UNSPECIFIED,
    "amazon": types_pb2.IPAM_POOL_PUBLIC_IP_SOURCE_AMAZON,
    "byoip": types_pb2.IPAM_POOL_PUBLIC_IP_SOURCE_BYOIP,
}


@dataclass(frozen=True)
class FakePool:
    cidr: str
    default_netmask_length: int
    tags: dict[str, str] = field(default_factory=dict)
    locale: str = "us-west-2"
    public_ip_source: str = ""
    ipam_region: str = "us-east-1"
    vpc_id: str = ""
    """The VPC that it plans."""

    def source_pool(self, ipam_pool_id: str) -> pb.SourcePool:
        public = self.public_ip_source
        return pb.SourcePool(
            ipam_pool_id=ipam_pool_id,
            ipam_region=self.ipam_region,
            locale=self.locale,
            ipam_scope_type=(
                types_pb2.IPAM_SCOPE_TYPE_PUBLIC if public else types_pb2.IPAM_SCOPE_TYPE_PRIVATE
            ),
            public_ip_source=PUBLIC_IP_SOURCES[public],
        )


class InsufficientSpace(Exhausted):
    reason = "InsufficientCidrSpace"


async def nothing() -> None:
    pass


class FakeLedger(ledger_service_pb2_grpc.LedgerServiceServicer):
    """``before`` and ``after`` are awaited around each allocation; tests hold it up there.

    ``before_cancelling`` likewise, where one is cancelled.

    ``around_list`` is called before and after the allocations are read for a list.
    """

    def __init__(self) -> None:
        self.pools = {
            IPV4_POOL: FakePool("10.0.0.0/16", 24),
            IPV6_POOL: FakePool("fd00:1234::/32", 56),
            TAGGED_POOL: FakePool("10.9.0.0/16", 24, {"environment": "pre-prod"}),
            BYOIP_POOL: FakePool("130.137.244.0/22", 24, public_ip_source="byoip"),
            CONTIGUOUS_POOL: FakePool("18.97.0.40/29", 32, public_ip_source="amazon"),
            LOCAL_ZONE_POOL: FakePool("192.0.2.0/24", 24, {}, "us-west-2-lax-1", "byoip"),
            "amazon-ipv4": FakePool("198.18.0.0/15", 32, {}, "any", "amazon", ""),
            "amazon-ipv6": FakePool("3fff::/20", 56, {}, "any", "amazon", ""),
            "byoip": FakePool("203.0.113.0/24", 24, {}, "any", "byoip", ""),
        }
        self.policy_pools: list[str] = []
        """Pools that come first where a policy has a say, in order."""
        self.allocations: dict[str, pb.ResourceAllocation] = {}
        self.requests: list[tuple[Any, Any]] = []
        self.cancelled: set[str] = set()
        self.before: Callable[[], Awaitable[None]] = nothing
        self.after: Callable[[], Awaitable[None]] = nothing
        self.before_cancelling: Callable[[], Awaitable[None]] = nothing
        self.around_list: Callable[[], object] = bool

    @property
    def held(self) -> dict[str, str]:
        """CIDRs by the client token they were allocated under."""
        return {held.client_token: held.cidr for held in self.allocations.values()}

    async def AllocateResourceCidr(self, request: Any, context: Any) -> Any:
        self.requests.append((request, caller_of(context)))
        await self.before()
        if request.ipam_policy_precedence:
            request = self._by_policy(request)
        self._check(request, {caller_of(context).region, request.network_border_group, "any"})
        found = self._find(request.client_token) or self._allocate(request)
        if request.dry_run:
            raise DryRunOperation
        self.allocations[found.ipam_pool_allocation_id] = found
        await self.after()
        return pb.AllocateResourceCidrResponse(
            ipam_pool_allocation=pool_allocation_pb2.IpamPoolAllocation(
                cidr=found.cidr, ipam_pool_allocation_id=found.ipam_pool_allocation_id
            ),
            source_pool=self.pools[request.ipam_pool_id].source_pool(request.ipam_pool_id),
        )

    async def CancelResourceAllocation(self, request: Any, context: Any) -> Any:
        await self.before_cancelling()
        self.cancelled.add(request.client_token)
        if found := self._find(request.client_token):
            del self.allocations[found.ipam_pool_allocation_id]
        return pb.CancelResourceAllocationResponse()

    async def ReleaseResourceAllocations(self, request: Any, context: Any) -> Any:
        ids = request.ipam_pool_allocation_ids
        released = [id_ for id_ in ids if self.allocations.pop(id_, None)]
        return pb.ReleaseResourceAllocationsResponse(released_ipam_pool_allocation_ids=released)

    def release_all_but(self, client_tokens: Collection[str]) -> None:
        """As discovery has it done for what is gone."""
        for id_, held in list(self.allocations.items()):
            if held.client_token not in client_tokens:
                del self.allocations[id_]

    async def ListResourceAllocations(self, request: Any, context: Any) -> Any:
        assert request.service == "network"
        self.around_list()
        later = sorted(id_ for id_ in self.allocations if id_ > request.next_token)
        page = later[: request.max_results or 1000]
        answer = pb.ListResourceAllocationsResponse(
            resource_allocations=[self.allocations[id_] for id_ in page],
            next_token=page[-1] if len(later) > len(page) else None,
        )
        self.around_list()
        return answer

    async def PutIpamPool(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    async def RetireIpamPool(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    async def GetIpamPoolUsage(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    def _check(self, request: Any, locales: Collection[str]) -> None:
        if request.client_token in self.cancelled:
            raise IncorrectState(f"'{request.client_token}' was cancelled")
        if request.ipam_pool_id not in self.pools:
            raise IPAM_POOL.unknown(request.ipam_pool_id)
        pool = self.pools[request.ipam_pool_id]
        if pool.locale not in locales:
            raise OperationNotPermitted(f"The pool's locale is {pool.locale}, not {max(locales)}")
        if pool.vpc_id != request.vpc_id:
            raise InvalidParameterValue(f"The pool plans '{pool.vpc_id}', not '{request.vpc_id}'")
        tags = {tag.key: tag.value for tag in request.resource_tags}
        if not tags.items() >= pool.tags.items():
            raise InvalidParameterValue(f"The resource lacks the tags {pool.tags}")

    def _by_policy(self, request: Any) -> Any:
        """The request, of the first pool that has room."""
        named, tried = request.ipam_pool_id, [*self.policy_pools]
        if request.ipam_policy_precedence == pb.IPAM_POLICY_PRECEDENCE_FIRST:
            tried.append(named)
        for pool_id in tried:
            request.ipam_pool_id = pool_id
            with suppress(InvalidParameterValue):
                self._free_cidr(request)
                return request
        raise InsufficientSpace("no pool of a policy has anything")

    def _find(self, client_token: str) -> pb.ResourceAllocation | None:
        found = [held for held in self.allocations.values() if held.client_token == client_token]
        return found[0] if found else None

    def _allocate(self, request: Any) -> pb.ResourceAllocation:
        return pb.ResourceAllocation(
            ipam_pool_allocation_id=f"ipam-pool-alloc-{uuid4().hex}",
            client_token=request.client_token,
            resource_id=request.resource_id,
            cidr=self._free_cidr(request),
        )

    def _free_cidr(self, request: Any) -> str:
        pool = self.pools[request.ipam_pool_id]
        # What is planned lies in a VPC's block, a space of its own.
        taken = [
            Cidr.parse(held.cidr)
            for held in self.allocations.values()
            if held.resource_id.startswith("subnet-") == bool(pool.vpc_id)
        ]
        length = request.netmask_length or pool.default_netmask_length
        candidates: Sequence[str] | Any = [request.cidr]
        if not request.HasField("cidr"):
            candidates = map(str, ipaddress.ip_network(pool.cidr).subnets(new_prefix=length))
        for candidate in candidates:
            cidr = Cidr.parse(candidate)
            is_in_pool = Cidr.parse(pool.cidr).contains(cidr)
            if is_in_pool and not any(cidr.overlaps(other) for other in taken):
                return str(cidr)
        raise InvalidParameterValue(f"{request.cidr or length} is not free")


@asynccontextmanager
async def serving(ledger: FakeLedger, settings: Settings) -> AsyncIterator[str]:
    """The address ``ledger`` answers at."""

    @asynccontextmanager
    async def build(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        yield [
            Binding(
                ledger_service_pb2_grpc.add_LedgerServiceServicer_to_server,
                ledger,
                "cadastre.allocation.v1.LedgerService",
            )
        ]

    async with running("allocation", build, settings) as server:
        yield server.address
