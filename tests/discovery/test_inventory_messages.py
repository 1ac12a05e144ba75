"""Inventories as messages become snapshots, or are refused (DISC-3, PUB-1)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadastre.common.v1 import inventory_pb2 as pb
from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import inventory_service_pb2 as network_pb
from services.discovery.clients.network import NetworkSnapshots
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
from services.discovery.sources import AccountRegion, FailureCode, SnapshotFailed
from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterValue
from shared.identity import TokenSigner, load_secret
from shared.rpc.client import Remote
from tests.discovery import fake_network
from tests.discovery.fake_network import FakeNetwork
from tests.network.support import settings_for
from tests.waiting import PATIENCE_SECONDS

PLACE = AccountRegion("123456789012", "us-east-1")
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def collected(*parts: pb.InventoryPart) -> Snapshot:
    collector = SnapshotCollector(*PLACE, sampled_at=NOW)
    for part in parts:
        collector.add(part)
    return collector.snapshot()


def tags(**values: str) -> list[types_pb2.Tag]:
    return [types_pb2.Tag(key=key, value=value) for key, value in values.items()]


def vpc(**members: Any) -> pb.InventoryPart:
    return pb.InventoryPart(vpcs=[pb.InventoryVpc(**{"vpc_id": "vpc-1", **members})])


def vpc_cidr(text: str, **members: Any) -> pb.InventoryPart:
    return vpc(cidrs=[pb.InventoryCidr(cidr=text, **members)])


def subnet(**members: Any) -> pb.InventoryPart:
    known = {"subnet_id": "subnet-1", "vpc_id": "vpc-1"}
    return pb.InventoryPart(subnets=[pb.InventorySubnet(**{**known, **members})])


def eni(**members: Any) -> pb.InventoryPart:
    known = {"network_interface_id": "eni-1", "vpc_id": "vpc-1", "subnet_id": "subnet-1"}
    told = pb.InventoryNetworkInterface(**{**known, **members})
    return pb.InventoryPart(network_interfaces=[told])


def eip(**members: Any) -> pb.InventoryPart:
    known = {"allocation_id": "eipalloc-1", "public_ip": "203.0.113.5"}
    return pb.InventoryPart(addresses=[pb.InventoryAddress(**{**known, **members})])


def pool(**members: Any) -> pb.InventoryPart:
    told = pb.InventoryPublicIpv4Pool(**{"pool_id": "ipv4pool-ec2-1", **members})
    return pb.InventoryPart(public_ipv4_pools=[told])


def service(**members: Any) -> pb.InventoryPart:
    known = {"address": "203.0.113.9", "service": "site-to-site-vpn"}
    told = pb.InventoryServiceAddress(**{**known, **members})
    return pb.InventoryPart(service_addresses=[told])


def test_everything_that_is_told_is_in_the_snapshot() -> None:
    part = pb.InventoryPart()
    for one in (
        vpc(
            cidrs=[
                pb.InventoryCidr(cidr="10.0.0.0/16"),
                pb.InventoryCidr(cidr="2001:db8::/56", ip_source=pb.INVENTORY_IP_SOURCE_AMAZON),
                pb.InventoryCidr(cidr="2001:db9::/56", ip_source=pb.INVENTORY_IP_SOURCE_BYOIP),
            ],
            tags=tags(Name="office"),
        ),
        subnet(
            cidrs=[pb.InventoryCidr(cidr="10.0.1.0/24")],
            availability_zone_id="use1-az1",
        ),
        eni(
            addresses=["10.0.1.5", "2001:db8::5"],
            delegated_prefixes=["10.0.1.16/28"],
            tags=tags(env="prod"),
            description="primary",
            availability_zone_id="use1-az1",
            interface_type="natGateway",
            is_requester_managed=True,
            requester_id="amazon-elb",
            is_attached=True,
            instance_id="i-1",
            instance_owner_id="123456789012",
            security_groups=[pb.InventorySecurityGroup(group_id="sg-1", group_name="web")],
            public_ips=[
                pb.InventoryPublicIp(
                    address="203.0.113.5", owner_id="amazon", allocation_id="eipalloc-1"
                )
            ],
        ),
        eip(
            public_ipv4_pool="amazon",
            network_border_group="us-east-1",
            tags=tags(Name="front"),
            association_id="eipassoc-1",
            network_interface_id="eni-1",
            instance_id="i-1",
            service_managed="nlb",
        ),
        pool(
            cidrs=["203.0.113.0/28"],
            tags=tags(a="b"),
            network_border_group="us-east-1",
            total_address_count=16,
            total_available_address_count=15,
            is_byoip=True,
        ),
        service(service_resource="vpn-1", is_byoip=True, tags=tags(c="d")),
    ):
        part.MergeFrom(one)
    assert collected(part) == Snapshot(
        *PLACE,
        sampled_at=NOW,
        vpcs=[
            Vpc(
                "vpc-1",
                (
                    SourcedCidr(Cidr.parse("10.0.0.0/16")),
                    SourcedCidr(Cidr.parse("2001:db8::/56"), IpSource.AMAZON),
                    SourcedCidr(Cidr.parse("2001:db9::/56"), IpSource.BYOIP),
                ),
                {"Name": "office"},
            )
        ],
        subnets=[
            Subnet("subnet-1", "vpc-1", (SourcedCidr(Cidr.parse("10.0.1.0/24")),), {}, "use1-az1")
        ],
        network_interfaces=[
            NetworkInterface(
                "eni-1",
                "vpc-1",
                "subnet-1",
                tuple(map(Cidr.parse, ("10.0.1.5/32", "2001:db8::5/128", "10.0.1.16/28"))),
                {"env": "prod"},
                "use1-az1",
                "primary",
                "natGateway",
                "amazon-elb",
                Attachment("i-1", "123456789012"),
                (SecurityGroup("sg-1", "web"),),
                (PublicIp(Cidr.parse("203.0.113.5/32"), "amazon", "eipalloc-1"),),
            )
        ],
        addresses=[
            Address(
                "eipalloc-1",
                Cidr.parse("203.0.113.5/32"),
                "amazon",
                "us-east-1",
                {"Name": "front"},
                "eipassoc-1",
                "eni-1",
                "i-1",
                "nlb",
            )
        ],
        public_ipv4_pools=[
            PublicIpv4Pool(
                "ipv4pool-ec2-1",
                (Cidr.parse("203.0.113.0/28"),),
                {"a": "b"},
                "us-east-1",
                16,
                15,
                is_byoip=True,
            )
        ],
        service_addresses=[
            ServiceAddress(
                Cidr.parse("203.0.113.9/32"), "site-to-site-vpn", "vpn-1", True, {"c": "d"}
            )
        ],
    )


def test_what_is_not_told_is_none_or_empty() -> None:
    told = collected(eni(instance_id="i-1", requester_id="AIDA"), eip())
    [interface], [address] = told.network_interfaces, told.addresses
    assert (interface.attachment, interface.requester_id) == (None, None)
    assert (interface.interface_type, interface.tags, interface.blocks) == ("interface", {}, ())
    assert (address.association_id, address.network_interface_id) == (None, None)
    assert (address.instance_id, address.service_managed) == (None, None)


def test_parts_are_added_up_in_order() -> None:
    collector = SnapshotCollector(*PLACE, sampled_at=NOW)
    for number in range(3):
        collector.add(vpc(vpc_id=f"vpc-{number}"))
    assert collector.resource_count == 3
    assert [one.vpc_id for one in collector.snapshot().vpcs] == ["vpc-0", "vpc-1", "vpc-2"]


def test_tags_that_aws_sets_itself_are_taken() -> None:
    [told] = collected(vpc(tags=[types_pb2.Tag(key="aws:x", value="y")])).vpcs
    assert told.tags == {"aws:x": "y"}


LONG = "x" * 256
WRONG = {
    "host bits": (
        vpc_cidr("10.0.0.7/8"),
        "vpc-1: '10.0.0.7/8' has host bits set; use '10.0.0.0/8'",
    ),
    "no CIDR": (vpc_cidr("10.0.0.0"), "vpc-1: '10.0.0.0' is not a CIDR"),
    "an empty CIDR": (vpc_cidr(""), "vpc-1: '' is not a CIDR"),
    "a huge CIDR": (vpc_cidr("1" * 5000), f"vpc-1: '{'1' * 80}...' is not a CIDR"),
    "a source of tomorrow": (vpc_cidr("10.0.0.0/8", ip_source=7), "vpc-1: ip_source 7 is unknown"),
    "an address's source of tomorrow": (eip(ip_source=7), "eipalloc-1: ip_source 7 is unknown"),
    "a subnet's CIDR": (
        subnet(cidrs=[pb.InventoryCidr(cidr="2001:db8::1/64")]),
        "subnet-1: '2001:db8::1/64' has host bits set; use '2001:db8::/64'",
    ),
    "an address with a length": (eni(addresses=["10.0.0.1/32"]), "eni-1: '10.0.0.1/32' is not an"),
    "a short address": (eni(addresses=["10.1"]), "eni-1: '10.1' is not an address"),
    "an octal address": (eni(addresses=["010.0.0.1"]), "eni-1: '010.0.0.1' is not an address"),
    "a NUL": (eni(addresses=["10.0.0.1\0"]), "is not an address"),
    "a mapped address": (eni(addresses=["::ffff:10.0.0.1"]), "is not an address"),
    "a scoped address": (eni(addresses=["fe80::1%eth0"]), "is not an address"),
    "a prefix": (eni(delegated_prefixes=["10.0.0.1/28"]), "eni-1: '10.0.0.1/28' has host bits"),
    "an IPv6 public IP": (
        eni(public_ips=[pb.InventoryPublicIp(address="2001:db8::1")]),
        "eni-1: '2001:db8::1' is not an IPv4 address",
    ),
    "an IPv6 elastic IP": (
        eip(public_ip="2001:db8::1"),
        "eipalloc-1: '2001:db8::1' is not an IPv4",
    ),
    "no elastic IP": (eip(public_ip=""), "eipalloc-1: '' is not an address"),
    "an IPv6 pool": (pool(cidrs=["2001:db8::/56"]), "'2001:db8::/56' is not an IPv4 CIDR"),
    "an IPv6 service": (service(address="2001:db8::1"), "'2001:db8::1' is not an IPv4 address"),
    "no service": (service(service=""), "203.0.113.9: service is missing"),
    "a negative count": (pool(total_available_address_count=-1), "-1 of 0 addresses"),
    "a negative total": (pool(total_address_count=-1), "0 of -1 addresses"),
    "more than there are": (
        pool(total_address_count=1, total_available_address_count=2),
        "ipv4pool-ec2-1: 2 of 1 addresses can't be available",
    ),
    "no VPC id": (vpc(vpc_id=""), "a resource without a name, InventoryVpc: vpc_id is missing"),
    "no subnet id": (subnet(subnet_id=""), "subnet_id is missing"),
    "no interface id": (eni(network_interface_id=""), "network_interface_id is missing"),
    "no allocation id": (eip(allocation_id=""), "allocation_id is missing"),
    "no pool id": (pool(pool_id=""), "pool_id is missing"),
    "a subnet of nothing": (subnet(vpc_id=""), "subnet-1: vpc_id is missing"),
    "an interface of no VPC": (eni(vpc_id=""), "eni-1: vpc_id is missing"),
    "an interface of no subnet": (eni(subnet_id=""), "eni-1: subnet_id is missing"),
    "a long id": (vpc(vpc_id=LONG), "has 256 characters; at most 255 are allowed"),
    "a long zone": (subnet(availability_zone_id="z" * 65), "has 65 characters; at most 64"),
    "a long instance": (eni(is_attached=True, instance_id=LONG), "eni-1: instance_id 'xxx"),
    "a long type": (eni(interface_type="t" * 65), "eni-1: interface_type 'ttt"),
    "a long requester": (
        eni(is_requester_managed=True, requester_id=LONG),
        "eni-1: requester_id 'xxx",
    ),
    "a long description": (eni(description="d" * 1025), "at most 1024 are allowed"),
    "a group without an id": (
        eni(security_groups=[pb.InventorySecurityGroup(group_name="web")]),
        "eni-1: group_id is missing",
    ),
    "a long pool": (eip(public_ipv4_pool=LONG), "eipalloc-1: public_ipv4_pool 'xxx"),
    "a long border group": (eip(network_border_group=LONG), "network_border_group 'xxx"),
    "a key twice": (vpc(tags=tags(a="1") + tags(a="2")), "vpc-1: tag key 'a' is given twice"),
    "51 tags": (vpc(tags=tags(**{f"k{n}": "" for n in range(51)})), "vpc-1: it has 51 tags"),
    "an empty key": (vpc(tags=[types_pb2.Tag(value="v")]), "vpc-1: tag '' has a key of 0"),
    "a long key": (vpc(tags=[types_pb2.Tag(key="k" * 129)]), "has a key of 129"),
    "a long value": (vpc(tags=tags(Name="v" * 257)), "a value of 257 characters"),
}


@pytest.mark.parametrize(("part", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_value_that_can_not_be_is_refused_with_its_resource(
    part: pb.InventoryPart, message: str
) -> None:
    with pytest.raises(InvalidParameterValue) as raised:
        collected(part)
    assert message in raised.value.message
    assert len(raised.value.message) < 400
    assert raised.value.metadata["resource"] in raised.value.message
    assert raised.value.metadata["value"] in raised.value.message


def test_fifty_tags_and_the_longest_words_are_taken() -> None:
    [told] = collected(
        vpc(vpc_id="v" * 255, tags=tags(**{f"{n:0128}": "v" * 256 for n in range(50)}))
    ).vpcs
    assert len(told.tags) == 50


@given(st.ip_addresses())
def test_addresses_are_read_as_python_reads_them(address: Any) -> None:
    is_mapped = address.version == 6 and address.ipv4_mapped
    part = eni(addresses=[str(address)])
    if is_mapped:
        with pytest.raises(InvalidParameterValue):
            collected(part)
        return
    [block] = collected(part).network_interfaces[0].blocks
    family = AddressFamily.IPV4 if address.version == 4 else AddressFamily.IPV6
    assert block == Cidr(family, int(address), family.bits)


@given(st.one_of(st.text(max_size=20), st.from_regex(r"[0-9a-f:.%/]{1,20}", fullmatch=True)))
def test_what_python_does_not_take_for_an_address_is_refused(text: str) -> None:
    try:
        ip_address(text)
    except ValueError:
        with pytest.raises(InvalidParameterValue):
            collected(eni(addresses=[text]))


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_cidrs_are_read_as_python_reads_them(address: Any, length: int) -> None:
    network = ip_network(f"{address}/{length}", strict=False)
    part = pool(cidrs=[f"{address}/{length}"])
    if address == network.network_address:
        [found] = collected(part).public_ipv4_pools[0].cidrs
        assert str(found) == str(network)
    else:
        with pytest.raises(InvalidParameterValue, match=f"use '{network}'"):
            collected(part)


class Telling(FakeNetwork):
    """Tells ``parts``, and hangs afterwards if it is to."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[pb.InventoryPart] = []
        self.refusal: Exception | None = None
        self.hangs = False
        self.left = asyncio.Event()
        self.asked: list[network_pb.GetInventoryRequest] = []

    async def GetInventory(
        self, request: network_pb.GetInventoryRequest, context: Any
    ) -> AsyncIterator[network_pb.GetInventoryResponse]:
        self.asked.append(request)
        try:
            for part in self.parts:
                yield network_pb.GetInventoryResponse(part=part)
            if self.refusal:
                raise self.refusal
            if self.hangs:
                await asyncio.Event().wait()
        finally:
            self.left.set()


