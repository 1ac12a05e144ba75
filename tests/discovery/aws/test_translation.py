"""AWS's answers, as boto3 gives them, and what a snapshot makes of them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.discovery.aws.members import MalformedAnswer
from services.discovery.aws.translation import (
    accelerator_addresses,
    address_of,
    byoip_space,
    network_interface_of,
    public_ipv4_pool_of,
    snapshot_of,
    subnet_of,
    vpc_of,
    vpn_connection_addresses,
)
from services.discovery.snapshot import (
    Address,
    Attachment,
    IpSource,
    NetworkInterface,
    PublicIp,
    SecurityGroup,
    ServiceAddress,
    SourcedCidr,
)
from services.discovery.sources import AccountRegion
from shared.cidr import Cidr

ALICE, BOB = "111122223333", "444455556666"
PARIS = "eu-west-3"
BROUGHT = [Cidr.parse("198.51.0.0/16"), Cidr.parse("2001:db8::/32")]


def without(item: dict[str, Any], member: str) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != member}


VPC = {
    "VpcId": "vpc-0a1b2c3d4e5f60718",
    "OwnerId": ALICE,
    "CidrBlock": "10.0.0.0/16",
    "CidrBlockAssociationSet": [
        {
            "AssociationId": "vpc-cidr-assoc-1",
            "CidrBlock": "10.0.0.0/16",
            "CidrBlockState": {"State": "associated"},
        },
    ],
    "Tags": [{"Key": "Name", "Value": "prod"}, {"Key": "empty", "Value": ""}],
    "State": "available",
}
SUBNET = {
    "SubnetId": "subnet-0a1b2c3d4e5f60718",
    "VpcId": VPC["VpcId"],
    "OwnerId": ALICE,
    "CidrBlock": "10.0.1.0/24",
    "AvailabilityZone": "eu-west-3a",
    "AvailabilityZoneId": "euw3-az1",
    "Tags": [],
}
# A NAT gateway's, on a secondary address too, with a delegated block.
INTERFACE = {
    "NetworkInterfaceId": "eni-0a1b2c3d4e5f60718",
    "VpcId": VPC["VpcId"],
    "SubnetId": SUBNET["SubnetId"],
    "OwnerId": ALICE,
    "AvailabilityZone": "eu-west-3a",
    "Description": "Interface for NAT Gateway nat-0a1b2c3d4e5f60718",
    "InterfaceType": "nat_gateway",
    "RequesterId": "439086511134",
    "RequesterManaged": True,
    "Attachment": {
        "AttachmentId": "ela-attach-0a1b2c3d",
        "DeleteOnTermination": False,
        "DeviceIndex": 1,
        "InstanceOwnerId": "amazon-aws",
        "Status": "attached",
    },
    "Groups": [{"GroupId": "sg-1", "GroupName": "web"}],
    "Association": {"PublicIp": "203.0.113.5", "IpOwnerId": ALICE, "AllocationId": "eipalloc-5"},
    "PrivateIpAddress": "10.0.1.20",
    "PrivateIpAddresses": [
        {
            "Primary": False,
            "PrivateIpAddress": "10.0.1.10",
            "Association": {"PublicIp": "203.0.113.6", "IpOwnerId": "amazon"},
        },
        {
            "Primary": True,
            "PrivateIpAddress": "10.0.1.20",
            "Association": {
                "PublicIp": "203.0.113.5",
                "IpOwnerId": ALICE,
                "AllocationId": "eipalloc-5",
            },
        },
    ],
    "Ipv6Addresses": [{"Ipv6Address": "2001:db8:0:1::a"}],
    "Ipv4Prefixes": [{"Ipv4Prefix": "10.0.1.64/28"}],
    "Ipv6Prefixes": [{"Ipv6Prefix": "2001:db8:0:1:8000::/80"}],
    "TagSet": [{"Key": "Name", "Value": "nat"}],
}
ADDRESS = {
    "AllocationId": "eipalloc-0a1b2c3d4e5f60718",
    "PublicIp": "203.0.113.9",
    "PublicIpv4Pool": "ipam-pool-0a1b2c3d4e5f60718",
    "NetworkBorderGroup": "eu-west-3-ath-1",
    "Domain": "vpc",
    "InstanceId": "",
    "ServiceManaged": "alb",
    "AssociationId": "eipassoc-1",
    "NetworkInterfaceId": "eni-1",
    "NetworkInterfaceOwnerId": ALICE,
    "PrivateIpAddress": "10.0.1.30",
    "Tags": [{"Key": "Name", "Value": "front"}],
}
POOL = {
    "PoolId": "ipv4pool-ec2-0a1b2c3d4e5f60718",
    "PoolAddressRanges": [
        {"FirstAddress": "198.51.100.0", "LastAddress": "198.51.100.255"},
        {"FirstAddress": "198.51.101.4", "LastAddress": "198.51.101.11"},
    ],
    "TotalAddressCount": 264,
    "TotalAvailableAddressCount": 260,
    "NetworkBorderGroup": "eu-west-3",
    "Tags": [],
}
VPN = {
    "VpnConnectionId": "vpn-0a1b2c3d4e5f60718",
    "State": "available",
    "Options": {
        "OutsideIpAddressType": "PublicIpv4",
        "TunnelOptions": [
            {"OutsideIpAddress": "203.0.113.21", "PreSharedKey": "hush"},
            {"OutsideIpAddress": "203.0.113.22", "PreSharedKey": "hush"},
        ],
    },
    "VgwTelemetry": [
        {"OutsideIpAddress": "203.0.113.22", "Status": "DOWN"},
        {"OutsideIpAddress": "203.0.113.21", "Status": "UP"},
    ],
    "Tags": [{"Key": "Name", "Value": "office"}],
}
ACCELERATOR = {
    "AcceleratorArn": f"arn:aws:globalaccelerator::{ALICE}:accelerator/1234",
    "Name": "front",
    "IpSets": [
        {"IpAddressFamily": "IPv4", "IpAddresses": ["198.51.100.7", "203.0.113.31"]},
        {"IpAddressFamily": "IPv6", "IpAddresses": ["2001:db8::31"]},
    ],
}


def test_a_vpc_has_the_cidrs_that_it_has_or_is_being_given() -> None:
    states = ["associated", "associating", "disassociating", "failing", "disassociated", "failed"]
    item = VPC | {
        "CidrBlockAssociationSet": [
            {"CidrBlock": f"10.{number}.0.0/16", "CidrBlockState": {"State": state}}
            for number, state in enumerate(states)
        ]
    }
    vpc = vpc_of(item, [])
    assert [str(one.cidr) for one in vpc.cidrs] == [f"10.{number}.0.0/16" for number in range(4)]
    assert vpc.tags == {"Name": "prod", "empty": ""}


@pytest.mark.parametrize(
    ("association", "source"),
    [
        ({"IpSource": "amazon", "Ipv6Pool": "Amazon"}, IpSource.AMAZON),
        ({"IpSource": "byoip", "Ipv6Pool": "IPAM Managed"}, IpSource.BYOIP),
        ({"IpSource": "none", "Ipv6AddressAttribute": "private"}, IpSource.NONE),
        ({"Ipv6AddressAttribute": "private"}, IpSource.NONE),
        ({"Ipv6Pool": "Amazon"}, IpSource.AMAZON),
        ({"Ipv6Pool": "ipv6pool-ec2-1", "Ipv6CidrBlock": "2001:db8:7::/56"}, IpSource.BYOIP),
    ],
)
def test_an_ipv6_cidr_tells_who_provided_it(association: dict[str, str], source: IpSource) -> None:
    told = {"Ipv6CidrBlock": "2600:1f00::/56"} | association
    expected = SourcedCidr(Cidr.parse(told["Ipv6CidrBlock"]), source)
    ipv6 = {"Ipv6CidrBlockAssociationSet": [told]}
    assert vpc_of(VPC | ipv6, BROUGHT).cidrs[1:] == (expected,)
    native = without(SUBNET, "CidrBlock") | {"Ipv6Native": True}
    assert subnet_of(native | ipv6, BROUGHT).cidrs == (expected,)


def test_an_interface_is_translated_whole() -> None:
    assert network_interface_of(INTERFACE, {"eu-west-3a": "euw3-az1"}) == NetworkInterface(
        network_interface_id="eni-0a1b2c3d4e5f60718",
        vpc_id="vpc-0a1b2c3d4e5f60718",
        subnet_id="subnet-0a1b2c3d4e5f60718",
        blocks=tuple(
            Cidr.parse(text)
            for text in (
                "10.0.1.20/32",
                "10.0.1.10/32",
                "2001:db8:0:1::a/128",
                "10.0.1.64/28",
                "2001:db8:0:1:8000::/80",
            )
        ),
        tags={"Name": "nat"},
        availability_zone_id="euw3-az1",
        description="Interface for NAT Gateway nat-0a1b2c3d4e5f60718",
        interface_type="nat_gateway",
        requester_id="439086511134",
        attachment=Attachment("", "amazon-aws"),
        security_groups=(SecurityGroup("sg-1", "web"),),
        public_ips=(
            PublicIp(Cidr.parse("203.0.113.5/32"), ALICE, "eipalloc-5"),
            PublicIp(Cidr.parse("203.0.113.6/32"), "amazon", ""),
        ),
    )


@pytest.mark.parametrize(
    ("told", "member", "expected"),
    [
        ({"RequesterManaged": False}, "requester_id", None),
        ({"Attachment": {}}, "attachment", None),
        ({"Attachment": {"Status": "detached", "InstanceOwnerId": ALICE}}, "attachment", None),
        (
            {"Attachment": {"Status": "attaching", "InstanceId": "i-1", "InstanceOwnerId": BOB}},
            "attachment",
            Attachment("i-1", BOB),
        ),
        ({"AvailabilityZoneId": "euw3-az3"}, "availability_zone_id", "euw3-az3"),
        ({"AvailabilityZone": "eu-west-3z"}, "availability_zone_id", ""),
        (
            {"PrivateIpAddresses": [], "Association": {"CarrierIp": "155.146.10.1"}},
            "public_ips",
            (),
        ),
    ],
)
def test_what_an_interface_may_be(told: dict[str, Any], member: str, expected: object) -> None:
    interface = network_interface_of(INTERFACE | told, {"eu-west-3a": "euw3-az1"})
    assert getattr(interface, member) == expected


def test_an_elastic_ip_address_is_translated_whole() -> None:
    assert address_of(ADDRESS, PARIS) == Address(
        allocation_id="eipalloc-0a1b2c3d4e5f60718",
        public_ip=Cidr.parse("203.0.113.9/32"),
        public_ipv4_pool="ipam-pool-0a1b2c3d4e5f60718",
        network_border_group="eu-west-3-ath-1",
        tags={"Name": "front"},
        association_id="eipassoc-1",
        network_interface_id="eni-1",
        service_managed="alb",
    )


@given(first=st.integers(0, 2**16 - 1), size=st.integers(1, 1000))
def test_a_pools_cidrs_cover_its_ranges_and_nothing_else(first: int, size: int) -> None:
    base = Cidr.parse("198.51.0.0/16").first

    def text(number: int) -> str:
        return str(Cidr(Cidr.parse("0.0.0.0/0").family, number, 32)).removesuffix("/32")

    start, end = base + first, base + first + size - 1
    ranges = [{"FirstAddress": text(start), "LastAddress": text(end)}]
    cidrs = public_ipv4_pool_of(POOL | {"PoolAddressRanges": ranges}, [], PARIS).cidrs
    assert [one.first for one in cidrs] == [start, *(one.last + 1 for one in cidrs[:-1])]
    assert cidrs[-1].last == end


@pytest.mark.parametrize(
    ("ranges", "is_byoip"),
    [
        (POOL["PoolAddressRanges"], True),
        ([{"FirstAddress": "203.0.113.64", "LastAddress": "203.0.113.95"}], False),
        ([], False),
    ],
)
def test_a_pool_is_of_what_was_brought_along(ranges: object, is_byoip: bool) -> None:
    assert public_ipv4_pool_of(POOL | {"PoolAddressRanges": ranges}, BROUGHT, PARIS).is_byoip is (
        is_byoip
    )


def test_both_lists_tell_of_what_was_brought_along() -> None:  # BYOIP-4
    pools = [{"PoolId": "ipv6pool-ec2-1", "PoolCidrBlocks": [{"Cidr": "2001:db8::/32"}]}]
    assert list(byoip_space([{"Cidr": "198.51.0.0/16", "State": "advertised"}], pools)) == BROUGHT


def test_a_vpn_connection_has_the_addresses_of_its_tunnels() -> None:  # PUB-1
    assert vpn_connection_addresses(VPN) == [
        ServiceAddress(
            Cidr.parse(text),
            "site-to-site-vpn",
            "vpn-0a1b2c3d4e5f60718",
            is_byoip=False,
            tags={"Name": "office"},
        )
        for text in ("203.0.113.21/32", "203.0.113.22/32")
    ]


@pytest.mark.parametrize(
    "told",
    [
        {"State": "deleted"},
        {"Options": {"OutsideIpAddressType": "PrivateIpv4"}},
        {"State": "pending", "Options": {"TunnelOptions": [{}]}, "VgwTelemetry": []},
        {"Options": {}, "VgwTelemetry": [{"OutsideIpAddress": "2001:db8::21"}]},
    ],
    ids=["deleted", "over Direct Connect", "not yet there", "of IPv6"],
)
def test_a_vpn_connection_may_have_no_public_ipv4_address(told: dict[str, Any]) -> None:
    assert vpn_connection_addresses(VPN | told) == []


def test_an_accelerator_has_its_static_ipv4_addresses() -> None:  # PUB-1
    arn = ACCELERATOR["AcceleratorArn"]
    assert [
        (str(one.address), one.service, one.service_resource, one.is_byoip)
        for one in accelerator_addresses(ACCELERATOR, BROUGHT)
    ] == [
        ("198.51.100.7/32", "global-accelerator", arn, True),
        ("203.0.113.31/32", "global-accelerator", arn, False),
    ]


def test_a_snapshot_leaves_others_resources_to_their_owners() -> None:  # DISC-3
    """A subnet that Alice shares with Bob: both see it, and what the other puts there."""
    bobs = INTERFACE | {"OwnerId": BOB, "NetworkInterfaceId": "eni-bob"}
    carriers = without(ADDRESS, "PublicIp") | {"CarrierIp": "155.146.10.1"}
    answers: dict[str, list[dict[str, Any]]] = {
        "DescribeVpcs": [VPC],
        "DescribeSubnets": [SUBNET],
        "DescribeNetworkInterfaces": [INTERFACE, bobs],
        "DescribeAddresses": [ADDRESS, carriers],
        "DescribePublicIpv4Pools": [POOL],
        "DescribeVpnConnections": [VPN, VPN | {"VpnConnectionId": "vpn-of-the-same-end"}],
        "ListAccelerators": [ACCELERATOR],
    }
    now = datetime(2026, 11, 26, tzinfo=UTC)

    def counts_of(account_id: str) -> tuple[int, ...]:
        place = AccountRegion(account_id, PARIS)
        told = snapshot_of(place, now, lambda action: answers.get(action, []))
        assert (told.account_id, told.region, told.sampled_at) == (account_id, PARIS, now)
        interfaces = [one.network_interface_id for one in told.network_interfaces]
        assert interfaces == ["eni-bob" if account_id == BOB else "eni-0a1b2c3d4e5f60718"]
        # Bob's zone is known from a subnet that is not his.
        assert told.network_interfaces[0].availability_zone_id == "euw3-az1"
        return (
            len(told.vpcs),
            len(told.subnets),
            len(told.addresses),
            len(told.public_ipv4_pools),
            len(told.service_addresses),
        )

    assert counts_of(ALICE) == (1, 1, 1, 1, 2)
    assert counts_of(BOB) == (0, 0, 1, 1, 2)


@pytest.mark.parametrize(
    ("action", "item", "reason"),
    [
        ("DescribeVpcs", without(VPC, "OwnerId"), "without OwnerId"),
        ("DescribeVpcs", VPC | {"VpcId": ""}, "a VPC.* without VpcId"),
        ("DescribeVpcs", without(VPC, "CidrBlockAssociationSet"), "has no IPv4 CIDR"),
        (
            "DescribeVpcs",
            VPC | {"CidrBlockAssociationSet": [{"CidrBlock": "ten"}]},
            "'vpc-0a1b2c3d4e5f60718' has 'ten', which is no CIDR",
        ),
        (
            "DescribeVpcs",
            VPC
            | {
                "Ipv6CidrBlockAssociationSet": [
                    {"Ipv6CidrBlock": "2001:db8::/56", "IpSource": "elsewhere"}
                ]
            },
            "elsewhere",
        ),
        ("DescribeSubnets", without(SUBNET, "CidrBlock"), "without CidrBlock"),
        ("DescribeSubnets", SUBNET | {"CidrBlock": "10.0.0.1/24"}, "'10.0.0.1/24'"),
        ("DescribeSubnets", SUBNET | {"CidrBlock": "1" * 5000}, "'1{60}'"),
        ("DescribeNetworkInterfaces", without(INTERFACE, "SubnetId"), "without SubnetId"),
        (
            "DescribeNetworkInterfaces",
            INTERFACE | {"PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.256"}]},
            "no address",
        ),
        (
            "DescribeNetworkInterfaces",
            INTERFACE | {"Association": {"PublicIp": "2001:db8::1"}},
            "no IPv4 address",
        ),
        ("DescribeAddresses", without(ADDRESS, "PublicIp"), "without PublicIp"),
        ("DescribeAddresses", without(ADDRESS, "AllocationId"), "without AllocationId"),
        ("DescribePublicIpv4Pools", POOL | {"TotalAddressCount": -1}, "'-1'"),
        ("DescribePublicIpv4Pools", without(POOL, "TotalAvailableAddressCount"), "'None'"),
        (
            "DescribePublicIpv4Pools",
            POOL | {"PoolAddressRanges": [{"FirstAddress": "10.0.0.9", "LastAddress": "10.0.0.1"}]},
            "no range",
        ),
        ("DescribeByoipCidrs", {"Cidr": "198.51.0.0"}, "no CIDR"),
        ("DescribeIpv6Pools", {"PoolCidrBlocks": [{"Cidr": "2001:db8::/32"}]}, "without PoolId"),
        (
            "DescribeVpnConnections",
            VPN | {"VgwTelemetry": [{"OutsideIpAddress": "there"}]},
            "no address",
        ),
        ("ListAccelerators", without(ACCELERATOR, "AcceleratorArn"), "without AcceleratorArn"),
        ("ListAccelerators", ACCELERATOR | {"AcceleratorArn": 7}, "has '7' for AcceleratorArn"),
        ("ListAccelerators", ACCELERATOR | {"IpSets": "none"}, "IpSets is 'none'"),
        ("ListAccelerators", ACCELERATOR | {"IpSets": [None]}, "IpSets is .*, which is no list"),
        (
            "ListAccelerators",
            ACCELERATOR | {"IpSets": [{"IpAddresses": [7]}]},
            r"has '\[7\]' for IpAddresses",
        ),
        ("DescribeVpcs", VPC | {"VpcId": "v" * 256}, "longer than 255 characters"),
        ("DescribeVpcs", VPC | {"VpcId": "vpc-\0"}, "for VpcId"),
        (
            "DescribeVpcs",
            VPC | {"Tags": [{"Key": "k" * 129, "Value": ""}]},
            "'vpc-0a1b2c3d4e5f60718' has 'k{60}'... for Key, which is longer than 128",
        ),
        (
            "DescribeVpcs",
            VPC | {"Tags": [{"Key": "Name", "Value": "n" * 257}]},
            "for Value, which is longer than 256",
        ),
        ("DescribeSubnets", SUBNET | {"AvailabilityZoneId": "z" * 65}, "longer than 64"),
        ("DescribeSubnets", SUBNET | {"VpcId": "v" * 256}, "for VpcId, which is longer"),
        (
            "DescribeNetworkInterfaces",
            INTERFACE | {"Attachment": {"InstanceId": "i" * 256}},
            "for InstanceId, which is longer",
        ),
        ("DescribeNetworkInterfaces", INTERFACE | {"Attachment": "no"}, "'no' for Attachment"),
        ("DescribeNetworkInterfaces", INTERFACE | {"Description": "d" * 1025}, "longer than 1024"),
        ("DescribeAddresses", ADDRESS | {"PublicIpv4Pool": "p" * 256}, "for PublicIpv4Pool"),
        ("DescribePublicIpv4Pools", POOL | {"PoolId": "p" * 256}, "for PoolId, which is longer"),
    ],
)
def test_garbage_is_told_as_such(action: str, item: dict[str, Any], reason: str) -> None:
    place = AccountRegion(ALICE, "us-west-2")
    with pytest.raises(MalformedAnswer, match=reason) as raised:
        snapshot_of(place, datetime.now(UTC), lambda asked: [item] if asked == action else [])
    assert len(str(raised.value)) < 200
