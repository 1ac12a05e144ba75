"""Subnets through gRPC, on both databases, with a ledger that is a server of its own (VPC-4)."""

import asyncio
import ipaddress
from dataclasses import replace
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import inventory_service_pb2, network_service_pb2, vpc_pb2
from cadastre.network.v1 import subnet_service_pb2 as pb
from shared.errors import CadastreError
from shared.settings import Settings
from tests.network.conftest import Network, network_running
from tests.network.fake_ledger import IPV4_POOL, IPV6_POOL, FakeLedger, FakePool
from tests.network.support import CALLER, OWNER, REGION, STRANGER, UNKNOWN_POOL, tagged

PLANNING_POOL = "ipam-pool-0000000000000001a"
PLANNING_IPV6_POOL = "ipam-pool-0000000000000001b"
UNKNOWN_VPC, UNKNOWN_SUBNET = "vpc-00000000000000000", "subnet-00000000000000000"


@pytest.fixture
async def vpc(api: Network, ledger: FakeLedger) -> vpc_pb2.Vpc:
    """10.0.0.0/24 and fd00:1234::/56, planned by a pool each."""
    created = await api.create(
        ipv4_ipam_pool_id=IPV4_POOL,
        ipv4_netmask_length=24,
        ipv6_ipam_pool_id=IPV6_POOL,
        ipv6_netmask_length=56,
    )
    ledger.pools[PLANNING_POOL] = FakePool("10.0.0.0/24", 28, vpc_id=created.vpc_id)
    ledger.pools[PLANNING_IPV6_POOL] = FakePool("fd00:1234::/56", 64, vpc_id=created.vpc_id)
    return created


async def test_a_given_cidr_needs_no_ledger(  # VPC-4
    api: Network, vpc: vpc_pb2.Vpc, ledger: FakeLedger
) -> None:
    asked = len(ledger.requests)
    subnet = await api.create_subnet(
        vpc_id=vpc.vpc_id,
        cidr_block="10.0.0.18/28",
        ipv6_cidr_block="fd00:1234:0:8::9/64",
        availability_zone_id="usw2-az3",
        tag_specifications=tagged("subnet", Name="edge"),
    )

    assert (subnet.cidr_block, subnet.state) == ("10.0.0.16/28", pb.SUBNET_STATE_PENDING)
    assert (subnet.availability_zone, subnet.availability_zone_id) == ("us-west-2c", "usw2-az3")
    assert (subnet.owner_id, subnet.vpc_id) == (OWNER, vpc.vpc_id)
    assert subnet.subnet_arn == f"arn:aws:ec2:{REGION}:{OWNER}:subnet/{subnet.subnet_id}"
    assert [(tag.key, tag.value) for tag in subnet.tags] == [("Name", "edge")]
    assert subnet.available_ip_address_count == 16 - 5
    [ipv6] = subnet.ipv6_cidr_block_association_set
    assert ipv6.ipv6_cidr_block == "fd00:1234:0:8::/64"
    assert ipv6.ipv6_cidr_block_state.state == pb.SUBNET_CIDR_BLOCK_STATE_CODE_ASSOCIATING
    assert ipv6.ipv6_address_attribute == vpc_pb2.IPV6_ADDRESS_ATTRIBUTE_PRIVATE
    [shown] = await api.describe_subnets()
    subnet.state = pb.SUBNET_STATE_AVAILABLE
    ipv6.ipv6_cidr_block_state.state = pb.SUBNET_CIDR_BLOCK_STATE_CODE_ASSOCIATED
    assert shown == subnet  # BEY-2
    assert len(ledger.requests) == asked


