import pytest

from shared.errors import CadastreError
from tests.allocation.world import STRANGER, WEST, World


async def test_a_newer_definition_counts_from_now_on(world: World) -> None:  # POOL-4, POOL-9
    pool = await world.pool("10.0.0.0/16", allocation_max_netmask_length=24)
    with pytest.raises(CadastreError, match="0-24"):
        await world.allocate(pool, netmask_length=28)
    await world.define(pool, version=3, allocation_max_netmask_length=28)
    await world.allocate(pool, netmask_length=28)
    await world.define(pool, version=2, allocation_max_netmask_length=20)
    await world.allocate(pool, netmask_length=28)


async def test_what_is_immutable_stays(world: World) -> None:
    pool = await world.pool("10.0.0.0/16")
    with pytest.raises(CadastreError, match="immutable"):
        await world.define(pool, version=2, owner_id=STRANGER)
    await world.allocate(pool, netmask_length=28)


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "never heard of"])
async def test_a_retired_pool_never_comes_back(world: World, *, is_known: bool) -> None:  # POOL-7
    pool = await world.define() if is_known else "ipam-pool-eeeeeeeeeeeeeeee0"
    for _ in range(2):
        await world.control_plane("RetireIpamPool", ipam_pool_id=pool)
    with pytest.raises(CadastreError) as refusal:
        await world.define(pool, version=9)
    assert refusal.value.reason == "IncorrectState"
    with pytest.raises(CadastreError) as gone:
        await world.owner("GetIpamPoolCidrs", ipam_pool_id=pool)
    assert gone.value.reason == "InvalidIpamPoolId.NotFound"


async def test_a_pool_that_has_something_is_not_retired(world: World) -> None:  # POOL-7
    pool = await world.pool("10.0.0.0/16")
    held = await world.allocate(pool, netmask_length=24)
    await refused(world, pool, "1 allocations")
    await world.release(pool, held)
    await refused(world, pool, "10.0.0.0/16")
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool)
    child = await world.define(source_ipam_pool_id=pool)
    await refused(world, pool, child)
    await world.control_plane("RetireIpamPool", ipam_pool_id=child)
    with pytest.raises(CadastreError) as dry:
        await world.control_plane("RetireIpamPool", ipam_pool_id=pool, dry_run=True)
    assert dry.value.reason == "DryRunOperation"
    await world.control_plane("RetireIpamPool", ipam_pool_id=pool)


async def test_cascade_gives_everything_back(world: World) -> None:  # IPAM-9, POOL-7
    top = await world.pool("10.0.0.0/8")
    child = await world.define(source_ipam_pool_id=top, locale=WEST)
    await world.provision(child, cidr="10.0.0.0/16")
    await world.allocate(child, netmask_length=24)
    await world.allocate_to_vpc(child, "token", netmask_length=24)
    await refused(world, top, child, cascade=True)
    await world.control_plane("RetireIpamPool", ipam_pool_id=child, cascade=True)
    assert await world.allocations(top) == []
    assert (await world.usage(top)).allocated_addresses == "0"
    listed = await world.control_plane("ListResourceAllocations", service="network")
    assert not listed.resource_allocations
    await world.control_plane("RetireIpamPool", ipam_pool_id=top, cascade=True)
    await world.pool("10.0.0.0/8")


async def test_a_child_waits_for_its_source(world: World) -> None:  # POOL-8
    child = await world.define(source_ipam_pool_id="ipam-pool-eeeeeeeeeeeeeeee1")
    with pytest.raises(CadastreError, match="ipam-pool-eeeeeeeeeeeeeeee1") as refusal:
        await world.provision(child, netmask_length=16)
    assert refusal.value.reason == "IncorrectState"


async def refused(world: World, pool: str, says: str, *, cascade: bool = False) -> None:
    for dry_run in (True, False):
        with pytest.raises(CadastreError, match=says) as refusal:
            await world.control_plane(
                "RetireIpamPool", ipam_pool_id=pool, cascade=cascade, dry_run=dry_run
            )
        assert refusal.value.reason == "DependencyViolation"
