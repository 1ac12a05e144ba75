"""What a snapshot tells of CIDRs (DISC-3 to DISC-5, HIST-2)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.discovery.resource_cidr import (
    ContradictorySnapshot,
    ResourceCidr,
    ResourceType,
    resource_cidrs,
)
from services.discovery.snapshot import (
    Address,
    Attachment,
    IpSource,
    NetworkInterface,
    PublicIpv4Pool,
    Snapshot,
    SourcedCidr,
    Subnet,
    Vpc,
)
from shared.cidr import Cidr

ACCOUNT = "123456789012"


def sourced(*cidrs: str, ip_source: IpSource = IpSource.NONE) -> tuple[SourcedCidr, ...]:
    return tuple(SourcedCidr(Cidr.parse(cidr), ip_source) for cidr in cidrs)


def interface(
    number: int,
    *blocks: str,
    subnet_id: str = "subnet-1",
    attachment: Attachment | None = None,
) -> NetworkInterface:
    cidrs = tuple(map(Cidr.parse, blocks))
    return NetworkInterface(
        f"eni-{number}", "vpc-1", subnet_id, cidrs, {}, "use1-az1", attachment=attachment
    )


VPC = Vpc("vpc-1", sourced("10.0.0.0/16", "2600:1f18::/56"), {"Name": "main"})
SUBNET = Subnet("subnet-1", "vpc-1", sourced("10.0.0.0/24", "2600:1f18::/64"), {}, "use1-az1")
EIP = Address("eipalloc-1", Cidr.parse("3.0.0.1/32"), "amazon", "us-east-1", {})
POOL = PublicIpv4Pool(
    "ipv4pool-ec2-1", (Cidr.parse("203.0.113.0/30"),), {}, "us-east-1", 4, 3, is_byoip=True
)


def snapshot(**parts: Any) -> Snapshot:
    return replace(Snapshot(ACCOUNT, "us-east-1", datetime(2026, 1, 1, tzinfo=UTC)), **parts)


def told(taken: Snapshot) -> dict[tuple[ResourceType, str, str], ResourceCidr]:
    return {
        (found.key.resource_type, found.key.anchor_id, str(found.key.cidr)): found
        for found in resource_cidrs(taken)
    }


def test_vpcs_and_subnets_are_told_with_what_they_are_in() -> None:  # DISC-3, DISC-4
    found = told(snapshot(vpcs=[VPC], subnets=[SUBNET]))
    vpc = found[ResourceType.VPC, "vpc-1", "10.0.0.0/16"]
    subnet = found[ResourceType.SUBNET, "subnet-1", "10.0.0.0/24"]
    assert (vpc.owner_id, vpc.name, vpc.vpc_id, vpc.container_id) == (
        ACCOUNT,
        "main",
        "vpc-1",
        None,
    )
    assert (subnet.name, subnet.vpc_id, subnet.container_id, subnet.availability_zone_id) == (
        None,
        "vpc-1",
        "vpc-1",
        "use1-az1",
    )
    assert len(found) == 4


def test_a_vpcs_usage_is_what_its_own_subnets_cover_of_each_cidr() -> None:  # DISC-5
    elsewhere = replace(SUBNET, subnet_id="subnet-9", vpc_id="vpc-9")
    vpc = replace(VPC, cidrs=(*VPC.cidrs, *sourced("10.1.0.0/16")))
    other = Subnet("subnet-2", "vpc-1", sourced("10.0.128.0/17"), {}, "use1-az2")
    found = told(snapshot(vpcs=[vpc], subnets=[SUBNET, other, elsewhere]))
    usage = {cidr: of.ip_usage for (kind, _, cidr), of in found.items() if kind is ResourceType.VPC}
    assert usage["10.0.0.0/16"] == (256 + 32768) / 65536
    assert usage["10.1.0.0/16"] == 0
    assert usage["2600:1f18::/56"] == 1 / 256


@given(st.lists(st.integers(0, 300), max_size=20), st.booleans())
def test_a_subnets_usage_is_its_addresses_on_interfaces(
    hosts: list[int], has_prefix: bool
) -> None:  # DISC-5
    interfaces = [
        interface(number, f"10.0.{host >> 8}.{host & 255}/32") for number, host in enumerate(hosts)
    ]
    if has_prefix:
        interfaces.append(interface(1000, "10.0.0.16/28", "10.0.0.17/32"))
    used = {host for host in hosts if host < 256} | (set(range(16, 32)) if has_prefix else set())
    found = told(snapshot(subnets=[SUBNET], network_interfaces=interfaces))
    assert found[ResourceType.SUBNET, "subnet-1", "10.0.0.0/24"].ip_usage == len(used) / 256
    assert found[ResourceType.SUBNET, "subnet-1", "2600:1f18::/64"].ip_usage is None


def test_a_public_pools_usage_is_what_its_own_elastic_addresses_take() -> None:  # DISC-5
    own = replace(EIP, public_ip=Cidr.parse("203.0.113.1/32"), public_ipv4_pool=POOL.pool_id)
    found = told(snapshot(addresses=[own], public_ipv4_pools=[POOL]))
    pool = found[ResourceType.PUBLIC_IPV4_POOL, POOL.pool_id, "203.0.113.0/30"]
    eip = found[ResourceType.EIP, "eipalloc-1", "203.0.113.1/32"]
    assert (pool.ip_usage, pool.ip_source) == (0.25, IpSource.BYOIP)
    assert (eip.ip_usage, eip.ip_source, eip.container_id) == (None, IpSource.BYOIP, POOL.pool_id)


@pytest.mark.parametrize(
    ("pool_id", "ip_source", "container_id"),
    [
        ("amazon", IpSource.AMAZON, None),
        ("ipam-pool-1", IpSource.BYOIP, None),
        ("ipv4pool-ec2-9", IpSource.BYOIP, "ipv4pool-ec2-9"),
    ],
)
def test_elastic_addresses_tell_who_provided_them(
    pool_id: str, ip_source: IpSource, container_id: str | None
) -> None:
    [found] = resource_cidrs(snapshot(addresses=[replace(EIP, public_ipv4_pool=pool_id)]))
    assert (found.ip_source, found.container_id) == (ip_source, container_id)


@pytest.mark.parametrize(
    ("attachment", "anchor_id", "resource_id", "owner_id"),
    [
        (Attachment("i-1", ACCOUNT), "i-1", "i-1", ACCOUNT),
        (Attachment("", "amazon-aws"), "eni-1", "", "amazon-aws"),
        (Attachment("", "amazon-elb"), "eni-1", "", "amazon-aws"),
        (Attachment("i-7", "999999999999"), "i-7", "", "amazon-aws"),
    ],
)
def test_an_instance_has_the_addresses_of_its_interfaces(
    attachment: Attachment, anchor_id: str, resource_id: str, owner_id: str
) -> None:  # HIST-2
    eni = interface(1, "10.0.0.4/32", "2600:1f18::4/128", "10.0.0.16/28", attachment=attachment)
    found = told(snapshot(network_interfaces=[eni]))
    assert len(found) == 6
    for cidr in map(str, eni.blocks):
        instance = found[ResourceType.INSTANCE, anchor_id, cidr]
        assert (instance.resource_id, instance.owner_id) == (resource_id, owner_id)
        assert found[ResourceType.ENI, "eni-1", cidr].is_attached


def test_an_interface_that_nothing_uses_is_told_of_alone() -> None:
    [found] = resource_cidrs(snapshot(network_interfaces=[interface(1, "10.0.0.4/32")]))
    assert (found.key.resource_type, found.is_attached) == (ResourceType.ENI, False)


def test_an_address_that_an_instance_has_in_two_vpcs_is_told_of_once() -> None:
    attachment = Attachment("i-1", ACCOUNT)
    twice = [interface(n, "10.0.0.4/32", attachment=attachment) for n in (2, 1)]
    twice[0] = replace(twice[0], vpc_id="vpc-2")
    found = told(snapshot(network_interfaces=twice))
    assert found[ResourceType.INSTANCE, "i-1", "10.0.0.4/32"].vpc_id == "vpc-1"


def test_what_is_told_twice_in_the_same_words_counts_once() -> None:
    eni = interface(1, "10.0.0.4/32", "10.0.0.4/32", attachment=Attachment("i-1", ACCOUNT))
    doubled = replace(POOL, cidrs=POOL.cidrs * 2)
    taken = snapshot(
        vpcs=[VPC, replace(VPC)],
        subnets=[SUBNET] * 2,
        network_interfaces=[eni] * 2,
        addresses=[EIP] * 2,
        public_ipv4_pools=[doubled] * 2,
    )
    keys = [found.key for found in resource_cidrs(taken)]
    assert len(keys) == len(set(keys)) == 2 + 2 + 1 + 1 + 1 + 1


@pytest.mark.parametrize(
    ("taken", "named"),
    [
        (snapshot(vpcs=[VPC, replace(VPC, tags={})]), "vpc-1"),
        (snapshot(subnets=[SUBNET, replace(SUBNET, vpc_id="vpc-2")]), "subnet-1"),
        (snapshot(network_interfaces=[interface(1), interface(1, "10.0.0.4/32")]), "eni-1"),
        (snapshot(addresses=[EIP, replace(EIP, instance_id="i-1")]), "eipalloc-1"),
        (snapshot(addresses=[EIP, replace(EIP, allocation_id="eipalloc-2")]), "3.0.0.1/32"),
        (snapshot(addresses=[replace(EIP, public_ip=Cidr.parse("::1/128"))]), "::1/128"),
        (snapshot(addresses=[replace(EIP, public_ip=Cidr.parse("3.0.0.0/31"))]), "3.0.0.0/31"),
        (snapshot(public_ipv4_pools=[replace(POOL, cidrs=(Cidr.parse("::/48"),))]), "::/48"),
        (snapshot(public_ipv4_pools=[POOL, replace(POOL, is_byoip=False)]), "ipv4pool-ec2-1"),
        (snapshot(vpcs=[replace(VPC, vpc_id="")]), "no id"),
        (
            snapshot(
                vpcs=[
                    replace(
                        VPC, cidrs=sourced("::/56") + sourced("::/56", ip_source=IpSource.BYOIP)
                    )
                ]
            ),
            "::/56",
        ),
    ],
)
def test_contradictions_are_refused_by_name(taken: Snapshot, named: str) -> None:
    with pytest.raises(ContradictorySnapshot, match=named):
        exhaust(resource_cidrs(taken))


def exhaust(found: Iterable[ResourceCidr]) -> None:
    for _ in found:
        pass
