"""DescribeTags of the control plane."""

from typing import Any

import pytest

from shared.errors import CadastreError
from tests.control_plane.share_world import DISCOVERIES, a_company
from tests.control_plane.world import WEST, Client, on_sqlite_alone

TAGS = "cadastre.common.tags.v1.TagService"


async def described(control: Client, **members: Any) -> list[tuple[str, str, str]]:
    """Types, ids and keys."""
    answer = await control.of(TAGS, "DescribeTags", **members)
    return [(tag.resource_type, tag.resource_id, tag.key) for tag in answer.tags]


async def test_every_kind_is_listed_in_order_oldest_first(control: Client) -> None:
    ipam = await control.create_ipam()
    scope_id = ipam.private_default_scope_id
    pools = [await control.create_pool(scope_id) for _ in "ab"]
    resources = [
        ("ipam", ipam.ipam_id),
        ("ipam-scope", ipam.public_default_scope_id),
        ("ipam-scope", scope_id),
        *(("ipam-pool", pool.ipam_pool_id) for pool in pools),
        ("ipam-resource-discovery", ipam.default_resource_discovery_id),
        (
            "ipam-resource-discovery-association",
            ipam.default_resource_discovery_association_id,
        ),
    ]
    ids = [resource_id for _, resource_id in reversed(resources)]
    assert await described(control) == []
    await control("CreateTags", resources=ids, tags=[{"key": "b"}, {"key": "a"}])
    assert await described(control) == [(*one, key) for one in resources for key in "ab"]
    of_pools = [{"name": "resource-type", "values": ["ipam-p*"]}]
    assert await described(control, filters=of_pools) == [
        ("ipam-pool", pool.ipam_pool_id, key) for pool in pools for key in "ab"
    ]


async def test_a_pools_tags_are_listed_where_the_pool_is(control: Client) -> None:
    ipam = await control.create_ipam()
    pool = await control.create_pool(ipam.private_default_scope_id, locale=WEST)
    zone = await control.create_pool(ipam.public_default_scope_id, locale="us-west-2-lax-1")
    ids = [pool.ipam_pool_id, zone.ipam_pool_id, ipam.ipam_id]
    await control("CreateTags", resources=ids, tags=[{"key": "a"}])
    west = control.acting_as(region=WEST)
    seen = [("ipam-pool", one, "a") for one in ids[:2]]
    assert await described(west) == seen
    assert [one.ipam_pool_id for one in await west.pools()] == ids[:2]
    assert await described(control.acting_as(region="eu-west-1")) == []


@on_sqlite_alone
async def test_what_is_shared_shows_its_tags_to_its_owner_alone(control: Client) -> None:  # BEY-12
    company = await a_company(control)
    owner, member = control.acting_as(company.owner), control.acting_as(company.member)
    pool = await company.a_pool()
    discovery = company.ipam.default_resource_discovery_id
    [made] = (
        await owner.of(DISCOVERIES, "DescribeIpamResourceDiscoveries")
    ).ipam_resource_discoveries
    await company.share(
        pool.ipam_pool_arn, made.ipam_resource_discovery_arn, principals=[company.member]
    )
    await owner("CreateTags", resources=[pool.ipam_pool_id, discovery], tags=[{"key": "a"}])
    assert len(await described(owner)) == 2
    assert await described(member) == []
    assert [one.ipam_pool_id for one in await member.pools()] == [pool.ipam_pool_id]


@on_sqlite_alone
@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"filters": [{"name": "tag-key", "values": ["a"]}]}, "InvalidParameterValue"),
        ({"filters": [{"name": "owner-id", "values": ["a"]}]}, "InvalidParameterValue"),
        ({"max_results": 4}, "InvalidParameterValue"),
        ({"max_results": 1001}, "InvalidParameterValue"),
        ({"next_token": "x"}, "InvalidNextToken"),
        ({"dry_run": True}, "DryRunOperation"),
    ],
    ids=["tag-key", "no member", "few", "many", "token", "dry run"],
)
async def test_what_cannot_be_listed_is_refused(
    control: Client, members: dict[str, Any], reason: str
) -> None:
    with pytest.raises(CadastreError) as refusal:
        await described(control, **members)
    assert refusal.value.reason == reason
