"""What a pool is to the accounts that it is shared with (ORG-4, ORG-5, POOL-5, BEY-12)."""

from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from shared.errors import CadastreError
from tests.allocation.world import (
    ACCOUNT,
    ELSEWHERE,
    HOME,
    STRANGER,
    UNKNOWN_POOL,
    WEST,
    World,
)

USER, OTHER_USER = "444455556666", "555566667777"


@pytest.fixture
async def pool(world: World) -> str:
    return await world.pool("10.0.0.0/16", locale=WEST, shared_with=[USER, OTHER_USER])


def allocated(answer: Any) -> Any:
    return answer.ipam_pool_allocation


@pytest.mark.parametrize(
    ("account", "region", "is_seen"),
    [
        pytest.param(USER, HOME, True, id="user at the pool's home"),
        pytest.param(USER, WEST, True, id="user in the locale"),
        pytest.param(USER, ELSEWHERE, False, id="user elsewhere"),
        pytest.param(STRANGER, WEST, False, id="not shared with"),
    ],
)
async def test_a_pool_is_there_for_whom_it_is_shared_with(
    world: World, pool: str, account: str, region: str, *, is_seen: bool
) -> None:  # ORG-4
    caller = world.caller(account, region)
    calls: dict[str, dict[str, Any]] = {
        "GetIpamPoolCidrs": {},
        "GetIpamPoolAllocations": {},
        "AllocateIpamPoolCidr": {"netmask_length": 24},
        "HoldIpamPoolCidr": {"netmask_length": 24},
    }
    for rpc, members in calls.items():
        if is_seen:
            await caller(rpc, ipam_pool_id=pool, **members)
        else:
            with pytest.raises(CadastreError) as refusal:
                await caller(rpc, ipam_pool_id=pool, **members)
            assert refusal.value.reason == "InvalidIpamPoolId.NotFound"


@pytest.mark.parametrize(
    ("rpc", "members"),
    [
        ("ProvisionIpamPoolCidr", {"cidr": "10.1.0.0/16"}),
        ("DeprovisionIpamPoolCidr", {"cidr": "10.0.0.0/16"}),
        ("ModifyIpamPoolPlacement", {"add_excluded_cidrs": ["10.0.0.0/24"]}),
        ("GetIpamPoolPlacement", {}),
        ("GetIpamPoolUnavailableCidrs", {}),
    ],
)
async def test_what_a_pool_is_stays_its_owners_to_say_and_to_know(
    world: World, pool: str, rpc: str, members: dict[str, Any]
) -> None:  # ORG-4, BEY-12
    with pytest.raises(CadastreError) as refusal:
        await world.caller(USER, HOME)(rpc, ipam_pool_id=pool, **members)
    assert refusal.value.reason == "InvalidIpamPoolId.NotFound"
    assert await world.cidrs(pool) == {"10.0.0.0/16": "provisioned"}


async def test_a_user_is_shown_its_own_allocations_and_the_owner_all(
    world: World, pool: str
) -> None:  # BEY-12
    user, other = world.caller(USER, WEST), world.caller(OTHER_USER, WEST)
    mine, theirs, the_owners = [
        allocated(await caller("AllocateIpamPoolCidr", ipam_pool_id=pool, netmask_length=24))
        for caller in (user, other, world.owner)
    ]
    assert mine.resource_owner == USER
    seen = await user("GetIpamPoolAllocations", ipam_pool_id=pool)
    assert list(seen.ipam_pool_allocations) == [mine]
    assert await world.allocations(pool) == [mine, theirs, the_owners]
    for allocation in (theirs, the_owners):
        with pytest.raises(CadastreError) as refusal:
            await user(
                "GetIpamPoolAllocations",
                ipam_pool_id=pool,
                ipam_pool_allocation_id=allocation.ipam_pool_allocation_id,
            )
        assert refusal.value.reason == "InvalidIpamPoolAllocationId.NotFound"


async def test_a_user_gives_back_and_describes_what_is_its_own_alone(
    world: World, pool: str
) -> None:  # ORG-4, BEY-12
    user, other = world.caller(USER, WEST), world.caller(OTHER_USER, WEST)
    mine = allocated(await user("AllocateIpamPoolCidr", ipam_pool_id=pool, netmask_length=24))
    own_id = mine.ipam_pool_allocation_id
    tags = [types_pb2.Tag(key="a", value="1")]
    calls: dict[str, dict[str, Any]] = {
        "ModifyIpamPoolAllocation": {"ipam_pool_allocation_id": own_id, "description": "mine"},
        "CreateTags": {"resources": [own_id], "tags": tags},
        "ReleaseIpamPoolAllocation": {
            "ipam_pool_id": pool,
            "cidr": mine.cidr,
            "ipam_pool_allocation_id": own_id,
        },
    }
    for rpc, members in calls.items():
        with pytest.raises(CadastreError) as refusal:
            await other(rpc, **members)
        assert refusal.value.reason == "InvalidIpamPoolAllocationId.NotFound"
    assert await world.allocations(pool) == [mine]
    for rpc, members in calls.items():
        await user(rpc, **members)
    assert await world.allocations(pool) == []


async def test_the_owner_takes_back_what_users_reserved(world: World, pool: str) -> None:
    mine = allocated(
        await world.caller(USER, WEST)(
            "AllocateIpamPoolCidr", ipam_pool_id=pool, cidr="10.0.9.0/24"
        )
    )
    await world.owner(
        "ReleaseIpamPoolAllocation",
        ipam_pool_id=pool,
        cidr=mine.cidr,
        ipam_pool_allocation_id=mine.ipam_pool_allocation_id,
    )
    assert await world.allocations(pool) == []


