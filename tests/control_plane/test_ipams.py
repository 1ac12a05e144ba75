"""IPAMs through the API."""

import asyncio
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from shared.errors import CadastreError
from tests.control_plane.world import (
    ACCOUNT,
    HOME,
    IPV6,
    STRANGER,
    WEST,
    Client,
    World,
    on_sqlite_alone,
    settled,
    state,
)
from tests.waiting import eventually


async def test_an_ipam_comes_with_all_that_belongs_to_it(control: Client) -> None:  # IPAM-1
    answer = await control.create_ipam(
        description="my-ipam",
        tag_specifications=[
            {"resource_type": "ipam", "tags": [{"key": "Name", "value": "a"}, {"key": "cost"}]}
        ],
    )
    assert MessageToDict(answer, preserving_proto_field_name=True) == {
        "owner_id": ACCOUNT,
        "ipam_id": answer.ipam_id,
        "ipam_arn": f"arn:aws:ec2::{ACCOUNT}:ipam/{answer.ipam_id}",
        "ipam_region": HOME,
        "public_default_scope_id": answer.public_default_scope_id,
        "private_default_scope_id": answer.private_default_scope_id,
        "scope_count": 2,
        "description": "my-ipam",
        "operating_regions": [{"region_name": WEST}, {"region_name": HOME}],
        "state": "IPAM_STATE_CREATE_IN_PROGRESS",
        "tags": [{"key": "Name", "value": "a"}, {"key": "cost", "value": ""}],
        "default_resource_discovery_id": answer.default_resource_discovery_id,
        "default_resource_discovery_association_id": (
            answer.default_resource_discovery_association_id
        ),
        "resource_discovery_association_count": 1,
        "tier": "IPAM_TIER_ADVANCED",
        "enable_private_gua": False,
        "metered_account": "IPAM_METERED_ACCOUNT_IPAM_OWNER",
    }
    assert answer.default_resource_discovery_id.startswith("ipam-res-disco-")
    assert answer.default_resource_discovery_association_id.startswith("ipam-res-disco-assoc-")

    [ipam] = await control.ipams()
    assert state(ipam) == "create-complete"  # IPAM-10
    ipam.state = answer.state
    assert ipam == answer
    scopes = await control.scopes()
    assert [MessageToDict(scope, preserving_proto_field_name=True) for scope in scopes] == [
        {
            "owner_id": ACCOUNT,
            "ipam_scope_id": scope_id,
            "ipam_scope_arn": f"arn:aws:ec2::{ACCOUNT}:ipam-scope/{scope_id}",
            "ipam_arn": ipam.ipam_arn,
            "ipam_region": HOME,
            "ipam_scope_type": f"IPAM_SCOPE_TYPE_{scope_type}",
            "is_default": True,
            "pool_count": 0,
            "state": "IPAM_SCOPE_STATE_CREATE_COMPLETE",
        }
        for scope_id, scope_type in [
            (ipam.public_default_scope_id, "PUBLIC"),
            (ipam.private_default_scope_id, "PRIVATE"),
        ]
    ]


async def test_an_account_has_one_ipam_per_region(control: Client) -> None:  # IPAM-2
    await control.create_ipam()
    with pytest.raises(CadastreError) as refusal:
        await control.create_ipam()
    assert refusal.value.reason == "IpamLimitExceeded"
    await control.acting_as(region=WEST).create_ipam()
    await control.acting_as(STRANGER).create_ipam()


async def test_of_racing_creations_one_wins(control: Client) -> None:  # IPAM-2
    outcomes = await asyncio.gather(
        *(control.create_ipam(client_token=f"token-{n}") for n in range(8)), return_exceptions=True
    )
    refusals = [o.reason for o in outcomes if isinstance(o, CadastreError)]
    assert refusals == ["IpamLimitExceeded"] * 7
    assert len(await control.ipams()) == 1


async def test_of_racing_twins_all_get_the_one_answer(control: Client) -> None:  # ALLOC-7
    answers = await asyncio.gather(*(control.create_ipam(client_token="twin") for _ in range(8)))
    assert answers == [answers[0]] * 8
    assert len(await control.ipams()) == 1


