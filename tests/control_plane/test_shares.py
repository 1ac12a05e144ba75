"""Shares: made, changed and ended, and what the ledger hears of it."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from shared.errors import CadastreError
from tests.control_plane.share_world import (
    DEFAULT_PERMISSION,
    DISCOVERIES,
    DISCOVERY_PERMISSION,
    IMPORT_PERMISSION,
    MANAGER,
    OUTSIDER,
    Company,
    a_company,
    an_account,
    move,
    word,
)
from tests.control_plane.world import HOME, ORGANIZATIONS, WEST, Client, World, on_sqlite_alone
from tests.waiting import eventually


def users(world: World, pool: Any) -> list[str]:
    """The accounts that the ledger was last told may use a pool."""
    return list(world.ledger.definitions[pool.ipam_pool_id].shared_with)


async def test_sharing_with_an_ou_lets_its_accounts_use_the_pool(  # ORG-4, the guide's tutorial
    control: Client, world: World
) -> None:
    company = await a_company(control)
    pool = await company.a_pool()
    assert users(world, pool) == []
    answer = await company.ram(
        company.owner,
        "CreateResourceShare",
        name="pool_share",
        resource_arns=[pool.ipam_pool_arn],
        principals=[company.unit_arn],
        allow_external_principals=False,
    )
    share = answer.resource_share
    assert share.resource_share_arn.startswith(
        f"arn:aws:ram:{HOME}:{company.owner}:resource-share/"
    )
    assert (share.name, share.owning_account_id) == ("pool_share", company.owner)
    assert (share.allow_external_principals, word(share, "status")) == (False, "ACTIVE")
    assert share.creation_time == share.last_updated_time
    assert users(world, pool) == [company.developer]
    # Neither an invitation nor anything else is needed.
    assert await company.shares_of_others(company.developer) == [share.resource_share_arn]
    seen = await control.acting_as(company.developer).pools()
    assert [one.ipam_pool_id for one in seen] == [pool.ipam_pool_id]


async def test_the_ledger_hears_of_every_change_of_a_pools_users(  # ORG-4, design.md section 4
    control: Client, world: World
) -> None:
    company = await a_company(control)
    pool, other = await company.a_pool(), await company.a_pool()
    arn = await company.share(pool.ipam_pool_arn, principals=[company.developer])
    assert users(world, pool) == [company.developer]
    calls = len(world.ledger.calls)
    named = {"resource_share_arn": arn}

    async def as_owner(rpc: str, **members: Any) -> tuple[list[str], list[str]]:
        await company.ram(company.owner, rpc, **named, **members)
        return users(world, pool), users(world, other)

    both = sorted([company.developer, company.member])
    assert await as_owner("AssociateResourceShare", principals=[company.member]) == (both, [])
    assert await as_owner("AssociateResourceShare", resource_arns=[other.ipam_pool_arn]) == (
        both,
        both,
    )
    assert await as_owner("DisassociateResourceShare", principals=[company.developer]) == (
        [company.member],
        [company.member],
    )
    assert await as_owner("DisassociateResourceShare", resource_arns=[pool.ipam_pool_arn]) == (
        [],
        [company.member],
    )
    replaced = {"permission_arn": IMPORT_PERMISSION, "replace": True}
    assert await as_owner("AssociateResourceSharePermission", **replaced) == ([], [])
    replaced["permission_arn"] = DEFAULT_PERMISSION
    assert await as_owner("AssociateResourceSharePermission", **replaced) == ([], [company.member])
    assert await as_owner("DeleteResourceShare") == ([], [])
    # Each pool was told of when its users changed, and no other time.
    assert len(world.ledger.calls) == calls + 8


async def test_the_ledger_hears_who_comes_into_an_ou_and_who_leaves_it(  # ORG-4
    control: Client, world: World
) -> None:
    company, manager = await a_company(control), control.acting_as(MANAGER)
    pool, everybodys = await company.a_pool(), await company.a_pool()
    await company.share(pool.ipam_pool_arn, principals=[company.unit_arn])
    await company.share(everybodys.ipam_pool_arn, principals=[company.organization_arn])
    await move(manager, company.member, company.root_id, company.unit_id)
    assert users(world, pool) == sorted([company.developer, company.member])
    await move(manager, company.developer, company.unit_id, company.root_id)
    assert users(world, pool) == [company.member]
    assert users(world, everybodys) == sorted([MANAGER, company.developer, company.member])
    fresh = await an_account(manager, "fresh")
    assert fresh in users(world, everybodys)
    await manager.of(ORGANIZATIONS, "RemoveAccountFromOrganization", account_id=company.member)
    assert users(world, pool) == []
    assert company.member not in users(world, everybodys)
    await manager.of(
        ORGANIZATIONS, "DisableAWSServiceAccess", service_principal="ram.amazonaws.com"
    )
    assert users(world, everybodys) == []


async def test_the_ledger_hears_of_no_pool_whose_users_stay_the_same(  # design.md section 4
    control: Client, world: World
) -> None:
    company, manager = await a_company(control), control.acting_as(MANAGER)
    units, one, everybodys = await company.a_pool(), await company.a_pool(), await company.a_pool()
    await company.share(units.ipam_pool_arn, principals=[company.unit_arn])
    await company.share(one.ipam_pool_arn, principals=[company.developer])
    await company.share(everybodys.ipam_pool_arn, principals=[company.organization_arn])

    async def told(call: Awaitable[Any]) -> set[str]:
        begin = len(world.ledger.calls)
        await call
        return {told.removeprefix("put ") for told in world.ledger.calls[begin:]}

    leaving = {"account_id": company.member}
    sharing = {"service_principal": "ram.amazonaws.com"}
    for call, pools in (
        (move(manager, company.member, company.root_id, company.unit_id), [units]),
        (an_account(manager, "fresh"), [everybodys]),
        (manager.of(ORGANIZATIONS, "EnableAWSServiceAccess", **sharing), []),
        (
            manager.of(ORGANIZATIONS, "RemoveAccountFromOrganization", **leaving),
            [units, everybodys],
        ),
        (
            manager.of(ORGANIZATIONS, "DisableAWSServiceAccess", **sharing),
            [units, one, everybodys],
        ),
    ):
        assert await told(call) == {pool.ipam_pool_id for pool in pools}


async def test_an_owner_that_leaves_shares_within_the_organization_no_more(  # ORG-4, ORG-5
    control: Client, world: World
) -> None:
    company, manager = await a_company(control), control.acting_as(MANAGER)
    pool = await company.a_pool()
    principals = [company.member, company.organization_arn, OUTSIDER]
    arn = await company.share(pool.ipam_pool_arn, principals=principals)
    await company.accept(OUTSIDER, arn)
    assert company.member in users(world, pool)
    await manager("DisableIpamOrganizationAdminAccount", delegated_admin_account_id=company.owner)
    await manager.of(ORGANIZATIONS, "RemoveAccountFromOrganization", account_id=company.owner)
    assert users(world, pool) == [OUTSIDER]
    assert await company.shares_of_others(company.member) == []
    assert await control.acting_as(company.member).pools() == []
    assert await company.shares_of_others(OUTSIDER) == [arn]


async def test_the_import_permission_alone_lets_nobody_allocate(  # ORG-4
    control: Client, world: World
) -> None:
    company = await a_company(control)
    pool = await company.a_pool()
    arn = await company.share(
        pool.ipam_pool_arn, principals=[company.member], permission_arns=[IMPORT_PERMISSION]
    )
    assert users(world, pool) == []
    assert await control.acting_as(company.member).pools() == []
    # It is in the share all the same.
    assert await company.shares_of_others(company.member) == [arn]


async def test_a_share_is_what_terraform_waits_for(control: Client, world: World) -> None:
    company = await a_company(control)
    pool = await company.a_pool()
    created = await company.ram(
        company.owner, "CreateResourceShare", name="tf", allow_external_principals=False
    )
    arn = created.resource_share.resource_share_arn

    async def own_share() -> Any:
        answer = await company.ram(
            company.owner, "GetResourceShares", resource_owner="SELF", resource_share_arns=[arn]
        )
        [share] = answer.resource_shares
        return share

    async def permissions() -> list[str]:
        answer = await company.ram(
            company.owner, "ListResourceSharePermissions", resource_share_arn=arn
        )
        return [permission.arn for permission in answer.permissions]

    assert word(await own_share(), "status") == "ACTIVE"
    assert await permissions() == []
    resource = {"resource_arn": pool.ipam_pool_arn}
    principal = {"principal": company.organization_arn}
    for _ in range(2):
        await company.ram(
            company.owner,
            "AssociateResourceShare",
            resource_share_arn=arn,
            resource_arns=[pool.ipam_pool_arn],
            principals=[company.organization_arn],
            client_token=f"terraform-{_}",
        )
        assert await company.associations("RESOURCE", arn, **resource) == {
            pool.ipam_pool_arn: "ASSOCIATED"
        }
        assert await company.associations("PRINCIPAL", arn, **principal) == {
            company.organization_arn: "ASSOCIATED"
        }
        assert await permissions() == [DEFAULT_PERMISSION]
        assert company.member in users(world, pool)
        await company.ram(
            company.owner,
            "DisassociateResourceShare",
            resource_share_arn=arn,
            resource_arns=[pool.ipam_pool_arn],
            principals=[company.organization_arn],
        )
        # They stay in the list, as what they have become.
        assert await company.associations("RESOURCE", arn, **resource) == {
            pool.ipam_pool_arn: "DISASSOCIATED"
        }
        assert await company.associations("PRINCIPAL", arn, **principal) == {
            company.organization_arn: "DISASSOCIATED"
        }
        assert users(world, pool) == []
    await company.ram(company.owner, "DeleteResourceShare", resource_share_arn=arn)
    assert word(await own_share(), "status") == "DELETED"
    with pytest.raises(CadastreError) as refusal:
        await company.ram(company.owner, "DeleteResourceShare", resource_share_arn=arn)
    assert refusal.value.reason == "UnknownResourceException"


async def test_an_ended_share_has_nothing_and_nobody(control: Client) -> None:
    company = await a_company(control)
    pool = await company.a_pool()
    arn = await company.share(pool.ipam_pool_arn, principals=[company.member, OUTSIDER])
    await company.ram(company.owner, "DeleteResourceShare", resource_share_arn=arn)
    assert await company.associations("RESOURCE", arn) == {pool.ipam_pool_arn: "DISASSOCIATED"}
    assert await company.associations("PRINCIPAL", arn) == {
        company.member: "DISASSOCIATED",
        OUTSIDER: "DISASSOCIATED",
    }
    assert await company.shares_of_others(company.member) == []
    assert word(await company.invitation(OUTSIDER, arn), "status") == "EXPIRED"
    for rpc, members in (
        ("UpdateResourceShare", {"name": "new"}),
        ("AssociateResourceShare", {"principals": [company.member]}),
        ("DisassociateResourceShare", {"principals": [company.member]}),
    ):
        with pytest.raises(CadastreError) as refusal:
            await company.ram(company.owner, rpc, resource_share_arn=arn, **members)
        assert refusal.value.reason == "UnknownResourceException"


async def test_a_share_changes_its_name_and_whether_it_may_leave(control: Client) -> None:
    company = await a_company(control)
    arn = await company.share(principals=[OUTSIDER])
    named = {"resource_share_arn": arn}
    answer = await company.ram(company.owner, "UpdateResourceShare", name="new", **named)
    share = answer.resource_share
    assert (share.name, share.allow_external_principals) == ("new", True)
    within: dict[str, Any] = {"allow_external_principals": False, **named}
    with pytest.raises(CadastreError, match=OUTSIDER) as refusal:
        await company.ram(company.owner, "UpdateResourceShare", **within)
    assert refusal.value.reason == "OperationNotPermittedException"
    await company.ram(company.owner, "DisassociateResourceShare", principals=[OUTSIDER], **named)
    answer = await company.ram(company.owner, "UpdateResourceShare", **within)
    share = answer.resource_share
    assert (share.name, share.allow_external_principals) == ("new", False)
    with pytest.raises(CadastreError, match="not in your organization") as refusal:
        await company.ram(company.owner, "AssociateResourceShare", principals=[OUTSIDER], **named)
    assert refusal.value.reason == "InvalidParameterException"


async def test_pools_that_are_deleted_are_in_no_share_any_more(control: Client) -> None:  # POOL-7
    company = await a_company(control)
    owner = control.acting_as(company.owner)
    pool, other = await company.a_pool(), await company.a_pool()
    arn = await company.share(pool.ipam_pool_arn, other.ipam_pool_arn, principals=[company.member])
    await owner("DeleteIpamPool", ipam_pool_id=pool.ipam_pool_id)

    async def is_gone() -> bool:
        return await company.associations("RESOURCE", arn) == {other.ipam_pool_arn: "ASSOCIATED"}

    await eventually(is_gone)
    await owner("DeleteIpam", ipam_id=company.ipam.ipam_id, cascade=True)

    async def are_all_gone() -> bool:
        return await company.associations("RESOURCE", arn) == {}

    await eventually(are_all_gone)


async def test_resource_discoveries_are_shared_by_anybody(control: Client) -> None:  # DISC-2
    company = await a_company(control)
    discoverer = control.acting_as(OUTSIDER)
    made = await discoverer.of(DISCOVERIES, "CreateIpamResourceDiscovery")
    discovery = made.ipam_resource_discovery
    answer = await company.ram(
        OUTSIDER,
        "CreateResourceShare",
        name="discovery",
        resource_arns=[discovery.ipam_resource_discovery_arn],
        principals=[company.owner],
    )
    arn = answer.resource_share.resource_share_arn

    async def seen_by_owner() -> list[str]:
        found = await control.acting_as(company.owner).of(
            DISCOVERIES, "DescribeIpamResourceDiscoveries"
        )
        return [
            one.ipam_resource_discovery_id
            for one in found.ipam_resource_discoveries
            if one.owner_id == OUTSIDER
        ]

    assert await seen_by_owner() == []
    await company.accept(company.owner, arn)
    assert await seen_by_owner() == [discovery.ipam_resource_discovery_id]
    permissions = await company.ram(
        company.owner, "ListResourceSharePermissions", resource_share_arn=arn
    )
    assert [permission.arn for permission in permissions.permissions] == [DISCOVERY_PERMISSION]
    await discoverer.of(
        DISCOVERIES,
        "DeleteIpamResourceDiscovery",
        ipam_resource_discovery_id=discovery.ipam_resource_discovery_id,
    )

    async def is_gone() -> bool:
        found = await company.ram(company.owner, "ListResources", resource_owner="OTHER-ACCOUNTS")
        return not found.resources

    await eventually(is_gone)


async def test_a_token_makes_one_share(control: Client) -> None:  # ALLOC-7, BEY-5
    company = await a_company(control)
    members: dict[str, Any] = {"name": "once", "client_token": "t"}
    first = await company.ram(company.owner, "CreateResourceShare", **members)
    again = await company.ram(company.owner, "CreateResourceShare", **members)
    assert again == first
    assert first.client_token == "t"
    with pytest.raises(CadastreError) as refusal:
        await company.ram(company.owner, "CreateResourceShare", name="other", client_token="t")
    assert refusal.value.reason == "IdempotentParameterMismatchException"
    found = await company.ram(company.owner, "GetResourceShares", resource_owner="SELF")
    assert found.resource_shares == [first.resource_share]


async def test_what_is_refused_changes_nothing(control: Client, world: World) -> None:
    company = await a_company(control)
    pool = await company.a_pool()
    unknown = pool.ipam_pool_arn[:-1] + ("0" if pool.ipam_pool_arn[-1] != "0" else "1")
    calls = len(world.ledger.calls)
    with pytest.raises(CadastreError) as refusal:
        await company.share(
            pool.ipam_pool_arn, unknown, principals=[company.member, company.unit_arn]
        )
    assert refusal.value.reason == "UnknownResourceException"
    found = await company.ram(company.owner, "GetResourceShares", resource_owner="SELF")
    assert list(found.resource_shares) == []
    assert (len(world.ledger.calls), users(world, pool)) == (calls, [])


async def test_clients_that_share_at_once_are_all_heard(control: Client, world: World) -> None:
    company = await a_company(control)
    pool = await company.a_pool()
    arn = await company.share(pool.ipam_pool_arn)
    manager = control.acting_as(MANAGER)
    await asyncio.gather(
        *(
            company.ram(
                company.owner, "AssociateResourceShare", resource_share_arn=arn, principals=[one]
            )
            for one in (company.member, MANAGER, company.unit_arn)
        ),
        company.share(pool.ipam_pool_arn, principals=[company.organization_arn]),
        an_account(manager, "fresh"),
        an_account(manager, "newer"),
    )

    async def is_everybody_told() -> bool:
        return len(users(world, pool)) == 5

    await eventually(is_everybody_told)


async def test_tags_are_set_and_removed_and_shown_to_the_owner_alone(control: Client) -> None:
    company = await a_company(control)
    arn = await company.share(
        principals=[company.member], tags=[{"key": "team", "value": "net"}, {"key": "a"}]
    )
    named = {"resource_share_arn": arn}
    added = [{"key": "env", "value": "pre-prod"}]
    await company.ram(company.owner, "TagResource", tags=added, **named)
    await company.ram(company.owner, "UntagResource", tag_keys=["a", "absent"], **named)

    async def tags_seen_by(account_id: str, owner: str) -> dict[str, str]:
        found = await company.ram(account_id, "GetResourceShares", resource_owner=owner)
        [share] = found.resource_shares
        return {tag.key: tag.value for tag in share.tags}

    assert await tags_seen_by(company.owner, "SELF") == {"env": "pre-prod", "team": "net"}
    assert await tags_seen_by(company.member, "OTHER-ACCOUNTS") == {}


@on_sqlite_alone
async def test_impossible_tags_are_refused_in_rams_words(control: Client) -> None:
    company = await a_company(control)
    arn = await company.share()
    named = {"resource_share_arn": arn}
    many = [{"key": str(number)} for number in range(50)]
    await company.ram(company.owner, "TagResource", tags=many, **named)
    for members, reason in (
        ({"tags": [{"key": "aws:a"}], **named}, "InvalidParameterException"),
        ({"tags": [{"key": "one more"}], **named}, "TagLimitExceededException"),
        ({"tags": [{"key": "a"}]}, "InvalidParameterException"),
        ({"tags": [{"key": "a"}], "resource_arn": DEFAULT_PERMISSION}, "InvalidParameterException"),
        ({"tags": [{"key": "a"}], "resource_share_arn": "no arn"}, "MalformedArnException"),
    ):
        with pytest.raises(CadastreError) as refusal:
            await company.ram(company.owner, "TagResource", **members)
        assert refusal.value.reason == reason


async def test_lists_come_oldest_first_in_pages(control: Client) -> None:  # BEY-6
    company = await a_company(control)
    created = [await company.share(name=f"share {number}") for number in range(5)]
    found, token = [], ""
    while True:
        members = {"next_token": token} if token else {}
        page = await company.ram(
            company.owner, "GetResourceShares", resource_owner="SELF", max_results=2, **members
        )
        found += [share.resource_share_arn for share in page.resource_shares]
        if not page.HasField("next_token"):
            break
        token = page.next_token
    assert found == created
    with pytest.raises(CadastreError) as refusal:
        await company.ram(
            company.owner, "GetResourceShares", resource_owner="OTHER-ACCOUNTS", next_token=token
        )
    assert refusal.value.reason == "InvalidNextTokenException"


@on_sqlite_alone
async def test_shares_are_found_by_what_they_are(control: Client) -> None:
    company = await a_company(control)
    pool = await company.a_pool()
    tagged = await company.share(name="tagged", tags=[{"key": "team", "value": "net"}])
    pooled = await company.share(pool.ipam_pool_arn, name="pooled")
    ended = await company.share(name="ended")
    await company.ram(company.owner, "DeleteResourceShare", resource_share_arn=ended)
    for members, wanted in (
        ({}, [tagged, pooled, ended]),
        ({"name": "pooled"}, [pooled]),
        ({"resource_share_status": "DELETED"}, [ended]),
        ({"resource_share_status": "PENDING"}, []),
        ({"permission_arn": DEFAULT_PERMISSION}, [pooled]),
        ({"permission_arn": IMPORT_PERMISSION}, []),
        ({"tag_filters": [{"tag_key": "team"}]}, [tagged]),
        ({"tag_filters": [{"tag_key": "team", "tag_values": ["dev"]}]}, []),
        ({"resource_share_arns": [ended, tagged]}, [tagged, ended]),
    ):
        found = await company.ram(
            company.owner, "GetResourceShares", resource_owner="SELF", **members
        )
        assert [share.resource_share_arn for share in found.resource_shares] == wanted, members


@on_sqlite_alone
async def test_the_catalogue_of_permissions_is_the_guides(control: Client) -> None:  # ORG-4
    company = await a_company(control)

    async def listed(rpc: str, **members: Any) -> list[Any]:
        return list((await company.ram(company.owner, rpc, **members)).permissions)

    default, byoip = await listed("ListPermissions", resource_type="ec2:IpamPool")
    assert (default.arn, byoip.arn) == (DEFAULT_PERMISSION, IMPORT_PERMISSION)
    assert (default.version, default.default_version, default.status) == ("1", True, "ATTACHABLE")
    assert (default.is_resource_type_default, byoip.is_resource_type_default) == (True, False)
    assert default.creation_time.ToJsonString() == "2022-06-30T20:04:29.335Z"
    assert len(await listed("ListPermissions")) == 3
    assert await listed("ListPermissions", permission_type="CUSTOMER_MANAGED") == []
    assert await listed("ListPermissions", resource_owner="SELF") == []
    assert await listed("ListPermissionVersions", permission_arn=IMPORT_PERMISSION) == [byoip]
    known = await company.ram(
        company.owner, "GetPermission", permission_arn=IMPORT_PERMISSION, permission_version=1
    )
    assert known.permission.permission == (
        '{"Effect":"Allow","Action":["ec2:ImportByoipCidrToIpam"]}'
    )
    types = await company.ram(company.owner, "ListResourceTypes")
    assert [(one.resource_type, one.service_name) for one in types.resource_types] == [
        ("ec2:IpamPool", "ec2"),
        ("ec2:IpamResourceDiscovery", "ec2"),
    ]
    everywhere = {"resource_region_scope": "GLOBAL"}
    types = await company.ram(company.owner, "ListResourceTypes", **everywhere)
    assert list(types.resource_types) == []


async def test_permissions_go_when_nothing_needs_them(control: Client) -> None:
    company = await a_company(control)
    pool = await company.a_pool()
    arn = await company.share(pool.ipam_pool_arn)
    named = {"resource_share_arn": arn, "permission_arn": DEFAULT_PERMISSION}
    with pytest.raises(CadastreError, match="disassociate them first") as refusal:
        await company.ram(company.owner, "DisassociateResourceSharePermission", **named)
    assert refusal.value.reason == "OperationNotPermittedException"
    await company.ram(
        company.owner,
        "DisassociateResourceShare",
        resource_share_arn=arn,
        resource_arns=[pool.ipam_pool_arn],
    )
    await company.ram(company.owner, "DisassociateResourceSharePermission", **named)
    with pytest.raises(CadastreError) as refusal:
        await company.ram(company.owner, "DisassociateResourceSharePermission", **named)
    assert refusal.value.reason == "UnknownResourceException"


async def pools_elsewhere(company: Company) -> str:
    """The ARN of a pool of the owner's IPAM in another region."""
    west = company.client.acting_as(company.owner, WEST)
    ipam = await west.create_ipam()
    return str((await west.create_pool(ipam.private_default_scope_id)).ipam_pool_arn)


async def test_a_pool_is_shared_in_its_ipams_home_region_only(control: Client) -> None:  # ORG-4
    company = await a_company(control)
    arn = await pools_elsewhere(company)
    with pytest.raises(CadastreError, match=f"share it in {WEST}") as refusal:
        await company.share(arn)
    assert refusal.value.reason == "OperationNotPermittedException"
    made = await company.ram(
        company.owner, "CreateResourceShare", WEST, name="west", resource_arns=[arn]
    )
    share_arn = made.resource_share.resource_share_arn
    found = await company.ram(company.owner, "GetResourceShares", resource_owner="SELF")
    assert list(found.resource_shares) == []
    with pytest.raises(CadastreError) as refusal:
        await company.ram(company.owner, "DeleteResourceShare", resource_share_arn=share_arn)
    assert refusal.value.reason == "UnknownResourceException"
