"""What a check compares the ledger with (BEY-10)."""

from typing import Any

import pytest

from shared.errors import CadastreError
from tests.control_plane.world import STRANGER, Client, World, settled
from tests.waiting import eventually


async def listed(control: Client) -> dict[str, tuple[int, bool]]:
    """Definition versions, and whether they change, by pool id."""
    found: list[Any] = []
    token = ""
    while True:
        page = await control.inventory(max_results=2, next_token=token)
        found += page.ipam_pools
        token = page.next_token
        if not token:
            break
    assert [pool.ipam_pool_id for pool in found] == sorted(pool.ipam_pool_id for pool in found)
    return {pool.ipam_pool_id: (pool.definition_version, pool.is_changing) for pool in found}


async def test_every_pool_is_listed_with_what_the_ledger_was_told(
    control: Client, world: World
) -> None:
    assert await listed(control) == {}
    pools = []
    for client in (control, control.acting_as(STRANGER)):
        scope_id = (await client.create_ipam()).private_default_scope_id
        pools += [await client.create_pool(scope_id) for _ in range(3)]
    told = {pool_id: found.version for pool_id, found in world.ledger.definitions.items()}
    assert len(told) == len(pools) == 6
    assert await listed(control) == {pool_id: (told[pool_id], False) for pool_id in told}


async def test_what_is_under_way_is_listed_as_such(control: Client, world: World) -> None:
    # POOL-9: the ledger may know more or less of it.
    ipam = await control.create_ipam()
    first = (await control.create_pool(ipam.private_default_scope_id)).ipam_pool_id
    world.ledger.is_down = True
    second = (await control.create_pool(ipam.private_default_scope_id)).ipam_pool_id
    versions = await listed(control)
    assert (versions[first][1], versions[second][1]) == (False, True)
    await control("ModifyIpam", ipam_id=ipam.ipam_id, enable_private_gua=True)
    changing = await listed(control)
    assert changing[first] == (versions[first][0] + 1, True)
    world.ledger.is_down = False
    await eventually(lambda: is_still(control, first))
    await settled(control, second, "create-complete")
    assert world.ledger.definitions[first].version == (await listed(control))[first][0]


async def is_still(control: Client, pool_id: str) -> bool:
    return not (await listed(control))[pool_id][1]


async def test_only_what_the_ledger_is_told_makes_a_new_version(
    control: Client, world: World
) -> None:
    ipam = await control.create_ipam()
    pool = (await control.create_pool(ipam.private_default_scope_id)).ipam_pool_id
    before = await listed(control)
    await control("ModifyIpam", ipam_id=ipam.ipam_id, description="new")
    assert await listed(control) == before
    await control("ModifyIpamPool", ipam_pool_id=pool, description="new")
    await settled(control, pool, "modify-complete")
    assert world.ledger.definitions[pool].version == (await listed(control))[pool][0]


async def test_the_ledger_is_told_anew_of_what_it_kept(control: Client, world: World) -> None:
    ipam = await control.create_ipam()
    pool = (await control.create_pool(ipam.private_default_scope_id)).ipam_pool_id
    before, _ = (await listed(control))[pool]
    world.ledger.dry_run_misses.add(pool)
    world.ledger.holdings[pool] = "an allocation"
    await control("DeleteIpamPool", ipam_pool_id=pool)
    await settled(control, pool, "delete-failed")

    async def is_told() -> bool:
        version, is_changing = (await listed(control))[pool]
        told = world.ledger.definitions[pool].version
        return not is_changing and version == told > before

    await eventually(is_told)


async def test_only_services_read_the_inventory(control: Client) -> None:
    with pytest.raises(CadastreError) as refusal:
        await control.inventory(service="")
    assert refusal.value.reason == "UnauthorizedOperation"
