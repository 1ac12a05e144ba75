"""What becomes of acknowledged commands when the ledger, or this service, goes away."""

import pytest

from shared.errors import CadastreError
from tests.control_plane.share_world import a_company
from tests.control_plane.world import Client, World, settled, state
from tests.waiting import eventually


async def test_a_pool_made_while_the_ledger_is_down_completes_when_it_is_up(  # IPAM-10
    control: Client, world: World
) -> None:
    scope_id = (await control.create_ipam()).private_default_scope_id
    world.ledger.is_down = True
    pool = await control.create_pool(scope_id)
    assert state(await control.pool(pool.ipam_pool_id)) == "create-in-progress"
    world.ledger.is_down = False
    await settled(control, pool.ipam_pool_id, "create-complete")
    assert pool.ipam_pool_id in world.ledger.definitions


async def test_the_last_of_several_changes_is_the_one_that_completes(  # POOL-4
    control: Client, world: World
) -> None:
    scope_id = (await control.create_ipam()).private_default_scope_id
    world.ledger.is_down = True
    pool_id = (await control.create_pool(scope_id)).ipam_pool_id
    await control("ModifyIpamPool", ipam_pool_id=pool_id, allocation_min_netmask_length=8)
    await control("ModifyIpamPool", ipam_pool_id=pool_id, allocation_min_netmask_length=16)
    world.ledger.up_for = 1

    async def is_next_step_tried() -> bool:
        return pool_id in world.ledger.definitions and world.ledger.calls_when_down > refused

    refused = world.ledger.calls_when_down
    await eventually(is_next_step_tried)
    assert state(await control.pool(pool_id)) == "modify-in-progress"
    world.ledger.is_down = False
    await settled(control, pool_id, "modify-complete")
    assert world.ledger.definitions[pool_id].allocation_min_netmask_length == 16


async def test_a_refused_creation_fails_at_once_and_is_never_repeated(  # BEY-4
    control: Client, world: World
) -> None:
    scope_id = (await control.create_ipam()).private_default_scope_id
    world.ledger.is_down = True
    pool_id = (await control.create_pool(scope_id)).ipam_pool_id
    world.ledger.refusals[pool_id] = "never"
    world.ledger.is_down = False
    failed = await settled(control, pool_id, "create-failed")
    assert failed.state_message == "never"
    calls = len(world.ledger.calls)
    await control.create_pool(scope_id)
    assert len(world.ledger.calls) == calls + 1


async def test_one_refused_pool_keeps_no_other_from_its_new_definition(  # BEY-4
    control: Client, world: World
) -> None:
    ipam = await control.create_ipam()
    scope_id = ipam.private_default_scope_id
    pools = [(await control.create_pool(scope_id)).ipam_pool_id for _ in range(3)]
    for pool_id in pools:
        await settled(control, pool_id, "create-complete")
    world.ledger.refusals[pools[0]] = world.ledger.refusals[pools[2]] = "never"
    await control("ModifyIpam", ipam_id=ipam.ipam_id, enable_private_gua=True)

    async def has_failed() -> bool:
        return state((await control.ipams())[0]) == "modify-failed"

    await eventually(has_failed)
    assert (await control.ipams())[0].state_message == "never"
    assert world.ledger.definitions[pools[1]].enable_private_gua


async def test_a_pool_deleted_meanwhile_fails_no_change_of_its_ipam(  # IPAM-10
    control: Client, world: World
) -> None:
    ipam = await control.create_ipam()
    scope_id = ipam.private_default_scope_id
    doomed = (await control.create_pool(scope_id)).ipam_pool_id
    await settled(control, doomed, "create-complete")
    world.ledger.is_lost_after_retiring.add(doomed)
    await control("DeleteIpamPool", ipam_pool_id=doomed)

    async def is_retired() -> bool:
        return doomed in world.ledger.retired

    await eventually(is_retired)
    await control("ModifyIpam", ipam_id=ipam.ipam_id, enable_private_gua=True)

    async def is_modified() -> bool:
        return state((await control.ipams())[0]) == "modify-complete"

    await eventually(is_modified)
    assert state(await control.pool(doomed)) == "delete-in-progress"


async def test_a_crash_between_row_and_step_resumes(world: World) -> None:  # design.md section 5
    async with world.serving() as before:
        ipam = await before.create_ipam()
        world.ledger.is_down = True
        pool_id = (await before.create_pool(ipam.private_default_scope_id)).ipam_pool_id
    world.ledger.is_down = False
    async with world.serving() as after:
        await settled(after, pool_id, "create-complete")


