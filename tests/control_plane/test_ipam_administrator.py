"""Services that work with an organization, and who administers IPAM for it (ORG-2)."""

import asyncio

import pytest

from shared.errors import CadastreError
from tests.control_plane.organizations import (
    IPAM_SERVICE,
    MANAGEMENT,
    OUTSIDER,
    RAM_SERVICE,
    Organization,
    an_organization,
    constraint,
    refused,
)
from tests.control_plane.world import Client

ENABLE, DISABLE = (
    "EnableIpamOrganizationAdminAccount",
    "DisableIpamOrganizationAdminAccount",
)


@pytest.fixture
async def organization(control: Client) -> Organization:
    made = await an_organization(control)
    for name in ("first", "second"):
        await made.account(name)
    return made


async def administrators(organization: Organization, **members: str) -> list[str]:
    answer = await organization("ListDelegatedAdministrators", **members)
    return [administrator.id for administrator in answer.delegated_administrators]


async def services(organization: Organization) -> list[str]:
    answer = await organization("ListAWSServiceAccessForOrganization")
    return [service.service_principal for service in answer.enabled_service_principals]


async def test_enabling_lets_ipam_in_and_registers_its_administrator(  # ORG-2
    organization: Organization,
) -> None:
    first = organization.ids["first"]
    answer = await organization.manager(ENABLE, delegated_admin_account_id=first)
    assert answer.success
    # As Terraform reads it back (aws-contract.md section 4).
    answer = await organization("ListDelegatedAdministrators", service_principal=IPAM_SERVICE)
    [administrator] = answer.delegated_administrators
    assert administrator.id == first
    assert administrator.name == "first"
    assert administrator.arn.endswith(f":account/{organization.id}/{first}")
    assert administrator.HasField("delegation_enabled_date")
    assert await services(organization) == [IPAM_SERVICE]

    await organization.manager(ENABLE, delegated_admin_account_id=first)
    assert await administrators(organization) == [first]

    answer = await organization.manager(DISABLE, delegated_admin_account_id=first)
    assert answer.success
    assert await administrators(organization, service_principal=IPAM_SERVICE) == []
    assert await services(organization) == [IPAM_SERVICE]


async def test_an_organization_has_one_ipam_administrator(organization: Organization) -> None:
    first, second = organization.ids["first"], organization.ids["second"]
    await organization.manager(ENABLE, delegated_admin_account_id=first)
    refusal = await refused(organization.manager(ENABLE, delegated_admin_account_id=second))
    assert refusal.reason == "IpamOrganizationAdminAccountLimitExceeded"  # section 14
    assert refusal.metadata["quota"] == "1"
    refusal = await refused(
        organization(
            "RegisterDelegatedAdministrator", account_id=second, service_principal=IPAM_SERVICE
        )
    )
    assert constraint(refusal) == (
        "ConstraintViolationException",
        "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED",
    )
    assert await administrators(organization) == [first]
    await organization.manager(DISABLE, delegated_admin_account_id=first)
    await organization.manager(ENABLE, delegated_admin_account_id=second)
    assert await administrators(organization) == [second]


async def test_of_racing_delegations_one_wins(organization: Organization) -> None:
    outcomes = await asyncio.gather(
        *(
            organization.manager(ENABLE, delegated_admin_account_id=organization.ids[name])
            for name in ("first", "second") * 3
        ),
        return_exceptions=True,
    )
    reasons = [outcome.reason for outcome in outcomes if isinstance(outcome, CadastreError)]
    assert reasons == ["IpamOrganizationAdminAccountLimitExceeded"] * 3
    assert len(await administrators(organization)) == 1