@on_sqlite_alone
@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"operating_regions": [{"region_name": "mars-1"}]}, "InvalidParameterValue"),
        ({"operating_regions": [{}]}, "InvalidParameterValue"),
        ({"metered_account": "resource-owner"}, "OperationNotPermitted"),
        (
            {"tag_specifications": [{"resource_type": "ipam-pool", "tags": [{"key": "a"}]}]},
            "InvalidParameterValue",
        ),
        (
            {"tag_specifications": [{"resource_type": "ipam", "tags": [{"key": "aws:a"}]}]},
            "InvalidParameterValue",
        ),
        ({"dry_run": True}, "DryRunOperation"),
    ],
)
async def test_a_refused_creation_creates_nothing(
    control: Client, members: dict[str, Any], reason: str
) -> None:
    with pytest.raises(CadastreError) as refusal:
        await control.create_ipam(**members)
    assert refusal.value.reason == reason
    assert await control.ipams() == []
    assert await control.scopes() == []


async def test_an_ipam_is_changed_and_says_so(control: Client) -> None:  # IPAM-10
    ipam_id = (await control.create_ipam()).ipam_id
    answer = await control(
        "ModifyIpam",
        ipam_id=ipam_id,
        description="new",
        add_operating_regions=[{"region_name": "eu-west-1"}],
        remove_operating_regions=[{"region_name": WEST}],
        tier="free",
    )
    assert state(answer.ipam) == "modify-in-progress"
    [ipam] = await control.ipams()
    assert state(ipam) == "modify-complete"
    assert ipam.description == "new"
    assert [region.region_name for region in ipam.operating_regions] == [HOME, "eu-west-1"]


async def test_a_locale_stays_an_operating_region(control: Client) -> None:  # IPAM-3
    ipam = await control.create_ipam()
    pool = await control.create_pool(ipam.private_default_scope_id, locale=WEST)
    with pytest.raises(CadastreError, match=pool.ipam_pool_id) as refusal:
        await control(
            "ModifyIpam",
            ipam_id=ipam.ipam_id,
            remove_operating_regions=[{"region_name": WEST}],
        )
    assert refusal.value.reason == "DependencyViolation"


async def test_the_free_tier_waits_for_what_stands_in_the_way(control: Client) -> None:  # IPAM-5
    ipam = await control.create_ipam()
    pool = await control.create_pool(ipam.private_default_scope_id, locale=HOME)
    with pytest.raises(CadastreError, match=pool.ipam_pool_id) as refusal:
        await control("ModifyIpam", ipam_id=ipam.ipam_id, tier="free")
    assert refusal.value.reason == "DependencyViolation"


async def test_the_ledger_hears_that_private_gua_is_allowed(  # IPAM-7
    control: Client, world: World
) -> None:
    ipam = await control.create_ipam()
    pools = [await control.create_pool(ipam.private_default_scope_id) for _ in range(2)]
    assert not any(d.enable_private_gua for d in world.ledger.definitions.values())
    await control("ModifyIpam", ipam_id=ipam.ipam_id, enable_private_gua=True)
    assert world.ledger.definitions.keys() == {pool.ipam_pool_id for pool in pools}
    assert all(d.enable_private_gua for d in world.ledger.definitions.values())
    [changed] = await control.ipams()
    assert (state(changed), changed.enable_private_gua) == ("modify-complete", True)


async def test_a_refused_change_is_seen_at_once(control: Client, world: World) -> None:  # BEY-4
    ipam = await control.create_ipam()
    pool = await control.create_pool(ipam.private_default_scope_id)
    world.ledger.refusals[pool.ipam_pool_id] = "no such thing"
    await control("ModifyIpam", ipam_id=ipam.ipam_id, enable_private_gua=True)
    [failed] = await control.ipams()
    assert (state(failed), failed.state_message) == ("modify-failed", "no such thing")
    world.ledger.refusals.clear()
    await control("ModifyIpam", ipam_id=ipam.ipam_id, description="again")
    [mended] = await control.ipams()
    assert (state(mended), mended.HasField("state_message")) == ("modify-complete", False)


