"""Making, telling and ending an organization."""

from datetime import datetime

from services.control_plane.organizations import ids
from services.control_plane.organizations.account import Account, JoinedMethod, email_of_owner
from services.control_plane.organizations.errors import (
    AlreadyInOrganization,
    ConcurrentModification,
    OrganizationNotEmpty,
)
from services.control_plane.organizations.organization import FeatureSet, Organization
from services.control_plane.service.organizations.holding import hold_own, own
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted
from shared.caller import Caller

MANAGEMENT_ACCOUNT_NAME = "Management account"


def create_organization(
    rows: Rows, caller: Caller, feature_set: FeatureSet, now: datetime
) -> Accepted[tuple[Organization, Account]]:
    """Make the caller's account the management account of a new organization (ORG-1)."""
    if membership := rows.organizations.membership(caller.account_id):
        raise AlreadyInOrganization(caller.account_id, membership.organization_id)
    organization = Organization(
        organization_id=ids.new_organization_id(),
        management_account_id=caller.account_id,
        feature_set=feature_set,
        root_id=ids.new_root_id(),
    )
    if not rows.organizations.add(organization):
        raise ConcurrentModification
    account = Account(
        account_id=caller.account_id,
        organization_id=organization.organization_id,
        parent_id=organization.root_id,
        name=MANAGEMENT_ACCOUNT_NAME,
        email=email_of_owner(caller.account_id),
        joined_method=JoinedMethod.INVITED,
        joined_at=now,
    )
    rows.organizations.accounts.add(account, {})
    return Accepted((organization, account))


def describe_organization(rows: Rows, caller: Caller) -> tuple[Organization, Account]:
    """The caller's organization and its management account, for every member to know."""
    organization = own(rows, caller)
    return organization, _management_account(rows, organization)


def delete_organization(rows: Rows, caller: Caller) -> Accepted[None]:
    """End the caller's organization; its policies go with it.

    Raises:
        OrganizationNotEmpty: there is another account, or an OU.
    """
    organization = hold_own(rows, caller)
    organization_id = organization.organization_id
    others = rows.organizations.accounts.count(organization_id) - 1
    units = rows.organizations.units.count(organization_id)
    if others or units:
        raise OrganizationNotEmpty(
            f"Organization {organization_id} has {others} accounts besides its management account"
            f" and {units} organizational units; remove them first",
            organization_id=organization_id,
            accounts=others,
            organizational_units=units,
        )
    rows.ipam_policies.forget_organization(organization_id)
    rows.organizations.remove(organization_id)
    return Accepted(None)


def _management_account(rows: Rows, organization: Organization) -> Account:
    account = rows.organizations.accounts.get(
        organization.organization_id, organization.management_account_id
    )
    if account is None:
        raise RuntimeError(f"{organization.organization_id} lost its management account")
    return account
