"""Pools through the API."""

import asyncio
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from shared.errors import CadastreError
from tests.control_plane.world import (
    ACCOUNT,
    HOME,
    IPV4,
    IPV6,
    WEST,
    Client,
    World,
    on_sqlite_alone,
    settled,
    state,
)


async def test_a_pool_comes_back_with_all_that_was_given(control: Client, world: World) -> None:
    ipam = await control.create_ipam()
    scope_id = ipam.private_default_scope_id
    top = await control.create_pool(scope_id)
    answer = await control.create_pool(
        scope_id,
        source_ipam_pool_id=top.ipam_pool_id,
        locale=WEST,
        description="regional",
        auto_import=True,
        allocation_min_netmask_length=0,
        allocation_max_netmask_length=28,
        allocation_default_netmask_length=24,
        allocation_resource_tags=[{"key": "env", "value": "prod"}],
        tag_specifications=[{"resource_type": "ipam-pool", "tags": [{"key": "a", "value": "b"}]}],
    )
    pool_id = answer.ipam_pool_id
    expected = {
        "owner_id": ACCOUNT,
        "ipam_pool_id": pool_id,
        "source_ipam_pool_id": top.ipam_pool_id,
        "ipam_pool_arn": f"arn:aws:ec2::{ACCOUNT}:ipam-pool/{pool_id}",
        "ipam_scope_arn": f"arn:aws:ec2::{ACCOUNT}:ipam-scope/{scope_id}",
        "ipam_scope_type": "IPAM_SCOPE_TYPE_PRIVATE",
        "ipam_arn": ipam.ipam_arn,
        "ipam_region": HOME,
        "locale": WEST,
        "pool_depth": 2,
        "state": "IPAM_POOL_STATE_CREATE_IN_PROGRESS",
        "description": "regional",
        "auto_import": True,
        "address_family": "ADDRESS_FAMILY_IPV4",
        "allocation_min_netmask_length": 0,
        "allocation_max_netmask_length": 28,
        "allocation_default_netmask_length": 24,
        "allocation_resource_tags": [{"key": "env", "value": "prod"}],
        "tags": [{"key": "a", "value": "b"}],
    }
    assert MessageToDict(answer, preserving_proto_field_name=True) == expected
    found = MessageToDict(await control.pool(pool_id), preserving_proto_field_name=True)
    assert found == {**expected, "state": "IPAM_POOL_STATE_CREATE_COMPLETE"}  # IPAM-10
    assert MessageToDict(
        world.ledger.definitions[pool_id], preserving_proto_field_name=True
    ) == {  # BEY-2, POOL-9
        "ipam_pool_id": pool_id,
        "version": "2",
        "ipam_id": ipam.ipam_id,
        "ipam_scope_id": scope_id,
        "ipam_scope_type": "IPAM_SCOPE_TYPE_PRIVATE",
        "owner_id": ACCOUNT,
        "ipam_region": HOME,
        "source_ipam_pool_id": top.ipam_pool_id,
        "address_family": "ADDRESS_FAMILY_IPV4",
        "locale": WEST,
        "allocation_min_netmask_length": 0,
        "allocation_max_netmask_length": 28,
        "allocation_default_netmask_length": 24,
        "allocation_resource_tags": [{"key": "env", "value": "prod"}],
        "auto_import": True,
        "cidr_quota": 50,
    }


async def test_a_public_pool_says_where_its_space_comes_from(  # POOL-1
    control: Client, world: World
) -> None:
    scope_id = (await control.create_ipam()).public_default_scope_id
    pool = await control.create_pool(
        scope_id, address_family=IPV6, publicly_advertisable=True, aws_service="ec2"
    )
    shown = MessageToDict(pool, preserving_proto_field_name=True)
    assert shown["public_ip_source"] == "IPAM_POOL_PUBLIC_IP_SOURCE_BYOIP"
    assert shown["aws_service"] == "IPAM_POOL_AWS_SERVICE_EC2"
    assert shown["publicly_advertisable"] is True
    definition = world.ledger.definitions[pool.ipam_pool_id]
    told = MessageToDict(definition, preserving_proto_field_name=True)
    for member in ("public_ip_source", "aws_service", "publicly_advertisable"):
        assert told[member] == shown[member]


