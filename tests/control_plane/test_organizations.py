"""Organizations through the API: AWS's ids, ARNs, tree and refusals (ORG-1)."""

import asyncio
import re
from typing import Any

import pytest

from shared.errors import CadastreError
from tests.control_plane.organizations import (
    IPAM_SERVICE,
    MANAGEMENT,
    OUTSIDER,
    SCP,
    Organization,
    an_organization,
    constraint,
    plain,
    refused,
)
from tests.control_plane.world import ORGANIZATIONS, Client, on_sqlite_alone


@pytest.fixture
async def organization(control: Client) -> Organization:
    return await an_organization(control)


async def test_an_organization_is_told_as_aws_tells_it(control: Client) -> None:  # ORG-1
    manager = control.acting_as(MANAGEMENT)
    made = (await manager.of(ORGANIZATIONS, "CreateOrganization")).organization
    assert re.fullmatch(r"o-[a-z0-9]{10}", made.id)
    assert made.arn == f"arn:aws:organizations::{MANAGEMENT}:organization/{made.id}"
    assert made.master_account_arn == (
        f"arn:aws:organizations::{MANAGEMENT}:account/{made.id}/{MANAGEMENT}"
    )
    assert made.master_account_id == MANAGEMENT
    assert (await manager.of(ORGANIZATIONS, "DescribeOrganization")).organization == made

    [root] = (await manager.of(ORGANIZATIONS, "ListRoots")).roots
    assert re.fullmatch(r"r-[a-z0-9]{4}", root.id)
    assert plain(root) == {
        "id": root.id,
        "arn": f"arn:aws:organizations::{MANAGEMENT}:root/{made.id}/{root.id}",
        "name": "Root",
    }
    [account] = (await manager.of(ORGANIZATIONS, "ListAccounts")).accounts
    assert account.id == MANAGEMENT
    assert account.arn == made.master_account_arn
    assert account.email == made.master_account_email
    assert list(account.paths) == [f"{made.id}/{root.id}/{MANAGEMENT}/"]


async def test_an_account_is_in_one_organization_at_most(organization: Organization) -> None:
    member = await organization.account("member")
    for account_id in (MANAGEMENT, member):
        client = organization.manager.acting_as(account_id)
        refusal = await refused(client.of(ORGANIZATIONS, "CreateOrganization"))
        assert refusal.reason == "AlreadyInOrganizationException"
        assert organization.id in refusal.message


async def test_of_racing_organizations_of_one_account_one_is_made(control: Client) -> None:
    manager = control.acting_as(MANAGEMENT)
    outcomes = await asyncio.gather(
        *(manager.of(ORGANIZATIONS, "CreateOrganization") for _ in range(6)),
        return_exceptions=True,
    )
    reasons = [outcome.reason for outcome in outcomes if isinstance(outcome, CadastreError)]
    assert len(reasons) == 5
    assert set(reasons) <= {"AlreadyInOrganizationException", "ConcurrentModificationException"}


@pytest.mark.parametrize("domain", ["accounts.invalid", "Accounts.INVALID"])
async def test_no_account_is_given_the_address_that_another_needs_to_make_an_organization(  # ORG-1
    organization: Organization, domain: str
) -> None:
    taken = f"{OUTSIDER}@{domain}"
    refusal = await refused(organization("CreateAccount", account_name="new", email=taken))
    assert refusal.reason == "InvalidInputException"
    assert refusal.metadata["reason"] == "INVALID_EMAIL_ADDRESS_TARGET"
    assert taken in refusal.message
    other = await an_organization(organization.manager, OUTSIDER)
    [account] = (await other("ListAccounts")).accounts
    assert account.email == f"{OUTSIDER}@accounts.invalid"


async def test_only_an_empty_organization_is_deleted(organization: Organization) -> None:
    unit, member = await organization.unit("unit"), await organization.account("member")
    await organization.policy("goes-too")
    assert (await refused(organization("DeleteOrganization"))).reason == (
        "OrganizationNotEmptyException"
    )
    await organization("RemoveAccountFromOrganization", account_id=member)
    assert (await refused(organization("DeleteOrganization"))).reason == (
        "OrganizationNotEmptyException"
    )
    await organization("DeleteOrganizationalUnit", organizational_unit_id=unit)
    await organization("DeleteOrganization")
    refusal = await refused(organization("DescribeOrganization"))
    assert refusal.reason == "AWSOrganizationsNotInUseException"
    await an_organization(organization.manager)


