"""Telling discovery what is elsewhere, by lines of JSON (DISC-3, PUB-1)."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadastre.discovery.v1 import snapshot_service_pb2 as pb
from cadastre.discovery.v1 import snapshot_service_pb2_grpc
from services.discovery.messages import SnapshotCollector
from services.discovery.snapshot import (
    Address,
    Attachment,
    IpSource,
    NetworkInterface,
    PublicIp,
    PublicIpv4Pool,
    SecurityGroup,
    ServiceAddress,
    Snapshot,
    SourcedCidr,
    Subnet,
    Vpc,
)
from services.local.inventory_lines import read
from services.local.inventory_messages import RESOURCES_PER_PART, push_to_proto
from services.local.push_inventory import BAD_LINES, NOT_PUSHED, PUSHED, main
from shared.cidr import AddressFamily, Cidr
from shared.errors import IncorrectState
from shared.identity import create_secret
from shared.rpc.server import Binding, Runtime, caller_of, running
from shared.settings import Settings

ACCOUNT, REGION = "123456789012", "us-east-1"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ARGUMENTS = ["--account", ACCOUNT, "--region", REGION, "--source", "dc-frankfurt"]
VPC_LINE = {"type": "vpc", "id": "vpc-1", "cidrs": ["10.0.0.0/16"]}
ENI_LINE = {"type": "network-interface", "id": "eni-1", "vpc_id": "vpc-1", "subnet_id": "subnet-1"}
POOL_LINE = {"type": "public-ipv4-pool", "id": "ipv4pool-ec2-1"}


def line(told: Any) -> bytes:
    return json.dumps(told).encode() + b"\n"


LINES = line(VPC_LINE) + line(ENI_LINE)


def snapshot_of(messages: Sequence[pb.PushSnapshotRequest]) -> Snapshot:
    """What the messages of a push come to, as discovery sees them."""
    collector = SnapshotCollector(ACCOUNT, REGION, NOW)
    first, *parts, last = messages
    assert first.HasField("header")
    for message in parts:
        collector.add(message.part)
    assert last.end.resource_count == collector.resource_count
    return collector.snapshot()


def messages_of(lines: Sequence[bytes]) -> list[pb.PushSnapshotRequest]:
    told = read(lines)
    assert told.bad_lines == []
    return list(push_to_proto(told.resources, source="dc", account_id=ACCOUNT, sampled_at=None))


def cidrs(family: AddressFamily | None = None) -> st.SearchStrategy[Cidr]:
    def block(chosen: AddressFamily) -> st.SearchStrategy[Cidr]:
        return st.builds(
            lambda address, length: Cidr(chosen, address, chosen.bits).supernet(length),
            st.integers(0, 2**chosen.bits - 1).filter(lambda address: address >> 32 != 0xFFFF),
            st.integers(0, chosen.bits),
        ).filter(lambda cidr: cidr.first >> 32 != 0xFFFF)

    return block(family) if family else st.sampled_from(AddressFamily).flatmap(block)


def addresses(family: AddressFamily | None = None) -> st.SearchStrategy[Cidr]:
    return cidrs(family).map(lambda cidr: Cidr(cidr.family, cidr.first, cidr.family.bits))


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
NAME = TEXT.filter(bool)
TAGS = st.dictionaries(NAME, TEXT, max_size=3)
SOURCED = st.lists(st.builds(SourcedCidr, cidrs(), st.sampled_from(IpSource)), max_size=3)
IPV4_ADDRESS = addresses(AddressFamily.IPV4)
NONE_OR_NAME = st.none() | NAME
COUNTS = st.tuples(st.integers(0, 2**62), st.integers(0, 2**62)).map(sorted)

VPCS = st.builds(Vpc, NAME, SOURCED.map(tuple), TAGS)
SUBNETS = st.builds(Subnet, NAME, NAME, SOURCED.map(tuple), TAGS, TEXT)
INTERFACES = st.builds(
    NetworkInterface,
    network_interface_id=NAME,
    vpc_id=NAME,
    subnet_id=NAME,
    blocks=st.builds(
        lambda singles, prefixes: (*singles, *prefixes),
        st.lists(addresses(), max_size=3),
        st.lists(cidrs().filter(lambda cidr: cidr.size > 1), max_size=2),
    ),
    tags=TAGS,
    availability_zone_id=TEXT,
    description=TEXT,
    interface_type=NAME,
    requester_id=NONE_OR_NAME,
    attachment=st.none() | st.builds(Attachment, TEXT, NAME),
    security_groups=st.lists(st.builds(SecurityGroup, NAME, TEXT), max_size=2).map(tuple),
    public_ips=st.lists(st.builds(PublicIp, IPV4_ADDRESS, NAME, TEXT), max_size=2).map(tuple),
)
ADDRESSES = st.builds(
    Address,
    allocation_id=NAME,
    public_ip=IPV4_ADDRESS,
    public_ipv4_pool=TEXT,
    network_border_group=TEXT,
    tags=TAGS,
    association_id=NONE_OR_NAME,
    network_interface_id=NONE_OR_NAME,
    instance_id=NONE_OR_NAME,
    service_managed=NONE_OR_NAME,
)
POOLS = st.builds(
    lambda pool_id, blocks, tags, group, counts, is_byoip: PublicIpv4Pool(
        pool_id, tuple(blocks), tags, group, counts[1], counts[0], is_byoip
    ),
    NAME,
    st.lists(cidrs(AddressFamily.IPV4), max_size=3),
    TAGS,
    TEXT,
    COUNTS,
    st.booleans(),
)
SERVICE_ADDRESSES = st.builds(ServiceAddress, IPV4_ADDRESS, NAME, TEXT, st.booleans(), TAGS)


def single(address: Cidr) -> str:
    return str(address).partition("/")[0]


def sourced(told: Sequence[SourcedCidr]) -> list[Any]:
    return [
        str(one.cidr)
        if one.ip_source is IpSource.NONE
        else {"cidr": str(one.cidr), "ip_source": one.ip_source.value}
        for one in told
    ]


def told_of(resource: Any) -> dict[str, Any]:
    """The line that tells of a resource, with everything in it."""
    tags = {"tags": dict(resource.tags)}
    match resource:
        case Vpc():
            return {
                "type": "vpc",
                "id": resource.vpc_id,
                "cidrs": sourced(resource.cidrs),
                **tags,
            }
        case Subnet():
            return {
                "type": "subnet",
                "id": resource.subnet_id,
                "vpc_id": resource.vpc_id,
                "cidrs": sourced(resource.cidrs),
                "availability_zone_id": resource.availability_zone_id,
                **tags,
            }
        case NetworkInterface():
            attachment = resource.attachment
            return {
                "type": "network-interface",
                "id": resource.network_interface_id,
                "vpc_id": resource.vpc_id,
                "subnet_id": resource.subnet_id,
                "addresses": [single(one) for one in resource.blocks if one.size == 1],
                "delegated_prefixes": [str(one) for one in resource.blocks if one.size > 1],
                "availability_zone_id": resource.availability_zone_id,
                "description": resource.description,
                "interface_type": resource.interface_type,
                "requester_id": resource.requester_id,
                "attachment": attachment
                and {"instance_id": attachment.instance_id, "owner_id": attachment.owner_id},
                "security_groups": [
                    {"id": group.group_id, "name": group.group_name}
                    for group in resource.security_groups
                ],
                "public_ips": [
                    {
                        "address": single(one.address),
                        "owner_id": one.owner_id,
                        "allocation_id": one.allocation_id,
                    }
                    for one in resource.public_ips
                ],
                **tags,
            }
        case Address():
            return {
                "type": "address",
                "id": resource.allocation_id,
                "public_ip": single(resource.public_ip),
                "public_ipv4_pool": resource.public_ipv4_pool,
                "network_border_group": resource.network_border_group,
                "association_id": resource.association_id or "",
                "network_interface_id": resource.network_interface_id or "",
                "instance_id": resource.instance_id or "",
                "service_managed": resource.service_managed or "",
                **tags,
            }
        case PublicIpv4Pool():
            return {
                "type": "public-ipv4-pool",
                "id": resource.pool_id,
                "cidrs": [str(one) for one in resource.cidrs],
                "network_border_group": resource.network_border_group,
                "total_address_count": resource.total_address_count,
                "total_available_address_count": resource.total_available_address_count,
                "is_byoip": resource.is_byoip,
                **tags,
            }
        case ServiceAddress():
            return {
                "type": "service-address",
                "address": single(resource.address),
                "service": resource.service,
                "service_resource": resource.service_resource,
                "is_byoip": resource.is_byoip,
                **tags,
            }
    raise AssertionError(resource)


@given(
    st.builds(
        Snapshot,
        account_id=st.just(ACCOUNT),
        region=st.just(REGION),
        sampled_at=st.just(NOW),
        vpcs=st.lists(VPCS, max_size=2, unique_by=lambda one: one.vpc_id),
        subnets=st.lists(SUBNETS, max_size=2, unique_by=lambda one: one.subnet_id),
        network_interfaces=st.lists(
            INTERFACES, max_size=2, unique_by=lambda one: one.network_interface_id
        ),
        addresses=st.lists(ADDRESSES, max_size=2, unique_by=lambda one: one.allocation_id),
        public_ipv4_pools=st.lists(POOLS, max_size=2, unique_by=lambda one: one.pool_id),
        service_addresses=st.lists(
            SERVICE_ADDRESSES, max_size=2, unique_by=lambda one: one.address
        ),
    )
)
def test_what_lines_tell_is_what_discovery_takes_in(told: Snapshot) -> None:
    resources = [
        *told.vpcs,
        *told.subnets,
        *told.network_interfaces,
        *told.addresses,
        *told.public_ipv4_pools,
        *told.service_addresses,
    ]
    assert snapshot_of(messages_of([line(told_of(one)) for one in resources])) == told


def test_what_has_a_default_may_be_left_out() -> None:
    told = snapshot_of(
        messages_of(
            [
                line(VPC_LINE),
                b"\n",
                line({**ENI_LINE, "attachment": {}, "public_ips": [{"address": "203.0.113.5"}]}),
                line({"type": "address", "id": "eipalloc-1", "public_ip": "203.0.113.5"}),
                line(POOL_LINE),
                line({"type": "service-address", "address": "203.0.113.9", "service": "other"}),
                line({"type": "subnet", "id": "subnet-1", "vpc_id": "vpc-1"}),
            ]
        )
    )
    [interface] = told.network_interfaces
    assert interface.interface_type == "interface"
    assert interface.attachment == Attachment("", ACCOUNT)
    assert [one.owner_id for one in interface.public_ips] == [ACCOUNT]
    assert told.vpcs == [Vpc("vpc-1", (SourcedCidr(Cidr.parse("10.0.0.0/16")),), {})]


def test_many_resources_go_in_several_parts() -> None:
    resources = [{"type": "vpc", "id": f"vpc-{n}"} for n in range(RESOURCES_PER_PART + 1)]
    messages = messages_of(list(map(line, resources)))
    assert [len(one.part.vpcs) for one in messages] == [0, RESOURCES_PER_PART, 1, 0]
    tags = {f"{n:0128}": "v" * 256 for n in range(50)}
    heavy = messages_of([line({"type": "vpc", "id": f"vpc-{n}", "tags": tags}) for n in range(500)])
    assert max(one.ByteSize() for one in heavy) < 2 * 1024 * 1024
    assert len(snapshot_of(heavy).vpcs) == 500


BAD: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"vpc-1 10.0.0.0/16", "Invalid JSON"),
    "no UTF-8": (b'{"type": "vpc", "id": "\xff"}', "Invalid JSON"),
    "no object": (b"[]", "object"),
    "no type": (line({"id": "vpc-1"}), "'type'"),
    "another type": (line({"type": "router", "id": "r"}), "'vpc', 'subnet', 'network-interface'"),
    "no id": (line({"type": "vpc"}), "id: Field required"),
    "an empty id": (line({"type": "vpc", "id": ""}), "id: String should have at least 1 character"),
    "a long id": (line({"type": "vpc", "id": "v" * 256}), "id: String should have at most 255"),
    "a number for an id": (line({"type": "vpc", "id": 1}), "id: Input should be a valid string"),
    "a member too many": (line({**VPC_LINE, "cidr": "10.0.0.0/8"}), "cidr: Extra inputs are not"),
    "host bits": (
        line({**VPC_LINE, "cidrs": ["10.0.0.0/8", "10.0.0.7/8"]}),
        "cidrs.1.cidr: Value (10.0.0.7/8) for parameter cidr has host bits set; use '10.0.0.0/8'",
    ),
    "no CIDR": (line({**VPC_LINE, "cidrs": ["{ten}"]}), "cidrs.0.cidr: Value ({ten}) for"),
    "a source of tomorrow": (
        line({**VPC_LINE, "cidrs": [{"cidr": "10.0.0.0/8", "ip_source": "moon"}]}),
        "cidrs.0.ip_source: Input should be 'none', 'amazon' or 'byoip'",
    ),
    "no address": (line({**ENI_LINE, "addresses": ["10.0.0.0/8"]}), "addresses.0: '10.0.0.0/8' is"),
    "a scope": (line({**ENI_LINE, "addresses": ["fe80::1%1"]}), "addresses.0: 'fe80::1%1' is not"),
    "a mapped address": (line({**ENI_LINE, "addresses": ["::ffff:10.0.0.1"]}), "addresses.0: "),
    "an IPv6 public IP": (
        line({**ENI_LINE, "public_ips": [{"address": "2001:db8::1"}]}),
        "public_ips.0.address: '2001:db8::1' is not an IPv4 address",
    ),
    "an IPv6 pool": (
        line({**POOL_LINE, "cidrs": ["2001:db8::/56"]}),
        "cidrs.0: '2001:db8::/56' is not an IPv4 CIDR",
    ),
    "a negative count": (line({**POOL_LINE, "total_address_count": -1}), "greater than or equal"),
    "a text for a count": (line({**POOL_LINE, "total_address_count": "1"}), "valid integer"),
    "51 tags": (
        line({**VPC_LINE, "tags": {str(n): "" for n in range(51)}}),
        "tags: Dictionary should have at most 50 items",
    ),
    "an empty key": (line({**VPC_LINE, "tags": {"": "x"}}), "at least 1 character"),
    "a long value": (line({**VPC_LINE, "tags": {"Name": "x" * 257}}), "tags.Name: String should"),
}


@pytest.mark.parametrize(("bad", "message"), BAD.values(), ids=BAD.keys())
def test_a_bad_line_is_told_with_its_number(bad: bytes, message: str) -> None:
    told = read([line({"type": "vpc", "id": "vpc-0"}), b"\n", bad, line(POOL_LINE)])
    assert [found.number for found in told.bad_lines] == [3]
    assert message in told.bad_lines[0].message


def test_a_resource_is_told_of_once() -> None:
    told = read([line(VPC_LINE), line(POOL_LINE), line(VPC_LINE)])
    [found] = told.bad_lines
    assert (found.number, found.message) == (3, "vpc 'vpc-1' is told of in line 1 already")


class FakeSnapshots(snapshot_service_pb2_grpc.SnapshotServiceServicer):
    """Keeps what is pushed, or refuses it."""

    def __init__(self) -> None:
        self.pushes: list[tuple[str, str, list[pb.PushSnapshotRequest]]] = []
        self.refuses = False

    async def PushSnapshot(
        self, requests: AsyncIterator[pb.PushSnapshotRequest], context: Any
    ) -> pb.PushSnapshotResponse:
        messages = [request async for request in requests]
        if self.refuses:
            raise IncorrectState("a later snapshot was there before")
        caller = caller_of(context)
        self.pushes.append((caller.account_id, caller.region, messages))
        return pb.PushSnapshotResponse(added_total=3, changed_total=2, removed_total=1)


@pytest.fixture
async def snapshots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeSnapshots]:
    """A running service, where the command finds it."""
    settings = Settings(data=tmp_path, port=0)
    create_secret(settings.identity_secret_path)
    fake = FakeSnapshots()

    @asynccontextmanager
    async def build(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        yield [
            Binding(
                snapshot_service_pb2_grpc.add_SnapshotServiceServicer_to_server,
                fake,
                "cadastre.discovery.v1.SnapshotService",
            )
        ]

    async with running("discovery", build, settings) as server:
        monkeypatch.setenv("CADASTRE_DATA", str(tmp_path))
        monkeypatch.setenv("CADASTRE_ADDRESSES", json.dumps({"discovery": server.address}))
        yield fake


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "inventory.jsonl"
    path.write_bytes(LINES)
    return path


def standard_input(content: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content))


async def pushed(*arguments: str) -> int:
    """The command's exit code; it runs beside the service that it talks to."""
    return await asyncio.to_thread(main, [*ARGUMENTS, *arguments])