async def test_the_tutorials_subnets_take_their_cidrs_from_the_planning_pool(  # VPC-4
    api: Network, vpc: vpc_pb2.Vpc, ledger: FakeLedger
) -> None:
    first = await api.create_subnet(
        vpc_id=vpc.vpc_id,
        ipv4_ipam_pool_id=PLANNING_POOL,
        ipv4_netmask_length=28,
        ipv6_ipam_pool_id=PLANNING_IPV6_POOL,
    )
    second = await api.create_subnet(vpc_id=vpc.vpc_id, ipv4_ipam_pool_id=PLANNING_POOL)
    named = await api.create_subnet(
        vpc_id=vpc.vpc_id, ipv4_ipam_pool_id=PLANNING_POOL, cidr_block="10.0.0.128/25"
    )

    assert (first.cidr_block, second.cidr_block) == ("10.0.0.0/28", "10.0.0.16/28")
    assert named.cidr_block == "10.0.0.128/25"
    [ipv6] = first.ipv6_cidr_block_association_set
    assert ipv6.ipv6_cidr_block == "fd00:1234::/64"
    assert ipv6.association_id.startswith("subnet-cidr-assoc-")
    asked, caller = ledger.requests[-1]
    assert (asked.resource_id, asked.vpc_id) == (named.subnet_id, vpc.vpc_id)
    assert (caller.account_id, caller.region, caller.service) == (OWNER, REGION, "network")
    assert await api.associations() == ledger.held


async def test_the_feed_tells_a_subnets_blocks(api: Network, vpc: vpc_pb2.Vpc) -> None:  # BEY-1
    subnet = await api.create_subnet(
        vpc_id=vpc.vpc_id, cidr_block="10.0.0.0/28", ipv6_cidr_block="fd00:1234::/64"
    )
    await api.subnets.call(pb.DeleteSubnetRequest(subnet_id=subnet.subnet_id))
    told = []
    async for change in api.inventory.stream(inventory_service_pb2.WatchRequest()):
        if change.cidr_association.resource_id == subnet.subnet_id:
            assert change.cidr_association.resource_type == "subnet"
            told.append((change.kind, change.cidr_association.cidr))
        if len(told) == 4:
            break
    gone = inventory_service_pb2.CHANGE_KIND_CIDR_DISASSOCIATED
    there = inventory_service_pb2.CHANGE_KIND_CIDR_ASSOCIATED
    assert told == [
        (there, "10.0.0.0/28"),
        (there, "fd00:1234::/64"),
        (gone, "10.0.0.0/28"),
        (gone, "fd00:1234::/64"),
    ]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "MissingParameter"),
    ({"ipv6_cidr_block": "fd00:1234::/64"}, "MissingParameter"),
    ({"cidr_block": "10.0.0.0/29"}, "InvalidSubnet.Range"),
    ({"cidr_block": "10.7.0.0/24"}, "InvalidSubnet.Range"),
    ({"cidr_block": "10.0.0.0/28", "ipv6_cidr_block": "fd00:9::/64"}, "InvalidSubnet.Range"),
    ({"cidr_block": "10.0.0.64/28"}, "InvalidSubnet.Conflict"),
    (
        {"cidr_block": "10.0.0.0/28", "ipv6_cidr_block": "fd00:1234:0:4::/64"},
        "InvalidSubnet.Conflict",
    ),
    ({"cidr_block": "10.0.0.0/28", "vpc_id": UNKNOWN_VPC}, "InvalidVpcID.NotFound"),
    ({"cidr_block": "10.0.0.0/28", "availability_zone": "us-west-2z"}, "InvalidParameterValue"),
    (
        {
            "cidr_block": "10.0.0.0/28",
            "availability_zone": "us-west-2a",
            "availability_zone_id": "usw2-az1",
        },
        "InvalidParameterCombination",
    ),
    (
        {"cidr_block": "10.0.0.0/28", "tag_specifications": tagged("vpc", a="b")},
        "InvalidParameterValue",
    ),
    ({"ipv4_ipam_pool_id": UNKNOWN_POOL, "ipv4_netmask_length": 28}, "InvalidIpamPoolId.NotFound"),
    ({"ipv4_ipam_pool_id": IPV4_POOL, "ipv4_netmask_length": 28}, "InvalidParameterValue"),
    (
        {
            "ipv4_ipam_pool_id": PLANNING_POOL,
            "ipv4_netmask_length": 28,
            "ipv6_ipam_pool_id": UNKNOWN_POOL,
        },
        "InvalidIpamPoolId.NotFound",
    ),
]


