"""Who sees what, where, and in which pages."""

from typing import Any

import pytest

from cadastre.control.v1 import control_service_pb2 as pb
from shared.errors import CadastreError
from shared.paging import token_after
from tests.control_plane.world import STRANGER, WEST, Client, on_sqlite_alone


async def test_another_account_sees_and_changes_nothing(control: Client) -> None:  # ORG-10, BEY-12
    ipam = await control.create_ipam()
    pool = await control.create_pool(ipam.private_default_scope_id)
    stranger = control.acting_as(STRANGER)
    own = await stranger.create_ipam()
    for rpc, members, reason in calls_with(ipam, pool):
        with pytest.raises(CadastreError) as refusal:
            await stranger(rpc, **members)
        assert refusal.value.reason == reason, rpc
    with pytest.raises(CadastreError) as source:
        await stranger.create_pool(
            own.private_default_scope_id, source_ipam_pool_id=pool.ipam_pool_id
        )
    assert source.value.reason == "InvalidIpamPoolId.NotFound"
    assert [i.ipam_id for i in await stranger.ipams()] == [own.ipam_id]
    assert await stranger.pools() == []


async def test_an_ipam_is_known_in_its_home_region_only(control: Client) -> None:  # IPAM-1
    ipam = await control.create_ipam()
    pool = await control.create_pool(ipam.private_default_scope_id)
    elsewhere = control.acting_as(region=WEST)
    for rpc, members, reason in calls_with(ipam, pool):
        with pytest.raises(CadastreError) as refusal:
            await elsewhere(rpc, **members)
        assert refusal.value.reason == reason, rpc
    assert await elsewhere.ipams() == await elsewhere.scopes() == await elsewhere.pools() == []
    await elsewhere.create_ipam()
    for rpc, members, reason in calls_with(ipam, pool):
        with pytest.raises(CadastreError) as refusal:
            await elsewhere(rpc, **members)
        assert refusal.value.reason == reason, rpc


async def test_a_pool_is_seen_in_its_locale_but_not_changed_there(control: Client) -> None:
    ipam = await control.create_ipam()
    pool = await control.create_pool(ipam.private_default_scope_id, locale=WEST)
    zone = await control.create_pool(ipam.public_default_scope_id, locale="us-west-2-lax-1")
    await control.create_pool(ipam.private_default_scope_id)
    west = control.acting_as(region=WEST)
    assert [p.ipam_pool_id for p in await west.pools()] == [pool.ipam_pool_id, zone.ipam_pool_id]
    assert (await west.pool(pool.ipam_pool_id)).locale == WEST
    with pytest.raises(CadastreError) as refusal:
        await west("DeleteIpamPool", ipam_pool_id=pool.ipam_pool_id)
    assert refusal.value.reason == "InvalidIpamPoolId.NotFound"


def calls_with(ipam: Any, pool: Any) -> list[tuple[str, dict[str, Any], str]]:
    """Every call that names something of this IPAM, and the reason a caller without it hears."""
    ipam_id, scope_id, pool_id = ipam.ipam_id, ipam.private_default_scope_id, pool.ipam_pool_id
    tags = [{"key": "a", "value": "b"}]
    no_ipam, no_scope, no_pool = (
        f"Invalid{kind}Id.NotFound" for kind in ("Ipam", "IpamScope", "IpamPool")
    )
    return [
        ("DescribeIpams", {"ipam_ids": [ipam_id]}, no_ipam),
        ("ModifyIpam", {"ipam_id": ipam_id}, no_ipam),
        ("DeleteIpam", {"ipam_id": ipam_id, "cascade": True}, no_ipam),
        ("CreateIpamScope", {"ipam_id": ipam_id}, no_ipam),
        ("DescribeIpamScopes", {"ipam_scope_ids": [scope_id]}, no_scope),
        ("ModifyIpamScope", {"ipam_scope_id": scope_id}, no_scope),
        ("DeleteIpamScope", {"ipam_scope_id": scope_id}, no_scope),
        ("CreateIpamPool", {"ipam_scope_id": scope_id, "address_family": "ipv4"}, no_scope),
        ("DescribeIpamPools", {"ipam_pool_ids": [pool_id]}, no_pool),
        ("ModifyIpamPool", {"ipam_pool_id": pool_id}, no_pool),
        ("DeleteIpamPool", {"ipam_pool_id": pool_id}, no_pool),
        ("DeleteIpamPool", {"ipam_pool_id": pool_id, "cascade": True}, no_pool),
        ("CreateTags", {"resources": [pool_id], "tags": tags}, no_pool),
        ("DeleteTags", {"resources": [scope_id]}, no_scope),
        (
            "CreateTags",
            {"resources": [ipam.default_resource_discovery_id], "tags": tags},
            "InvalidIpamResourceDiscoveryId.NotFound",
        ),
    ]


