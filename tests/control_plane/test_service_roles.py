"""Service-linked roles through the API (ORG-2)."""

import asyncio
from typing import Any

import pytest

from cadastre.control.iam.v1 import iam_service_pb2 as pb
from shared.errors import CadastreError
from tests.control_plane.organizations import an_organization
from tests.control_plane.world import ACCOUNT, IAM, STRANGER, WEST, Client
from tests.waiting import eventually

ROLE = "AWSServiceRoleForIPAM"
SUCCEEDED, FAILED = pb.DELETION_TASK_STATUS_TYPE_SUCCEEDED, pb.DELETION_TASK_STATUS_TYPE_FAILED


async def has_role(client: Client) -> bool:
    roles = (await client.of(IAM, "ListRoles")).roles
    if roles:
        found = (await client.of(IAM, "GetRole", role_name=ROLE)).role
        assert list(roles) == [found]
    return bool(roles)


async def deletion(client: Client) -> Any:
    task = await client.of(IAM, "DeleteServiceLinkedRole", role_name=ROLE)
    return await client.of(
        IAM, "GetServiceLinkedRoleDeletionStatus", deletion_task_id=task.deletion_task_id
    )


async def create(client: Client, **members: Any) -> Any:
    members.setdefault("aws_service_name", "ipam.amazonaws.com")
    return (await client.of(IAM, "CreateServiceLinkedRole", **members)).role


async def test_a_single_account_has_the_role_from_its_ipam_on(control: Client) -> None:  # ORG-2
    assert not await has_role(control)
    ipam = await control.create_ipam()
    assert await has_role(control)
    assert not await has_role(control.acting_as(STRANGER))

    refused = await deletion(control)
    assert refused.status == FAILED
    [usage] = refused.reason.role_usage_list
    assert usage.region == "us-east-1"
    assert f"arn:aws:ec2::{ACCOUNT}:ipam/{ipam.ipam_id}" in usage.resources
    assert await has_role(control)

    await control("DeleteIpam", ipam_id=ipam.ipam_id)

    async def is_gone() -> bool:
        return not await control.ipams()

    await eventually(is_gone)
    assert await has_role(control)
    assert (await deletion(control)).status == SUCCEEDED
    assert not await has_role(control)


async def test_a_second_ipam_leaves_the_role_as_it_is(control: Client) -> None:
    await control.create_ipam()
    before = (await control.of(IAM, "GetRole", role_name=ROLE)).role
    await control.acting_as(region=WEST).create_ipam()
    assert (await control.of(IAM, "GetRole", role_name=ROLE)).role == before
    regions = [usage.region for usage in (await deletion(control)).reason.role_usage_list]
    assert regions == ["us-east-1", WEST]


async def test_delegation_makes_the_role_in_every_account(control: Client) -> None:  # ORG-2
    organization = await an_organization(control)
    admin_id = await organization.account("ipam")
    await organization.account("member")
    everybody = [organization.manager, organization.by("ipam"), organization.by("member")]
    assert not any([await has_role(client) for client in everybody])

    manager = organization.manager
    await manager("EnableIpamOrganizationAdminAccount", delegated_admin_account_id=admin_id)
    assert all([await has_role(client) for client in everybody])
    await organization.account("late")
    assert await has_role(organization.by("late"))
    assert not await has_role(control.acting_as(STRANGER))

    # IPAM sees the member through it.
    refused = await deletion(organization.by("member"))
    assert refused.status == FAILED
    assert organization.id in refused.reason.reason
    assert not refused.reason.role_usage_list

    # As the guide cleans up: the roles are there to be deleted after the delegation ended.
    await manager("DisableIpamOrganizationAdminAccount", delegated_admin_account_id=admin_id)
    for client in everybody:
        assert (await deletion(client)).status == SUCCEEDED
        assert not await has_role(client)
    await organization.account("later")
    assert not await has_role(organization.by("later"))


async def test_registering_ipams_administrator_makes_the_role_as_enabling_does(  # ORG-2
    control: Client,
) -> None:
    organization = await an_organization(control)
    register = {"account_id": await organization.account("ipam")}
    everybody = [organization.manager, organization.by("ipam")]
    for service in ("config.amazonaws.com", "ipam.amazonaws.com"):
        assert not any([await has_role(client) for client in everybody])
        await organization("EnableAWSServiceAccess", service_principal=service)
        await organization("RegisterDelegatedAdministrator", service_principal=service, **register)
    assert all([await has_role(client) for client in everybody])


async def test_a_role_is_made_by_hand_once(control: Client) -> None:
    made = await create(control, description="mine")
    assert (made.role_name, made.description) == (ROLE, "mine")
    assert made.path == "/aws-service-role/ipam.amazonaws.com/"
    with pytest.raises(CadastreError, match="has been taken") as refusal:
        await create(control)
    assert refusal.value.reason == "InvalidInput"
    # An IPAM finds the role it needs.
    await control.create_ipam()
    assert (await control.of(IAM, "GetRole", role_name=ROLE)).role == made


async def test_no_ipam_is_without_its_role_when_a_deletion_races_its_creation(
    control: Client,
) -> None:
    accounts = [control.acting_as(f"{number:012}") for number in range(1, 7)]
    for account in accounts:
        await create(account)
        await asyncio.gather(account.create_ipam(), deletion(account))
        assert await has_role(account)


async def test_roles_are_listed_by_path(control: Client) -> None:
    await create(control)
    for prefix, count in (("/", 1), ("/aws-service-role/", 1), ("/service-role/", 0)):
        assert len((await control.of(IAM, "ListRoles", path_prefix=prefix)).roles) == count


async def test_what_is_not_there_is_not_deleted(control: Client) -> None:
    for rpc, members in (
        ("GetRole", {"role_name": "Other"}),
        ("DeleteServiceLinkedRole", {"role_name": ROLE}),
        ("GetServiceLinkedRoleDeletionStatus", {"deletion_task_id": "task/none"}),
    ):
        with pytest.raises(CadastreError) as refusal:
            await control.of(IAM, rpc, **members)
        assert refusal.value.reason == "NoSuchEntity"


async def test_a_deletion_is_its_accounts_to_see(control: Client) -> None:
    await create(control)
    task = await control.of(IAM, "DeleteServiceLinkedRole", role_name=ROLE)
    with pytest.raises(CadastreError) as refusal:
        await control.acting_as(STRANGER).of(
            IAM, "GetServiceLinkedRoleDeletionStatus", deletion_task_id=task.deletion_task_id
        )
    assert refusal.value.reason == "NoSuchEntity"