async def test_a_refused_subnet_leaves_nothing_behind(  # VPC-4, BEY-4
    api: Network, vpc: vpc_pb2.Vpc, ledger: FakeLedger
) -> None:
    await api.create_subnet(
        vpc_id=vpc.vpc_id, cidr_block="10.0.0.64/26", ipv6_cidr_block="fd00:1234:0:4::/64"
    )
    before, held = await api.describe_subnets(), dict(ledger.held)
    for members, reason in REFUSED:
        for dry_run in (True, False):
            with pytest.raises(CadastreError) as refusal:
                await api.create_subnet(**{"vpc_id": vpc.vpc_id, "dry_run": dry_run, **members})
            assert (refusal.value.reason, members) == (reason, members)
    assert await api.describe_subnets() == before
    assert ledger.held == held
    assert len(await api.associations()) == 4


async def test_what_is_allocated_may_turn_out_to_be_nothing_for_the_subnet(  # VPC-4
    api: Network, vpc: vpc_pb2.Vpc, ledger: FakeLedger
) -> None:
    await api.create_subnet(vpc_id=vpc.vpc_id, cidr_block="10.0.0.0/28")
    held = dict(ledger.held)
    for pool, reason in (
        # The ledger has not heard of the given one yet.
        (ledger.pools[PLANNING_POOL], "InvalidSubnet.Conflict"),
        (replace(ledger.pools[PLANNING_POOL], default_netmask_length=30), "InvalidSubnet.Range"),
        (replace(ledger.pools[PLANNING_POOL], cidr="10.8.0.0/16"), "InvalidSubnet.Range"),
    ):
        ledger.pools[PLANNING_POOL] = pool
        with pytest.raises(CadastreError) as refusal:
            await api.create_subnet(vpc_id=vpc.vpc_id, ipv4_ipam_pool_id=PLANNING_POOL)
        assert refusal.value.reason == reason
        assert ledger.held == held


async def test_a_dry_run_changes_nothing(
    api: Network, vpc: vpc_pb2.Vpc, ledger: FakeLedger
) -> None:
    held = dict(ledger.held)
    for members in ({"cidr_block": "10.0.0.0/28"}, {"ipv4_ipam_pool_id": PLANNING_POOL}):
        with pytest.raises(CadastreError) as answer:
            await api.create_subnet(vpc_id=vpc.vpc_id, dry_run=True, **members)
        assert answer.value.reason == "DryRunOperation"
    assert (await api.describe_subnets(), ledger.held) == ([], held)
    subnet = await api.create_subnet(vpc_id=vpc.vpc_id, cidr_block="10.0.0.0/28")
    request = pb.DeleteSubnetRequest(subnet_id=subnet.subnet_id, dry_run=True)
    with pytest.raises(CadastreError) as answer:
        await api.subnets.call(request)
    assert answer.value.reason == "DryRunOperation"
    assert len(await api.describe_subnets()) == 1


async def test_subnets_created_at_once_never_overlap(  # VPC-4
    api: Network, vpc: vpc_pb2.Vpc, ledger: FakeLedger
) -> None:
    blocks = [f"10.0.0.{16 * number}/28" for number in range(4)]
    wanted: list[dict[str, Any]] = [
        *({"cidr_block": block} for block in blocks for _ in range(3)),
        {"cidr_block": "10.0.0.0/26"},
        *({"ipv4_ipam_pool_id": PLANNING_POOL} for _ in range(4)),
    ]
    outcomes = await asyncio.gather(
        *(api.create_subnet(vpc_id=vpc.vpc_id, **members) for members in wanted),
        return_exceptions=True,
    )
    reasons = {found.reason for found in outcomes if isinstance(found, CadastreError)}
    assert reasons == {"InvalidSubnet.Conflict"}
    networks = [ipaddress.ip_network(found.cidr_block) for found in await api.describe_subnets()]
    assert not any(
        one.overlaps(other) for one in networks for other in networks if one is not other
    )
    # What lost went back to the pool.
    known = await api.associations()
    assert ledger.held.items() <= known.items()