async def test_the_lines_of_a_file_are_pushed_for_the_account(
    snapshots: FakeSnapshots, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await pushed(str(file)) == PUSHED
    [(account_id, region, messages)] = snapshots.pushes
    assert (account_id, region) == (ACCOUNT, REGION)
    assert messages[0].header == pb.SnapshotHeader(source="dc-frankfurt")
    assert len(snapshot_of(messages).network_interfaces) == 1
    assert (
        f"dc-frankfurt: 2 resources of account {ACCOUNT} in {REGION}: 3 CIDRs added, 2 changed,"
        " 1 removed\n"
    ) in capsys.readouterr().out


async def test_the_lines_may_come_from_standard_input_and_be_of_another_time(
    snapshots: FakeSnapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", standard_input(LINES))
    assert await pushed("--at", "2026-11-26T13:00:00+01:00", "-") == PUSHED
    [(_, _, messages)] = snapshots.pushes
    assert messages[0].header.sample_time.ToDatetime(tzinfo=UTC) == NOW


async def test_a_dry_run_sends_nothing(
    snapshots: FakeSnapshots, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await pushed("--dry-run", str(file)) == PUSHED
    assert "2 resources of account 123456789012 in us-east-1; nothing was sent" in (
        capsys.readouterr().out
    )
    assert snapshots.pushes == []


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]], ids=["in earnest", "dry run"])
async def test_where_lines_are_bad_nothing_is_sent(
    snapshots: FakeSnapshots, file: Path, capsys: pytest.CaptureFixture[str], dry_run: list[str]
) -> None:
    with file.open("ab") as lines:
        lines.write(b"\nnonsense\n" + line({"type": "vpc"}))
    assert await pushed(*dry_run, str(file)) == BAD_LINES
    told = capsys.readouterr().err.splitlines()
    assert [one.partition(":")[0] for one in told] == ["line 4", "line 5", "Nothing was sent"]
    assert snapshots.pushes == []


