import pytest

from shared.errors import CadastreError
from tests.allocation.world import UNKNOWN_ALLOCATION, UNKNOWN_POOL, WEST, World


async def test_released_space_is_free_at_once(world: World) -> None:  # ALLOC-5, ALLOC-6
    pool = await world.pool("10.0.0.0/24")
    whole = await world.allocate(pool, netmask_length=24)
    answer = await world.owner(
        "ReleaseIpamPoolAllocation",
        ipam_pool_id=pool,
        cidr=whole.cidr,
        ipam_pool_allocation_id=whole.ipam_pool_allocation_id,
    )
    assert answer.success
    assert await world.allocations(pool) == []
    assert (await world.allocate(pool, netmask_length=24)).cidr == whole.cidr


async def test_a_release_names_the_right_pool_cidr_and_allocation(world: World) -> None:  # ALLOC-5
    pool, other = await world.pool("10.0.0.0/24"), await world.pool("10.0.1.0/24")
    held = await world.allocate(pool, netmask_length=25)
    held_id = held.ipam_pool_allocation_id
    for pool_id, cidr, allocation_id, reason in (
        (UNKNOWN_POOL, held.cidr, held_id, "InvalidIpamPoolId.NotFound"),
        (other, held.cidr, held_id, "InvalidIpamPoolAllocationId.NotFound"),
        (pool, held.cidr, UNKNOWN_ALLOCATION, "InvalidIpamPoolAllocationId.NotFound"),
        (pool, "10.0.0.0/26", held_id, "InvalidParameterValue"),
        (pool, "10.0.0.1/25", held_id, "InvalidParameterValue"),
        (pool, "", held_id, "MissingParameter"),
    ):
        with pytest.raises(CadastreError) as refusal:
            await world.owner(
                "ReleaseIpamPoolAllocation",
                ipam_pool_id=pool_id,
                cidr=cidr,
                ipam_pool_allocation_id=allocation_id,
            )
        assert refusal.value.reason == reason
    assert await world.allocations(pool) == [held]


async def test_what_is_released_twice_is_gone_the_second_time(world: World) -> None:  # ALLOC-5
    pool = await world.pool("10.0.0.0/24")
    held = await world.allocate(pool, netmask_length=25)
    await world.release(pool, held)
    with pytest.raises(CadastreError) as refusal:
        await world.release(pool, held)
    assert refusal.value.reason == "InvalidIpamPoolAllocationId.NotFound"
    assert (await world.usage(pool)).assigned_addresses == "0"


async def test_what_is_a_resources_or_a_pools_is_not_released_by_hand(world: World) -> None:
    # ALLOC-5
    top = await world.pool("10.0.0.0/8", locale=WEST)
    child = await world.define(source_ipam_pool_id=top)
    await world.provision(child, cidr="10.0.0.0/16")
    await world.allocate_to_vpc(top, "token", cidr="10.1.0.0/16")
    for held, instead in zip(
        await world.allocations(top),
        (f"Deprovision 10.0.0.0/16 from '{child}'", "Delete 'vpc-00000000000000001'"),
        strict=True,
    ):
        with pytest.raises(CadastreError, match=instead) as refusal:
            await world.release(top, held)
        assert refusal.value.reason == "OperationNotPermitted"
    assert len(await world.allocations(top)) == 2


async def test_a_dry_run_releases_nothing(world: World) -> None:
    pool = await world.pool("10.0.0.0/24")
    held = await world.allocate(pool, netmask_length=25)
    with pytest.raises(CadastreError) as refusal:
        await world.owner(
            "ReleaseIpamPoolAllocation",
            ipam_pool_id=pool,
            cidr=held.cidr,
            ipam_pool_allocation_id=held.ipam_pool_allocation_id,
            dry_run=True,
        )
    assert refusal.value.reason == "DryRunOperation"
    assert await world.allocations(pool) == [held]