@on_sqlite_alone
@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"locale": "mars-1"}, "InvalidParameterValue"),
        ({"allocation_min_netmask_length": 33}, "InvalidParameterValue"),
        ({"auto_import": True}, "InvalidParameterCombination"),
        ({"aws_service": "ec2"}, "InvalidParameterCombination"),
        ({"publicly_advertisable": False}, "InvalidParameterCombination"),
        ({"source_ipam_pool_id": "ipam-pool-" + "0" * 17}, "InvalidIpamPoolId.NotFound"),
        ({"ipam_scope_id": "ipam-scope-" + "0" * 17}, "InvalidIpamScopeId.NotFound"),
        ({"source_resource": {"resource_id": "vpc-1"}}, "MissingParameter"),
        ({"allocation_resource_tags": [{"value": "a"}]}, "InvalidParameterValue"),
        ({"dry_run": True}, "DryRunOperation"),
        ({"dry_run": True, "locale": "mars-1"}, "InvalidParameterValue"),
    ],
)
async def test_a_refused_creation_creates_nothing(
    control: Client, world: World, members: dict[str, Any], reason: str
) -> None:
    scope_id = (await control.create_ipam()).private_default_scope_id
    request = {"ipam_scope_id": scope_id, "address_family": IPV4, **members}
    with pytest.raises(CadastreError) as refusal:
        await control("CreateIpamPool", **request)
    assert refusal.value.reason == reason
    assert await control.pools() == []
    assert world.ledger.definitions == {}


