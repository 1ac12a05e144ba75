"""VPCs through gRPC, on both databases, with a ledger that is a server of its own."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import network_service_pb2 as pb
from cadastre.network.v1 import vpc_pb2
from shared.errors import CadastreError
from shared.settings import Settings
from tests.network.conftest import Network, network_running
from tests.network.fake_ledger import IPV4_POOL, IPV6_POOL, TAGGED_POOL, FakeLedger, FakePool
from tests.network.support import (
    CALLER,
    OWNER,
    REGION,
    STRANGER,
    UNKNOWN_POOL,
    UNKNOWN_VPC,
    tagged,
)

ASSOCIATED = vpc_pb2.VPC_CIDR_BLOCK_STATE_CODE_ASSOCIATED
ASSOCIATING = vpc_pb2.VPC_CIDR_BLOCK_STATE_CODE_ASSOCIATING


def filter_by(name: str, *values: str) -> types_pb2.Filter:
    return types_pb2.Filter(name=name, values=values)


async def test_a_given_cidr_needs_no_ledger(api: Network, ledger: FakeLedger) -> None:  # VPC-1
    vpc = await api.create(cidr_block="100.68.0.18/18", tag_specifications=tagged(Name="edge"))

    [association] = vpc.cidr_block_association_set
    assert (vpc.cidr_block, association.cidr_block) == ("100.68.0.0/18", "100.68.0.0/18")
    assert (vpc.state, association.cidr_block_state.state) == (
        vpc_pb2.VPC_STATE_PENDING,
        ASSOCIATED,
    )
    assert (vpc.owner_id, vpc.instance_tenancy) == (OWNER, vpc_pb2.TENANCY_DEFAULT)
    assert vpc.HasField("is_default")
    assert not vpc.is_default
    assert vpc.dhcp_options_id.startswith("dopt-")
    assert [(tag.key, tag.value) for tag in vpc.tags] == [("Name", "edge")]
    [shown] = await api.describe()
    assert shown.state == vpc_pb2.VPC_STATE_AVAILABLE  # BEY-2
    assert ledger.requests == []
    twin = await api.create(cidr_block="100.68.0.0/18")
    assert twin.vpc_id != vpc.vpc_id


async def test_the_tutorials_vpc_takes_its_cidr_from_the_pool(  # VPC-1
    api: Network, ledger: FakeLedger
) -> None:
    vpc = await api.create(
        ipv4_ipam_pool_id=IPV4_POOL,
        cidr_block="10.0.0.0/24",
        tag_specifications=tagged(environment="pre-prod"),
    )

    [association] = vpc.cidr_block_association_set
    assert association.cidr_block_state.state == ASSOCIATED
    assert ledger.held == {association.association_id: "10.0.0.0/24"}
    [(asked, caller)] = ledger.requests
    assert asked.resource_id == vpc.vpc_id
    assert [(tag.key, tag.value) for tag in asked.resource_tags] == [("environment", "pre-prod")]
    assert (caller.account_id, caller.region, caller.service) == (OWNER, REGION, "network")


async def test_both_families_come_from_pools(api: Network, ledger: FakeLedger) -> None:  # VPC-1
    vpc = await api.create(
        ipv4_ipam_pool_id=IPV4_POOL,
        ipv4_netmask_length=20,
        ipv6_ipam_pool_id=IPV6_POOL,
        ipv6_netmask_length=56,
    )

    [ipv4], [ipv6] = vpc.cidr_block_association_set, vpc.ipv6_cidr_block_association_set
    assert (ipv4.cidr_block, ipv6.ipv6_cidr_block) == ("10.0.0.0/20", "fd00:1234::/56")
    assert ledger.held == {
        ipv4.association_id: "10.0.0.0/20",
        ipv6.association_id: "fd00:1234::/56",
    }
    assert ipv6.ipv6_cidr_block_state.state == ASSOCIATING
    assert (ipv6.network_border_group, ipv6.ipv6_pool) == (REGION, IPV6_POOL)
    assert (ipv6.ip_source, ipv6.ipv6_address_attribute) == (
        vpc_pb2.IP_SOURCE_NONE,
        vpc_pb2.IPV6_ADDRESS_ATTRIBUTE_PRIVATE,
    )
    [shown] = await api.describe()
    assert shown.ipv6_cidr_block_association_set[0].ipv6_cidr_block_state.state == ASSOCIATED


async def test_tags_at_creation_satisfy_a_pools_tag_rule(api: Network) -> None:  # POOL-6
    request = {"ipv4_ipam_pool_id": TAGGED_POOL, "ipv4_netmask_length": 24}
    with pytest.raises(CadastreError, match="lacks the tags"):
        await api.create(**request)
    await api.create(**request, tag_specifications=tagged(environment="pre-prod"))


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param({}, "MissingParameter", id="no IPv4 CIDR"),
        pytest.param(
            {"ipv6_ipam_pool_id": IPV6_POOL, "ipv6_netmask_length": 56},
            "MissingParameter",
            id="IPv6 alone",
        ),
        pytest.param({"cidr_block": "10.0.0.0/8"}, "InvalidVpc.Range", id="too wide"),
        pytest.param(
            {"cidr_block": "10.0.0.0/16", "instance_tenancy": vpc_pb2.TENANCY_HOST},
            "InvalidParameterValue",
            id="host tenancy",
        ),
        pytest.param(
            {"ipv4_ipam_pool_id": UNKNOWN_POOL, "ipv4_netmask_length": 24},
            "InvalidIpamPoolId.NotFound",
            id="unknown pool",
        ),
        pytest.param(
            {"ipv4_ipam_pool_id": IPV4_POOL, "cidr_block": "192.168.0.0/24"},
            "InvalidParameterValue",
            id="not in the pool",
        ),
        pytest.param(
            {
                "ipv4_ipam_pool_id": IPV4_POOL,
                "ipv4_netmask_length": 24,
                "ipv6_ipam_pool_id": UNKNOWN_POOL,
                "ipv6_netmask_length": 56,
            },
            "InvalidIpamPoolId.NotFound",
            id="only the IPv4 pool gives",
        ),
        pytest.param(
            {"cidr_block": "10.0.0.0/16", "tag_specifications": tagged(**{"aws:x": "y"})},
            "InvalidParameterValue",
            id="reserved tag",
        ),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True], ids=["for real", "dry run"])
async def test_a_refused_vpc_leaves_nothing_behind(  # VPC-1, BEY-4
    api: Network, ledger: FakeLedger, members: dict[str, Any], reason: str, dry_run: bool
) -> None:
    with pytest.raises(CadastreError) as refusal:
        await api.create(**members, dry_run=dry_run)
    assert refusal.value.reason == reason
    assert (await api.describe(), await api.associations(), ledger.held) == ([], {}, {})


async def test_what_a_pool_gives_is_checked_too(api: Network, ledger: FakeLedger) -> None:  # VPC-1
    ledger.pools[IPV4_POOL] = FakePool("10.0.0.0/8", default_netmask_length=12)
    for pool, reason in ((IPV4_POOL, "InvalidVpc.Range"), (IPV6_POOL, "InvalidParameterValue")):
        with pytest.raises(CadastreError) as refusal:
            await api.create(ipv4_ipam_pool_id=pool)
        assert refusal.value.reason == reason
    assert (await api.describe(), await api.associations(), ledger.held) == ([], {}, {})


@pytest.mark.parametrize(
    "members",
    [{"cidr_block": "10.0.0.0/16"}, {"ipv4_ipam_pool_id": IPV4_POOL, "ipv4_netmask_length": 24}],
    ids=["given", "from a pool"],
)
async def test_a_dry_run_creates_nothing(
    api: Network, ledger: FakeLedger, members: dict[str, Any]
) -> None:
    with pytest.raises(CadastreError) as answer:
        await api.create(**members, dry_run=True)
    assert answer.value.reason == "DryRunOperation"
    assert (await api.describe(), await api.associations(), ledger.held) == ([], {}, {})


async def test_a_vpc_of_another_region_than_the_pools_is_refused(  # VPC-1
    api: Network, ledger: FakeLedger
) -> None:
    request = pb.CreateVpcRequest(ipv4_ipam_pool_id=IPV4_POOL, ipv4_netmask_length=24)
    with pytest.raises(CadastreError, match="us-west-2, not us-east-1"):
        await api.vpcs.call(request, caller=replace(CALLER, region="us-east-1"))
    assert ledger.held == {}


async def test_strangers_see_nothing(api: Network) -> None:  # BEY-12
    vpc = await api.create(cidr_block="10.0.0.0/16")
    association_id = vpc.cidr_block_association_set[0].association_id
    true = vpc_pb2.AttributeBooleanValue(value=True)
    requests: list[Any] = [
        pb.DescribeVpcsRequest(vpc_ids=[vpc.vpc_id]),
        pb.DeleteVpcRequest(vpc_id=vpc.vpc_id),
        pb.AssociateVpcCidrBlockRequest(vpc_id=vpc.vpc_id, cidr_block="10.1.0.0/16"),
        pb.DisassociateVpcCidrBlockRequest(association_id=association_id),
        pb.DescribeVpcAttributeRequest(vpc_id=vpc.vpc_id, attribute="enableDnsSupport"),
        pb.ModifyVpcAttributeRequest(vpc_id=vpc.vpc_id, enable_dns_hostnames=true),
        pb.CreateTagsRequest(resources=[vpc.vpc_id], tags=[types_pb2.Tag(key="k")]),
        pb.DeleteTagsRequest(resources=[vpc.vpc_id]),
    ]
    for caller in (replace(CALLER, account_id=STRANGER), replace(CALLER, region="us-east-1")):
        assert list((await api.vpcs.call(pb.DescribeVpcsRequest(), caller=caller)).vpcs) == []
        for request in requests:
            with pytest.raises(CadastreError) as refusal:
                await api.vpcs.call(request, caller=caller)
            assert refusal.value.reason in (
                "InvalidVpcID.NotFound",
                "InvalidVpcCidrBlockAssociationID.NotFound",
            )
    assert len(await api.describe()) == 1


async def test_filters_by_ec2s_names(api: Network) -> None:  # BEY-6
    one = await api.create(
        cidr_block="10.0.0.0/16",
        ipv6_ipam_pool_id=IPV6_POOL,
        tag_specifications=tagged(Name="one"),
    )
    two = await api.create(cidr_block="10.1.0.0/16", instance_tenancy=vpc_pb2.TENANCY_DEDICATED)
    ipv4, ipv6 = one.cidr_block_association_set[0], one.ipv6_cidr_block_association_set[0]
    both = [one.vpc_id, two.vpc_id]
    for name, value, expected in [
        ("cidr", "10.0.0.0/16", [one.vpc_id]),
        ("cidr-block", "10.1.*", [two.vpc_id]),
        ("cidr-block-association.cidr-block", "10.0.0.0/16", [one.vpc_id]),
        ("cidr-block-association.association-id", ipv4.association_id, [one.vpc_id]),
        ("cidr-block-association.state", "associated", both),
        ("ipv6-cidr-block-association.association-id", ipv6.association_id, [one.vpc_id]),
        ("ipv6-cidr-block-association.ipv6-cidr-block", ipv6.ipv6_cidr_block, [one.vpc_id]),
        ("ipv6-cidr-block-association.ipv6-pool", IPV6_POOL, [one.vpc_id]),
        ("ipv6-cidr-block-association.state", "associated", [one.vpc_id]),
        ("isDefault", "true", []),
        ("is-default", "false", both),
        ("dhcp-options-id", one.dhcp_options_id, both),
        ("instance-tenancy", "dedicated", [two.vpc_id]),
        ("owner-id", OWNER, both),
        ("state", "available", both),
        ("state", "pending", []),
        ("tag:Name", "o?e", [one.vpc_id]),
        ("tag-key", "Name", [one.vpc_id]),
        ("vpc-id", two.vpc_id, [two.vpc_id]),
    ]:
        found = await api.describe(filters=[filter_by(name, value)])
        assert [vpc.vpc_id for vpc in found] == expected, name
    with pytest.raises(CadastreError, match="colour"):
        await api.describe(filters=[filter_by("colour", "red")])


async def test_pages_hold_every_vpc_once_oldest_first(api: Network) -> None:  # BEY-6
    created = [(await api.create(cidr_block=f"10.{n}.0.0/16")).vpc_id for n in range(12)]
    seen: list[str] = []
    request = pb.DescribeVpcsRequest(max_results=5)
    while True:
        page = await api.vpcs.call(request)
        seen += [vpc.vpc_id for vpc in page.vpcs]
        if not page.next_token:
            break
        request.next_token = page.next_token
    assert seen == created
    wanted = {created[3], created[7]}
    assert {vpc.vpc_id for vpc in await api.describe(vpc_ids=wanted)} == wanted
    with pytest.raises(CadastreError) as refusal:
        await api.describe(vpc_ids=[created[0], UNKNOWN_VPC])
    assert refusal.value.reason == "InvalidVpcID.NotFound"


async def test_the_quota_of_vpcs_holds_when_many_create_at_once(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, ledger: FakeLedger
) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_VPCS_PER_REGION", "3")
    async with network_running(settings) as api:
        outcomes = await asyncio.gather(
            *(api.create(ipv4_ipam_pool_id=IPV4_POOL) for _ in range(12)), return_exceptions=True
        )
        refusals = [found for found in outcomes if isinstance(found, CadastreError)]
        assert {refusal.reason for refusal in refusals} == {"VpcLimitExceeded"}
        assert len(refusals) == 9
        assert await api.associations() == ledger.held
        assert len(ledger.held) == 3


async def test_the_quota_of_vpcs_is_per_account_and_region(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_VPCS_PER_REGION", "1")
    async with network_running(settings) as api:
        first = await api.create(cidr_block="10.0.0.0/16")
        with pytest.raises(CadastreError) as refusal:
            await api.create(ipv4_ipam_pool_id=IPV4_POOL)
        assert refusal.value.reason == "VpcLimitExceeded"
        elsewhere = replace(CALLER, region="us-east-1")
        await api.vpcs.call(pb.CreateVpcRequest(cidr_block="10.0.0.0/16"), caller=elsewhere)
        await api.vpcs.call(pb.DeleteVpcRequest(vpc_id=first.vpc_id))
        await api.create(cidr_block="10.0.0.0/16")


async def test_delete(api: Network) -> None:  # VPC-2
    vpc = await api.create(ipv4_ipam_pool_id=IPV4_POOL)
    with pytest.raises(CadastreError) as answer:
        await api.vpcs.call(pb.DeleteVpcRequest(vpc_id=vpc.vpc_id, dry_run=True))
    assert answer.value.reason == "DryRunOperation"
    assert len(await api.describe()) == 1
    await api.vpcs.call(pb.DeleteVpcRequest(vpc_id=vpc.vpc_id))
    assert (await api.describe(), await api.associations()) == ([], {})
    with pytest.raises(CadastreError) as refusal:
        await api.vpcs.call(pb.DeleteVpcRequest(vpc_id=vpc.vpc_id))
    assert refusal.value.reason == "InvalidVpcID.NotFound"
