"""Scopes through the API."""

import asyncio
from typing import Any

import pytest

from shared.errors import CadastreError
from tests.control_plane.world import Client, on_sqlite_alone, state

AUTHORITY = {"type": "infoblox", "external_resource_identifier": "x"}


async def test_a_private_scope_is_created_changed_and_deleted(control: Client) -> None:  # SCP-2
    ipam = await control.create_ipam()
    answer = await control(
        "CreateIpamScope",
        ipam_id=ipam.ipam_id,
        description="lab",
        tag_specifications=[{"resource_type": "ipam-scope", "tags": [{"key": "a", "value": "b"}]}],
    )
    scope = answer.ipam_scope
    assert (state(scope), scope.is_default, scope.description) == (
        "create-in-progress",
        False,
        "lab",
    )
    assert [(tag.key, tag.value) for tag in scope.tags] == [("a", "b")]
    assert state((await control.scopes())[-1]) == "create-complete"
    assert (await control.ipams())[0].scope_count == 3

    members = {"ipam_scope_id": scope.ipam_scope_id}
    changed = await control("ModifyIpamScope", **members, description="bench")
    assert state(changed.ipam_scope) == "modify-in-progress"
    found = (await control.scopes())[-1]
    assert (state(found), found.description) == ("modify-complete", "bench")

    deleted = await control("DeleteIpamScope", **members)
    assert state(deleted.ipam_scope) == "delete-in-progress"
    with pytest.raises(CadastreError) as refusal:
        await control("DescribeIpamScopes", ipam_scope_ids=[scope.ipam_scope_id])
    assert refusal.value.reason == "InvalidIpamScopeId.NotFound"


async def test_an_ipam_has_five_scopes_even_when_creations_race(control: Client) -> None:  # SCP-2
    ipam_id = (await control.create_ipam()).ipam_id
    outcomes = await asyncio.gather(
        *(control("CreateIpamScope", ipam_id=ipam_id) for _ in range(6)), return_exceptions=True
    )
    refusals = [o.reason for o in outcomes if isinstance(o, CadastreError)]
    assert refusals == ["IpamScopeLimitExceeded"] * 3
    assert len(await control.scopes()) == 5


async def test_default_scopes_and_scopes_with_pools_stay(control: Client) -> None:  # SCP-3
    ipam = await control.create_ipam()
    for scope_id in (ipam.public_default_scope_id, ipam.private_default_scope_id):
        with pytest.raises(CadastreError) as refusal:
            await control("DeleteIpamScope", ipam_scope_id=scope_id)
        assert refusal.value.reason == "OperationNotPermitted"
    scope = (await control("CreateIpamScope", ipam_id=ipam.ipam_id)).ipam_scope
    pool = await control.create_pool(scope.ipam_scope_id)
    assert (await control.scopes())[-1].pool_count == 1
    with pytest.raises(CadastreError, match=pool.ipam_pool_id) as in_use:
        await control("DeleteIpamScope", ipam_scope_id=scope.ipam_scope_id)
    assert in_use.value.reason == "DependencyViolation"


async def test_the_free_tier_has_no_other_scopes(control: Client) -> None:  # IPAM-4
    ipam_id = (await control.create_ipam(tier="free")).ipam_id
    with pytest.raises(CadastreError) as refusal:
        await control("CreateIpamScope", ipam_id=ipam_id)
    assert refusal.value.reason == "OperationNotPermitted"


@on_sqlite_alone
@pytest.mark.parametrize(
    ("rpc", "members", "reason"),
    [
        (
            "CreateIpamScope",
            {"external_authority_configuration": AUTHORITY},
            "UnsupportedOperation",
        ),
        (
            "ModifyIpamScope",
            {"external_authority_configuration": AUTHORITY},
            "UnsupportedOperation",
        ),
        (
            "ModifyIpamScope",
            {
                "external_authority_configuration": AUTHORITY,
                "remove_external_authority_configuration": True,
            },
            "InvalidParameterCombination",
        ),
    ],
)
async def test_no_other_system_decides_over_a_scope(
    control: Client, rpc: str, members: dict[str, Any], reason: str
) -> None:
    ipam = await control.create_ipam()
    is_new = rpc == "CreateIpamScope"
    where = (
        {"ipam_id": ipam.ipam_id} if is_new else {"ipam_scope_id": ipam.private_default_scope_id}
    )
    with pytest.raises(CadastreError) as refusal:
        await control(rpc, **where, **members)
    assert refusal.value.reason == reason
