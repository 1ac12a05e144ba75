"""Pushing a snapshot through gRPC (DISC-3, PUB-1)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp
from prometheus_client import CollectorRegistry

from cadastre.common.v1 import inventory_pb2, types_pb2
from cadastre.discovery.v1 import snapshot_service_pb2 as pb
from cadastre.discovery.v1 import snapshot_service_pb2_grpc
from services.discovery.errors import LaterSnapshot
from services.discovery.service import pushing
from services.discovery.service.pushing import PushedInventories
from services.discovery.service.taking_in import Taken
from services.discovery.servicer import push_limits
from services.discovery.servicer import snapshot as servicer
from services.discovery.servicer.snapshot import SnapshotServicer
from services.discovery.snapshot import Snapshot, SourcedCidr, Vpc
from services.discovery.sources import AccountRegion, FailureCode, SnapshotFailed
from services.discovery.store.inventories import SqlInventories
from services.discovery.tables import inventories as inventory_rows
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import CadastreError, Exhausted, Invalid, Precondition, kind_of
from shared.identity import TokenSigner, load_secret
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.rpc.client import Remote
from shared.rpc.server import Binding, Runtime, running
from shared.settings import Settings
from tests.network.support import CALLER, OWNER, REGION, SERVICE, settings_for
from tests.waiting import eventually

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PLACE = AccountRegion(OWNER, REGION)

Messages: TypeAlias = Iterable[pb.PushSnapshotRequest] | AsyncIterator[pb.PushSnapshotRequest]


class FakeInventories:
    """Keeps what it takes in, or raises ``refusal``, and what is noted."""

    def __init__(self) -> None:
        self.taken_in: list[tuple[str, Snapshot]] = []
        self.answer = Taken(added=1, changed=2, removed=3)
        self.refusal: Exception | None = None
        self.failures: list[tuple[str, AccountRegion, FailureCode, str, datetime]] = []
        self.known_sources: set[str] = set()

    async def take_in(self, source: str, snapshot: Snapshot) -> Taken:
        if self.refusal:
            raise self.refusal
        self.taken_in.append((source, snapshot))
        return self.answer

    async def note_failure(
        self, source: str, place: AccountRegion, failure: SnapshotFailed, attempted_at: datetime
    ) -> None:
        self.failures.append((source, place, failure.code, failure.message, attempted_at))

    async def sources(self, place: AccountRegion) -> AbstractSet[str]:
        return self.known_sources

    async def keep_only(self, places: Collection[AccountRegion], asked: Collection[str]) -> None:
        raise NotImplementedError


class Pusher:
    """A caller of the service, whose metrics ``figures`` has."""

    def __init__(self, remote: Remote, figures: CollectorRegistry) -> None:
        self._remote, self._figures = remote, figures
        self.stub = snapshot_service_pb2_grpc.SnapshotServiceStub(remote.channel)

    async def push(self, messages: Messages, caller: Caller = CALLER) -> pb.PushSnapshotResponse:
        answer: pb.PushSnapshotResponse = await self._remote.call(
            self.stub.PushSnapshot, messages, caller=caller, timeout_seconds=60
        )
        return answer

    async def refusal(self, messages: Messages, caller: Caller = CALLER) -> CadastreError:
        with pytest.raises(CadastreError) as raised:
            await self.push(messages, caller)
        return raised.value

    async def is_idle(self) -> bool:
        labels = {"service": "cadastre.discovery.v1.SnapshotService"}
        return self._figures.get_sample_value("cadastre_rpc_in_flight", labels) == 0


@pytest.fixture
async def inventories() -> FakeInventories:
    return FakeInventories()


@pytest.fixture
async def changed() -> list[AccountRegion]:
    return []


@pytest.fixture
async def settings(tmp_path: Path) -> Settings:
    return settings_for(tmp_path)


@asynccontextmanager
async def serving(
    inventories: PushedInventories,
    settings: Settings,
    *,
    clock: Callable[[], datetime] = lambda: NOW,
    on_changed: Callable[[AccountRegion], object] = print,
    most_seconds: float = 60,
) -> AsyncIterator[Pusher]:
    registry: CollectorRegistry

    @asynccontextmanager
    async def build(runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        nonlocal registry
        registry = runtime.registry
        yield [
            Binding(
                snapshot_service_pb2_grpc.add_SnapshotServiceServicer_to_server,
                SnapshotServicer(inventories, clock, on_changed, most_seconds=most_seconds),
                "cadastre.discovery.v1.SnapshotService",
            )
        ]

    signer = TokenSigner(load_secret(settings.identity_secret_path))
    async with (
        running("discovery", build, settings) as server,
        Remote(server.address, signer=signer) as remote,
    ):
        yield Pusher(remote, registry)


@pytest.fixture
async def pusher(
    inventories: FakeInventories, changed: list[AccountRegion], settings: Settings
) -> AsyncIterator[Pusher]:
    async with serving(inventories, settings, on_changed=changed.append) as pusher:
        yield pusher


def header(source: str = "dc-frankfurt", **members: Any) -> pb.PushSnapshotRequest:
    return pb.PushSnapshotRequest(header=pb.SnapshotHeader(source=source, **members))


def part(*vpc_ids: str, cidr: str = "10.0.0.0/16") -> pb.PushSnapshotRequest:
    vpcs = [
        inventory_pb2.InventoryVpc(vpc_id=id_, cidrs=[inventory_pb2.InventoryCidr(cidr=cidr)])
        for id_ in vpc_ids
    ]
    return pb.PushSnapshotRequest(part=inventory_pb2.InventoryPart(vpcs=vpcs))


def end(resource_count: int) -> pb.PushSnapshotRequest:
    return pb.PushSnapshotRequest(end=pb.SnapshotEnd(resource_count=resource_count))


def at(moment: datetime) -> Timestamp:
    told = Timestamp()
    told.FromDatetime(moment)
    return told


async def test_all_parts_take_effect_together_in_the_callers_place(
    pusher: Pusher, inventories: FakeInventories, changed: list[AccountRegion]
) -> None:
    answer = await pusher.push([header(), part("vpc-1"), part("vpc-2"), end(2)])
    assert (answer.added_total, answer.changed_total, answer.removed_total) == (1, 2, 3)
    cidrs = (SourcedCidr(Cidr.parse("10.0.0.0/16")),)
    vpcs = [Vpc("vpc-1", cidrs, {}), Vpc("vpc-2", cidrs, {})]
    assert inventories.taken_in == [("dc-frankfurt", Snapshot(OWNER, REGION, NOW, vpcs=vpcs))]
    assert changed == [PLACE]


async def test_an_empty_snapshot_is_one_too(pusher: Pusher, inventories: FakeInventories) -> None:
    await pusher.push([header(), end(0)])
    assert inventories.taken_in == [("dc-frankfurt", Snapshot(OWNER, REGION, NOW))]


async def test_what_changes_nothing_is_not_told(
    pusher: Pusher, inventories: FakeInventories, changed: list[AccountRegion]
) -> None:
    inventories.answer = Taken()
    answer = await pusher.push([header(), end(0)])
    assert answer == pb.PushSnapshotResponse()
    assert changed == []


@pytest.mark.parametrize("ahead", [timedelta(days=-400), timedelta(), timedelta(minutes=5)])
async def test_the_sample_time_is_the_pushers(
    pusher: Pusher, inventories: FakeInventories, ahead: timedelta
) -> None:
    await pusher.push([header(sample_time=at(NOW + ahead)), end(0)])
    [(_, snapshot)] = inventories.taken_in
    assert snapshot.sampled_at == NOW + ahead


@pytest.mark.parametrize(
    "source", ["a", "x" * 64, "DC_Frankfurt-1.example", "network-2", "AWS", "..."]
)
async def test_a_source_may_have_such_a_name(
    pusher: Pusher, inventories: FakeInventories, source: str
) -> None:
    await pusher.push([header(source), end(0)])
    assert [name for name, _ in inventories.taken_in] == [source]


OUT_OF_ORDER: dict[str, tuple[list[pb.PushSnapshotRequest], str]] = {
    "nothing at all": ([], "ended after 0 messages without an end"),
    "no header": ([part("vpc-1"), end(1)], "Message 1 (part) is out of order"),
    "the end alone": ([end(0)], "Message 1 (end) is out of order"),
    "an empty message": ([header(), pb.PushSnapshotRequest()], "Message 2 (empty) is out of order"),
    "two headers": ([header(), header(), end(0)], "Message 2 (header) is out of order"),
    "a late header": ([header(), part("vpc-1"), header()], "Message 3 (header) is out of order"),
    "two ends": ([header(), end(0), end(0)], "Message 3 (end) is out of order"),
    "a part too late": ([header(), end(0), part("vpc-1")], "Message 3 (part) is out of order"),
    "no end": ([header(), part("vpc-1")], "ended after 2 messages without an end"),
    "the header alone": ([header()], "ended after 1 messages without an end"),
}


@pytest.mark.parametrize(("messages", "message"), OUT_OF_ORDER.values(), ids=OUT_OF_ORDER.keys())
async def test_messages_out_of_order_change_nothing(
    pusher: Pusher,
    inventories: FakeInventories,
    messages: list[pb.PushSnapshotRequest],
    message: str,
) -> None:
    refusal = await pusher.refusal(messages)
    assert (kind_of(refusal), refusal.reason) == (Invalid, "InvalidParameterCombination")
    assert message in refusal.message
    assert inventories.taken_in == []
    has_begun = bool(messages) and messages[0].HasField("header")
    assert [failure[3] for failure in inventories.failures] == (
        [f"dc-frankfurt: {refusal.message}"] if has_begun else []
    )


TAG_WITH_LONG_KEY = types_pb2.Tag(key="k" * 129)
TOO_MANY_IN_A_PART = part(*(f"vpc-{n}" for n in range(1001)))
WRONG: dict[str, tuple[list[pb.PushSnapshotRequest], str]] = {
    "a source with a space": ([header("dc 1")], "Value (dc 1) for parameter header.source"),
    "a source with a line end": ([header("dc\n")], "for parameter header.source is invalid"),
    "a source in Cyrillic": ([header("цод")], "use 1-64 letters, digits"),
    "a long source": ([header("x" * 65)], "header.source has 65 characters; at most 64"),
    "the embedded cloud": ([header("network")], "another name: discovery asks this source itself"),
    "the real cloud": ([header("aws")], "another name: discovery asks this source itself"),
    "a time to come": (
        [header(sample_time=at(NOW + timedelta(minutes=5, microseconds=1)))],
        "it has yet to come; use one up to 2026-11-26T12:05:00+00:00",
    ),
    "a time beyond all": (
        [header(sample_time=Timestamp(seconds=2**62))],
        "the timestamp can't be",
    ),
    "a time with negative nanoseconds": (
        [header(sample_time=Timestamp(seconds=1, nanos=-1))],
        "the timestamp can't be",
    ),
    "fewer resources than were sent": ([header(), part("vpc-1"), end(2)], "1 resources have come"),
    "more than were sent": ([header(), part("vpc-1", "vpc-2"), end(1)], "2 resources have come"),
    "a negative number": ([header(), end(-1)], "Value (-1) for parameter end.resourceCount"),
    "host bits": (
        [header(), part("vpc-1"), part("vpc-2", cidr="10.0.0.7/8")],
        "vpc-2: '10.0.0.7/8' has host bits set; use '10.0.0.0/8'",
    ),
    "a control character": ([header(), part("vpc-\x01")], "contains control characters"),
    "a long key": (
        [
            header(),
            pb.PushSnapshotRequest(
                part=inventory_pb2.InventoryPart(
                    vpcs=[inventory_pb2.InventoryVpc(vpc_id="vpc-1", tags=[TAG_WITH_LONG_KEY])]
                )
            ),
        ],
        "part.vpcs.1.tags.1.key has 129 characters",
    ),
    "too many in a part": ([header(), TOO_MANY_IN_A_PART], "1001 values for parameter part.vpcs"),
}


@pytest.mark.parametrize(("messages", "message"), WRONG.values(), ids=WRONG.keys())
async def test_a_wrong_value_changes_nothing(
    pusher: Pusher,
    inventories: FakeInventories,
    changed: list[AccountRegion],
    messages: list[pb.PushSnapshotRequest],
    message: str,
) -> None:
    refusal = await pusher.refusal(messages)
    assert (kind_of(refusal), refusal.reason) == (Invalid, "InvalidParameterValue")
    assert message in refusal.message
    assert (inventories.taken_in, changed) == ([], [])
    # A first message that can't be says nothing about anybody.
    failures = [] if len(messages) == 1 else [refusal.message]
    assert [failure[3].partition(": ")[2] for failure in inventories.failures] == failures


async def test_a_source_has_to_be_named(pusher: Pusher) -> None:
    assert (await pusher.refusal([header(""), end(0)])).reason == "MissingParameter"


async def test_there_is_a_limit_to_the_resources_of_a_push(
    pusher: Pusher, inventories: FakeInventories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servicer, "MOST_RESOURCES", 3)
    await pusher.push([header(), part("vpc-1", "vpc-2"), part("vpc-3"), end(3)])
    refusal = await pusher.refusal([header(), part("vpc-1", "vpc-2"), part("vpc-3", "vpc-4")])
    assert refusal.message == "The snapshot has 4 resources or more; at most 3 are allowed"
    assert refusal.metadata == {"count": "4", "most": "3"}
    assert len(inventories.taken_in) == 1


async def test_there_is_a_limit_to_the_cidrs_and_addresses_of_a_push(
    pusher: Pusher, inventories: FakeInventories, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [
        inventory_pb2.InventoryPart(vpcs=part("vpc-1").part.vpcs),
        inventory_pb2.InventoryPart(
            subnets=[
                inventory_pb2.InventorySubnet(
                    subnet_id="subnet-1", vpc_id="vpc-1", cidrs=part("vpc-1").part.vpcs[0].cidrs
                )
            ]
        ),
        inventory_pb2.InventoryPart(
            network_interfaces=[
                inventory_pb2.InventoryNetworkInterface(
                    network_interface_id="eni-1",
                    vpc_id="vpc-1",
                    subnet_id="subnet-1",
                    addresses=["10.0.0.5"],
                    delegated_prefixes=["10.0.0.16/28"],
                    public_ips=[inventory_pb2.InventoryPublicIp(address="203.0.113.7")],
                )
            ]
        ),
        inventory_pb2.InventoryPart(
            addresses=[
                inventory_pb2.InventoryAddress(allocation_id="eip-1", public_ip="203.0.113.8")
            ],
            public_ipv4_pools=[
                inventory_pb2.InventoryPublicIpv4Pool(pool_id="pool-1", cidrs=["198.51.100.0/24"])
            ],
            service_addresses=[
                inventory_pb2.InventoryServiceAddress(address="203.0.113.9", service="vpn")
            ],
        ),
    ]
    messages = [header(), *(pb.PushSnapshotRequest(part=one) for one in told), end(6)]
    monkeypatch.setattr(servicer, "MOST_CIDRS", 8)
    await pusher.push(messages)
    monkeypatch.setattr(servicer, "MOST_CIDRS", 7)
    refusal = await pusher.refusal(messages)
    assert refusal.message.startswith("The snapshot has 8 CIDRs and addresses or more; at most 7")
    assert len(inventories.taken_in) == 1


def subnet(cidr: str) -> pb.PushSnapshotRequest:
    cidrs = [inventory_pb2.InventoryCidr(cidr=cidr)]
    told = inventory_pb2.InventorySubnet(subnet_id="subnet-1", vpc_id="vpc-1", cidrs=cidrs)
    return pb.PushSnapshotRequest(part=inventory_pb2.InventoryPart(subnets=[told]))


def pool(cidr: str) -> pb.PushSnapshotRequest:
    told = inventory_pb2.InventoryPublicIpv4Pool(pool_id="pool-1", cidrs=[cidr])
    return pb.PushSnapshotRequest(part=inventory_pb2.InventoryPart(public_ipv4_pools=[told]))


def interface(prefix: str) -> pb.PushSnapshotRequest:
    told = inventory_pb2.InventoryNetworkInterface(
        network_interface_id="eni-1",
        vpc_id="vpc-1",
        subnet_id="subnet-1",
        delegated_prefixes=[prefix],
    )
    return pb.PushSnapshotRequest(part=inventory_pb2.InventoryPart(network_interfaces=[told]))


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (part("vpc-1", cidr="0.0.0.0/0"), "vpc-1: '0.0.0.0/0' is wider than any network; use /8"),
        (part("vpc-1", cidr="10.0.0.0/7"), "vpc-1: '10.0.0.0/7' is wider than any network; use /8"),
        (part("vpc-1", cidr="::/0"), "vpc-1: '::/0' is wider than any network; use /16"),
        (part("vpc-1", cidr="2000::/15"), "vpc-1: '2000::/15' is wider than any network; use /16"),
        (subnet("10.0.0.0/7"), "subnet-1: '10.0.0.0/7' is wider"),
        (subnet("fc00::/7"), "subnet-1: 'fc00::/7' is wider"),
        (pool("128.0.0.0/1"), "pool-1: '128.0.0.0/1' is wider"),
        (interface("0.0.0.0/0"), "eni-1: '0.0.0.0/0' is wider"),
    ],
    ids=[
        "all",
        "a bit too wide",
        "all of IPv6",
        "much of it",
        "a subnet",
        "ULA",
        "a pool",
        "a NIC",
    ],
)
async def test_nobody_occupies_everything_by_saying_so(  # BEY-3
    pusher: Pusher, inventories: FakeInventories, told: pb.PushSnapshotRequest, message: str
) -> None:
    refusal = await pusher.refusal([header(), told, end(1)])
    assert refusal.reason == "InvalidParameterValue"
    assert message in refusal.message
    assert inventories.taken_in == []


@pytest.mark.parametrize(
    "told",
    [
        part("vpc-1", cidr="10.0.0.0/8"),
        part("vpc-1", cidr="2001::/16"),
        subnet("11.0.0.0/8"),
        pool("44.0.0.0/8"),
        interface("10.0.0.0/8"),
    ],
    ids=["a VPC", "one of IPv6", "a subnet", "a pool", "an interface"],
)
async def test_a_network_may_be_as_wide_as_networks_are(
    pusher: Pusher, inventories: FakeInventories, told: pb.PushSnapshotRequest
) -> None:
    await pusher.push([header(), told, end(1)])
    assert len(inventories.taken_in) == 1


def of_many_cidrs(count: int) -> list[pb.PushSnapshotRequest]:
    cidrs = [inventory_pb2.InventoryCidr(cidr=f"10.0.{n}.0/24") for n in range(count)]
    vpcs = [inventory_pb2.InventoryVpc(vpc_id="vpc-1", cidrs=cidrs)]
    told = inventory_pb2.InventoryPart(vpcs=vpcs)
    return [header(), pb.PushSnapshotRequest(part=told), end(1)]


async def test_there_is_a_limit_to_the_cidrs_of_a_resource(pusher: Pusher) -> None:
    most = push_limits.MOST_CIDRS_OF_RESOURCE
    await pusher.push(of_many_cidrs(most))
    refusal = await pusher.refusal(of_many_cidrs(most + 1))
    assert refusal.message == "vpc-1 has 101 CIDRs; at most 100 are allowed"


async def test_there_is_a_limit_to_the_sources_of_an_account_and_region(
    pusher: Pusher, inventories: FakeInventories
) -> None:
    inventories.known_sources = {"aws", "network", *(f"dc-{n}" for n in range(1, 10))}
    await pusher.push([header("dc-10"), end(0)])
    inventories.known_sources.add("dc-10")
    await pusher.push([header("dc-10"), end(0)])
    refusal = await pusher.refusal([header("dc-11"), end(0)])
    assert (kind_of(refusal), refusal.reason) == (Exhausted, "SnapshotSourceLimitExceeded")
    assert "10 sources push what account 123456789012 has in us-west-2" in refusal.message
    assert [source for source, _ in inventories.taken_in] == ["dc-10"] * 2
    assert inventories.failures == []


@pytest.mark.parametrize(
    ("account_ids", "most"),
    [([f"{n:012}" for n in range(1, 7)], pushing.MOST_AT_ONCE), ([OWNER] * 3, 1)],
    ids=["of many accounts", "of one"],
)
async def test_others_wait_for_their_turn(
    inventories: FakeInventories, settings: Settings, account_ids: list[str], most: int
) -> None:
    finish, sent, under_way = asyncio.Event(), list[str](), list[datetime]()

    def clock() -> datetime:
        under_way.append(NOW)
        return NOW

    async def slow(account_id: str) -> AsyncIterator[pb.PushSnapshotRequest]:
        yield header()
        sent.append(account_id)
        await finish.wait()
        yield end(0)

    async with serving(inventories, settings, clock=clock) as pusher:
        pushes = [
            asyncio.create_task(pusher.push(slow(one), replace(CALLER, account_id=one)))
            for one in account_ids
        ]

        async def have_come() -> bool:
            return len(sent) == len(account_ids) and len(under_way) >= most

        await eventually(have_come)
        # It came after all others, and is answered.
        await pusher.refusal([header(), end(0)], SERVICE)
        assert len(under_way) == most
        finish.set()
        await asyncio.gather(*pushes)
    assert len(inventories.taken_in) == len(account_ids)


@pytest.mark.parametrize("sent", [[], [header()]], ids=["nothing", "the header"])
async def test_a_push_that_does_not_end_makes_room_for_others(
    inventories: FakeInventories,
    settings: Settings,
    sent: list[pb.PushSnapshotRequest],
) -> None:
    async def endless() -> AsyncIterator[pb.PushSnapshotRequest]:
        for message in sent:
            yield message
        await asyncio.Event().wait()

    async with serving(inventories, settings, most_seconds=0.2) as pusher:
        refusal = await pusher.refusal(endless())
        assert refusal.reason == "InvalidParameterCombination"
        assert "has not ended after 0.2 seconds" in refusal.message
        await pusher.push([header("dc-paris"), end(0)])
    assert len(inventories.failures) == len(sent)


async def test_there_is_a_limit_to_the_bytes_of_a_push(
    pusher: Pusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = part("vpc-1").part.ByteSize()
    monkeypatch.setattr(servicer, "MOST_BYTES", 2 * size)
    await pusher.push([header(), part("vpc-1"), part("vpc-2"), end(2)])
    refusal = await pusher.refusal([header(), *(part(f"vpc-{n}") for n in range(3)), end(3)])
    assert f"has {3 * size} bytes or more; at most {2 * size} are allowed" in refusal.message


async def test_a_refusal_does_not_wait_for_the_end(pusher: Pusher) -> None:
    async def endless() -> AsyncIterator[pb.PushSnapshotRequest]:
        yield header("aws")
        while True:
            yield part("vpc-1")

    refusal = await pusher.refusal(endless())
    assert "another name" in refusal.message


@pytest.mark.parametrize(
    "sent",
    [[header()], [header(), part("vpc-1")]],
    ids=["after the header", "after a part"],
)
async def test_a_stream_that_breaks_off_changes_nothing(
    inventories: FakeInventories, settings: Settings, sent: list[pb.PushSnapshotRequest]
) -> None:
    has_come, stopped = asyncio.Event(), asyncio.Event()

    async def broken() -> AsyncIterator[pb.PushSnapshotRequest]:
        for message in sent:
            yield message
        stopped.set()
        await asyncio.Event().wait()

    def clock() -> datetime:
        has_come.set()
        return NOW

    async with serving(inventories, settings, clock=clock) as pusher:
        push = asyncio.create_task(pusher.push(broken()))
        await stopped.wait()
        await has_come.wait()
        push.cancel()
        with suppress(asyncio.CancelledError):
            await push
        await eventually(pusher.is_idle)
    assert inventories.taken_in == []
    [(source, place, code, message, _)] = inventories.failures
    assert (source, place, code) == ("dc-frankfurt", PLACE, FailureCode.OTHER)
    assert "stream broke off" in message or "without an end" in message


async def test_a_refusal_of_the_whole_snapshot_is_passed_on(
    pusher: Pusher, inventories: FakeInventories, changed: list[AccountRegion]
) -> None:
    inventories.refusal = LaterSnapshot(OWNER, REGION, NOW, NOW + timedelta(seconds=1))
    refusal = await pusher.refusal([header(), end(0)])
    assert (kind_of(refusal), refusal.reason) == (Precondition, "IncorrectState")
    assert changed == []


@pytest.mark.parametrize(
    "caller",
    [SERVICE, replace(CALLER, region="")],
    ids=["nobody's", "of no region"],
)
async def test_a_push_is_of_an_account_and_a_region(  # ORG-10
    pusher: Pusher, caller: Caller
) -> None:
    refusal = await pusher.refusal([header(), end(0)], caller)
    assert "A snapshot is of an account and a region" in refusal.message


async def test_a_service_may_push_for_an_account(  # ORG-10
    pusher: Pusher, inventories: FakeInventories
) -> None:
    await pusher.push([header(), end(0)], replace(SERVICE, account_id=OWNER, region=REGION))
    assert [snapshot.account_id for _, snapshot in inventories.taken_in] == [OWNER]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    try:
        await database.run(upgrade, database, "services.discovery")
        yield database
    finally:
        database.close()


@pytest.fixture
async def kept(database: Database) -> SqlInventories:
    return SqlInventories(database)


def totals(answer: pb.PushSnapshotResponse) -> tuple[int, int, int]:
    return (answer.added_total, answer.changed_total, answer.removed_total)


async def test_what_is_not_in_a_push_is_gone_and_an_earlier_one_comes_too_late(  # DISC-6
    kept: SqlInventories, settings: Settings
) -> None:
    changed: list[AccountRegion] = []
    before = header(sample_time=at(NOW - timedelta(minutes=1)))
    async with serving(kept, settings, on_changed=changed.append) as pusher:
        first = await pusher.push([before, part("vpc-1", "vpc-2"), end(2)])
        same = await pusher.push([before, part("vpc-2"), part("vpc-1"), end(2)])
        other = await pusher.push([header("dc-paris"), part("vpc-1"), end(1)])
        second = await pusher.push([header(), part("vpc-1"), end(1)])
        late = await pusher.refusal([before, part("vpc-2"), end(1)])
    assert [totals(answer) for answer in (first, same, other, second)] == [
        (2, 0, 0),
        (0, 0, 0),
        (1, 0, 0),
        (0, 0, 1),
    ]
    assert changed == [PLACE] * 3
    assert late.reason == "IncorrectState"


async def test_a_contradictory_push_changes_nothing(
    kept: SqlInventories, settings: Settings
) -> None:
    async with serving(kept, settings) as pusher:
        refusal = await pusher.refusal(
            [header(), part("vpc-1"), part("vpc-1", cidr="10.1.0.0/16"), end(2)]
        )
        assert refusal.reason == "InvalidParameterValue"
        assert "'vpc-1' is told of twice, and differently" in refusal.message
        assert totals(await pusher.push([header(), end(0)])) == (0, 0, 0)


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([header(), part("vpc-1", cidr="10.0.0.1/16"), end(1)], "has host bits set"),
        ([header(), part("vpc-1"), part("vpc-1", cidr="10.1.0.0/16"), end(2)], "told of twice"),
        ([header(), part("vpc-1"), end(2)], "1 resources have come"),
        ([header(), part("vpc-1")], "without an end"),
        ([header(), header()], "out of order"),
    ],
    ids=["a bad CIDR", "one id twice", "half of it", "no end", "two headers"],
)
async def test_what_begins_well_and_ends_badly_is_the_accounts_failure(  # DISC-4, ALLOC-5
    database: Database,
    kept: SqlInventories,
    settings: Settings,
    messages: list[pb.PushSnapshotRequest],
    why: str,
) -> None:
    async with serving(kept, settings) as pusher:
        await pusher.push([header(), part("vpc-1"), end(1)])
        await pusher.refusal(messages)
        with database.read() as connection:
            [row] = connection.execute(sa.select(inventory_rows))
        assert (row.failure_code, row.last_successful_at) == ("other-failure", NOW)
        assert row.failure_message.startswith("dc-frankfurt: ")
        assert why in row.failure_message
        assert totals(await pusher.push([header(), part("vpc-1"), end(1)])) == (0, 0, 0)
    with database.read() as connection:
        assert connection.scalar(sa.select(inventory_rows.c.failure_code)) is None


async def test_a_bad_push_of_what_was_earlier_says_nothing(
    database: Database, kept: SqlInventories, settings: Settings
) -> None:
    before = header(sample_time=at(NOW - timedelta(minutes=1)))
    async with serving(kept, settings) as pusher:
        await pusher.push([header(), part("vpc-1"), end(1)])
        await pusher.refusal([before, part("vpc-1"), end(2)])
    with database.read() as connection:
        assert connection.scalar(sa.select(inventory_rows.c.failure_code)) is None


async def test_sources_are_counted_by_account_and_region(
    kept: SqlInventories, settings: Settings
) -> None:
    elsewhere = replace(CALLER, region="eu-west-3")
    async with serving(kept, settings) as pusher:
        for number in range(pushing.MOST_SOURCES):
            await pusher.push([header(f"dc-{number}"), end(0)])
        refusal = await pusher.refusal([header("dc-new"), end(0)])
        assert refusal.reason == "SnapshotSourceLimitExceeded"
        await pusher.push([header("dc-new"), end(0)], elsewhere)
        await pusher.push([header("dc-3"), end(0)])
