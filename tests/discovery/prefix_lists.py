"""Prefix list resolvers between a control plane and a network that are fakes."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import (
    control_service_pb2,
    control_service_pb2_grpc,
    ipam_pb2,
    ipam_pool_pb2,
)
from cadastre.discovery.v1 import prefix_list_resolver_service_pb2 as pb
from cadastre.discovery.v1 import prefix_list_resolver_service_pb2_grpc
from cadastre.network.v1 import prefix_list_sync_service_pb2 as sync_pb
from cadastre.network.v1 import prefix_list_sync_service_pb2_grpc
from services.discovery import tables
from services.discovery.clients.access import ControlPlaneAccess
from services.discovery.coverage import Ipam
from services.discovery.evaluation.model import Pool, Scopes
from services.discovery.server import PrefixListWork, prefix_list_binding, prefix_list_work
from services.discovery.service.evaluating import Follower
from shared.cidr import AddressFamily, Cidr
from shared.errors import CadastreError, IncorrectState, ServiceUnavailable, UnknownId
from shared.ids import IPAM as IPAM_KIND
from shared.ids import IPAM_POOL
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.rpc.client import Remote
from shared.rpc.enums import aws_enum_name
from shared.rpc.server import Binding, Runtime, background, caller_of, running
from tests.discovery.monitored import (
    HOME,
    IPAM,
    NOW,
    OTHER_IPAM,
    OWNER,
    POOL,
    PRIVATE,
    PUBLIC,
    SECOND,
    WEST,
    FakeScopes,
    as_account,
    cidr_values,
    record_values,
)
from tests.network.support import Client, settings_for
from tests.waiting import eventually

FREE_IPAM, DYING_IPAM = "ipam-00000000000000003", "ipam-00000000000000004"
OTHER_POOL = "ipam-pool-00000000000000002"
LIST, SECOND_LIST, SIX_LIST, UNKNOWN_LIST = (f"pl-0000000000000000{n}" for n in range(1, 5))
"""Two of the owner's in `WEST`, one of them for IPv6; and one that nobody has."""
UNKNOWN_RESOLVER = "ipam-plr-00000000000000000"
UNKNOWN_TARGET = "ipam-plrt-00000000000000000"
EQUALS, NOT_EQUALS, SUBNET_OF = (
    pb.IPAM_PREFIX_LIST_RESOLVER_RULE_CONDITION_OPERATION_EQUALS,
    pb.IPAM_PREFIX_LIST_RESOLVER_RULE_CONDITION_OPERATION_NOT_EQUALS,
    pb.IPAM_PREFIX_LIST_RESOLVER_RULE_CONDITION_OPERATION_SUBNET_OF,
)
_TYPES = {
    "static": pb.IPAM_PREFIX_LIST_RESOLVER_RULE_TYPE_STATIC_CIDR,
    "pool": pb.IPAM_PREFIX_LIST_RESOLVER_RULE_TYPE_IPAM_POOL_CIDR,
    "resource": pb.IPAM_PREFIX_LIST_RESOLVER_RULE_TYPE_IPAM_RESOURCE_CIDR,
}
_VPC_TYPE = 1


def rule(kind: str, **members: Any) -> pb.IpamPrefixListResolverRuleRequest:
    return pb.IpamPrefixListResolverRuleRequest(rule_type=_TYPES[kind], **members)


def static(cidr: str) -> pb.IpamPrefixListResolverRuleRequest:
    return rule("static", static_cidr=cidr)


def about_vpcs(*conditions: Any, scope_id: str = PRIVATE) -> pb.IpamPrefixListResolverRuleRequest:
    return rule(
        "resource", ipam_scope_id=scope_id, resource_type=_VPC_TYPE, conditions=list(conditions)
    )


def condition(operation: Any = EQUALS, **members: Any) -> Any:
    return pb.IpamPrefixListResolverRuleConditionRequest(operation=operation, **members)