async def test_units_lie_in_a_tree_five_levels_deep(organization: Organization) -> None:  # ORG-1
    parent_id, path = organization.root_id, f"{organization.id}/{organization.root_id}/"
    stem = organization.root_id.removeprefix("r-")
    for level in range(1, 6):
        made = (
            await organization(
                "CreateOrganizationalUnit", parent_id=parent_id, name=f"level {level}"
            )
        ).organizational_unit
        path += f"{made.id}/"
        assert re.fullmatch(rf"ou-{stem}-[a-z0-9]{{8}}", made.id)
        assert plain(made) == {
            "id": made.id,
            "arn": f"arn:aws:organizations::{MANAGEMENT}:ou/{organization.id}/{made.id}",
            "name": f"level {level}",
            "path": path,
        }
        described = await organization("DescribeOrganizationalUnit", organizational_unit_id=made.id)
        assert described.organizational_unit == made
        [parent] = (await organization("ListParents", child_id=made.id)).parents
        assert parent.id == parent_id
        parent_id = made.id
    refusal = await refused(
        organization("CreateOrganizationalUnit", parent_id=parent_id, name="level 6")
    )
    assert constraint(refusal) == ("ConstraintViolationException", "OU_DEPTH_LIMIT_EXCEEDED")


async def test_siblings_have_names_of_their_own(organization: Organization) -> None:
    first, second = await organization.unit("one"), await organization.unit("two")
    nested = await organization.unit("one", first)
    for call in (
        organization("CreateOrganizationalUnit", parent_id=organization.root_id, name="one"),
        organization("UpdateOrganizationalUnit", organizational_unit_id=second, name="one"),
    ):
        assert (await refused(call)).reason == "DuplicateOrganizationalUnitException"
    renamed = await organization(
        "UpdateOrganizationalUnit", organizational_unit_id=nested, name="b"
    )
    assert renamed.organizational_unit.name == "b"
    kept = await organization("UpdateOrganizationalUnit", organizational_unit_id=nested)
    assert kept.organizational_unit == renamed.organizational_unit


async def test_a_unit_that_holds_something_stays(organization: Organization) -> None:
    outer = await organization.unit("outer")
    inner = await organization.unit("inner", outer)
    member = await organization.account("member", inner)
    for unit in (outer, inner):
        refusal = await refused(
            organization("DeleteOrganizationalUnit", organizational_unit_id=unit)
        )
        assert refusal.reason == "OrganizationalUnitNotEmptyException"
    await organization("RemoveAccountFromOrganization", account_id=member)
    await organization("DeleteOrganizationalUnit", organizational_unit_id=inner)
    await organization("DeleteOrganizationalUnit", organizational_unit_id=outer)
    listed = await organization("ListOrganizationalUnitsForParent", parent_id=organization.root_id)
    assert not listed.organizational_units


async def test_an_account_is_made_at_once_below_the_root(organization: Organization) -> None:
    status = (
        await organization(
            "CreateAccount",
            account_name="developer",
            email="developer@example.com",
            tags=[{"key": "team", "value": "a"}],
        )
    ).create_account_status
    assert re.fullmatch(r"car-[a-z0-9]{32}", status.id)
    assert re.fullmatch(r"\d{12}", status.account_id)
    assert status.account_name == "developer"
    assert status.completed_timestamp == status.requested_timestamp
    again = await organization("DescribeCreateAccountStatus", create_account_request_id=status.id)
    assert again.create_account_status == status

    account = (await organization("DescribeAccount", account_id=status.account_id)).account
    assert (account.name, account.email) == ("developer", "developer@example.com")
    assert account.arn.endswith(f":account/{organization.id}/{status.account_id}")
    assert list(account.paths) == [f"{organization.id}/{organization.root_id}/{status.account_id}/"]
    assert account.joined_timestamp == status.requested_timestamp
    tags = (await organization("ListTagsForResource", resource_id=account.id)).tags
    assert [(tag.key, tag.value) for tag in tags] == [("team", "a")]


async def test_an_email_address_is_one_accounts(organization: Organization) -> None:
    await organization.account("developer")
    status = (
        await organization("CreateAccount", account_name="b", email="developer@example.com")
    ).create_account_status
    assert not status.account_id
    words = status.DESCRIPTOR.fields_by_name["failure_reason"].enum_type.values_by_number
    assert words[status.failure_reason].name.endswith("_EMAIL_ALREADY_EXISTS")
    accounts = (await organization("ListAccounts")).accounts
    assert [account.name for account in accounts] == ["Management account", "developer"]
    again = await organization("DescribeCreateAccountStatus", create_account_request_id=status.id)
    assert again.create_account_status == status