@pytest.fixture
async def telling() -> Telling:
    return Telling()


@pytest.fixture
async def remote(telling: Telling, tmp_path: Path) -> AsyncIterator[Remote]:
    settings = settings_for(tmp_path)
    signer = TokenSigner(load_secret(settings.identity_secret_path))
    async with (
        fake_network.serving(telling, settings) as address,
        Remote(address, signer=signer) as remote,
    ):
        yield remote


async def test_network_is_asked_for_all_that_an_account_has_in_a_region(  # DISC-3
    remote: Remote, telling: Telling
) -> None:
    telling.parts = [vpc(), vpc(vpc_id="vpc-2"), eip()]
    source = NetworkSnapshots(remote, lambda: NOW)
    assert await source.snapshot(PLACE) == collected(*telling.parts)
    assert [(one.owner_id, one.region) for one in telling.asked] == [PLACE]
    assert (source.name, source.attempts_at_once) == ("network", 4)
    assert source.serves([PLACE]) == [PLACE]


async def test_an_account_without_resources_has_an_empty_snapshot(
    remote: Remote, telling: Telling
) -> None:
    assert await NetworkSnapshots(remote, lambda: NOW).snapshot(PLACE) == collected()


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        (InvalidParameterValue("no such region"), "network: no such region"),
        (RuntimeError("swordfish"), "network: INTERNAL: Internal error"),
    ],
    ids=["a refusal", "a fault"],
)
async def test_a_stream_that_ends_with_an_error_is_no_snapshot(
    remote: Remote, telling: Telling, refusal: Exception, message: str
) -> None:
    telling.parts, telling.refusal = [vpc()], refusal
    with pytest.raises(SnapshotFailed) as raised:
        await NetworkSnapshots(remote, lambda: NOW).snapshot(PLACE)
    assert raised.value.code is FailureCode.OTHER
    assert raised.value.message.startswith(message)


async def test_what_can_not_be_is_no_snapshot(remote: Remote, telling: Telling) -> None:
    telling.parts = [vpc_cidr("10.0.0.7/8")]
    with pytest.raises(SnapshotFailed, match="network: vpc-1: '10.0.0.7/8' has host bits set"):
        await NetworkSnapshots(remote, lambda: NOW).snapshot(PLACE)


async def test_network_away_is_no_snapshot(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    signer = TokenSigner(load_secret(settings.identity_secret_path))
    async with Remote("127.0.0.1:1", signer=signer) as remote:
        with pytest.raises(SnapshotFailed, match="network: A service .* does not answer"):
            await NetworkSnapshots(remote, lambda: NOW).snapshot(PLACE)


async def test_a_network_that_hangs_is_not_waited_for_and_let_go(
    remote: Remote, telling: Telling
) -> None:
    telling.parts, telling.hangs = [vpc()], True
    source = NetworkSnapshots(remote, lambda: NOW, answer_seconds=0.2)
    with pytest.raises(SnapshotFailed, match="did not tell everything within 0.2 seconds"):
        await source.snapshot(PLACE)
    await asyncio.wait_for(telling.left.wait(), PATIENCE_SECONDS)
