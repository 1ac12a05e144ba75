"""Addresses of pools that policies name, for those who name none (EIP-2)."""

import asyncio
from typing import Any

import pytest

from cadastre.allocation.v1 import ledger_service_pb2 as pb
from cadastre.allocation.v1 import pool_allocation_pb2
from tests.allocation.test_check_ledger import check
from tests.allocation.test_public_resources import public_pool, refusal_of
from tests.allocation.world import ACCOUNT, HOME, STRANGER, WEST, World

AMAZON = "amazon-ipv4"
FIRST, ONLY = pb.IPAM_POLICY_PRECEDENCE_FIRST, pb.IPAM_POLICY_PRECEDENCE_ONLY
ZONE = "us-west-2-lax-1"
POLICY, OTHER = "ipam-policy-00000000000000001", "ipam-policy-00000000000000002"


async def put(
    world: World,
    *pool_ids: str,
    accounts: tuple[str, ...] = (ACCOUNT,),
    version: int = 1,
    policy_id: str = POLICY,
    in_zone: tuple[str, ...] = (),
) -> None:
    """Rules for elastic IP addresses in the west, and ``in_zone`` in a Local Zone there."""
    by_locale = {WEST: pool_ids, ZONE: in_zone}
    rules = [
        pb.IpamPolicyRules(
            locale=place,
            resource_type=pool_allocation_pb2.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_EIP,
            source_ipam_pool_ids=pools,
        )
        for place, pools in by_locale.items()
        if pools
    ]
    definition = pb.IpamPolicyDefinition(
        ipam_policy_id=policy_id, version=version, rules=rules, account_ids=accounts
    )
    await world.control_plane("PutIpamPolicy", definition=definition)


async def ask(world: World, token: str, precedence: Any = FIRST, **members: Any) -> Any:
    return await world.allocate_to(
        "eip", AMAZON, token, netmask_length=32, ipam_policy_precedence=precedence, **members
    )


async def pool_of(world: World, token: str, **members: Any) -> str:
    return str((await ask(world, token, **members)).source_pool.ipam_pool_id)


async def small_pools(world: World, count: int) -> list[str]:
    """Each with two addresses of one range."""
    top = await public_pool(world)
    found = []
    for _ in range(count):
        pool = await world.public_pool(source_ipam_pool_id=top)
        await world.provision(pool, netmask_length=31)
        found.append(pool)
    return found


async def test_the_first_pool_that_has_an_address_gives_it_and_amazons_space_comes_last(
    world: World,
) -> None:
    first, second = await small_pools(world, 2)
    await put(world, second, first)
    taken = [await pool_of(world, f"t{number}") for number in range(5)]
    assert taken == [second, second, first, first, AMAZON]
    # Given back to where it came from, and a token's answer stays what it was.
    await world.network("CancelResourceAllocation", client_token="t0")
    assert await pool_of(world, "u") == second
    assert await pool_of(world, "t2") == first
    assert await pool_of(world, "t4") == AMAZON
    assert (await check(world)).findings == []


async def test_a_pool_that_refuses_for_any_reason_is_passed_over(world: World) -> None:
    [good] = await small_pools(world, 1)
    empty = await world.public_pool()
    strict = await world.public_pool(allocation_max_netmask_length=30)
    tagged = await world.public_pool(tags={"environment": "prod"})
    gone = "ipam-pool-0000000000000dead"
    await put(world, gone, empty, strict, tagged, good)
    assert await pool_of(world, "t") == good


async def test_a_policy_needs_no_share_and_applies_to_its_accounts_alone(world: World) -> None:
    [pool] = await small_pools(world, 1)
    await put(world, pool, accounts=(STRANGER,))
    assert await pool_of(world, "owner") == AMAZON
    world.network = world.caller(STRANGER, WEST, "network")
    assert await pool_of(world, "stranger") == pool
    # By name it is as unknown as before (POOL-5).
    refusal = await refusal_of(world.allocate_to("eip", pool, "named", netmask_length=32))
    assert refusal.reason == "InvalidIpamPoolId.NotFound"


@pytest.mark.parametrize(
    ("region", "group", "expected"),
    [
        pytest.param(WEST, "", 0, id="region"),
        pytest.param(WEST, ZONE, 1, id="its Local Zone"),
        pytest.param(HOME, "", None, id="where there are no rules"),
    ],
)
async def test_rules_are_of_a_locale(
    world: World, region: str, group: str, expected: int | None
) -> None:
    [west] = await small_pools(world, 1)
    zone = await world.public_pool(locale=ZONE)
    await world.proven(zone, "130.137.246.0/24")
    await put(world, west, in_zone=(zone,))
    world.network = world.caller(ACCOUNT, region, "network")
    found = await pool_of(world, "t", network_border_group=group)
    assert found == (AMAZON if expected is None else (west, zone)[expected])


async def test_amazons_space_may_be_ruled_out(world: World) -> None:
    assert (await refusal_of(ask(world, "t", ONLY))).reason == "InsufficientCidrSpace"
    [pool] = await small_pools(world, 1)
    await put(world, pool)
    assert [await pool_of(world, t, precedence=ONLY) for t in "ab"] == [pool, pool]
    refusal = await refusal_of(ask(world, "c", ONLY))
    assert (refusal.reason, WEST in refusal.message) == ("InsufficientCidrSpace", True)
    refusal = await refusal_of(ask(world, "d", ONLY, dry_run=True))
    assert refusal.reason == "InsufficientCidrSpace"


async def test_nothing_is_taken_by_a_dry_run_or_under_a_cancelled_token(world: World) -> None:
    [pool] = await small_pools(world, 1)
    await put(world, pool)
    assert (await refusal_of(ask(world, "t", dry_run=True))).reason == "DryRunOperation"
    await world.network("CancelResourceAllocation", client_token="t")
    assert (await refusal_of(ask(world, "t"))).reason == "IncorrectState"
    assert (await refusal_of(ask(world, "t", ONLY))).reason == "IncorrectState"
    assert await world.allocations(pool) == []


async def test_an_older_policy_changes_nothing_and_one_without_accounts_is_over(
    world: World,
) -> None:
    first, second = await small_pools(world, 2)
    await put(world, first, version=3)
    await put(world, second, version=2)
    assert await pool_of(world, "a") == first
    await put(world, version=4, accounts=())
    await put(world, first, version=3)
    assert await pool_of(world, "b") == AMAZON


async def test_an_account_that_changes_policies_may_be_told_of_in_any_order(world: World) -> None:
    first, second = await small_pools(world, 2)
    await put(world, first, policy_id=OTHER)
    await put(world, second)
    await put(world, first, policy_id=OTHER, version=2, accounts=())
    assert await pool_of(world, "a") == second
    await put(world, version=2, accounts=())
    await put(world, first, policy_id=OTHER, version=3)
    assert await pool_of(world, "b") == first


async def test_a_request_that_comes_twice_at_once_gets_one_address(world: World) -> None:
    first, second = await small_pools(world, 2)
    await put(world, first, second)
    answers = await asyncio.gather(*(ask(world, f"t{n % 3}") for n in range(12)))
    by_token = [{str(answer) for answer in answers[number::3]} for number in range(3)]
    assert [len(found) for found in by_token] == [1, 1, 1]
    held = [await world.allocations(pool) for pool in (first, second)]
    assert [len(found) for found in held] == [2, 1]