async def test_a_scope_has_so_many_pools_even_when_creations_race(  # POOL-2
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_POOLS_PER_SCOPE", "3")
    monkeypatch.setenv("CADASTRE_QUOTA_POOL_DEPTH", "2")
    async with world.serving() as limited:
        scope_id = (await limited.create_ipam()).private_default_scope_id
        outcomes = await asyncio.gather(
            *(limited.create_pool(scope_id) for _ in range(5)), return_exceptions=True
        )
        refusals = [o.reason for o in outcomes if isinstance(o, CadastreError)]
        assert refusals == ["IpamPoolLimitExceeded"] * 2
        *_, last = await limited.pools()
        await limited("DeleteIpamPool", ipam_pool_id=last.ipam_pool_id)
        first, *_ = await limited.pools()
        child = await limited.create_pool(scope_id, source_ipam_pool_id=first.ipam_pool_id)
        with pytest.raises(CadastreError) as refusal:
            await limited.create_pool(scope_id, source_ipam_pool_id=child.ipam_pool_id)
        assert refusal.value.reason == "IpamPoolDepthLimitExceeded"


async def test_of_racing_twins_all_get_the_one_answer(control: Client) -> None:  # ALLOC-7
    scope_id = (await control.create_ipam()).private_default_scope_id
    answers = await asyncio.gather(
        *(control.create_pool(scope_id, client_token="twin") for _ in range(8))
    )
    assert answers == [answers[0]] * 8
    assert len(await control.pools()) == 1


async def test_rules_are_changed_and_the_ledger_hears_of_it(  # POOL-4
    control: Client, world: World
) -> None:
    scope_id = (await control.create_ipam()).private_default_scope_id
    pool = await control.create_pool(
        scope_id,
        locale=WEST,
        allocation_default_netmask_length=24,
        allocation_resource_tags=[{"key": "env", "value": "prod"}],
    )
    before = world.ledger.definitions[pool.ipam_pool_id]
    answer = await control(
        "ModifyIpamPool",
        ipam_pool_id=pool.ipam_pool_id,
        description="changed",
        auto_import=True,
        allocation_min_netmask_length=16,
        allocation_max_netmask_length=28,
        clear_allocation_default_netmask_length=True,
        add_allocation_resource_tags=[{"key": "team", "value": "a"}],
        remove_allocation_resource_tags=[{"key": "env", "value": "prod"}],
    )
    assert state(answer.ipam_pool) == "modify-in-progress"
    found = await control.pool(pool.ipam_pool_id)
    after = world.ledger.definitions[pool.ipam_pool_id]
    assert (state(found), found.description) == ("modify-complete", "changed")
    assert after.version > before.version
    for record in (found, after):
        assert record.auto_import
        assert record.allocation_min_netmask_length == 16
        assert record.allocation_max_netmask_length == 28
        assert not record.HasField("allocation_default_netmask_length")
        tags = [(tag.key, tag.value) for tag in record.allocation_resource_tags]
        assert tags == [("team", "a")]


@on_sqlite_alone
@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"allocation_min_netmask_length": 25}, "InvalidParameterValue"),
        ({"allocation_max_netmask_length": 33}, "InvalidParameterValue"),
        (
            {
                "allocation_default_netmask_length": 24,
                "clear_allocation_default_netmask_length": True,
            },
            "InvalidParameterCombination",
        ),
        ({"auto_import": True}, "InvalidParameterCombination"),
        ({"dry_run": True}, "DryRunOperation"),
    ],
)
async def test_a_refused_change_changes_nothing(
    control: Client, world: World, members: dict[str, Any], reason: str
) -> None:
    scope_id = (await control.create_ipam()).private_default_scope_id
    pool_id = (
        await control.create_pool(scope_id, allocation_default_netmask_length=24)
    ).ipam_pool_id
    before, told = await control.pool(pool_id), list(world.ledger.calls)
    with pytest.raises(CadastreError) as refusal:
        await control("ModifyIpamPool", ipam_pool_id=pool_id, **members)
    assert refusal.value.reason == reason
    assert await control.pool(pool_id) == before
    assert world.ledger.calls == told


async def test_a_pool_is_deleted_and_is_gone(control: Client, world: World) -> None:  # POOL-7
    scope_id = (await control.create_ipam()).private_default_scope_id
    pool_id = (await control.create_pool(scope_id)).ipam_pool_id
    answer = await control("DeleteIpamPool", ipam_pool_id=pool_id)
    assert state(answer.ipam_pool) == "delete-in-progress"
    assert world.ledger.retired == [pool_id]
    for rpc, members in [
        ("DescribeIpamPools", {"ipam_pool_ids": [pool_id]}),
        ("ModifyIpamPool", {"ipam_pool_id": pool_id}),
        ("DeleteIpamPool", {"ipam_pool_id": pool_id}),
    ]:
        with pytest.raises(CadastreError) as refusal:
            await control(rpc, **members)
        assert refusal.value.reason == "InvalidIpamPoolId.NotFound"


async def test_a_pool_that_holds_something_stays(control: Client, world: World) -> None:  # POOL-7
    scope_id = (await control.create_ipam()).private_default_scope_id
    parent_id = (await control.create_pool(scope_id)).ipam_pool_id
    child_id = (await control.create_pool(scope_id, source_ipam_pool_id=parent_id)).ipam_pool_id
    world.ledger.holdings[child_id] = "allocations"
    for pool_id, obstacle in [(parent_id, child_id), (child_id, "allocations")]:
        with pytest.raises(CadastreError, match=obstacle) as refusal:
            await control("DeleteIpamPool", ipam_pool_id=pool_id)
        assert refusal.value.reason == "DependencyViolation"
    assert {state(pool) for pool in await control.pools()} == {"create-complete"}
    assert world.ledger.retired == []