async def test_an_account_is_moved_from_where_it_is(organization: Organization) -> None:  # ORG-1
    unit, member = await organization.unit("unit"), await organization.account("member")

    async def move(source: str, destination: str, account_id: str = member) -> Any:
        return await organization(
            "MoveAccount",
            account_id=account_id,
            source_parent_id=source,
            destination_parent_id=destination,
        )

    root, nowhere = organization.root_id, f"{unit[:-8]}nowhere0"
    for call, reason in (
        (move(unit, root), "SourceParentNotFoundException"),
        (move(root, nowhere), "DestinationParentNotFoundException"),
        (move(root, root), "DuplicateAccountException"),
        (move(root, unit, OUTSIDER), "AccountNotFoundException"),
        (move("unit", root), "InvalidInputException"),
        (move(root, "unit"), "InvalidInputException"),
    ):
        assert (await refused(call)).reason == reason
    await move(root, unit)
    account = (await organization("DescribeAccount", account_id=member)).account
    assert list(account.paths) == [f"{organization.id}/{root}/{unit}/{member}/"]
    below = (await organization("ListAccountsForParent", parent_id=unit)).accounts
    assert list(below) == [account]
    children = await organization("ListChildren", parent_id=unit, child_type="ACCOUNT")
    assert [child.id for child in children.children] == [member]
    [parent] = (await organization("ListParents", child_id=member)).parents
    assert parent.id == unit


async def test_members_leave_but_not_the_management_account(organization: Organization) -> None:
    member = await organization.account("member")
    refusal = await refused(organization("RemoveAccountFromOrganization", account_id=MANAGEMENT))
    assert refusal.reason == "MasterCannotLeaveOrganizationException"
    await organization("EnableAWSServiceAccess", service_principal=IPAM_SERVICE)
    administrator = {"account_id": member, "service_principal": IPAM_SERVICE}
    await organization("RegisterDelegatedAdministrator", **administrator)
    refusal = await refused(organization("RemoveAccountFromOrganization", account_id=member))
    assert constraint(refusal) == (
        "ConstraintViolationException",
        "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
    )
    await organization("DeregisterDelegatedAdministrator", **administrator)
    await organization("RemoveAccountFromOrganization", account_id=member)
    assert (await refused(organization("DescribeAccount", account_id=member))).reason == (
        "AccountNotFoundException"
    )
    # It may begin one of its own.
    await an_organization(organization.manager, member)


async def test_another_organizations_things_are_not_there(organization: Organization) -> None:
    unit, member = await organization.unit("unit"), await organization.account("member")
    policy = await organization.policy("policy")
    other = await an_organization(organization.manager, OUTSIDER)
    for call, reason in (
        (other("DescribeAccount", account_id=member), "AccountNotFoundException"),
        (
            other("DescribeOrganizationalUnit", organizational_unit_id=unit),
            "OrganizationalUnitNotFoundException",
        ),
        (other("ListChildren", parent_id=unit, child_type="ACCOUNT"), "ParentNotFoundException"),
        (
            other("ListAccountsForParent", parent_id=organization.root_id),
            "ParentNotFoundException",
        ),
        (other("ListParents", child_id=unit), "ChildNotFoundException"),
        (other("ListParents", child_id=member), "ChildNotFoundException"),
        (other("DescribePolicy", policy_id=policy), "PolicyNotFoundException"),
        (other("ListTargetsForPolicy", policy_id=policy), "PolicyNotFoundException"),
        (other("ListTagsForResource", resource_id=unit), "TargetNotFoundException"),
        (other("ListPoliciesForTarget", target_id=unit, filter=SCP), "TargetNotFoundException"),
        (
            other("EnablePolicyType", root_id=organization.root_id, policy_type=SCP),
            "RootNotFoundException",
        ),
    ):
        assert (await refused(call)).reason == reason
    assert len((await other("ListAccounts")).accounts) == 1
    assert [policy.id for policy in (await other("ListPolicies", filter=SCP)).policies] == [
        "p-FullAWSAccess"
    ]