class FakeIpams(FakeScopes):
    """Tells each account of its own IPAMs and pools, too."""

    async def DescribeIpams(self, request: Any, context: Any) -> Any:
        [ipam_id], caller = request.ipam_ids, caller_of(context)
        is_callers = (caller.account_id, caller.region) == (OWNER, HOME)
        if ipam_id not in {IPAM, OTHER_IPAM, FREE_IPAM, DYING_IPAM} or not is_callers:
            raise IPAM_KIND.unknown(ipam_id)
        is_dying = ipam_id == DYING_IPAM
        found = ipam_pb2.Ipam(
            owner_id=OWNER,
            ipam_id=ipam_id,
            ipam_region=HOME,
            tier=ipam_pb2.IPAM_TIER_FREE if ipam_id == FREE_IPAM else ipam_pb2.IPAM_TIER_ADVANCED,
            state=(
                ipam_pb2.IPAM_STATE_DELETE_IN_PROGRESS
                if is_dying
                else ipam_pb2.IPAM_STATE_CREATE_COMPLETE
            ),
        )
        return control_service_pb2.DescribeIpamsResponse(ipams=[found])

    async def DescribeIpamPools(self, request: Any, context: Any) -> Any:
        found = []
        for pool_id in request.ipam_pool_ids:
            if pool_id not in {POOL, OTHER_POOL} or caller_of(context).account_id != OWNER:
                raise IPAM_POOL.unknown(pool_id)
            scope_id = PRIVATE if pool_id == POOL else SECOND
            scope_arn = f"arn:aws:ec2::{OWNER}:ipam-scope/{scope_id}"
            found.append(ipam_pool_pb2.IpamPool(ipam_pool_id=pool_id, ipam_scope_arn=scope_arn))
        return control_service_pb2.DescribeIpamPoolsResponse(ipam_pools=found)


@dataclass
class FakePrefixList:
    """One of `OWNER`'s in `WEST`."""

    family: types_pb2.AddressFamily.ValueType = types_pb2.ADDRESS_FAMILY_IPV4
    target_id: str = ""
    entries: list[str] = field(default_factory=list)
    puts: int = 0


class FakePrefixLists(prefix_list_sync_service_pb2_grpc.PrefixListSyncServiceServicer):
    """Prefix lists, and what happens to those who ask."""

    def __init__(self) -> None:
        self.lists = {
            LIST: FakePrefixList(),
            SECOND_LIST: FakePrefixList(),
            SIX_LIST: FakePrefixList(types_pb2.ADDRESS_FAMILY_IPV6),
        }
        self.refusal: CadastreError | None = None
        """Of entries."""
        self.is_away = False
        self.is_taken_at_attaching = False
        """Another target is faster."""
        self.calls = 0

    async def GetPrefixListSummary(self, request: Any, context: Any) -> Any:
        found = self._named(request, context)
        return sync_pb.GetPrefixListSummaryResponse(
            address_family=found.family, ipam_prefix_list_resolver_target_id=found.target_id
        )

    async def AttachPrefixListResolverTarget(self, request: Any, context: Any) -> Any:
        found = self._named(request, context)
        target_id = request.ipam_prefix_list_resolver_target_id
        if found.target_id not in {"", target_id} or self.is_taken_at_attaching:
            raise IncorrectState("another target has it")
        found.target_id = target_id
        return sync_pb.AttachPrefixListResolverTargetResponse()

    async def PutPrefixListEntries(self, request: Any, context: Any) -> Any:
        found = self._named(request, context)
        if found.target_id != request.ipam_prefix_list_resolver_target_id:
            raise IncorrectState("another target has it")
        if self.refusal:
            raise self.refusal
        found.entries, found.puts = list(request.cidrs), found.puts + 1
        return sync_pb.PutPrefixListEntriesResponse()

    async def DetachPrefixListResolverTarget(self, request: Any, context: Any) -> Any:
        found = self._named(request, context)
        if found.target_id == request.ipam_prefix_list_resolver_target_id:
            found.target_id = ""
        return sync_pb.DetachPrefixListResolverTargetResponse()

    def _named(self, request: Any, context: Any) -> FakePrefixList:
        self.calls += 1
        if self.is_away:
            raise ServiceUnavailable("the network is away")
        caller = caller_of(context)
        found = self.lists.get(request.prefix_list_id)
        is_owners = (caller.account_id, caller.region, caller.service) == (OWNER, WEST, "discovery")
        if found is None or not is_owners:
            raise UnknownId("InvalidPrefixListID", request.prefix_list_id)
        return found


