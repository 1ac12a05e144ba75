"""VPCs' network ACLs, route tables and security groups through gRPC."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import instance_service_pb2, network_service_pb2, vpc_pb2
from cadastre.network.v1 import subnet_service_pb2 as subnet_pb
from cadastre.network.v1 import vpc_defaults_service_pb2 as pb
from shared.caller import Caller
from shared.errors import CadastreError
from tests.network.conftest import Network
from tests.network.fake_ledger import IPV6_POOL
from tests.network.support import CALLER, OWNER, REGION, STRANGER

# What is read and written of rows is as for VPCs; the migration is tested on both databases.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

KINDS: Mapping[str, tuple[Any, str, str]] = {
    "network-acl": (pb.DescribeNetworkAclsRequest, "network_acls", "network_acl_id"),
    "route-table": (pb.DescribeRouteTablesRequest, "route_tables", "route_table_id"),
    "security-group": (pb.DescribeSecurityGroupsRequest, "security_groups", "group_id"),
}
IDS_MEMBER = {"network-acl": "network_acl_ids", "route-table": "route_table_ids"}
UNKNOWN = {
    "network-acl": ("acl-00000000000000000", "InvalidNetworkAclID.NotFound"),
    "route-table": ("rtb-00000000000000000", "InvalidRouteTableID.NotFound"),
    "security-group": ("sg-00000000000000000", "InvalidGroup.NotFound"),
}
OTHERS = (replace(CALLER, account_id=STRANGER), replace(CALLER, region="us-east-1"))


def named(name: str, *values: str) -> types_pb2.Filter:
    return types_pb2.Filter(name=name, values=values)


async def told(api: Network, kind: str, *, caller: Caller = CALLER, **members: Any) -> list[Any]:
    request, member, _ = KINDS[kind]
    answer = await api.vpc_defaults.call(request(**members), caller=caller)
    return list(getattr(answer, member))


async def one(api: Network, kind: str, vpc: vpc_pb2.Vpc) -> Any:
    [found] = await told(api, kind, filters=[named("vpc-id", vpc.vpc_id)])
    return found


def by_id(kind: str, resource_id: str) -> dict[str, Any]:
    return {IDS_MEMBER.get(kind, "group_ids"): [resource_id]}


async def rules(api: Network, **members: Any) -> list[pb.SecurityGroupRule]:
    answer = await api.vpc_defaults.call(pb.DescribeSecurityGroupRulesRequest(**members))
    return list(answer.security_group_rules)


async def test_a_network_acl_is_its_vpcs_and_of_all_subnets_in_it(api: Network) -> None:
    vpc = await api.create(cidr_block="10.0.0.0/16")
    await api.create(cidr_block="10.0.0.0/16")
    acl = await one(api, "network-acl", vpc)
    assert (acl.is_default, acl.owner_id, acl.vpc_id) == (True, OWNER, vpc.vpc_id)
    assert [(e.cidr_block, e.rule_number, e.rule_action, e.protocol) for e in acl.entries] == [
        ("0.0.0.0/0", 100, pb.RULE_ACTION_ALLOW, "-1"),
        ("0.0.0.0/0", 32767, pb.RULE_ACTION_DENY, "-1"),
    ] * 2
    assert [entry.egress for entry in acl.entries] == [True, True, False, False]
    assert not acl.associations

    subnets = {
        (await api.create_subnet(vpc_id=vpc.vpc_id, cidr_block=f"10.0.{n}.0/24")).subnet_id
        for n in range(2)
    }
    acl = await one(api, "network-acl", vpc)
    assert {found.subnet_id for found in acl.associations} == subnets
    assert {found.network_acl_id for found in acl.associations} == {acl.network_acl_id}
    for name, value in (
        ("association.subnet-id", min(subnets)),
        ("association.association-id", acl.associations[0].network_acl_association_id),
    ):
        assert await told(api, "network-acl", filters=[named(name, value)]) == [acl]
    assert len(await told(api, "network-acl", filters=[named("default", "true")])) == 2
    assert await told(api, "network-acl", filters=[named("default", "false")]) == []
    assert len(await told(api, "network-acl", filters=[named("entry.rule-number", "100")])) == 2
    assert await told(api, "network-acl", filters=[named("entry.icmp.code", "-1")]) == []


async def test_the_main_route_table_follows_the_vpcs_blocks(api: Network) -> None:
    vpc = await api.create(cidr_block="10.0.0.0/16")
    before = await one(api, "route-table", vpc)
    [association] = before.associations
    assert (association.main, association.route_table_id) == (True, before.route_table_id)
    [route] = before.routes
    assert (route.destination_cidr_block, route.gateway_id) == ("10.0.0.0/16", "local")
    assert (route.state, route.origin) == (
        pb.ROUTE_STATE_ACTIVE,
        pb.ROUTE_ORIGIN_CREATE_ROUTE_TABLE,
    )
    ipv6 = await api.vpcs.call(
        network_service_pb2.AssociateVpcCidrBlockRequest(
            vpc_id=vpc.vpc_id, ipv6_ipam_pool_id=IPV6_POOL, ipv6_netmask_length=56
        )
    )
    added = await one(api, "route-table", vpc)
    block = ipv6.ipv6_cidr_block_association
    assert [r.destination_ipv6_cidr_block for r in added.routes] == ["", block.ipv6_cidr_block]
    main = [named("association.main", "true"), named("route.state", "active")]
    assert await told(api, "route-table", filters=main) == [added]

    await api.vpcs.call(
        network_service_pb2.DisassociateVpcCidrBlockRequest(association_id=block.association_id)
    )
    assert await one(api, "route-table", vpc) == before


async def test_a_default_security_group_has_ipv6_rules_while_the_vpc_has_ipv6(api: Network) -> None:
    plain = await api.create(cidr_block="10.0.0.0/16")
    dual = await api.create(
        cidr_block="10.0.0.0/16", ipv6_ipam_pool_id=IPV6_POOL, ipv6_netmask_length=56
    )
    for vpc, ipv6 in ((plain, []), (dual, ["::/0"])):
        group = await one(api, "security-group", vpc)
        assert (group.group_name, group.owner_id) == ("default", OWNER)
        assert group.description == "default VPC security group"
        [ingress], [egress] = group.ip_permissions, group.ip_permissions_egress
        [pair] = ingress.user_id_group_pairs
        assert (pair.group_id, pair.user_id) == (group.group_id, OWNER)
        assert not ingress.ip_ranges
        assert [each.cidr_ip for each in egress.ip_ranges] == ["0.0.0.0/0"]
        assert [each.cidr_ipv6 for each in egress.ipv6_ranges] == ipv6
        assert not egress.user_id_group_pairs
        of_group = await rules(api, filters=[named("group-id", group.group_id)])
        assert [(rule.is_egress, rule.cidr_ipv4, rule.cidr_ipv6) for rule in of_group] == [
            (False, "", ""),
            (True, "0.0.0.0/0", ""),
            *((True, "", cidr) for cidr in ipv6),
        ]
        assert of_group[0].referenced_group_info.group_id == group.group_id
        [alone] = await rules(api, security_group_rule_ids=[of_group[1].security_group_rule_id])
        assert alone == of_group[1]
        assert alone.security_group_rule_arn == (
            f"arn:aws:ec2:{REGION}:{OWNER}:security-group-rule/{alone.security_group_rule_id}"
        )
    with pytest.raises(CadastreError) as refusal:
        await rules(api, security_group_rule_ids=["sgr-00000000000000000"])
    assert refusal.value.reason == "InvalidSecurityGroupRuleId.NotFound"


async def test_lists_and_rules_come_in_pages(api: Network) -> None:  # BEY-6
    vpcs = [await api.create(cidr_block="10.0.0.0/16") for _ in range(4)]
    every = await rules(api)
    assert len(every) == 2 * len(vpcs)
    request = pb.DescribeSecurityGroupRulesRequest(max_results=5)
    first = await api.vpc_defaults.call(request)
    request.next_token = first.next_token
    second = await api.vpc_defaults.call(request)
    assert [*first.security_group_rules, *second.security_group_rules] == every
    assert (len(first.security_group_rules), second.next_token) == (5, "")

    groups = await told(api, "security-group", filters=[named("vpc-id", "vpc-*")])
    assert [group.vpc_id for group in groups] == [vpc.vpc_id for vpc in vpcs]
    some = [named("vpc-id", vpcs[2].vpc_id, vpcs[1].vpc_id)]
    groups = await told(api, "security-group", filters=some)
    assert [group.vpc_id for group in groups] == [vpcs[1].vpc_id, vpcs[2].vpc_id]
    assert await told(api, "security-group", filters=[named("group-name", "web")]) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_each_is_found_by_id_tagged_and_gone_with_its_vpc(api: Network, kind: str) -> None:
    vpc = await api.create(cidr_block="10.0.0.0/16")
    other = await api.create(cidr_block="10.1.0.0/16")
    found = await one(api, kind, vpc)
    resource_id = getattr(found, KINDS[kind][2])
    assert await told(api, kind, **by_id(kind, resource_id)) == [found]

    members: dict[str, Any] = {
        "resources": [resource_id],
        "tags": [types_pb2.Tag(key="Name", value="main")],
    }
    await api.vpcs.call(network_service_pb2.CreateTagsRequest(**members))
    [tagged] = await told(api, kind, filters=[named("tag:Name", "main")])
    assert getattr(tagged, KINDS[kind][2]) == resource_id
    await api.vpcs.call(network_service_pb2.DeleteTagsRequest(**members))
    assert await told(api, kind, filters=[named("tag-key", "Name")]) == []

    for caller in OTHERS:  # BEY-12
        assert await told(api, kind, caller=caller) == []
        with pytest.raises(CadastreError, match=resource_id) as refusal:
            await told(api, kind, caller=caller, **by_id(kind, resource_id))
        assert refusal.value.reason == UNKNOWN[kind][1]
        request = network_service_pb2.CreateTagsRequest(**members)
        with pytest.raises(CadastreError) as refusal:
            await api.vpcs.call(request, caller=caller)
        assert refusal.value.reason == UNKNOWN[kind][1]

    await api.vpcs.call(network_service_pb2.DeleteVpcRequest(vpc_id=vpc.vpc_id))
    assert [left.vpc_id for left in await told(api, kind)] == [other.vpc_id]
    for unknown in (resource_id, UNKNOWN[kind][0]):
        with pytest.raises(CadastreError) as refusal:
            await told(api, kind, **by_id(kind, unknown))
        assert refusal.value.reason == UNKNOWN[kind][1]


async def test_groups_have_no_names_without_a_default_vpc(api: Network) -> None:
    await api.create(cidr_block="10.0.0.0/16")
    with pytest.raises(CadastreError) as refusal:
        await told(api, "security-group", group_names=["default"])
    assert refusal.value.reason == "InvalidGroup.NotFound"


async def test_who_asks_for_no_group_gets_the_vpcs(api: Network) -> None:
    vpc = await api.create(cidr_block="10.0.0.0/16")
    subnet = await api.create_subnet(vpc_id=vpc.vpc_id, cidr_block="10.0.0.0/24")
    group_id = (await one(api, "security-group", vpc)).group_id
    for asked, got in (([], group_id), (["sg-0123456789abcdef0"], "sg-0123456789abcdef0")):
        interface = instance_service_pb2.CreateNetworkInterfaceRequest(
            subnet_id=subnet.subnet_id, groups=asked
        )
        made = (await api.instances.call(interface)).network_interface
        assert [group.group_id for group in made.groups] == [got]
        launch = instance_service_pb2.RunInstancesRequest(
            subnet_id=subnet.subnet_id, min_count=1, max_count=1, security_group_ids=asked
        )
        [instance] = (await api.instances.call(launch)).instances
        assert [group.group_id for group in instance.security_groups] == [got]


async def test_a_dry_run_makes_nothing(api: Network) -> None:  # BEY-6
    request = network_service_pb2.CreateVpcRequest(cidr_block="10.0.0.0/16", dry_run=True)
    with pytest.raises(CadastreError, match="DryRun"):
        await api.vpcs.call(request)
    assert [await told(api, kind) for kind in KINDS] == [[], [], []]


async def test_new_interfaces_get_ipv6_addresses_where_their_subnet_assigns_them(
    api: Network,
) -> None:
    vpc = await api.create(
        cidr_block="10.0.0.0/16", ipv6_ipam_pool_id=IPV6_POOL, ipv6_netmask_length=56
    )
    block = vpc.ipv6_cidr_block_association_set[0].ipv6_cidr_block.replace("/56", "/64")
    subnet = await api.create_subnet(
        vpc_id=vpc.vpc_id, cidr_block="10.0.0.0/24", ipv6_cidr_block=block
    )
    counts = []
    for assigns in (False, True):
        await api.subnets.call(
            subnet_pb.ModifySubnetAttributeRequest(
                subnet_id=subnet.subnet_id,
                assign_ipv6_address_on_creation=vpc_pb2.AttributeBooleanValue(value=assigns),
            )
        )
        for asked in (None, 0, 2):
            request = instance_service_pb2.CreateNetworkInterfaceRequest(
                subnet_id=subnet.subnet_id, ipv6_address_count=asked
            )
            made = (await api.instances.call(request)).network_interface
            counts.append(len(made.ipv6_addresses))
    assert counts == [0, 0, 2, 1, 0, 2]
