"""The source against a real moto server: accounts, regions, pages, pace, credentials."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError
from werkzeug.wrappers import Response

from services.discovery.aws.settings import AwsSettings
from services.discovery.aws.source import AwsSource
from services.discovery.snapshot import IpSource, Snapshot
from services.discovery.sources import AccountRegion, FailureCode, SnapshotFailed
from shared.cidr import Cidr
from tests.discovery.aws.conftest import ALICE, BOB, NOW, Tenant
from tests.discovery.aws.moto_front import Asked, MotoFront, ec2_answer, ec2_error
from tests.waiting import eventually

PARIS, OHIO, OREGON = "eu-west-3", "us-east-2", "us-west-2"
SourceWith = Callable[..., AwsSource]


def vpc_cidrs(snapshot: Snapshot) -> set[str]:
    """Without those of the default VPC that every account has in every region."""
    return {str(one.cidr) for vpc in snapshot.vpcs for one in vpc.cidrs} - {"172.31.0.0/16"}


def json_answer(status: int = 200, **members: Any) -> Callable[[Asked], Response]:
    body = json.dumps(members)
    return lambda _: Response(body, status, content_type="application/x-amz-json-1.1")


def tags(**named: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in named.items()]


async def test_every_account_and_region_has_its_own(
    alice: Tenant, bob: Tenant, source: AwsSource
) -> None:  # DISC-3
    alice.ec2(PARIS).create_vpc(CidrBlock="10.1.0.0/16")
    alice.ec2(OHIO).create_vpc(CidrBlock="10.2.0.0/16")
    bob.ec2(PARIS).create_vpc(CidrBlock="10.3.0.0/16")
    places = [AccountRegion(*pair) for pair in [(ALICE, PARIS), (ALICE, OHIO), (BOB, PARIS)]]
    snapshots = await asyncio.gather(*map(source.snapshot, places))
    assert [AccountRegion(one.account_id, one.region) for one in snapshots] == places
    assert [vpc_cidrs(one) for one in snapshots] == [
        {"10.1.0.0/16"},
        {"10.2.0.0/16"},
        {"10.3.0.0/16"},
    ]
    assert {one.sampled_at for one in snapshots} == {NOW}  # DISC-6


async def test_vpcs_and_subnets_come_with_their_cidrs_and_tags(
    alice: Tenant, source: AwsSource
) -> None:  # DISC-3, DISC-4
    ec2 = alice.ec2(PARIS)
    vpc_id = ec2.create_vpc(CidrBlock="10.1.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"][
        "VpcId"
    ]
    ec2.associate_vpc_cidr_block(VpcId=vpc_id, CidrBlock="10.9.0.0/20")
    made = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.1.8.0/24")["Subnet"]
    ec2.create_tags(Resources=[vpc_id, made["SubnetId"]], Tags=tags(Name="prod", team="net"))
    snapshot = await source.snapshot(AccountRegion(ALICE, PARIS))
    [vpc] = [one for one in snapshot.vpcs if one.vpc_id == vpc_id]
    assert [str(one.cidr) for one in vpc.cidrs[:2]] == ["10.1.0.0/16", "10.9.0.0/20"]
    assert [one.ip_source for one in vpc.cidrs] == [IpSource.NONE, IpSource.NONE, IpSource.AMAZON]
    [subnet] = [one for one in snapshot.subnets if one.vpc_id == vpc_id]
    assert (subnet.subnet_id, subnet.availability_zone_id) == (
        made["SubnetId"],
        made["AvailabilityZoneId"],
    )
    assert [str(one.cidr) for one in subnet.cidrs] == ["10.1.8.0/24"]
    assert vpc.tags == subnet.tags == {"Name": "prod", "team": "net"}


async def test_an_instances_interface_and_its_elastic_ip_address_tell_of_each_other(
    alice: Tenant, source: AwsSource
) -> None:  # DISC-3, PUB-1
    ec2 = alice.ec2(PARIS)
    vpc_id = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.1.8.0/24")["Subnet"]
    image_id = ec2.register_image(Name="any")["ImageId"]
    [instance] = ec2.run_instances(
        ImageId=image_id, MinCount=1, MaxCount=1, SubnetId=subnet["SubnetId"]
    )["Instances"]
    address = ec2.allocate_address(Domain="vpc")
    associated = ec2.associate_address(
        AllocationId=address["AllocationId"], InstanceId=instance["InstanceId"]
    )
    snapshot = await source.snapshot(AccountRegion(ALICE, PARIS))
    [interface] = snapshot.network_interfaces
    [elastic] = snapshot.addresses
    assert interface.attachment is not None
    assert interface.attachment.instance_id == instance["InstanceId"] == elastic.instance_id
    assert interface.attachment.owner_id == ALICE
    assert [str(one) for one in interface.blocks] == [f"{instance['PrivateIpAddress']}/32"]
    assert (interface.vpc_id, interface.subnet_id) == (vpc_id, subnet["SubnetId"])
    assert interface.availability_zone_id == subnet["AvailabilityZoneId"]
    assert (interface.interface_type, interface.requester_id) == ("interface", None)
    assert [one.group_name for one in interface.security_groups] == ["default"]
    [public] = interface.public_ips
    assert public.address == elastic.public_ip == Cidr.parse(f"{address['PublicIp']}/32")
    assert (public.owner_id, public.allocation_id) == (ALICE, elastic.allocation_id)
    assert elastic.network_interface_id == interface.network_interface_id
    assert elastic.association_id == associated["AssociationId"]
    assert (elastic.public_ipv4_pool, elastic.network_border_group) == ("amazon", PARIS)


async def test_the_next_snapshot_has_what_changed(alice: Tenant, source: AwsSource) -> None:
    ec2, place = alice.ec2(PARIS), AccountRegion(ALICE, PARIS)
    gone = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    grown = ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    assert vpc_cidrs(await source.snapshot(place)) == {"10.1.0.0/16", "10.2.0.0/16"}
    ec2.delete_vpc(VpcId=gone)
    ec2.associate_vpc_cidr_block(VpcId=grown, CidrBlock="10.3.0.0/16")
    ec2.create_vpc(CidrBlock="10.4.0.0/16")
    assert vpc_cidrs(await source.snapshot(place)) == {"10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16"}


async def test_all_pages_are_read(aws: MotoFront, alice: Tenant, source: AwsSource) -> None:
    ec2, made = alice.ec2(PARIS), {f"10.{n}.0.0/16" for n in range(6)}
    for cidr in made:
        ec2.create_vpc(CidrBlock=cidr)
    aws.page_limit = 2
    aws.asked.clear()
    assert vpc_cidrs(await source.snapshot(AccountRegion(ALICE, PARIS))) == made
    # With the default VPC there are seven, and three of its subnets.
    assert (aws.actions()["DescribeVpcs"], aws.actions()["DescribeSubnets"]) == (4, 2)


async def test_pools_know_whether_their_space_was_brought_along(
    aws: MotoFront, source: AwsSource
) -> None:  # DISC-5, PUB-1
    def pool(pool_id: str, first: str, last: str) -> str:
        return (
            f"<item><poolId>{pool_id}</poolId><poolAddressRangeSet><item><firstAddress>{first}"
            f"</firstAddress><lastAddress>{last}</lastAddress></item></poolAddressRangeSet>"
            "<totalAddressCount>256</totalAddressCount><totalAvailableAddressCount>7"
            "</totalAvailableAddressCount><networkBorderGroup>eu-west-3-ath-1</networkBorderGroup>"
            "</item>"
        )

    own = pool("ipv4pool-ec2-own", "198.51.100.0", "198.51.100.255")
    amazons = pool("ipv4pool-ec2-amazon", "203.0.113.64", "203.0.113.95")
    brought = "<item><cidr>198.51.0.0/16</cidr><state>provisioned</state></item>"
    for action, content in {
        "DescribePublicIpv4Pools": f"<publicIpv4PoolSet>{own}{amazons}</publicIpv4PoolSet>",
        "DescribeByoipCidrs": f"<byoipCidrSet>{brought}</byoipCidrSet>",
    }.items():
        aws.answer(action, lambda asked, content=content: ec2_answer(asked.action, content))  # type: ignore[misc]
    snapshot = await source.snapshot(AccountRegion(ALICE, PARIS))
    assert [
        (one.pool_id, [str(cidr) for cidr in one.cidrs], one.is_byoip)
        for one in snapshot.public_ipv4_pools
    ] == [
        ("ipv4pool-ec2-own", ["198.51.100.0/24"], True),
        ("ipv4pool-ec2-amazon", ["203.0.113.64/27"], False),
    ]
    [first, _] = snapshot.public_ipv4_pools
    assert (first.total_address_count, first.total_available_address_count) == (256, 7)
    assert first.network_border_group == "eu-west-3-ath-1"


async def test_accelerators_are_of_the_one_region_that_tells_of_them(
    aws: MotoFront, source: AwsSource
) -> None:  # PUB-1
    arn = f"arn:aws:globalaccelerator::{ALICE}:accelerator/1234"
    ip_set = {"IpFamily": "IPv4", "IpAddresses": ["198.51.100.7", "203.0.113.9"]}
    aws.answer(
        "ListAccelerators",
        json_answer(Accelerators=[{"AcceleratorArn": arn, "IpSets": [ip_set]}]),
    )
    aws.answer("ListByoipCidrs", json_answer(ByoipCidrs=[{"Cidr": "198.51.100.0/24"}]))
    here = await source.snapshot(AccountRegion(ALICE, OREGON))
    assert [
        (str(one.address), one.service, one.service_resource, one.is_byoip)
        for one in here.service_addresses
    ] == [
        ("198.51.100.7/32", "global-accelerator", arn, True),
        ("203.0.113.9/32", "global-accelerator", arn, False),
    ]
    elsewhere = await source.snapshot(AccountRegion(ALICE, PARIS))
    assert elsewhere.service_addresses == []


async def test_an_account_that_does_not_permit_global_accelerator_is_read_without_it(
    aws: MotoFront, alice: Tenant, source: AwsSource
) -> None:
    for action in ("ListAccelerators", "ListByoipCidrs"):
        aws.answer(action, json_answer(400, __type="AccessDeniedException"))
    alice.ec2(OREGON).create_vpc(CidrBlock="10.1.0.0/16")
    assert vpc_cidrs(await source.snapshot(AccountRegion(ALICE, OREGON))) == {"10.1.0.0/16"}


async def test_a_role_is_assumed_once_for_all_regions(aws: MotoFront, source: AwsSource) -> None:
    regions = [PARIS, OHIO, "eu-west-1", PARIS]
    for region in regions:
        await source.snapshot(AccountRegion(ALICE, region))
    await source.snapshot(AccountRegion(BOB, PARIS))
    assert [one.role_arn for one in aws.asked if one.action == "AssumeRole"] == [
        f"arn:aws:iam::{account_id}:role/CadastreDiscovery" for account_id in (ALICE, BOB)
    ]
    described = [one for one in aws.asked if one.action == "DescribeVpcs"]
    assert [one.region for one in described] == [*regions, PARIS]
    assert len({one.token for one in described}) == 2


async def test_the_role_is_named_as_configured_in_the_regions_partition(
    aws: MotoFront, source_with: SourceWith
) -> None:
    source = source_with(role_name="ops/Reader", external_id="hush")
    await source.snapshot(AccountRegion(ALICE, PARIS))
    await source.snapshot(AccountRegion(BOB, "cn-north-1"))
    [first, second] = [one for one in aws.asked if one.action == "AssumeRole"]
    assert (first.role_arn, first.external_id, first.region) == (
        f"arn:aws:iam::{ALICE}:role/ops/Reader",
        "hush",
        "us-east-1",
    )
    assert (second.role_arn, second.region) == (
        f"arn:aws-cn:iam::{BOB}:role/ops/Reader",
        "cn-north-1",
    )


async def test_roles_are_assumed_in_our_own_region_if_we_have_one(
    aws: MotoFront, source: AwsSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    await source.snapshot(AccountRegion(ALICE, PARIS))
    await source.snapshot(AccountRegion(ALICE, "cn-north-1"))
    assert [one.region for one in aws.asked if one.action == "AssumeRole"] == [
        "eu-west-1",
        "cn-north-1",
    ]


async def test_an_account_is_asked_no_faster_than_configured(
    aws: MotoFront, source_with: SourceWith
) -> None:
    began = time.monotonic()
    await source_with(requests_per_second=4).snapshot(AccountRegion(ALICE, PARIS))
    # Four at once, and four a second afterwards.
    assert len([one for one in aws.asked if one.service == "ec2"]) == 8
    assert time.monotonic() - began >= 1.0


async def test_only_configured_accounts_are_served(source_with: SourceWith) -> None:
    source = source_with(accounts={ALICE})
    wanted = [AccountRegion(BOB, PARIS), AccountRegion(ALICE, PARIS), AccountRegion(ALICE, OHIO)]
    assert list(source.serves(wanted)) == wanted[1:]
    assert list(source_with(accounts=set()).serves(wanted)) == []


async def test_a_server_that_knows_less_is_not_asked_for_what_is_skipped(
    aws: MotoFront, alice: Tenant, source_with: SourceWith
) -> None:
    def unknown(asked: Asked) -> Any:
        return ec2_error("InvalidAction")

    skipped = {"DescribePublicIpv4Pools", "DescribeByoipCidrs", "DescribeIpv6Pools"}
    for action in skipped:
        aws.answer(action, unknown)
    alice.ec2(PARIS).create_vpc(CidrBlock="10.1.0.0/16")
    place = AccountRegion(ALICE, PARIS)
    snapshot = await source_with(skipped_actions=skipped).snapshot(place)
    assert vpc_cidrs(snapshot) == {"10.1.0.0/16"}
    with pytest.raises(SnapshotFailed) as failure:
        await source_with().snapshot(place)
    assert failure.value.code is FailureCode.OTHER


async def test_accounts_do_not_wait_for_each_other_and_nobody_for_a_closed_source(
    aws: MotoFront, source_with: SourceWith
) -> None:
    async def both_are_asked() -> bool:
        return {one.account_id for one in aws.asked if one.service == "ec2"} == {ALICE, BOB}

    # One request for each, and the next in a quarter of an hour.
    source = source_with(requests_per_second=0.001)
    places = [AccountRegion(ALICE, PARIS), AccountRegion(BOB, PARIS)]
    reading = [asyncio.create_task(source.snapshot(place)) for place in places]
    await eventually(both_are_asked)
    await asyncio.to_thread(source.close)
    for one in reading:
        with pytest.raises(SnapshotFailed, match="closed"):
            await one
    assert aws.actions()["DescribeByoipCidrs"] == 2


def test_accounts_are_configured_as_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CADASTRE_AWS_ACCOUNTS", f'["{ALICE}"]')
    assert AwsSettings().accounts == {ALICE}
    monkeypatch.setenv("CADASTRE_AWS_ACCOUNTS", '["alice"]')
    with pytest.raises(ValidationError):
        AwsSettings()