async def test_a_deletion_is_not_promised_while_nobody_can_say_what_the_pool_holds(
    control: Client, world: World
) -> None:
    scope_id = (await control.create_ipam()).private_default_scope_id
    pool_id = (await control.create_pool(scope_id)).ipam_pool_id
    world.ledger.is_down = True
    with pytest.raises(CadastreError) as refusal:
        await control("DeleteIpamPool", ipam_pool_id=pool_id)
    assert refusal.value.reason == "Unavailable"
    assert state(await control.pool(pool_id)) == "create-complete"


async def test_cascade_takes_the_children_first(control: Client, world: World) -> None:  # POOL-7
    scope_id = (await control.create_ipam()).private_default_scope_id
    other = await control.create_pool(scope_id)
    top = await control.create_pool(scope_id)
    child = await control.create_pool(scope_id, source_ipam_pool_id=top.ipam_pool_id)
    leaf = await control.create_pool(scope_id, source_ipam_pool_id=child.ipam_pool_id)
    world.ledger.holdings = {p.ipam_pool_id: "CIDRs" for p in (top, child, leaf)}
    await control("DeleteIpamPool", ipam_pool_id=top.ipam_pool_id, cascade=True)
    assert world.ledger.retired == [p.ipam_pool_id for p in (leaf, child, top)]
    assert [p.ipam_pool_id for p in await control.pools()] == [other.ipam_pool_id]


async def test_public_space_is_never_given_back_by_cascade(control: Client) -> None:
    scope_id = (await control.create_ipam()).public_default_scope_id
    pool = await control.create_pool(scope_id)
    with pytest.raises(CadastreError) as refusal:
        await control("DeleteIpamPool", ipam_pool_id=pool.ipam_pool_id, cascade=True)
    assert refusal.value.reason == "OperationNotPermitted"


@pytest.mark.parametrize("cascade", [False, True])
async def test_a_dry_run_of_a_deletion_deletes_nothing(
    control: Client, world: World, *, cascade: bool
) -> None:
    scope_id = (await control.create_ipam()).private_default_scope_id
    pool_id = (await control.create_pool(scope_id)).ipam_pool_id
    with pytest.raises(CadastreError) as refusal:
        await control("DeleteIpamPool", ipam_pool_id=pool_id, cascade=cascade, dry_run=True)
    assert refusal.value.reason == "DryRunOperation"
    assert state(await control.pool(pool_id)) == "create-complete"
    assert world.ledger.retired == []


async def test_a_pool_that_fills_while_it_is_deleted_is_usable_again(  # BEY-4
    control: Client, world: World
) -> None:
    scope_id = (await control.create_ipam()).private_default_scope_id
    pool_id = (await control.create_pool(scope_id)).ipam_pool_id
    world.ledger.holdings[pool_id] = "an allocation"
    world.ledger.dry_run_misses.add(pool_id)
    await control("DeleteIpamPool", ipam_pool_id=pool_id)
    failed = await control.pool(pool_id)
    assert (state(failed), failed.state_message) == (
        "delete-failed",
        f"'{pool_id}' has an allocation",
    )
    await control.create_pool(scope_id, source_ipam_pool_id=pool_id)
    await control("ModifyIpamPool", ipam_pool_id=pool_id, description="still here")
    mended = await settled(control, pool_id, "modify-complete")
    assert not mended.HasField("state_message")


async def test_nothing_is_created_under_a_pool_on_its_way_out(  # POOL-7
    control: Client, world: World
) -> None:
    scope_id = (await control.create_ipam()).private_default_scope_id
    pool_id = (await control.create_pool(scope_id)).ipam_pool_id
    world.ledger.is_down = True
    await control("DeleteIpamPool", ipam_pool_id=pool_id, cascade=True)
    with pytest.raises(CadastreError) as refusal:
        await control.create_pool(scope_id, source_ipam_pool_id=pool_id)
    assert refusal.value.reason == "IncorrectState"