async def test_an_ipam_that_holds_something_stays(control: Client) -> None:  # IPAM-9
    ipam = await control.create_ipam()
    pool = await control.create_pool(ipam.private_default_scope_id)
    scope = (await control("CreateIpamScope", ipam_id=ipam.ipam_id)).ipam_scope
    with pytest.raises(CadastreError, match=f"{pool.ipam_pool_id}, {scope.ipam_scope_id}") as no:
        await control("DeleteIpam", ipam_id=ipam.ipam_id)
    assert no.value.reason == "DependencyViolation"
    public = await control.create_pool(ipam.public_default_scope_id)
    with pytest.raises(CadastreError, match=public.ipam_pool_id) as refusal:
        await control("DeleteIpam", ipam_id=ipam.ipam_id, cascade=True)
    assert refusal.value.reason == "DependencyViolation"
    assert {state(pool) for pool in await control.pools()} == {"create-complete"}


async def test_an_empty_ipam_is_deleted_with_its_scopes(control: Client) -> None:  # IPAM-9
    ipam = await control.create_ipam()
    answer = await control("DeleteIpam", ipam_id=ipam.ipam_id)
    assert state(answer.ipam) == "delete-in-progress"
    assert (await control.ipams(), await control.scopes()) == ([], [])
    with pytest.raises(CadastreError) as refusal:
        await control("DescribeIpams", ipam_ids=[ipam.ipam_id])
    assert refusal.value.reason == "InvalidIpamId.NotFound"
    await control.create_ipam()


async def test_cascade_deletes_pools_deepest_first(control: Client, world: World) -> None:  # IPAM-9
    ipam = await control.create_ipam()
    scope = (await control("CreateIpamScope", ipam_id=ipam.ipam_id)).ipam_scope
    top = await control.create_pool(scope.ipam_scope_id)
    child = await control.create_pool(scope.ipam_scope_id, source_ipam_pool_id=top.ipam_pool_id)
    leaf = await control.create_pool(scope.ipam_scope_id, source_ipam_pool_id=child.ipam_pool_id)
    world.ledger.holdings = {p.ipam_pool_id: "CIDRs" for p in (top, child, leaf)}
    await control("DeleteIpam", ipam_id=ipam.ipam_id, cascade=True)
    assert world.ledger.retired == [p.ipam_pool_id for p in (leaf, child, top)]
    assert await control.ipams() == await control.scopes() == await control.pools() == []


async def test_nothing_is_created_under_an_ipam_on_its_way_out(  # IPAM-9
    control: Client, world: World
) -> None:
    ipam = await control.create_ipam()
    scope_id = ipam.private_default_scope_id
    pool = await control.create_pool(scope_id)
    world.ledger.is_down = True
    await control("DeleteIpam", ipam_id=ipam.ipam_id, cascade=True)
    assert state((await control.ipams())[0]) == "delete-in-progress"
    for rpc, members in [
        ("CreateIpamScope", {"ipam_id": ipam.ipam_id}),
        ("CreateIpamPool", {"ipam_scope_id": scope_id, "address_family": IPV6}),
        ("ModifyIpamPool", {"ipam_pool_id": pool.ipam_pool_id}),
        ("ModifyIpam", {"ipam_id": ipam.ipam_id}),
        ("ModifyIpamScope", {"ipam_scope_id": scope_id}),
    ]:
        with pytest.raises(CadastreError) as refusal:
            await control(rpc, **members)
        assert refusal.value.reason == "IncorrectState", rpc
    world.ledger.is_down = False

    async def is_gone() -> bool:
        return await control.ipams() == []

    await eventually(is_gone)


async def test_a_cascade_the_ledger_refuses_leaves_the_rest_usable(  # BEY-4
    control: Client, world: World
) -> None:
    ipam = await control.create_ipam()
    scope_id = ipam.private_default_scope_id
    top = await control.create_pool(scope_id)
    child = await control.create_pool(scope_id, source_ipam_pool_id=top.ipam_pool_id)
    world.ledger.refusals[top.ipam_pool_id] = "kept by law"
    await control("DeleteIpam", ipam_id=ipam.ipam_id, cascade=True)
    [failed] = await control.ipams()
    assert (state(failed), failed.state_message) == ("delete-failed", "kept by law")
    assert world.ledger.retired == [child.ipam_pool_id]
    assert [state(pool) for pool in await control.pools()] == ["delete-failed"]
    world.ledger.refusals.clear()
    await control("ModifyIpamPool", ipam_pool_id=top.ipam_pool_id, description="still here")
    await settled(control, top.ipam_pool_id, "modify-complete")
    await control("DeleteIpam", ipam_id=ipam.ipam_id, cascade=True)
    assert await control.ipams() == []