async def test_a_user_is_told_that_a_block_is_taken_but_not_by_whom(
    world: World, pool: str
) -> None:  # BEY-12
    taken = {"ipam_pool_id": pool, "cidr": "10.0.0.0/24"}
    theirs = allocated(await world.caller(OTHER_USER, WEST)("AllocateIpamPoolCidr", **taken))
    with pytest.raises(CadastreError, match="overlaps 10.0.0.0/24") as refusal:
        await world.caller(USER, WEST)("AllocateIpamPoolCidr", **taken)
    told = f"{refusal.value.message} {refusal.value.metadata}"
    assert "another account" in told
    assert theirs.ipam_pool_allocation_id not in told
    assert OTHER_USER not in told
    for caller in (world.owner, world.caller(OTHER_USER, WEST)):
        with pytest.raises(CadastreError, match=theirs.ipam_pool_allocation_id):
            await caller("AllocateIpamPoolCidr", **taken)


async def test_a_hold_is_its_holders_against_owner_and_users_alike(
    world: World, pool: str
) -> None:  # BEY-8
    user, other = world.caller(USER, WEST), world.caller(OTHER_USER, WEST)
    held = (await user("HoldIpamPoolCidr", ipam_pool_id=pool, netmask_length=24)).ipam_pool_hold
    for caller in (other, world.owner):
        with pytest.raises(CadastreError, match="is held for another allocation"):
            await caller("AllocateIpamPoolCidr", ipam_pool_id=pool, cidr=held.cidr)
    await user("AllocateIpamPoolCidr", ipam_pool_id=pool, cidr=held.cidr)


async def test_resources_of_users_get_space_under_the_pools_rules(
    world: World, pool: str
) -> None:  # POOL-5, POOL-6
    await world.define(
        pool, version=2, locale=WEST, shared_with=[USER], tags={"environment": "pre-prod"}
    )
    world.network = world.caller(USER, WEST, "network")
    with pytest.raises(CadastreError, match="environment=pre-prod") as refusal:
        await world.allocate_to_vpc(pool, "bare", netmask_length=24)
    assert refusal.value.reason == "InvalidParameterValue"
    tags = [types_pb2.Tag(key="environment", value="pre-prod")]
    given = await world.allocate_to_vpc(pool, "tagged", netmask_length=24, resource_tags=tags)
    assert (given.resource_owner, given.resource_type) == (USER, 2)


async def test_unsharing_stops_new_allocations_and_keeps_the_old_ones(
    world: World, pool: str
) -> None:  # ORG-4
    user = world.caller(USER, WEST)
    world.network = world.caller(USER, WEST, "network")
    by_hand = allocated(await user("AllocateIpamPoolCidr", ipam_pool_id=pool, netmask_length=24))
    of_vpc = await world.allocate_to_vpc(pool, "token", netmask_length=24)
    await world.define(pool, version=2, locale=WEST)
    with pytest.raises(CadastreError) as refusal:
        await user("AllocateIpamPoolCidr", ipam_pool_id=pool, netmask_length=24)
    assert refusal.value.reason == "InvalidIpamPoolId.NotFound"
    with pytest.raises(CadastreError) as refusal:
        await world.allocate_to_vpc(pool, "another", netmask_length=24)
    assert refusal.value.reason == "InvalidIpamPoolId.NotFound"
    kept = [one.ipam_pool_allocation_id for one in await world.allocations(pool)]
    assert kept == [by_hand.ipam_pool_allocation_id, of_vpc.ipam_pool_allocation_id]
    # The resource that had its space may go, whatever became of the share (ALLOC-5).
    await world.network(
        "ReleaseResourceAllocations", ipam_pool_allocation_ids=[of_vpc.ipam_pool_allocation_id]
    )
    assert len(await world.allocations(pool)) == 1


async def test_what_others_have_of_pools_is_told_to_services(
    world: World, pool: str
) -> None:  # IPAM-5
    unshared = await world.pool("10.1.0.0/16", locale=WEST)
    await world.allocate(pool, netmask_length=24)
    await world.allocate(unshared, netmask_length=24)
    user = world.caller(USER, WEST)
    theirs = [
        allocated(await user("AllocateIpamPoolCidr", ipam_pool_id=pool, netmask_length=24))
        for _ in range(3)
    ]
    await user("HoldIpamPoolCidr", ipam_pool_id=pool, netmask_length=24)
    ids = sorted(one.ipam_pool_allocation_id for one in theirs)
    for pools, limit, told in (
        ([pool, unshared, UNKNOWN_POOL], 10, ids),
        ([pool], 2, ids[:2]),
        ([unshared], 10, []),
    ):
        answer = await world.control_plane(
            "ListForeignAllocations", ipam_pool_ids=pools, max_results=limit
        )
        assert list(answer.ipam_pool_allocation_ids) == told


async def test_an_older_definition_does_not_share_anew(world: World, pool: str) -> None:  # ORG-4
    await world.define(pool, version=3, locale=WEST)
    await world.define(pool, version=2, locale=WEST, shared_with=[USER])
    with pytest.raises(CadastreError) as refusal:
        await world.caller(USER, WEST)("GetIpamPoolCidrs", ipam_pool_id=pool)
    assert refusal.value.reason == "InvalidIpamPoolId.NotFound"


async def test_the_same_token_of_two_users_is_two_tokens(world: World, pool: str) -> None:
    first, second = [
        allocated(
            await world.caller(account, WEST)(
                "AllocateIpamPoolCidr", ipam_pool_id=pool, netmask_length=24, client_token="token"
            )
        )
        for account in (USER, ACCOUNT)
    ]
    assert first.cidr != second.cidr