async def test_only_a_member_becomes_it_and_only_by_the_management_account(  # ORG-2
    organization: Organization,
) -> None:
    first = organization.ids["first"]
    for client in (organization.by("first"), organization.manager.acting_as(OUTSIDER)):
        for rpc in (ENABLE, DISABLE):
            refusal = await refused(client(rpc, delegated_admin_account_id=first))
            assert refusal.reason == "OperationNotPermitted"
    for account_id in (MANAGEMENT, OUTSIDER, "first"):
        for rpc in (ENABLE, DISABLE):
            refusal = await refused(
                organization.manager(rpc, delegated_admin_account_id=account_id)
            )
            assert refusal.reason == "InvalidParameterValue"
            assert account_id in refusal.message
    refusal = await refused(organization.manager(DISABLE, delegated_admin_account_id=first))
    assert refusal.reason == "InvalidParameterValue"
    refusal = await refused(
        organization.manager(ENABLE, delegated_admin_account_id=first, dry_run=True)
    )
    assert refusal.reason == "DryRunOperation"
    assert await administrators(organization) == await services(organization) == []


async def test_registering_leads_to_what_enabling_does(organization: Organization) -> None:
    first = organization.ids["first"]
    register = {"account_id": first, "service_principal": IPAM_SERVICE}
    refusal = await refused(organization("RegisterDelegatedAdministrator", **register))
    assert constraint(refusal) == ("ConstraintViolationException", "SERVICE_ACCESS_NOT_ENABLED")
    await organization("EnableAWSServiceAccess", service_principal=IPAM_SERVICE)
    await organization("RegisterDelegatedAdministrator", **register)
    refusal = await refused(organization("RegisterDelegatedAdministrator", **register))
    assert refusal.reason == "AccountAlreadyRegisteredException"
    assert await administrators(organization, service_principal=IPAM_SERVICE) == [first]
    assert await services(organization) == [IPAM_SERVICE]
    await organization.manager(ENABLE, delegated_admin_account_id=first)
    await organization.manager(DISABLE, delegated_admin_account_id=first)
    refusal = await refused(organization("DeregisterDelegatedAdministrator", **register))
    assert refusal.reason == "AccountNotRegisteredException"


async def test_the_management_account_administers_no_service(organization: Organization) -> None:
    await organization("EnableAWSServiceAccess", service_principal=RAM_SERVICE)
    for account_id, reason in (
        (MANAGEMENT, "ConstraintViolationException"),
        (OUTSIDER, "AccountNotFoundException"),
    ):
        refusal = await refused(
            organization(
                "RegisterDelegatedAdministrator",
                account_id=account_id,
                service_principal=RAM_SERVICE,
            )
        )
        assert refusal.reason == reason


async def test_an_administrator_of_two_services_is_listed_once(organization: Organization) -> None:
    first, second = organization.ids["first"], organization.ids["second"]
    for account_id, service in (
        (second, "config.amazonaws.com"),
        (first, RAM_SERVICE),
        (second, IPAM_SERVICE),
    ):
        await organization("EnableAWSServiceAccess", service_principal=service)
        await organization(
            "RegisterDelegatedAdministrator", account_id=account_id, service_principal=service
        )
    assert await administrators(organization) == [second, first]
    assert await administrators(organization, service_principal=RAM_SERVICE) == [first]
    page = await organization("ListDelegatedAdministrators", max_results=1)
    rest = await organization("ListDelegatedAdministrators", next_token=page.next_token)
    assert [one.id for one in (*page.delegated_administrators, *rest.delegated_administrators)] == [
        second,
        first,
    ]
    answer = await organization("ListDelegatedServicesForAccount", account_id=second)
    names = [service.service_principal for service in answer.delegated_services]
    assert names == ["config.amazonaws.com", IPAM_SERVICE]
    refusal = await refused(organization("ListDelegatedServicesForAccount", account_id=MANAGEMENT))
    assert refusal.reason == "AccountNotRegisteredException"


async def test_a_service_with_an_administrator_keeps_its_access(organization: Organization) -> None:
    first = organization.ids["first"]
    await organization.manager(ENABLE, delegated_admin_account_id=first)
    ipam = {"service_principal": IPAM_SERVICE}
    refusal = await refused(organization("DisableAWSServiceAccess", **ipam))
    assert constraint(refusal) == (
        "ConstraintViolationException",
        "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE",
    )
    await organization("DeregisterDelegatedAdministrator", account_id=first, **ipam)
    await organization("DisableAWSServiceAccess", **ipam)
    await organization("DisableAWSServiceAccess", **ipam)
    assert await services(organization) == []