async def test_of_very_many_bad_lines_not_all_are_told(
    snapshots: FakeSnapshots, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", standard_input(b"nonsense\n" * 150))
    assert await pushed("-") == BAD_LINES
    assert "line 100: Invalid JSON" in (told := capsys.readouterr().err)
    assert "line 101" not in told
    assert "and 50 more\n" in told


async def test_a_refusal_is_told(
    snapshots: FakeSnapshots, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshots.refuses = True
    assert await pushed(str(file)) == NOT_PUSHED
    assert "Nothing was pushed: a later snapshot was there before" in capsys.readouterr().err


async def test_a_file_or_a_service_that_is_not_there_is_told(
    snapshots: FakeSnapshots,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert await pushed(f"{file}.old") == NOT_PUSHED
    assert "No such file" in capsys.readouterr().err
    monkeypatch.setenv("CADASTRE_ADDRESSES", json.dumps({"discovery": "127.0.0.1:1"}))
    assert await pushed(str(file)) == NOT_PUSHED
    assert "Nothing was pushed: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--account", "12345", "'12345' is not an account id; use 12 digits"),
        ("--at", "yesterday", "'yesterday' is not a time"),
        ("--at", "2026-11-26T12:00:00", "has no time zone; use '2026-11-26T12:00:00Z'"),
    ],
)
def test_a_wrong_option_is_told(
    option: str, value: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main([*ARGUMENTS, option, value, "-"])
    assert raised.value.code == NOT_PUSHED
    assert message in capsys.readouterr().err
