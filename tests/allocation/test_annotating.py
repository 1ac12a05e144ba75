from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from shared.errors import CadastreError
from tests.allocation.world import ELSEWHERE, HOME, STRANGER, UNKNOWN_ALLOCATION, WEST, World

UNKNOWN = "InvalidIpamPoolAllocationId.NotFound"


async def test_a_description_is_changed_and_removed(world: World) -> None:
    pool = await world.pool("10.0.0.0/16")
    held = await world.allocate(pool, netmask_length=24, description="old")
    held_id = held.ipam_pool_allocation_id
    answer = await world.owner(
        "ModifyIpamPoolAllocation", ipam_pool_allocation_id=held_id, description="new"
    )
    assert answer.ipam_pool_allocation.description == "new"
    assert (await world.allocations(pool)) == [answer.ipam_pool_allocation]
    await world.owner("ModifyIpamPoolAllocation", ipam_pool_allocation_id=held_id)
    [found] = await world.allocations(pool)
    assert not found.HasField("description")


async def test_tags_are_set_on_all_or_none(world: World) -> None:
    pool = await world.pool("10.0.0.0/16")
    ids = [(await world.allocate(pool, netmask_length=24)).ipam_pool_allocation_id for _ in "ab"]
    with pytest.raises(CadastreError) as refusal:
        await world.owner("CreateTags", resources=[*ids, UNKNOWN_ALLOCATION], tags=tags(a="1"))
    assert refusal.value.reason == UNKNOWN
    assert await tags_of(world, pool) == [{}, {}]
    await world.owner("CreateTags", resources=ids, tags=tags(a="1", b="2"))
    await world.owner("CreateTags", resources=ids[:1], tags=tags(a="3"))
    assert await tags_of(world, pool) == [{"a": "3", "b": "2"}, {"a": "1", "b": "2"}]
    await world.owner("DeleteTags", resources=ids, tags=[types_pb2.Tag(key="a", value="1")])
    assert await tags_of(world, pool) == [{"a": "3", "b": "2"}, {"b": "2"}]
    await world.owner("DeleteTags", resources=ids)
    assert await tags_of(world, pool) == [{}, {}]


async def test_an_allocation_has_at_most_50_tags(world: World) -> None:
    pool = await world.pool("10.0.0.0/16")
    held_id = (await world.allocate(pool, netmask_length=24)).ipam_pool_allocation_id
    await world.owner(
        "CreateTags", resources=[held_id], tags=tags(**{f"t{n}": "" for n in range(50)})
    )
    with pytest.raises(CadastreError) as refusal:
        await world.owner("CreateTags", resources=[held_id], tags=tags(more=""))
    assert refusal.value.reason == "TagLimitExceeded"


async def test_a_dry_run_changes_nothing(world: World) -> None:
    pool = await world.pool("10.0.0.0/16")
    held = await world.allocate(pool, netmask_length=24)
    held_id = held.ipam_pool_allocation_id
    calls: dict[str, dict[str, Any]] = {
        "ModifyIpamPoolAllocation": {"ipam_pool_allocation_id": held_id, "description": "new"},
        "CreateTags": {"resources": [held_id], "tags": tags(a="1")},
        "DeleteTags": {"resources": [held_id]},
    }
    for rpc, members in calls.items():
        with pytest.raises(CadastreError) as refusal:
            await world.owner(rpc, dry_run=True, **members)
        assert refusal.value.reason == "DryRunOperation"
    assert await world.allocations(pool) == [held]


@pytest.mark.parametrize(("account", "region"), [(STRANGER, HOME), ("123456789012", ELSEWHERE)])
async def test_only_who_sees_the_pool_annotates(
    world: World, account: str, region: str
) -> None:  # BEY-12
    pool = await world.pool("10.0.0.0/16", locale=WEST)
    held = await world.allocate(pool, netmask_length=24)
    held_id = held.ipam_pool_allocation_id
    caller = world.caller(account, region)
    for rpc, members in (
        ("ModifyIpamPoolAllocation", {"ipam_pool_allocation_id": held_id, "description": "x"}),
        ("CreateTags", {"resources": [held_id], "tags": tags(a="1")}),
        ("DeleteTags", {"resources": [held_id]}),
    ):
        with pytest.raises(CadastreError) as refusal:
            await caller(rpc, **members)
        assert refusal.value.reason == UNKNOWN
    assert await world.allocations(pool) == [held]
    await world.west("CreateTags", resources=[held_id], tags=tags(a="1"))
    assert await tags_of(world, pool) == [{"a": "1"}]


def tags(**members: str) -> list[types_pb2.Tag]:
    return [types_pb2.Tag(key=key, value=value) for key, value in members.items()]


async def tags_of(world: World, pool: str) -> list[dict[str, str]]:
    found = await world.allocations(pool)
    return [{tag.key: tag.value for tag in allocation.tags} for allocation in found]
