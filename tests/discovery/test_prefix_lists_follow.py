"""Prefix lists that follow an IPAM, between all the real contexts."""

from typing import Any

from tests.discovery.world import WEST, World, databases, word, world
from tests.waiting import eventually

__all__ = ["databases", "world"]


async def target_in(world: World, state: str) -> Any:
    """The only target, once it is in a state."""

    async def is_so() -> Any:
        answer = await world("DescribeIpamPrefixListResolverTargets")
        [found] = answer.ipam_prefix_list_resolver_targets
        return found if word(found, "state") == state else None

    return await eventually(is_so)


async def entries_become(west: World, prefix_list_id: str, *cidrs: str) -> None:
    async def are_so() -> bool:
        found = await west("GetManagedPrefixListEntries", prefix_list_id=prefix_list_id)
        return [one.cidr for one in found.entries] == list(cidrs)

    await eventually(are_so)


async def test_a_prefix_list_follows_vpcs_and_pools_until_its_ipam_goes(world: World) -> None:
    west = world.acting_as(region=WEST)
    ipam = await world.create_ipam()
    scope = ipam.private_default_scope_id
    pool = await world.create_pool(scope, "10.0.0.0/8")
    made = await west(
        "CreateManagedPrefixList", prefix_list_name="prod", max_entries=3, address_family="IPv4"
    )
    prefix_list_id = made.prefix_list.prefix_list_id
    is_prod = {"operation": "equals", "resource_tag": {"key": "env", "value": "prod"}}
    of_pool = {"operation": "equals", "ipam_pool_id": pool}
    created = await world(
        "CreateIpamPrefixListResolver",
        ipam_id=ipam.ipam_id,
        address_family="ipv4",
        rules=[
            {
                "rule_type": "ipam-resource-cidr",
                "ipam_scope_id": scope,
                "resource_type": "vpc",
                "conditions": [is_prod],
            },
            {"rule_type": "ipam-pool-cidr", "ipam_scope_id": scope, "conditions": [of_pool]},
        ],
    )
    resolver_id = created.ipam_prefix_list_resolver.ipam_prefix_list_resolver_id
    await world(
        "CreateIpamPrefixListResolverTarget",
        ipam_prefix_list_resolver_id=resolver_id,
        prefix_list_id=prefix_list_id,
        prefix_list_region=WEST,
        track_latest_version=True,
    )
    await entries_become(west, prefix_list_id, "10.0.0.0/8")

    first = await west.create_vpc("10.1.0.0/16")
    await world.create_vpc("10.2.0.0/16")
    await west.tag(first, env="prod")
    await entries_become(west, prefix_list_id, "10.0.0.0/8", "10.1.0.0/16")
    await west("DeleteVpc", vpc_id=first)
    await entries_become(west, prefix_list_id, "10.0.0.0/8")

    # More than fits: refused as a whole, and told.
    for n in range(3):
        await west.tag(await west.create_vpc(f"10.{n + 10}.0.0/16"), env="prod")
    failed = await target_in(world, "sync-failed")
    assert "3" in failed.state_message

    await world("DeleteIpam", ipam_id=ipam.ipam_id, cascade=True)

    async def is_gone() -> bool:
        await world.run_pass()
        answer = await world("DescribeIpamPrefixListResolverTargets")
        return not answer.ipam_prefix_list_resolver_targets

    await eventually(is_gone)
    [left] = (await west("DescribeManagedPrefixLists")).prefix_lists
    assert not left.ipam_prefix_list_resolver_target_id
    assert not (await world("DescribeIpamPrefixListResolvers")).ipam_prefix_list_resolvers