async def test_lists_come_oldest_first_in_pages(control: Client) -> None:  # BEY-6
    ipam = await control.create_ipam()
    created = [
        (await control.create_pool(ipam.private_default_scope_id)).ipam_pool_id for _ in range(12)
    ]
    found, sizes, token = [], [], ""
    while True:
        members = {"next_token": token} if token else {}
        page = await control("DescribeIpamPools", max_results=5, **members)
        found += [pool.ipam_pool_id for pool in page.ipam_pools]
        sizes.append(len(page.ipam_pools))
        if not page.HasField("next_token"):
            break
        token = page.next_token
    assert (found, sizes) == (created, [5, 5, 2])
    with pytest.raises(CadastreError) as refusal:
        await control("DescribeIpamScopes", next_token=token)
    assert refusal.value.reason == "InvalidNextToken"


@on_sqlite_alone
@pytest.mark.parametrize("rpc", ["DescribeIpams", "DescribeIpamScopes", "DescribeIpamPools"])
async def test_a_token_with_a_key_of_no_record_is_refused(control: Client, rpc: str) -> None:
    for key in ("x", "", "-1", "1.5", "²", "9" * 30):
        forged = token_after(getattr(pb, f"{rpc}Request")(), key)
        with pytest.raises(CadastreError) as refusal:
            await control(rpc, next_token=forged)
        assert refusal.value.reason == "InvalidNextToken", key


@on_sqlite_alone
@pytest.mark.parametrize(
    ("name", "values", "wanted"),
    [
        ("description", ["t*"], ["top"]),
        ("locale", [WEST], ["regional"]),
        ("locale", ["None", WEST], ["top", "regional"]),
        ("pool-depth", ["2"], ["regional"]),
        ("pool-depth", ["1", "2"], ["top", "regional"]),
        ("pool-depth", ["?"], ["top", "regional"]),
        ("pool-depth", ["02", "x", "-1"], []),
        ("ipam-scope-arn", ["no:arn/ipam-scope-0123456789abcdef0"], []),
        ("state", ["create-complete"], ["top", "regional"]),
        ("address-family", ["ipv6"], []),
        ("tag:env", ["prod"], ["regional"]),
        ("tag-key", ["env"], ["regional"]),
    ],
)
async def test_filters_narrow_a_list(  # BEY-6
    control: Client, name: str, values: list[str], wanted: list[str]
) -> None:
    scope_id = (await control.create_ipam()).private_default_scope_id
    top = await control.create_pool(scope_id, description="top")
    tags = [{"resource_type": "ipam-pool", "tags": [{"key": "env", "value": "prod"}]}]
    await control.create_pool(
        scope_id,
        source_ipam_pool_id=top.ipam_pool_id,
        locale=WEST,
        description="regional",
        tag_specifications=tags,
    )
    answer = await control("DescribeIpamPools", filters=[{"name": name, "values": values}])
    assert [pool.description for pool in answer.ipam_pools] == wanted


async def test_what_the_database_looks_up_narrows_a_list_as_all_else(control: Client) -> None:
    scope_id = (await control.create_ipam()).private_default_scope_id
    top = await control.create_pool(scope_id, description="top")
    for number in range(3):
        source = top.ipam_pool_id
        await control.create_pool(scope_id, source_ipam_pool_id=source, description=f"{number}")
    below = {"name": "source-ipam-pool-id", "values": [top.ipam_pool_id]}
    of_scope = {"name": "ipam-scope-arn", "values": [top.ipam_scope_arn]}
    others = {"name": "ipam-scope-arn", "values": [top.ipam_scope_arn.replace("arn", "nra")]}
    for filters, wanted in (
        ([below], ["0", "1", "2"]),
        ([of_scope], ["top", "0", "1", "2"]),
        ([of_scope, below, {"name": "description", "values": ["[12]", "2"]}], ["2"]),
        ([others], []),
    ):
        answer = await control("DescribeIpamPools", filters=filters)
        assert [pool.description for pool in answer.ipam_pools] == wanted


async def test_an_unknown_filter_is_refused(control: Client) -> None:
    with pytest.raises(CadastreError, match="colour") as refusal:
        await control("DescribeIpams", filters=[{"name": "colour", "values": ["red"]}])
    assert refusal.value.reason == "InvalidParameterValue"


async def test_ids_and_filters_both_narrow_a_list(control: Client) -> None:  # BEY-6
    ipam = await control.create_ipam()
    answer = await control(
        "DescribeIpamScopes",
        ipam_scope_ids=[ipam.private_default_scope_id],
        filters=[{"name": "ipam-scope-type", "values": ["public"]}],
    )
    assert list(answer.ipam_scopes) == []
