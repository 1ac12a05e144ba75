from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from shared.errors import CadastreError
from tests.allocation.world import ACCOUNT, HOME, STRANGER, UNKNOWN_ALLOCATION, WEST, World


async def test_allocations_are_listed_by_address_in_pages(world: World) -> None:  # BEY-6
    pool = await world.pool("10.0.0.0/16", "9.0.0.0/16")
    for cidr in ("10.0.3.0/24", "9.0.0.0/17", "10.0.1.0/32", "10.0.0.0/24"):
        await world.allocate(pool, cidr=cidr)
    for _ in range(8):
        await world.allocate(pool, netmask_length=25, allowed_cidrs=["10.0.128.0/17"])
    everything = [found.cidr for found in await world.allocations(pool)]
    assert everything[:4] == ["9.0.0.0/17", "10.0.0.0/24", "10.0.1.0/32", "10.0.3.0/24"]
    paged = await pages(world, "GetIpamPoolAllocations", ipam_pool_id=pool)
    assert [found.cidr for page in paged for found in page] == everything
    assert [len(page) for page in paged] == [5, 5, 2]


async def test_one_allocation_is_found_by_id(world: World) -> None:  # BEY-6
    pool, other = await world.pool("10.0.0.0/16"), await world.pool("10.1.0.0/16")
    _, held = [await world.allocate(pool, netmask_length=24) for _ in "ab"]
    held_id = held.ipam_pool_allocation_id
    answer = await world.owner(
        "GetIpamPoolAllocations", ipam_pool_id=pool, ipam_pool_allocation_id=held_id
    )
    assert list(answer.ipam_pool_allocations) == [held]
    for pool_id, allocation_id in ((other, held_id), (pool, UNKNOWN_ALLOCATION)):
        with pytest.raises(CadastreError) as refusal:
            await world.owner(
                "GetIpamPoolAllocations",
                ipam_pool_id=pool_id,
                ipam_pool_allocation_id=allocation_id,
            )
        assert refusal.value.reason == "InvalidIpamPoolAllocationId.NotFound"


async def test_lists_are_filtered(world: World) -> None:  # BEY-6
    top = await world.pool("10.0.0.0/8")
    child = await world.define(source_ipam_pool_id=top)
    await world.provision(child, cidr="10.0.0.0/16")
    await world.allocate(top, netmask_length=24, description="lab")

    async def found(rpc: str, name: str, value: str) -> list[str]:
        filters = [types_pb2.Filter(name=name, values=[value])]
        answer = await world.owner(rpc, ipam_pool_id=top, filters=filters)
        [(_, records)] = answer.ListFields() or [(None, ())]
        return [record.cidr for record in records]

    allocations = "GetIpamPoolAllocations"
    assert await found(allocations, "resource-type", "ipam-pool") == ["10.0.0.0/16"]
    assert await found(allocations, "resource-id", child) == ["10.0.0.0/16"]
    assert await found(allocations, "description", "l*") == ["10.1.0.0/24"]
    assert await found(allocations, "tag:a", "b") == []
    assert await found("GetIpamPoolCidrs", "cidr", "10.*") == ["10.0.0.0/8"]
    assert await found("GetIpamPoolCidrs", "state", "deprovisioned") == []
    for rpc in ("GetIpamPoolCidrs", allocations):
        with pytest.raises(CadastreError, match="colour"):
            await found(rpc, "colour", "red")


async def test_all_allocations_of_an_account_are_described(world: World) -> None:
    pools = [await world.pool(f"10.{n}.0.0/16") for n in range(3)]
    for pool in (*pools, *pools):
        await world.allocate(pool, netmask_length=24)
        await world.allocate(pool, netmask_length=25)
    expected = [found for pool in pools for found in await world.allocations(pool)]
    answer = await world.owner("DescribeIpamPoolAllocations")
    assert list(answer.ipam_pool_allocations) == expected
    paged = await pages(world, "DescribeIpamPoolAllocations")
    assert [found for page in paged for found in page] == expected
    for caller in (world.caller(STRANGER, HOME), world.caller(ACCOUNT, WEST)):
        assert not (await caller("DescribeIpamPoolAllocations")).ipam_pool_allocations


async def test_allocations_are_described_by_id(world: World) -> None:  # BEY-6, BEY-12
    pools = [await world.pool(f"10.{n}.0.0/16") for n in range(2)]
    held = [await world.allocate(pool, netmask_length=28) for pool in pools for _ in range(4)]
    ids = [found.ipam_pool_allocation_id for found in held]
    paged = await pages(
        world, "DescribeIpamPoolAllocations", ipam_pool_allocation_ids=list(reversed(ids[1:]))
    )
    assert [found for page in paged for found in page] == held[1:]
    for caller, wanted in ((world.owner, [*ids, UNKNOWN_ALLOCATION]), (world.stranger, ids[:1])):
        with pytest.raises(CadastreError) as refusal:
            await caller("DescribeIpamPoolAllocations", ipam_pool_allocation_ids=wanted)
        assert refusal.value.reason == "InvalidIpamPoolAllocationId.NotFound"


async def test_a_page_token_is_good_for_its_query_only(world: World) -> None:  # BEY-6
    pool = await world.pool("10.0.0.0/16")
    for _ in range(6):
        await world.allocate(pool, netmask_length=24)
    page = await world.owner("GetIpamPoolAllocations", ipam_pool_id=pool, max_results=5)
    for rpc, token in (
        ("GetIpamPoolCidrs", page.next_token),
        ("GetIpamPoolAllocations", "bogus"),
    ):
        with pytest.raises(CadastreError) as refusal:
            await world.owner(rpc, ipam_pool_id=pool, next_token=token)
        assert refusal.value.reason == "InvalidNextToken"


async def test_usage_is_told_of_known_pools_in_the_order_asked(world: World) -> None:
    first, second = await world.pool("10.0.0.0/24"), await world.pool("10.1.0.0/16")
    gone = await world.define()
    await world.control_plane("RetireIpamPool", ipam_pool_id=gone)
    await world.allocate(first, netmask_length=26)
    answer = await world.control_plane(
        "GetIpamPoolUsage", ipam_pool_ids=[second, gone, "ipam-pool-ffffffffffffffff0", first]
    )
    assert [
        (found.ipam_pool_id, found.total_addresses, found.assigned_addresses)
        for found in answer.usages
    ] == [(second, "65536", "0"), (first, "256", "64")]


async def pages(world: World, rpc: str, **members: Any) -> list[list[Any]]:
    found: list[list[Any]] = []
    while True:
        answer = await world.owner(rpc, max_results=5, **members)
        found.append(list(answer.ipam_pool_allocations))
        if not answer.next_token:
            return found
        members["next_token"] = answer.next_token