async def test_a_crash_in_the_middle_of_a_cascade_resumes(world: World) -> None:  # IPAM-9
    async with world.serving() as before:
        ipam = await before.create_ipam()
        scope_id = ipam.private_default_scope_id
        top = await before.create_pool(scope_id)
        leaf = await before.create_pool(scope_id, source_ipam_pool_id=top.ipam_pool_id)
        world.ledger.is_lost_after_retiring.add(leaf.ipam_pool_id)
        await before("DeleteIpam", ipam_id=ipam.ipam_id, cascade=True)
        assert state((await before.ipams())[0]) == "delete-in-progress"
    assert world.ledger.retired == [leaf.ipam_pool_id]
    world.ledger.is_lost_after_retiring.clear()
    async with world.serving() as after:

        async def is_gone() -> bool:
            return await after.ipams() == []

        await eventually(is_gone)
        assert world.ledger.retired == [leaf.ipam_pool_id, top.ipam_pool_id]
        assert await after.pools() == await after.scopes() == []


async def test_a_first_answer_is_given_again_after_a_restart(world: World) -> None:  # BEY-5
    async with world.serving() as before:
        ipam = await before.create_ipam(client_token="i")
        first = await before.create_pool(ipam.private_default_scope_id, client_token="p")
    async with world.serving() as after:
        assert await after.create_ipam(client_token="i") == ipam
        again = await after.create_pool(ipam.private_default_scope_id, client_token="p")
        assert again == first
        assert len(await after.pools()) == 1


async def test_a_token_with_other_parameters_is_refused(control: Client) -> None:  # ALLOC-7
    ipam = await control.create_ipam(client_token="i")
    with pytest.raises(CadastreError) as refusal:
        await control.create_ipam(client_token="i", description="other")
    assert refusal.value.reason == "IdempotentParameterMismatch"
    scope = await control("CreateIpamScope", ipam_id=ipam.ipam_id, client_token="i")
    again = await control("CreateIpamScope", ipam_id=ipam.ipam_id, client_token="i")
    assert scope == again
    assert len(await control.scopes()) == 3


async def test_a_changed_quota_reaches_the_ledger_with_the_next_start(  # requirements section 14
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.serving() as before:
        ipam = await before.create_ipam()
        pool_id = (await before.create_pool(ipam.private_default_scope_id)).ipam_pool_id
        amazons = await before.create_pool(
            ipam.public_default_scope_id,
            public_ip_source="amazon",
            locale="us-east-1",
            aws_service="ec2",
        )
    assert world.ledger.definitions[pool_id].cidr_quota == 50
    monkeypatch.setenv("CADASTRE_QUOTA_CIDRS_PER_POOL", "70")
    monkeypatch.setenv("CADASTRE_QUOTA_AMAZON_IPV4_BLOCKS", "7")
    async with world.serving() as after:

        async def is_told() -> bool:
            of_amazons = world.ledger.definitions[amazons.ipam_pool_id].amazon_block_quota
            is_seven = of_amazons.blocks == 7
            return is_seven and world.ledger.definitions[pool_id].cidr_quota == 70

        await eventually(is_told)
        assert state((await after.ipams())[0]) == "create-complete"


async def test_who_is_not_let_in_by_the_ledger_tries_again(  # BEY-4
    control: Client, world: World
) -> None:
    scope_id = (await control.create_ipam()).private_default_scope_id
    world.ledger.is_shut = True
    pool_id = (await control.create_pool(scope_id)).ipam_pool_id
    assert state(await control.pool(pool_id)) == "create-in-progress"
    world.ledger.is_shut = False
    await settled(control, pool_id, "create-complete")
    assert pool_id in world.ledger.definitions


async def test_what_was_unshared_while_a_pool_was_to_go_is_told_when_it_stays(  # ORG-4
    control: Client, world: World
) -> None:
    company = await a_company(control)
    pool = await company.a_pool()
    share_arn = await company.share(pool.ipam_pool_arn, principals=[company.developer])
    assert list(world.ledger.definitions[pool.ipam_pool_id].shared_with) == [company.developer]
    owner = control.acting_as(company.owner)
    world.ledger.dry_run_misses.add(pool.ipam_pool_id)
    world.ledger.holdings[pool.ipam_pool_id] = "an allocation"
    world.ledger.up_for, world.ledger.is_down = 1, True
    await owner("DeleteIpamPool", ipam_pool_id=pool.ipam_pool_id)
    await company.ram(company.owner, "DeleteResourceShare", resource_share_arn=share_arn)
    world.ledger.is_down = False
    kept = await settled(owner, pool.ipam_pool_id, "delete-failed")

    async def is_told() -> bool:
        return not world.ledger.definitions[pool.ipam_pool_id].shared_with

    await eventually(is_told)
    assert "an allocation" in (await owner.pool(pool.ipam_pool_id)).state_message
    assert kept.ipam_pool_id == pool.ipam_pool_id
