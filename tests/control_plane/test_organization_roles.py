"""Who may do what: every RPC of OrganizationsService, by four kinds of accounts (ORG-1, ORG-10)."""

from collections.abc import Callable, Mapping
from typing import Any

from cadastre.control.organizations.v1 import organizations_service_pb2
from shared.errors import CadastreError
from tests.control_plane.organizations import (
    DENY_ALL,
    IPAM_SERVICE,
    OUTSIDER,
    RAM_SERVICE,
    SCP,
    Organization,
    an_organization,
)
from tests.control_plane.world import ORGANIZATIONS, Client, on_sqlite_alone

CHANGING, READING, EVERY_MEMBERS = "changing", "reading", "every member's"
ANYBODYS_OUTSIDE = "anybody's outside"

RULES: Mapping[str, tuple[str, Callable[[Organization], dict[str, Any]]]] = {
    "CreateOrganization": (ANYBODYS_OUTSIDE, lambda _: {}),
    "DescribeOrganization": (EVERY_MEMBERS, lambda _: {}),
    "ListRoots": (READING, lambda _: {}),
    "DescribeOrganizationalUnit": (
        READING,
        lambda it: {"organizational_unit_id": it.ids["unit"]},
    ),
    "ListOrganizationalUnitsForParent": (READING, lambda it: {"parent_id": it.root_id}),
    "ListChildren": (READING, lambda it: {"parent_id": it.root_id, "child_type": "ACCOUNT"}),
    "ListParents": (READING, lambda it: {"child_id": it.ids["member"]}),
    "DescribeCreateAccountStatus": (
        READING,
        lambda it: {"create_account_request_id": it.ids["request"]},
    ),
    "DescribeAccount": (READING, lambda it: {"account_id": it.ids["member"]}),
    "ListAccounts": (READING, lambda _: {}),
    "ListAccountsForParent": (READING, lambda it: {"parent_id": it.root_id}),
    "ListAWSServiceAccessForOrganization": (READING, lambda _: {}),
    "ListDelegatedAdministrators": (READING, lambda _: {}),
    "ListDelegatedServicesForAccount": (
        READING,
        lambda it: {"account_id": it.ids["administrator"]},
    ),
    "DescribePolicy": (READING, lambda it: {"policy_id": it.ids["attached"]}),
    "ListPolicies": (READING, lambda _: {"filter": SCP}),
    "ListPoliciesForTarget": (
        READING,
        lambda it: {"target_id": it.ids["unit"], "filter": SCP},
    ),
    "ListTargetsForPolicy": (READING, lambda it: {"policy_id": it.ids["attached"]}),
    "ListTagsForResource": (READING, lambda it: {"resource_id": it.ids["unit"]}),
    # In an order in which each can succeed after those above it.
    "CreateOrganizationalUnit": (CHANGING, lambda it: {"parent_id": it.root_id, "name": "new"}),
    "UpdateOrganizationalUnit": (
        CHANGING,
        lambda it: {"organizational_unit_id": it.ids["empty"], "name": "renamed"},
    ),
    "DeleteOrganizationalUnit": (
        CHANGING,
        lambda it: {"organizational_unit_id": it.ids["empty"]},
    ),
    "CreateAccount": (
        CHANGING,
        lambda _: {"account_name": "new", "email": "new@example.com"},
    ),
    "MoveAccount": (
        CHANGING,
        lambda it: {
            "account_id": it.ids["leaver"],
            "source_parent_id": it.root_id,
            "destination_parent_id": it.ids["unit"],
        },
    ),
    "RemoveAccountFromOrganization": (CHANGING, lambda it: {"account_id": it.ids["leaver"]}),
    "EnableAWSServiceAccess": (CHANGING, lambda _: {"service_principal": RAM_SERVICE}),
    "RegisterDelegatedAdministrator": (
        CHANGING,
        lambda it: {"account_id": it.ids["heir"], "service_principal": RAM_SERVICE},
    ),
    "DeregisterDelegatedAdministrator": (
        CHANGING,
        lambda it: {"account_id": it.ids["heir"], "service_principal": RAM_SERVICE},
    ),
    "DisableAWSServiceAccess": (CHANGING, lambda _: {"service_principal": RAM_SERVICE}),
    "CreatePolicy": (
        CHANGING,
        lambda _: {"name": "new", "type": SCP, "content": DENY_ALL},
    ),
    "UpdatePolicy": (CHANGING, lambda it: {"policy_id": it.ids["loose"], "name": "renamed"}),
    "AttachPolicy": (
        CHANGING,
        lambda it: {"policy_id": it.ids["loose"], "target_id": it.ids["unit"]},
    ),
    "DetachPolicy": (
        CHANGING,
        lambda it: {"policy_id": it.ids["loose"], "target_id": it.ids["unit"]},
    ),
    "DeletePolicy": (CHANGING, lambda it: {"policy_id": it.ids["loose"]}),
    "DisablePolicyType": (CHANGING, lambda it: {"root_id": it.root_id, "policy_type": SCP}),
    "EnablePolicyType": (CHANGING, lambda it: {"root_id": it.root_id, "policy_type": SCP}),
    "TagResource": (
        CHANGING,
        lambda it: {"resource_id": it.ids["unit"], "tags": [{"key": "a"}]},
    ),
    "UntagResource": (
        CHANGING,
        lambda it: {"resource_id": it.ids["unit"], "tag_keys": ["a"]},
    ),
    # Refused to the management account as well, for the organization is not empty.
    "DeleteOrganization": (CHANGING, lambda _: {}),
}

