"""DescribeTags of network through gRPC, on both databases."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cadastre.common.tags.v1 import tag_service_pb2
from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import instance_service_pb2 as instances_pb
from cadastre.network.v1 import network_service_pb2 as pb
from cadastre.network.v1 import prefix_list_service_pb2 as lists_pb
from cadastre.network.v1 import vpc_defaults_service_pb2 as defaults_pb
from services.network.instance import SHOWN_AFTER_TERMINATION
from services.network.service.instances import Instances
from shared.caller import Caller
from shared.settings import Settings
from tests.network.conftest import Network, network_running
from tests.network.fake_ledger import FakeLedger
from tests.network.mortal import process
from tests.network.support import CALLER, STRANGER, tagged
from tests.network.world import World

IPAM_REGION = replace(CALLER, region="us-east-1")


async def listed(
    api: Network, *, caller: Caller = CALLER, **members: Any
) -> list[tuple[str, str, str, str]]:
    request = tag_service_pb2.DescribeTagsRequest(**members)
    answer = await api.tags.call(request, caller=caller)
    return [(tag.resource_type, tag.resource_id, tag.key, tag.value) for tag in answer.tags]


async def tag(api: Network, *resource_ids: str) -> None:
    tags = [types_pb2.Tag(key="k", value="v"), types_pb2.Tag(key="a")]
    await api.vpcs.call(pb.CreateTagsRequest(resources=resource_ids, tags=tags))


async def of_every_kind(world: World) -> list[tuple[str, str]]:
    """Types and ids, in the order of the list."""
    api = world.api
    subnet = await world.subnet()
    request = lists_pb.CreateManagedPrefixListRequest(
        prefix_list_name="l", max_entries=1, address_family="IPv4"
    )
    prefix_list = (await api.prefix_lists.call(request)).prefix_list
    [acl] = (await api.vpc_defaults.call(defaults_pb.DescribeNetworkAclsRequest())).network_acls
    [table] = (await api.vpc_defaults.call(defaults_pb.DescribeRouteTablesRequest())).route_tables
    [group] = (
        await api.vpc_defaults.call(defaults_pb.DescribeSecurityGroupsRequest())
    ).security_groups
    return [
        ("vpc", subnet.vpc_id),
        ("network-acl", acl.network_acl_id),
        ("route-table", table.route_table_id),
        ("security-group", group.group_id),
        ("subnet", subnet.subnet_id),
        ("network-interface", (await world.interface(subnet.subnet_id)).network_interface_id),
        ("instance", (await world.instance(subnet_id=subnet.subnet_id)).instance_id),
        ("elastic-ip", (await api.allocate()).allocation_id),
        ("ipv4pool-ec2", await world.public_pool()),
        ("prefix-list", prefix_list.prefix_list_id),
    ]


async def test_every_kind_is_listed_to_its_owner_in_its_region(  # BEY-12
    api: Network, ledger: FakeLedger
) -> None:
    resources = await of_every_kind(World(api, ledger))
    assert await listed(api) == []
    await tag(api, *(resource_id for _, resource_id in reversed(resources)))
    records = [(*one, *pair) for one in resources for pair in (("a", ""), ("k", "v"))]
    assert await listed(api) == records
    assert await listed(api, caller=replace(CALLER, account_id=STRANGER)) == []
    assert await listed(api, caller=IPAM_REGION) == []
    exact = [types_pb2.Filter(name="resource-id", values=[resources[4][1], resources[9][1]])]
    assert await listed(api, filters=exact) == [*records[8:10], *records[18:20]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_public_pools_tags_are_listed_in_the_home_region_of_its_ipam_too(
    api: Network, ledger: FakeLedger
) -> None:
    pool_id = await World(api, ledger).public_pool(30)
    await tag(api, pool_id)
    tags = [("ipv4pool-ec2", pool_id, *pair) for pair in (("a", ""), ("k", "v"))]
    assert await listed(api) == await listed(api, caller=IPAM_REGION) == tags
    assert await listed(api, caller=replace(CALLER, region="eu-west-1")) == []


async def test_a_terminated_instances_tags_are_listed_while_it_is_shown(
    settings: Settings, ledger: FakeLedger
) -> None:
    async with network_running(settings) as api:
        world = World(api, ledger)
        subnet_id = (await world.subnet()).subnet_id
        named = tagged("instance", Name="x")
        early, late = [
            (await world.instance(subnet_id=subnet_id, tag_specifications=named)).instance_id
            for _ in "ab"
        ]
        await api.instances.call(instances_pb.TerminateInstancesRequest(instance_ids=[late]))
        assert [one[1] for one in await listed(api)] == [early, late]
    long_ago = datetime.now(UTC) - SHOWN_AFTER_TERMINATION
    async with process(settings) as one:
        await Instances(one.store, lambda: long_ago).terminate(CALLER, [early], dry_run=False)
    async with network_running(settings) as api:
        assert await listed(api) == [("instance", late, "Name", "x")]