@on_sqlite_alone
@pytest.mark.parametrize(
    ("rpc", "members"),
    [
        ("CreateOrganizationalUnit", {"parent_id": "r", "name": "a"}),
        ("ListChildren", {"parent_id": "111122223333", "child_type": "ACCOUNT"}),
        ("ListParents", {"child_id": "r-abcd"}),
        ("DescribeAccount", {"account_id": "11112222333x"}),
        ("DescribeOrganizationalUnit", {"organizational_unit_id": "r-abcd"}),
        ("DescribeCreateAccountStatus", {"create_account_request_id": "car"}),
        ("DescribePolicy", {"policy_id": "policy"}),
        ("ListPoliciesForTarget", {"target_id": "p-12345678", "filter": SCP}),
        ("ListTagsForResource", {"resource_id": "vpc-12345678"}),
        ("CreateAccount", {"account_name": "a", "email": "nobody"}),
        ("EnableAWSServiceAccess", {"service_principal": "ipam"}),
        ("ListAccounts", {"next_token": "made up"}),
        ("TagResource", {"resource_id": "r-abcd", "tags": [{"key": "aws:a"}]}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_no_such_request_can_say_is_refused_as_such(
    organization: Organization, rpc: str, members: dict[str, Any]
) -> None:
    assert (await refused(organization(rpc, **members))).reason == "InvalidInputException"


async def test_tags_are_set_and_removed_on_everything_that_has_an_id(
    organization: Organization,
) -> None:
    await organization.account("member")
    await organization.unit("unit")
    organization.ids["policy"] = await organization.policy("policy")
    for resource_id in (organization.root_id, *organization.ids.values()):

        async def tags(resource_id: str = resource_id) -> dict[str, str]:
            answer = await organization("ListTagsForResource", resource_id=resource_id)
            return {tag.key: tag.value for tag in answer.tags}

        assert await tags() == {}
        given = [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
        await organization("TagResource", resource_id=resource_id, tags=given)
        changed = [{"key": "b", "value": "3"}]
        await organization("TagResource", resource_id=resource_id, tags=changed)
        assert await tags() == {"a": "1", "b": "3"}
        await organization("UntagResource", resource_id=resource_id, tag_keys=["a", "c"])
        assert await tags() == {"b": "3"}


async def test_too_many_tags_violate_a_constraint(organization: Organization) -> None:
    many = [{"key": str(number)} for number in range(51)]
    refusal = await refused(
        organization("TagResource", resource_id=organization.root_id, tags=many)
    )
    assert constraint(refusal) == ("ConstraintViolationException", "MAX_TAG_LIMIT_EXCEEDED")
    await organization("TagResource", resource_id=organization.root_id, tags=many[:50])
    refusal = await refused(
        organization("TagResource", resource_id=organization.root_id, tags=many[50:])
    )
    assert constraint(refusal) == ("ConstraintViolationException", "MAX_TAG_LIMIT_EXCEEDED")


async def test_lists_come_in_pages_of_20_at_most(organization: Organization) -> None:  # BEY-6
    for number in range(23):
        await organization.unit(f"unit {number:02}")
        await organization.account(f"account{number:02}")
        await organization.policy(f"policy {number:02}")
    root_id = organization.root_id
    for rpc, members, member, count in (
        ("ListOrganizationalUnitsForParent", {"parent_id": root_id}, "organizational_units", 23),
        ("ListAccounts", {}, "accounts", 24),
        ("ListAccountsForParent", {"parent_id": root_id}, "accounts", 24),
        ("ListChildren", {"parent_id": root_id, "child_type": "ACCOUNT"}, "children", 24),
        ("ListPolicies", {"filter": SCP}, "policies", 24),
    ):
        first = await organization(rpc, **members)
        assert len(getattr(first, member)) == 20
        rest = await organization(rpc, **members, next_token=first.next_token)
        assert not rest.HasField("next_token")
        whole = [*getattr(first, member), *getattr(rest, member)]
        assert len(whole) == count
        one_by_one: list[Any] = []
        page = await organization(rpc, **members, max_results=7)
        while page.HasField("next_token"):
            one_by_one.extend(getattr(page, member))
            page = await organization(rpc, **members, next_token=page.next_token, max_results=7)
        one_by_one.extend(getattr(page, member))
        assert one_by_one == whole
        assert len({record.id for record in whole}) == count
        refusal = await refused(organization(rpc, **members, max_results=21))
        assert refusal.reason == "InvalidParameterValue"


async def test_what_is_deleted_between_two_pages_leaves_no_gap(organization: Organization) -> None:
    units = [await organization.unit(f"unit {number}") for number in range(4)]
    request = {"parent_id": organization.root_id, "max_results": 2}
    first = await organization("ListOrganizationalUnitsForParent", **request)
    for unit in units[:2]:
        await organization("DeleteOrganizationalUnit", organizational_unit_id=unit)
    rest = await organization(
        "ListOrganizationalUnitsForParent", **request, next_token=first.next_token
    )
    assert [unit.id for unit in rest.organizational_units] == units[2:]


async def test_consolidated_billing_has_neither_policies_nor_services(control: Client) -> None:
    manager = control.acting_as(MANAGEMENT)
    made = await manager.of(ORGANIZATIONS, "CreateOrganization", feature_set="CONSOLIDATED_BILLING")
    assert not made.organization.available_policy_types
    [root] = (await manager.of(ORGANIZATIONS, "ListRoots")).roots
    refusal = await refused(
        manager.of(ORGANIZATIONS, "EnablePolicyType", root_id=root.id, policy_type=SCP)
    )
    assert refusal.reason == "PolicyTypeNotAvailableForOrganizationException"
    refusal = await refused(
        manager.of(ORGANIZATIONS, "EnableAWSServiceAccess", service_principal=IPAM_SERVICE)
    )
    assert constraint(refusal) == (
        "ConstraintViolationException",
        "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE",
    )
