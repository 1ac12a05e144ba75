"""What other services read of IPAMs and pools, such as a check of the ledger (BEY-10)."""

from typing import Any

import pytest
import sqlalchemy as sa

from services.control_plane import tables
from services.control_plane.lifecycle import State
from services.control_plane.service.organizations import listing
from shared.errors import CadastreError
from shared.persistence.database import Database
from tests.control_plane.organizations import MANAGEMENT, OUTSIDER, an_organization
from tests.control_plane.world import (
    HOME,
    STRANGER,
    WEST,
    Client,
    World,
    on_sqlite_alone,
    settled,
)
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


async def listed_ipams(control: Client, max_results: int = 2) -> list[Any]:
    found: list[Any] = []
    token = ""
    while True:
        page = await control.inventory("ListIpams", max_results=max_results, next_token=token)
        assert len(page.ipams) <= max_results
        found += page.ipams
        token = page.next_token
        if not token:
            return found


async def test_every_ipam_is_listed_with_its_scopes(control: Client) -> None:
    assert await listed_ipams(control) == []
    made = []
    for number in range(3):
        client = control.acting_as(f"{number}" * 12)
        made.append(await client.create_ipam(tier="free" if number == 1 else "advanced"))
    more = (
        await control.acting_as("0" * 12)("CreateIpamScope", ipam_id=made[0].ipam_id)
    ).ipam_scope
    extra = {made[0].ipam_id: [more.ipam_scope_id]}
    found = await listed_ipams(control)
    assert [each.ipam_id for each in found] == sorted(ipam.ipam_id for ipam in made)
    by_id = {each.ipam_id: each for each in found}
    for ipam in made:
        each = by_id[ipam.ipam_id]
        assert (each.owner_id, each.region) == (ipam.owner_id, HOME)
        assert each.is_free_tier == (ipam.owner_id == "1" * 12)  # IPAM-4
        assert each.public_default_scope_id == ipam.public_default_scope_id
        assert each.private_default_scope_id == ipam.private_default_scope_id
        assert list(each.public_scope_ids) == [ipam.public_default_scope_id]
        private = [ipam.private_default_scope_id, *extra.get(ipam.ipam_id, [])]
        assert list(each.private_scope_ids) == private


async def test_an_ipam_is_listed_with_its_operating_regions_home_included(  # IPAM-2
    control: Client,
) -> None:
    ipam = await control.create_ipam(operating_regions=[{"region_name": "eu-west-1"}])
    [each] = await listed_ipams(control)
    assert sorted(each.operating_regions) == ["eu-west-1", HOME]
    change = {"add_operating_regions": [{"region_name": WEST}]}
    change["remove_operating_regions"] = [{"region_name": "eu-west-1"}]
    await control("ModifyIpam", ipam_id=ipam.ipam_id, **change)
    [each] = await listed_ipams(control)
    assert sorted(each.operating_regions) == [HOME, WEST]


@pytest.mark.parametrize("state", State)
async def test_ipams_and_scopes_on_their_way_are_told_as_such(world: World, state: State) -> None:
    async with world.serving() as client:
        ipam = await client.create_ipam()
        scope = (await client("CreateIpamScope", ipam_id=ipam.ipam_id)).ipam_scope
        passing = await client.acting_as(STRANGER).create_ipam()
    database = Database(world.settings.database_url)
    with database.write() as connection:
        for column, resource_id in (
            (tables.scopes.c.ipam_scope_id, scope.ipam_scope_id),
            (tables.ipams.c.ipam_id, passing.ipam_id),
        ):
            is_it = column == resource_id
            connection.execute(sa.update(column.table).where(is_it).values(state=state))
    database.close()
    async with world.serving() as client:
        found = {each.ipam_id: each for each in await listed_ipams(client)}
    is_made = state is not State.CREATE_IN_PROGRESS
    assert set(found) == {ipam.ipam_id, *([passing.ipam_id] if is_made else [])}
    held = [ipam.private_default_scope_id, scope.ipam_scope_id]
    is_deleted = state is State.DELETE_IN_PROGRESS
    if is_made:
        assert found[passing.ipam_id].is_being_deleted == is_deleted
    assert list(found[ipam.ipam_id].private_scope_ids) == held[: 1 if is_deleted else 2]


async def listed_organizations(control: Client, **members: Any) -> list[Any]:
    found: list[Any] = []
    token = ""
    while True:
        page = await control.inventory(
            "ListOrganizations", max_results=1, next_token=token, **members
        )
        found += page.organizations
        token = page.next_token
        if not token:
            return found


@on_sqlite_alone
async def test_every_organization_is_listed_with_its_accounts_and_ipam_administrator(
    control: Client, monkeypatch: pytest.MonkeyPatch
) -> None:  # ORG-2, IPAM-8
    assert await listed_organizations(control) == []
    ours, theirs = await an_organization(control), await an_organization(control, OUTSIDER)
    accounts = sorted([MANAGEMENT, *[await ours.account(name) for name in ("a", "b", "c")]])
    await ours.manager(
        "EnableIpamOrganizationAdminAccount", delegated_admin_account_id=ours.ids["b"]
    )
    monkeypatch.setattr(listing, "ACCOUNTS_PER_PART", 3)
    found = await listed_organizations(control)
    assert [one.organization_id for one in found] == sorted([ours.id, ours.id, theirs.id])
    parts = [one for one in found if one.organization_id == ours.id]
    assert [list(one.account_ids) for one in parts] == [accounts[:3], accounts[3:]]
    for part in parts:
        assert part.management_account_id == MANAGEMENT
        assert part.ipam_administrator_id == ours.ids["b"]
    [other] = [one for one in found if one.organization_id == theirs.id]
    assert (other.management_account_id, list(other.account_ids)) == (OUTSIDER, [OUTSIDER])
    assert not other.HasField("ipam_administrator_id")
    assert await listed_organizations(control, account_id=ours.ids["a"]) == parts
    assert await listed_organizations(control, account_id=STRANGER) == []


@on_sqlite_alone
async def test_an_ipam_is_listed_with_whether_it_distributes_costs(control: Client) -> None:
    # IPAM-8
    ours = await an_organization(control)
    administrator = await ours.account("ipam")
    await ours.manager(
        "EnableIpamOrganizationAdminAccount", delegated_admin_account_id=administrator
    )
    ipam = await ours.by("ipam").create_ipam()
    [each] = await listed_ipams(control)
    assert not each.distributes_costs
    await ours.by("ipam")("ModifyIpam", ipam_id=ipam.ipam_id, metered_account="resource-owner")
    [each] = await listed_ipams(control)
    assert each.distributes_costs


@pytest.mark.parametrize("rpc", ["ListIpamPools", "ListIpams", "ListOrganizations"])
async def test_only_services_read_the_inventory(control: Client, rpc: str) -> None:
    with pytest.raises(CadastreError) as refusal:
        await control.inventory(rpc, service="")
    assert refusal.value.reason == "UnauthorizedOperation"
