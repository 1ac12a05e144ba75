"""What a snapshot changes of what is there (DISC-6), without a database."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.discovery.inventory import Fingerprinted, difference, digest_of, fingerprint_of
from services.discovery.resource_cidr import ResourceCidr, ResourceKey, ResourceType
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
from shared.cidr import Cidr

VPC = ResourceCidr(
    ResourceKey(ResourceType.VPC, "vpc-1", Cidr.parse("10.0.0.0/16")),
    resource_id="vpc-1",
    owner_id="1" * 12,
    tags={"Name": "shop", "team": "net"},
    name="shop",
    vpc_id="vpc-1",
)


OTHERS = {
    "cidr": replace(VPC, key=VPC.key._replace(cidr=Cidr.parse("10.0.0.0/17"))),
    "family": replace(VPC, key=VPC.key._replace(cidr=Cidr.parse("a00::/16"))),
    "anchor": replace(VPC, key=VPC.key._replace(anchor_id="vpc-2")),
    "type": replace(VPC, key=VPC.key._replace(resource_type=ResourceType.SUBNET)),
    "id": replace(VPC, resource_id="vpc-2"),
    "owner": replace(VPC, owner_id="2" * 12),
    "tags": replace(VPC, tags={"Name": "shop"}),
    "vpc": replace(VPC, vpc_id=None),
    "subnet": replace(VPC, subnet_id="subnet-1"),
    "zone": replace(VPC, availability_zone_id="use1-az1"),
    "container": replace(VPC, container_id="vpc-1"),
    "source": replace(VPC, ip_source=IpSource.AMAZON),
    "usage": replace(VPC, ip_usage=0.5),
    "attachment": replace(VPC, is_attached=True),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_fingerprint_tells_every_member(other: ResourceCidr) -> None:
    assert fingerprint_of(other) != fingerprint_of(VPC)


def test_the_order_in_which_things_are_told_means_nothing() -> None:
    turned = replace(VPC, tags={"team": "net", "Name": "shop"})
    assert fingerprint_of(turned) == fingerprint_of(VPC)
    vpcs = [Vpc(f"vpc-{number}", (), {}) for number in range(2)]
    one, other = (
        Snapshot("1" * 12, "us-east-1", datetime(2026, 1, day, tzinfo=UTC), vpcs=some)
        for day, some in ((1, vpcs), (2, vpcs[::-1]))
    )
    assert digest_of(one) == digest_of(other)


ADDRESS = Cidr.parse("203.0.113.5/32")
SOURCED, GROUP = SourcedCidr(Cidr.parse("10.0.0.0/16")), SecurityGroup("sg-1", "web")
ATTACHMENT, PUBLIC_IP = Attachment("i-1", "1" * 12), PublicIp(ADDRESS, "amazon", "eipalloc-1")
INTERFACE = NetworkInterface(
    *("eni-1", "vpc-1", "subnet-1", (ADDRESS,), {"k": "v"}, "use1-az1", "primary", "lambda"),
    requester_id="amazon-elb",
    attachment=ATTACHMENT,
    security_groups=(GROUP,),
    public_ips=(PUBLIC_IP,),
)
TOLD = Snapshot(
    "1" * 12,
    "us-east-1",
    datetime(2026, 1, 1, tzinfo=UTC),
    vpcs=[Vpc("vpc-1", (SOURCED,), {"k": "v"})],
    subnets=[Subnet("subnet-1", "vpc-1", (SOURCED,), {"k": "v"}, "use1-az1")],
    network_interfaces=[INTERFACE],
    addresses=[
        Address(
            *("eipalloc-1", ADDRESS, "amazon", "us-east-1", {"k": "v"}, "eipassoc-1", "eni-1"),
            *("i-1", "nlb"),
            ip_source=IpSource.AMAZON,
        )
    ],
    public_ipv4_pools=[
        PublicIpv4Pool("pool-1", (ADDRESS,), {"k": "v"}, "us-east-1", 9, 8, is_byoip=True)
    ],
    service_addresses=[ServiceAddress(ADDRESS, "vpn", "vpn-1", is_byoip=True, tags={"k": "v"})],
)
"""One of each, and nothing of it left out."""
INSIDE: dict[str, tuple[Any, Callable[[Any], Snapshot]]] = {
    "SourcedCidr": (SOURCED, lambda one: replace(TOLD, vpcs=[Vpc("vpc-1", (one,), {"k": "v"})])),
    "SecurityGroup": (GROUP, lambda one: with_interface(security_groups=(one,))),
    "Attachment": (ATTACHMENT, lambda one: with_interface(attachment=one)),
    "PublicIp": (PUBLIC_IP, lambda one: with_interface(public_ips=(one,))),
}
OTHER_VALUES: dict[type, Callable[[Any], Any]] = {
    str: lambda text: f"{text}-other",
    bool: lambda is_so: not is_so,
    int: lambda number: number + 1,
    tuple: lambda _: (),
    dict: lambda _: {},
    Cidr: lambda _: Cidr.parse("198.51.100.0/24"),
    IpSource: lambda _: IpSource.BYOIP,
    Attachment: lambda _: None,
}


def with_interface(**members: Any) -> Snapshot:
    return replace(TOLD, network_interfaces=[replace(INTERFACE, **members)])


def with_one_other_member() -> Iterator[Any]:
    for kind in fields(TOLD):
        told = getattr(TOLD, kind.name)
        if isinstance(told, list):
            [record] = told
            for member in fields(record):
                changes: Any = {kind.name: [changed(record, member.name)]}
                yield pytest.param(replace(TOLD, **changes), id=f"{kind.name}-{member.name}")
    for name, (record, told_with) in INSIDE.items():
        for member in fields(record):
            other = told_with(changed(record, member.name))
            yield pytest.param(other, id=f"{name}-{member.name}")


def changed(record: Any, name: str) -> Any:
    value = getattr(record, name)
    return replace(record, **{name: OTHER_VALUES[type(value)](value)})


@pytest.mark.parametrize("other", list(with_one_other_member()))
def test_a_digest_tells_every_member_of_all_that_is_told(other: Snapshot) -> None:  # DISC-4
    assert digest_of(other) != digest_of(TOLD)


PRINTS = st.dictionaries(st.integers(0, 6), st.sampled_from([b"a", b"b"]))


@given(known=PRINTS, told=PRINTS)
def test_the_difference_makes_rows_what_was_told(
    known: dict[int, bytes], told: dict[int, bytes]
) -> None:
    rows = {key: (100 + key, print_) for key, print_ in known.items()}
    changes = difference(rows, {key: Fingerprinted(key, print_) for key, print_ in told.items()})
    kept = {key: print_ for key, (row, print_) in rows.items() if row not in changes.removed}
    kept |= {one.told: one.fingerprint for one in changes.added}
    kept |= {one.told: one.fingerprint for _, one in changes.changed}
    assert kept == told
    assert changes.is_nothing == (known == told)
    assert {row for row, _ in changes.changed} <= {100 + key for key in known.keys() & told.keys()}
