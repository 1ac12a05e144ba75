"""Who may change an organization, who may read it, and what in it is meant."""

from dataclasses import replace

from services.control_plane.organizations import ids
from services.control_plane.organizations.errors import (
    AccessDenied,
    OrganizationsNotInUse,
    ParentNotFound,
)
from services.control_plane.organizations.membership import Membership
from services.control_plane.organizations.organization import Organization
from services.control_plane.service.rows import Rows
from shared.caller import Caller

PARENTS = (ids.ROOT, ids.UNIT)
"""The forms of what holds accounts and OUs."""


def own_membership(rows: Rows, caller: Caller) -> Membership:
    """Where the caller's account is.

    Raises:
        OrganizationsNotInUse: it is in no organization.
    """
    membership = rows.organizations.membership(caller.account_id)
    if membership is None:
        raise OrganizationsNotInUse(caller.account_id)
    return membership


def hold_own(rows: Rows, caller: Caller) -> Organization:
    """The caller's organization to be changed: locked, and at a later version.

    Raises:
        OrganizationsNotInUse: the caller's account is in none.
        AccessDenied: it is not the management account's call.
    """
    membership = own_membership(rows, caller)
    if not membership.is_management:
        raise AccessDenied(
            f"Account {caller.account_id} is a member of organization"
            f" {membership.organization_id}; changing it is for its management account"
            f" {membership.management_account_id}",
            account_id=caller.account_id,
            organization_id=membership.organization_id,
            management_account_id=membership.management_account_id,
        )
    return hold(rows, caller, membership.organization_id)


def hold(rows: Rows, caller: Caller, organization_id: str) -> Organization:
    """The organization that the caller's account manages, locked, and at a later version.

    Raises:
        OrganizationsNotInUse: it was deleted meanwhile.
    """
    rows.organizations.hold(organization_id)
    found = rows.organizations.get(organization_id)
    if found is None:
        raise OrganizationsNotInUse(caller.account_id)
    organization = replace(found, version=found.version + 1)
    rows.organizations.save(organization)
    return organization


def own(rows: Rows, caller: Caller) -> Organization:
    """The caller's organization.

    Raises:
        OrganizationsNotInUse: its account is in none.
    """
    organization = rows.organizations.get(own_membership(rows, caller).organization_id)
    if organization is None:
        raise OrganizationsNotInUse(caller.account_id)
    return organization


def readable(rows: Rows, caller: Caller) -> Organization:
    """The caller's organization, all of which the caller may read.

    Raises:
        OrganizationsNotInUse: the caller's account is in none.
        AccessDenied: it is neither its management account nor a delegated administrator.
    """
    organization = own(rows, caller)
    is_management = caller.account_id == organization.management_account_id
    if not is_management and not any(
        rows.organizations.services.of_account(caller.account_id, None)
    ):
        raise AccessDenied(
            f"Account {caller.account_id} is neither the management account of organization"
            f" {organization.organization_id} nor a delegated administrator; only they read more of"
            " it than DescribeOrganization tells",
            account_id=caller.account_id,
            organization_id=organization.organization_id,
        )
    return organization


def path_of_parent(rows: Rows, organization: Organization, parent_id: str) -> str:
    """The entity path of a root or an OU.

    Raises:
        InvalidInput: the id is neither's.
        ParentNotFound: the organization has no such root or OU.
    """
    path = path_of(rows, organization, ids.check_form(parent_id, *PARENTS))
    if path is None:
        raise ParentNotFound(parent_id)
    return path


def path_of(rows: Rows, organization: Organization, holder_id: str) -> str | None:
    """The entity path of a root or an OU; None when the organization has none of that id."""
    if holder_id == organization.root_id:
        return organization.root_path
    unit = rows.organizations.units.get(organization.organization_id, holder_id)
    return unit.path if unit else None
