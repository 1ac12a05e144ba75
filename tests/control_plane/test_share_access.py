"""Who may do what with a share, and who sees what of it (BEY-12, ORG-4, ORG-5)."""

from typing import Any

import pytest

from shared.errors import CadastreError
from tests.control_plane.share_world import (
    DEFAULT_PERMISSION,
    IMPORT_PERMISSION,
    MANAGER,
    OUTSIDER,
    Company,
    a_company,
)
from tests.control_plane.world import HOME, Client, on_sqlite_alone

INVITED, OTHER = "888888888888", "999999999999"
DONE, UNKNOWN, FORBIDDEN = "done", "UnknownResourceException", "OperationNotPermittedException"

# By RPC: the owner; a principal by its own id; one by its OU; one that is invited; one that has
# nothing to do with the share, though it is in the organization; one outside.
OUTCOMES = {
    "ListResourceSharePermissions": (DONE, DONE, DONE, UNKNOWN, UNKNOWN, UNKNOWN),
    "TagResource": (DONE, FORBIDDEN, FORBIDDEN, UNKNOWN, UNKNOWN, UNKNOWN),
    "UntagResource": (DONE, FORBIDDEN, FORBIDDEN, UNKNOWN, UNKNOWN, UNKNOWN),
    "UpdateResourceShare": (DONE, FORBIDDEN, FORBIDDEN, UNKNOWN, UNKNOWN, UNKNOWN),
    "AssociateResourceShare": (DONE, FORBIDDEN, FORBIDDEN, UNKNOWN, UNKNOWN, UNKNOWN),
    "AssociateResourceSharePermission": (DONE, FORBIDDEN, FORBIDDEN, UNKNOWN, UNKNOWN, UNKNOWN),
    "DisassociateResourceSharePermission": (
        *(FORBIDDEN, FORBIDDEN, FORBIDDEN),
        *(UNKNOWN, UNKNOWN, UNKNOWN),
    ),
    # Whoever is invited sees the share, but may take out itself alone.
    "DisassociateResourceShare": (DONE, FORBIDDEN, FORBIDDEN, FORBIDDEN, UNKNOWN, UNKNOWN),
    "DeleteResourceShare": (DONE, FORBIDDEN, FORBIDDEN, UNKNOWN, UNKNOWN, UNKNOWN),
}
MEMBERS: dict[str, dict[str, Any]] = {
    "TagResource": {"tags": [{"key": "a"}]},
    "UntagResource": {"tag_keys": ["a"]},
    "UpdateResourceShare": {"name": "new"},
    "AssociateResourceShare": {"principals": [OTHER]},
    "AssociateResourceSharePermission": {"permission_arn": IMPORT_PERMISSION, "replace": True},
    "DisassociateResourceSharePermission": {"permission_arn": IMPORT_PERMISSION},
    "DisassociateResourceShare": {"principals": [OTHER]},
}


async def outcome(company: Company, account_id: str, rpc: str, **members: Any) -> str:
    try:
        await company.ram(account_id, rpc, **members)
    except CadastreError as refusal:
        return refusal.reason
    return DONE


async def test_a_share_is_its_owners_to_change_and_its_principals_to_see(  # BEY-12
    control: Client,
) -> None:
    company = await a_company(control)
    pool = await company.a_pool()
    arn = await company.share(
        pool.ipam_pool_arn, principals=[company.member, company.unit_arn, INVITED]
    )
    callers = [company.owner, company.member, company.developer, INVITED, MANAGER, OUTSIDER]
    for rpc, outcomes in OUTCOMES.items():
        members = {"resource_share_arn": arn, **MEMBERS.get(rpc, {})}
        found = {}
        # The owner comes last, for what it may do is done.
        for account_id in reversed(callers):
            found[account_id] = await outcome(company, account_id, rpc, **members)
        assert found == dict(zip(callers, outcomes, strict=True)), rpc


