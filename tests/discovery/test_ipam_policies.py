"""Policies from their rules to the addresses that accounts get, with all contexts for real."""

from typing import Any

from tests.discovery.world import ACCOUNT, HOME, WEST, World, databases, world
from tests.waiting import eventually

__all__ = ["databases", "world"]


async def a_pool(world: World, ipam: Any) -> str:
    """Four public addresses of the home region."""
    pool = await world.create_pool(
        ipam.public_default_scope_id,
        locale=HOME,
        aws_service="ec2",
        public_ip_source="amazon",
    )
    await world("ProvisionIpamPoolCidr", ipam_pool_id=pool, netmask_length=30)
    return pool


async def address(world: World, **members: Any) -> Any:
    return await world("AllocateAddress", **members)


async def test_addresses_come_of_the_pools_of_a_policy_in_order_and_then_of_amazons_space(
    world: World,
) -> None:  # EIP-2
    ipam = await world.create_ipam()
    first, second = await a_pool(world, ipam), await a_pool(world, ipam)
    policy = (await world("CreateIpamPolicy", ipam_id=ipam.ipam_id)).ipam_policy.ipam_policy_id
    rules = {"ipam_policy_id": policy, "locale": HOME, "resource_type": "eip"}
    await world(
        "ModifyIpamPolicyAllocationRules",
        **rules,
        allocation_rules=[{"source_ipam_pool_id": pool} for pool in (first, second)],
    )
    assert (await address(world)).public_ipv4_pool == "amazon"
    await world("EnableIpamPolicy", ipam_policy_id=policy)
    assert (await world("GetEnabledIpamPolicy")).ipam_policy_id == policy

    made = [await address(world) for _ in range(9)]
    assert [one.public_ipv4_pool for one in made] == [first] * 4 + [second] * 4 + ["amazon"]
    assert await world.allocations(first) == {
        f"{one.public_ip}/32": one.allocation_id for one in made[:4]
    }
    # Where there are no rules, and where a pool is named, none is asked.
    assert (await address(world.acting_as(ACCOUNT, WEST))).public_ipv4_pool == "amazon"
    assert (await address(world, public_ipv4_pool="amazon")).public_ipv4_pool == "amazon"

    await world("ReleaseAddress", allocation_id=made[5].allocation_id)

    async def is_given_back() -> bool:
        return len(await world.allocations(second)) == 3

    await eventually(is_given_back)
    again = await address(world)
    assert (again.public_ipv4_pool, again.public_ip) == (second, made[5].public_ip)
    await world("ModifyIpamPolicyAllocationRules", **rules)
    assert (await address(world)).public_ipv4_pool == "amazon"
    await world("DisableIpamPolicy", ipam_policy_id=policy)
    await world("DeleteIpamPolicy", ipam_policy_id=policy)