@dataclass
class Resolving:
    """A running server, and what there is to select."""

    client: Client
    work: PrefixListWork
    database: Database
    network: FakePrefixLists
    to_evaluate: list[str]
    """IPAMs that were to be evaluated at once."""
    now: list[datetime]
    """The last one is what the server's clock says."""

    async def ask(self, request: Any, account_id: str = OWNER, region: str = HOME) -> Any:
        return await self.client.call(request, caller=as_account(account_id, region))

    async def create(self, *rules: Any, **members: Any) -> str:
        """A resolver's id."""
        members.setdefault("ipam_id", IPAM)
        members.setdefault("address_family", types_pb2.ADDRESS_FAMILY_IPV4)
        request = pb.CreateIpamPrefixListResolverRequest(rules=rules, **members)
        made = (await self.ask(request)).ipam_prefix_list_resolver
        resolver_id: str = made.ipam_prefix_list_resolver_id
        return resolver_id

    async def create_target(self, resolver_id: str, **members: Any) -> str:
        members.setdefault("prefix_list_id", LIST)
        members.setdefault("prefix_list_region", WEST)
        members.setdefault("track_latest_version", "desired_version" not in members)
        request = pb.CreateIpamPrefixListResolverTargetRequest(
            ipam_prefix_list_resolver_id=resolver_id, **members
        )
        made = (await self.ask(request)).ipam_prefix_list_resolver_target
        target_id: str = made.ipam_prefix_list_resolver_target_id
        return target_id

    async def resolver(self, resolver_id: str) -> Any:
        request = pb.DescribeIpamPrefixListResolversRequest(
            ipam_prefix_list_resolver_ids=[resolver_id]
        )
        [found] = (await self.ask(request)).ipam_prefix_list_resolvers
        return found

    async def target(self, target_id: str) -> Any:
        request = pb.DescribeIpamPrefixListResolverTargetsRequest(
            ipam_prefix_list_resolver_target_ids=[target_id]
        )
        [found] = (await self.ask(request)).ipam_prefix_list_resolver_targets
        return found

    async def target_in(self, target_id: str, state: str, **members: Any) -> Any:
        """It, once it is in a state, and as ``members`` say."""

        async def is_so() -> Any:
            found = await self.target(target_id)
            is_it = word(found, "state") == state and all(
                getattr(found, name) == value for name, value in members.items()
            )
            return found if is_it else None

        return await eventually(is_so)

    async def is_removed(self, target_id: str) -> None:
        async def is_gone() -> bool:
            answer = await self.ask(pb.DescribeIpamPrefixListResolverTargetsRequest())
            found = answer.ipam_prefix_list_resolver_targets
            return all(one.ipam_prefix_list_resolver_target_id != target_id for one in found)

        await eventually(is_gone)

    async def versions(self, resolver_id: str) -> list[int]:
        request = pb.GetIpamPrefixListResolverVersionsRequest(
            ipam_prefix_list_resolver_id=resolver_id
        )
        return [one.version for one in (await self.ask(request)).ipam_prefix_list_resolver_versions]

    async def entries(self, resolver_id: str, version: int) -> list[str]:
        request = pb.GetIpamPrefixListResolverVersionEntriesRequest(
            ipam_prefix_list_resolver_id=resolver_id, ipam_prefix_list_resolver_version=version
        )
        return [one.cidr for one in (await self.ask(request)).entries]

    async def evaluated(
        self, *pools: Pool, is_free_tier: bool = False, by: Follower | None = None
    ) -> None:
        """`IPAM` was, and these are its pools."""
        scopes = Scopes(IPAM, PRIVATE, PUBLIC, frozenset({PRIVATE, SECOND}))
        follower = by or self.work.resolving
        await follower.follow(Ipam(scopes, OWNER, HOME, is_free_tier), pools)

    def resource(self, resource_type: str, resource_id: str, cidr: str, **members: Any) -> None:
        """A resource that `IPAM` knows, with its tags."""
        tags = members.pop("tags", {})
        there = {**cidr_values(1, resource_type, resource_id, cidr), "tags": tags}
        with self.database.write() as connection:
            made = connection.execute(tables.resource_cidrs.insert().values(there))
            row_id: int = made.inserted_primary_key[0]  # type: ignore[index] # it has one
            values = record_values(resource_type, resource_id, cidr, row_id, **members)
            connection.execute(tables.records.insert().values(values))

    def steps(self) -> int:
        """How much is still to be done."""
        with self.database.read() as connection:
            return len(connection.execute(tables.outbox.select()).all())