async def test_a_principal_sees_who_shares_what_and_not_with_whom_else(  # BEY-12
    control: Client,
) -> None:
    company = await a_company(control)
    pool = await company.a_pool()
    arn = await company.share(
        pool.ipam_pool_arn, principals=[company.unit_arn, company.member, OUTSIDER]
    )
    others = {"resource_owner": "OTHER-ACCOUNTS"}

    async def principals(account_id: str, **members: Any) -> list[str]:
        found = await company.ram(account_id, "ListPrincipals", **members)
        return [one.id for one in found.principals]

    async def resources(account_id: str, **members: Any) -> list[str]:
        found = await company.ram(account_id, "ListResources", **members)
        return [one.arn for one in found.resources]

    for account_id in (company.developer, company.member):
        assert await principals(account_id, **others) == [company.owner]
        assert await resources(account_id, **others) == [pool.ipam_pool_arn]
        found = await company.ram(
            account_id, "GetResourceShareAssociations", association_type="PRINCIPAL"
        )
        assert list(found.resource_share_associations) == []
        # Nor does narrowing a list tell whether somebody else is a principal.
        assert await resources(account_id, principal=company.unit_arn, **others) == []
    for account_id in (MANAGER, OUTSIDER):
        assert await principals(account_id, **others) == []
        assert await resources(account_id, **others) == []
        assert await company.shares_of_others(account_id) == []
    # Who was invited and did not answer is not yet shared with.
    own = {"resource_owner": "SELF"}
    assert await principals(company.owner, **own) == [company.unit_arn, company.member]
    assert await resources(company.owner, **own) == [pool.ipam_pool_arn]
    assert await company.associations("PRINCIPAL", arn) == {
        company.unit_arn: "ASSOCIATED",
        company.member: "ASSOCIATED",
        OUTSIDER: "ASSOCIATING",
    }


async def test_a_free_ipams_shared_pools_are_its_owners_alone_to_see(
    control: Client,
) -> None:  # IPAM-4
    company = await a_company(control)
    owner, member = control.acting_as(company.owner), control.acting_as(company.member)
    pool = await owner.create_pool(company.ipam.public_default_scope_id, locale=HOME)
    arn = await company.share(pool.ipam_pool_arn, principals=[company.member])

    async def seen() -> list[list[str]]:
        return [[one.ipam_pool_id for one in await by.pools()] for by in (owner, member)]

    everybodys, owners = [[pool.ipam_pool_id]] * 2, [[pool.ipam_pool_id], []]
    assert await seen() == everybodys
    for tier, expected in (("free", owners), ("advanced", everybodys)):
        await owner("ModifyIpam", ipam_id=company.ipam.ipam_id, tier=tier)
        assert await seen() == expected
        # The share is there all the same.
        assert await company.shares_of_others(company.member) == [arn]


@on_sqlite_alone
async def test_lists_of_resources_and_principals_are_narrowed(control: Client) -> None:  # BEY-6
    company = await a_company(control)
    pool, other = await company.a_pool(), await company.a_pool()
    discovery = f"arn:aws:ec2::{company.owner}:ipam-resource-discovery/" + (
        company.ipam.default_resource_discovery_id
    )
    first = await company.share(pool.ipam_pool_arn, discovery, principals=[company.member])
    second = await company.share(other.ipam_pool_arn, principals=[company.developer])
    everything = [pool.ipam_pool_arn, discovery, other.ipam_pool_arn]
    for members, wanted in (
        ({}, everything),
        ({"resource_type": "ec2:IpamResourceDiscovery"}, [discovery]),
        ({"resource_type": "EC2:ipampool"}, [pool.ipam_pool_arn, other.ipam_pool_arn]),
        ({"resource_arns": [discovery, other.ipam_pool_arn]}, everything[1:]),
        ({"resource_share_arns": [second]}, [other.ipam_pool_arn]),
        ({"principal": company.member}, everything[:2]),
        ({"principal": MANAGER}, []),
        ({"resource_region_scope": "REGIONAL"}, everything),
        ({"resource_region_scope": "GLOBAL"}, []),
    ):
        found = await company.ram(company.owner, "ListResources", resource_owner="SELF", **members)
        assert [one.arn for one in found.resources] == wanted, members
    for members, wanted in (
        ({}, [company.member, company.developer]),
        ({"resource_arn": discovery}, [company.member]),
        ({"resource_type": "ec2:IpamResourceDiscovery"}, [company.member]),
        ({"principals": [company.developer, MANAGER]}, [company.developer]),
        ({"resource_share_arns": [first]}, [company.member]),
    ):
        found = await company.ram(company.owner, "ListPrincipals", resource_owner="SELF", **members)
        assert [one.id for one in found.principals] == wanted, members
    for members, wanted in (
        ({}, [company.owner]),
        ({"resource_arn": pool.ipam_pool_arn}, [company.owner]),
        ({"resource_arn": other.ipam_pool_arn}, []),
        ({"principals": [company.owner]}, [company.owner]),
        ({"principals": [company.member]}, [company.owner]),
        ({"principals": [MANAGER]}, []),
    ):
        found = await company.ram(
            company.member, "ListPrincipals", resource_owner="OTHER-ACCOUNTS", **members
        )
        assert [one.id for one in found.principals] == wanted, members