async def test_a_vpc_has_at_most_so_many_subnets(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_SUBNETS_PER_VPC", "3")
    async with network_running(settings) as api:
        vpcs = [await api.create(cidr_block="10.64.0.0/16") for _ in range(2)]
        outcomes = await asyncio.gather(
            *(
                api.create_subnet(vpc_id=vpcs[0].vpc_id, cidr_block=f"10.64.{number}.0/24")
                for number in range(5)
            ),
            return_exceptions=True,
        )
        refused = [found for found in outcomes if isinstance(found, CadastreError)]
        assert [found.reason for found in refused] == ["SubnetLimitExceeded"] * 2
        assert len(await api.describe_subnets()) == 3
        await api.create_subnet(vpc_id=vpcs[1].vpc_id, cidr_block="10.64.0.0/24")


FILTERS = [
    ("availability-zone", "us-west-2b", "b"),
    ("availabilityZone", "us-west-2b", "b"),
    ("availability-zone-id", "usw2-az2", "b"),
    ("available-ip-address-count", "59", "b"),
    ("cidr-block", "10.0.0.0/28", "a"),
    ("cidr", "10.0.0.0/28", "a"),
    ("cidrBlock", "10.0.0.*", "ab"),
    ("default-for-az", "false", "ab"),
    ("ipv6-cidr-block-association.ipv6-cidr-block", "fd00:1234::/64", "a"),
    ("ipv6-cidr-block-association.association-id", "subnet-cidr-assoc-*", "a"),
    ("ipv6-cidr-block-association.state", "associated", "a"),
    ("ipv6-native", "true", ""),
    ("map-public-ip-on-launch", "false", "ab"),
    ("owner-id", OWNER, "ab"),
    ("state", "available", "ab"),
    ("subnet-arn", "arn:aws:ec2:us-west-2:*", "ab"),
    ("subnet-id", "subnet-*", "ab"),
    ("vpc-id", UNKNOWN_VPC, ""),
    ("tag:Name", "a", "a"),
    ("tag-key", "Name", "ab"),
]


async def test_subnets_are_filtered_as_ec2_does(api: Network, vpc: vpc_pb2.Vpc) -> None:  # BEY-6
    for label, members in {
        "a": {"cidr_block": "10.0.0.0/28", "ipv6_cidr_block": "fd00:1234::/64"},
        "b": {"cidr_block": "10.0.0.64/26", "availability_zone": "us-west-2b"},
    }.items():
        tags = tagged("subnet", Name=label)
        await api.create_subnet(vpc_id=vpc.vpc_id, tag_specifications=tags, **members)
    for name, value, found in FILTERS:
        filters = [types_pb2.Filter(name=name, values=[value])]
        shown = await api.describe_subnets(filters=filters)
        assert ("".join(subnet.tags[0].value for subnet in shown), name) == (found, name)


async def test_subnets_are_listed_by_id_and_page(api: Network, vpc: vpc_pb2.Vpc) -> None:  # BEY-6
    ids = [
        (await api.create_subnet(vpc_id=vpc.vpc_id, cidr_block=f"10.0.0.{16 * n}/28")).subnet_id
        for n in range(7)
    ]
    first = await api.subnets.call(pb.DescribeSubnetsRequest(max_results=5))
    request = pb.DescribeSubnetsRequest(max_results=5, next_token=first.next_token)
    second = await api.subnets.call(request)
    assert [found.subnet_id for found in [*first.subnets, *second.subnets]] == ids
    assert not second.HasField("next_token")
    assert [s.subnet_id for s in await api.describe_subnets(subnet_ids=[ids[4], ids[2]])] == [
        ids[2],
        ids[4],
    ]
    with pytest.raises(CadastreError) as refusal:
        await api.describe_subnets(subnet_ids=[ids[0], UNKNOWN_SUBNET])
    assert refusal.value.reason == "InvalidSubnetID.NotFound"


async def test_subnets_of_another_account_or_region_are_not_there(  # BEY-12
    api: Network, vpc: vpc_pb2.Vpc
) -> None:
    subnet = await api.create_subnet(vpc_id=vpc.vpc_id, cidr_block="10.0.0.0/28")
    other = pb.CreateSubnetRequest(vpc_id=vpc.vpc_id, cidr_block="10.0.0.16/28")
    for caller in (replace(CALLER, account_id=STRANGER), replace(CALLER, region="us-east-1")):
        listed = await api.subnets.call(pb.DescribeSubnetsRequest(), caller=caller)
        assert list(listed.subnets) == []
        for request, reason in (
            (pb.DescribeSubnetsRequest(subnet_ids=[subnet.subnet_id]), "InvalidSubnetID.NotFound"),
            (pb.DeleteSubnetRequest(subnet_id=subnet.subnet_id), "InvalidSubnetID.NotFound"),
            (other, "InvalidVpcID.NotFound"),
        ):
            with pytest.raises(CadastreError) as refusal:
                await api.subnets.call(request, caller=caller)
            assert refusal.value.reason == reason


async def test_a_deleted_subnet_gives_its_space_back(  # BEY-1
    api: Network, vpc: vpc_pb2.Vpc, ledger: FakeLedger
) -> None:
    subnet = await api.create_subnet(vpc_id=vpc.vpc_id, ipv4_ipam_pool_id=PLANNING_POOL)
    # The pool may be gone before the subnet.
    del ledger.pools[PLANNING_POOL]
    await api.subnets.call(pb.DeleteSubnetRequest(subnet_id=subnet.subnet_id))
    assert await api.describe_subnets() == []
    assert len(await api.associations()) == 2
    again = await api.create_subnet(vpc_id=vpc.vpc_id, cidr_block=subnet.cidr_block)
    assert again.subnet_id != subnet.subnet_id
    with pytest.raises(CadastreError) as refusal:
        await api.subnets.call(pb.DeleteSubnetRequest(subnet_id=subnet.subnet_id))
    assert refusal.value.reason == "InvalidSubnetID.NotFound"


async def test_a_vpc_with_subnets_stays_and_so_do_their_blocks(
    api: Network, vpc: vpc_pb2.Vpc
) -> None:
    added = await api.vpcs.call(
        network_service_pb2.AssociateVpcCidrBlockRequest(
            vpc_id=vpc.vpc_id, cidr_block="10.5.0.0/24"
        )
    )
    subnet = await api.create_subnet(vpc_id=vpc.vpc_id, cidr_block="10.5.0.0/28")
    block = network_service_pb2.DisassociateVpcCidrBlockRequest(
        association_id=added.cidr_block_association.association_id
    )
    whole = network_service_pb2.DeleteVpcRequest(vpc_id=vpc.vpc_id)
    for request, reason in ((block, "InvalidCidrBlock.InUse"), (whole, "DependencyViolation")):
        with pytest.raises(CadastreError) as refusal:
            await api.vpcs.call(request)
        assert refusal.value.reason == reason
    await api.subnets.call(pb.DeleteSubnetRequest(subnet_id=subnet.subnet_id))
    await api.vpcs.call(block)
    await api.vpcs.call(whole)
    assert await api.describe() == []


async def test_subnets_are_tagged_with_other_things(api: Network, vpc: vpc_pb2.Vpc) -> None:
    subnet = await api.create_subnet(vpc_id=vpc.vpc_id, cidr_block="10.0.0.0/28")
    tag = types_pb2.Tag(key="Name", value="edge")
    await api.vpcs.call(
        network_service_pb2.CreateTagsRequest(resources=[vpc.vpc_id, subnet.subnet_id], tags=[tag])
    )
    [shown] = await api.describe_subnets()
    assert list(shown.tags) == [tag]
    request = network_service_pb2.CreateTagsRequest(
        resources=[subnet.subnet_id, UNKNOWN_SUBNET], tags=[types_pb2.Tag(key="a", value="b")]
    )
    with pytest.raises(CadastreError) as refusal:
        await api.vpcs.call(request)
    assert refusal.value.reason == "InvalidSubnetID.NotFound"
    assert await api.describe_subnets() == [shown]