def pool(*cidrs: str, pool_id: str = POOL, scope_id: str = PRIVATE) -> Pool:
    blocks: Iterable[Cidr] = map(Cidr.parse, cidrs)
    return Pool(
        pool_id=pool_id,
        scope_id=scope_id,
        family=AddressFamily.IPV4,
        locale="None",
        source_pool_id=None,
        auto_import=False,
        min_netmask_length=None,
        max_netmask_length=None,
        resource_tags={},
        cidrs=tuple(blocks),
    )


def word(record: Any, member: str) -> str:
    """An enum member in AWS's word."""
    return aws_enum_name(
        record.DESCRIPTOR.fields_by_name[member].enum_type, getattr(record, member)
    )


@asynccontextmanager
async def resolving(
    database_url: str, folder: Path, *, is_new: bool = True
) -> AsyncIterator[Resolving]:
    """``is_new``: the database is empty."""
    settings, network = settings_for(folder), FakePrefixLists()
    database, to_evaluate, now = Database(database_url), list[str](), [NOW]
    made: list[PrefixListWork] = []

    @asynccontextmanager
    async def build_peers(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        yield [
            Binding(
                control_service_pb2_grpc.add_ControlPlaneServiceServicer_to_server,
                FakeIpams(),  # type: ignore[abstract] # all that is asked is there
                "cadastre.control.v1.ControlPlaneService",
            ),
            Binding(
                prefix_list_sync_service_pb2_grpc.add_PrefixListSyncServiceServicer_to_server,
                network,
                "cadastre.network.v1.PrefixListSyncService",
            ),
        ]

    @asynccontextmanager
    async def build(runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        async with Remote(address, signer=runtime.signer) as peers:
            work = prefix_list_work(database, peers, lambda: now[-1])
            made.append(work)
            async with background(work.steps.run()):
                access = ControlPlaneAccess(peers)
                yield [prefix_list_binding(work, access, to_evaluate.append)]

    try:
        await database.run(upgrade, database, "services.discovery")
        if is_new:
            _add_inventory(database)
        async with running("control_plane", build_peers, settings) as peers_server:
            address = peers_server.address
            async with running("discovery", build, settings) as server:
                client = Client(
                    server.address,
                    settings,
                    prefix_list_resolver_service_pb2_grpc.PrefixListResolverServiceStub,
                )
                try:
                    yield Resolving(client, made[0], database, network, to_evaluate, now)
                finally:
                    await client.close()
    finally:
        database.close()


def _add_inventory(database: Database) -> None:
    """What `Resolving.resource` puts resources into."""
    with database.write() as connection:
        connection.execute(
            tables.inventories.insert().values(
                inventory_id=1,
                source="network",
                account_id=OWNER,
                region=HOME,
                last_attempted_at=NOW,
                active_ip_count=0,
                version=1,
            )
        )