@on_sqlite_alone
async def test_associations_are_of_resources_or_of_principals(control: Client) -> None:
    company = await a_company(control)
    arn = await company.share(principals=[company.member, OUTSIDER])
    assert await company.associations("SOURCE", arn) == {}
    status = {"association_status": "ASSOCIATING"}
    assert await company.associations("PRINCIPAL", arn, **status) == {OUTSIDER: "ASSOCIATING"}
    pool = await company.a_pool()
    for kind, members in (
        ("RESOURCE", {"principal": company.member}),
        ("PRINCIPAL", {"resource_arn": pool.ipam_pool_arn}),
    ):
        with pytest.raises(CadastreError) as refusal:
            await company.associations(kind, arn, **members)
        assert refusal.value.reason == "InvalidParameterException"


@on_sqlite_alone
async def test_pools_are_the_ipam_administrators_to_share(control: Client) -> None:  # ORG-4, ORG-5
    company = await a_company(control)
    for account_id, words in (
        (OUTSIDER, "single account"),
        (company.member, "delegated IPAM administrator"),
        (MANAGER, "delegated IPAM administrator"),
    ):
        account = control.acting_as(account_id)
        ipam = await account.create_ipam()
        pool = await account.create_pool(ipam.private_default_scope_id)
        members: dict[str, Any] = {"name": "share", "resource_arns": [pool.ipam_pool_arn]}
        with pytest.raises(CadastreError, match=words) as refusal:
            await company.ram(account_id, "CreateResourceShare", **members)
        assert refusal.value.reason == FORBIDDEN
        members["resource_arns"] = [
            f"arn:aws:ec2::{account_id}:ipam-resource-discovery/"
            + ipam.default_resource_discovery_id
        ]
        assert await outcome(company, account_id, "CreateResourceShare", **members) == DONE


@on_sqlite_alone
async def test_who_no_longer_administers_ipam_shares_pools_with_nobody_else(  # ORG-4
    control: Client,
) -> None:
    company = await a_company(control)
    pool = await company.a_pool()
    arn = await company.share(pool.ipam_pool_arn, principals=[company.member])
    await control.acting_as(MANAGER)(
        "DisableIpamOrganizationAdminAccount", delegated_admin_account_id=company.owner
    )
    members = {"resource_share_arn": arn, "principals": [company.developer]}
    found = await outcome(company, company.owner, "AssociateResourceShare", **members)
    assert found == FORBIDDEN
    members["principals"] = [company.member]
    found = await outcome(company, company.owner, "DisassociateResourceShare", **members)
    assert found == DONE


@on_sqlite_alone
async def test_what_can_never_be_shared_is_refused(control: Client) -> None:  # ORG-4
    company = await a_company(control)
    pool = await company.a_pool()
    foreign = pool.ipam_pool_arn.replace(company.owner, OUTSIDER)
    elsewhere = company.unit_arn.replace(company.organization_id, "o-0000000000")
    for members, reason in (
        ({"resource_arns": [foreign]}, UNKNOWN),
        ({"resource_arns": [pool.ipam_pool_id]}, "MalformedArnException"),
        ({"resource_arns": [company.ipam.ipam_arn]}, "MalformedArnException"),
        ({"principals": ["123456"]}, "InvalidParameterException"),
        ({"principals": [company.owner]}, "InvalidParameterException"),
        ({"principals": [elsewhere]}, UNKNOWN),
        ({"principals": [company.unit_arn[:-8] + "00000000"]}, UNKNOWN),
        (
            {"principals": [OUTSIDER], "allow_external_principals": False},
            "InvalidParameterException",
        ),
        (
            {"permission_arns": [DEFAULT_PERMISSION, IMPORT_PERMISSION]},
            "InvalidParameterException",
        ),
    ):
        found = await outcome(company, company.owner, "CreateResourceShare", name="s", **members)
        assert found == reason, members
    # Somebody else's pool is as unknown as none.
    found = await outcome(
        company,
        company.member,
        "CreateResourceShare",
        name="s",
        resource_arns=[pool.ipam_pool_arn],
    )
    assert found == UNKNOWN
