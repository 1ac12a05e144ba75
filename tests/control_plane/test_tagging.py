"""Tags of everything the context owns."""

from typing import Any

import pytest

from services.control_plane.service.tagging import kind_of
from shared.errors import CadastreError
from tests.control_plane.world import Client, on_sqlite_alone

UNKNOWN = "ipam-pool-00000000000000000"


def tags_of(record: Any) -> dict[str, str]:
    return {tag.key: tag.value for tag in record.tags}


async def test_tags_are_set_and_removed_on_all_named(control: Client) -> None:
    ipam = await control.create_ipam()
    scope_id = ipam.private_default_scope_id
    pool = await control.create_pool(scope_id)
    resources = [
        ipam.ipam_id,
        scope_id,
        pool.ipam_pool_id,
        ipam.default_resource_discovery_id,
        ipam.default_resource_discovery_association_id,
    ]
    await control(
        "CreateTags",
        resources=resources,
        tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}, {"key": "c"}],
    )
    await control(
        "DeleteTags",
        resources=resources,
        tags=[{"key": "a"}, {"key": "b", "value": "other"}, {"key": "absent"}],
    )
    [tagged_ipam], scopes = await control.ipams(), await control.scopes()
    for record in (tagged_ipam, scopes[1], await control.pool(pool.ipam_pool_id)):
        assert tags_of(record) == {"b": "2", "c": ""}
    assert tags_of(scopes[0]) == {}
    await control("DeleteTags", resources=resources)
    assert tags_of(await control.pool(pool.ipam_pool_id)) == {}


@pytest.mark.parametrize("rpc", ["CreateTags", "DeleteTags"])
async def test_all_or_none_are_tagged(control: Client, rpc: str) -> None:
    ipam = await control.create_ipam()
    await control("CreateTags", resources=[ipam.ipam_id], tags=[{"key": "a"}])
    with pytest.raises(CadastreError, match=UNKNOWN) as refusal:
        await control(rpc, resources=[ipam.ipam_id, UNKNOWN], tags=[{"key": "a"}, {"key": "b"}])
    assert refusal.value.reason == "InvalidIpamPoolId.NotFound"
    assert tags_of((await control.ipams())[0]) == {"a": ""}


@on_sqlite_alone
@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ([{"key": "aws:a"}], "InvalidParameterValue"),
        ([{"key": "a"}, {"key": "a"}], "InvalidParameterValue"),
        ([{"key": str(n)} for n in range(51)], "TagLimitExceeded"),
    ],
)
async def test_impossible_tags_are_refused(
    control: Client, tags: list[dict[str, str]], reason: str
) -> None:
    ipam = await control.create_ipam()
    with pytest.raises(CadastreError) as refusal:
        await control("CreateTags", resources=[ipam.ipam_id], tags=tags)
    assert refusal.value.reason == reason


async def test_a_dry_run_tags_nothing(control: Client) -> None:
    ipam = await control.create_ipam()
    with pytest.raises(CadastreError) as refusal:
        await control("CreateTags", resources=[ipam.ipam_id], tags=[{"key": "a"}], dry_run=True)
    assert refusal.value.reason == "DryRunOperation"
    assert tags_of((await control.ipams())[0]) == {}


@pytest.mark.parametrize(
    ("resource_id", "prefix"),
    [
        ("ipam-0de83dba6694560a9", "ipam-"),
        ("ipam-pool-0008f25d7187a08d9", "ipam-pool-"),
        ("ipam-res-disco-0008f25d7187a08d9", "ipam-res-disco-"),
        ("ipam-res-disco-assoc-0008f25d7187a08d9", "ipam-res-disco-assoc-"),
    ],
)
def test_the_longest_prefix_says_what_an_id_is(resource_id: str, prefix: str) -> None:
    assert kind_of(resource_id).prefix == prefix