FAR, DENIED = "AWSOrganizationsNotInUseException", "AccessDeniedException"
ALREADY = "AlreadyInOrganizationException"
EXPECTED = {
    CHANGING: {"manager": "", "administrator": DENIED, "member": DENIED, "outsider": FAR},
    READING: {"manager": "", "administrator": "", "member": DENIED, "outsider": FAR},
    EVERY_MEMBERS: {"manager": "", "administrator": "", "member": "", "outsider": FAR},
    ANYBODYS_OUTSIDE: {
        "manager": ALREADY,
        "administrator": ALREADY,
        "member": ALREADY,
        "outsider": "",
    },
}


async def an_organization_with_all(client: Client) -> Organization:
    """What the requests of the table are about."""
    it = await an_organization(client)
    await it.enable_policies()
    await it.unit("unit")
    await it.unit("empty")
    for name in ("administrator", "member", "leaver", "heir"):
        await it.account(name)
    status = await it("CreateAccount", account_name="b", email="b@example.com")
    it.ids["request"] = status.create_account_status.id
    it.ids["attached"], it.ids["loose"] = await it.policy("attached"), await it.policy("loose")
    await it("AttachPolicy", policy_id=it.ids["attached"], target_id=it.ids["unit"])
    await it("EnableAWSServiceAccess", service_principal=IPAM_SERVICE)
    await it(
        "RegisterDelegatedAdministrator",
        account_id=it.ids["administrator"],
        service_principal=IPAM_SERVICE,
    )
    return it


async def outcome(client: Client, rpc: str, members: dict[str, Any]) -> str:
    """Why it was refused; empty when it was not."""
    try:
        await client.of(ORGANIZATIONS, rpc, **members)
    except CadastreError as refusal:
        return refusal.reason
    return ""


def test_the_table_has_every_rpc() -> None:
    service = organizations_service_pb2.DESCRIPTOR.services_by_name["OrganizationsService"]
    assert set(RULES) == set(service.methods_by_name)


@on_sqlite_alone
async def test_changes_are_the_management_accounts_and_reading_the_administrators_too(
    control: Client,
) -> None:
    it = await an_organization_with_all(control)
    # Those who are refused come first, so that they meet what the last one changes.
    callers = {
        "outsider": it.manager.acting_as(OUTSIDER),
        "member": it.by("member"),
        "administrator": it.by("administrator"),
        "manager": it.manager,
    }
    outcomes, expected = {}, {}
    for rpc, (rule, members) in RULES.items():
        for kind, caller in callers.items():
            expected[rpc, kind] = EXPECTED[rule][kind]
            outcomes[rpc, kind] = await outcome(caller, rpc, members(it))
        if rpc == "CreateOrganization":
            await callers["outsider"].of(ORGANIZATIONS, "DeleteOrganization")
    expected["DeleteOrganization", "manager"] = "OrganizationNotEmptyException"
    assert outcomes == expected
