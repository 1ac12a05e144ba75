"""What can be done to OUs."""

from dataclasses import replace

from services.control_plane.organizations import ids
from services.control_plane.organizations.errors import (
    ChildNotFound,
    DuplicateOrganizationalUnit,
    OrganizationalUnitNotEmpty,
    OrganizationalUnitNotFound,
)
from services.control_plane.organizations.organization import Organization
from services.control_plane.organizations.policy import FULL_AWS_ACCESS
from services.control_plane.organizations.unit import Unit, check_room_for_unit, unit_below
from services.control_plane.service.organizations.holding import (
    hold_own,
    path_of_parent,
    readable,
)
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted
from shared.caller import Caller
from shared.tags import Tags


def create_unit(
    rows: Rows, caller: Caller, parent_id: str, name: str, tags: Tags
) -> Accepted[tuple[Organization, Unit]]:
    """Make an OU below a root or an OU (ORG-1)."""
    organization = hold_own(rows, caller)
    parent_path = path_of_parent(rows, organization, parent_id)
    unit = unit_below(parent_path, unit_id=ids.new_unit_id(organization.root_id), name=name)
    _check_name(rows, parent_id, name)
    organization_id = organization.organization_id
    check_room_for_unit(organization_id, rows.organizations.units.count(organization_id))
    add_unit(rows, organization, unit, tags)
    return Accepted((organization, unit))


def add_unit(rows: Rows, organization: Organization, unit: Unit, tags: Tags) -> None:
    """Add an OU that is known to fit, with the policy that everything begins with."""
    rows.organizations.units.add(unit, tags)
    if organization.has_service_control_policies:
        rows.organizations.policies.attach(
            organization.organization_id, FULL_AWS_ACCESS.policy_id, unit.unit_id
        )


def rename_unit(
    rows: Rows, caller: Caller, unit_id: str, name: str | None
) -> Accepted[tuple[Organization, Unit]]:
    """Give an OU another name; None leaves it."""
    organization = hold_own(rows, caller)
    unit = unit_in(rows, organization, unit_id)
    if name is not None and name != unit.name:
        _check_name(rows, unit.parent_id, name)
        rows.organizations.units.rename(unit_id, name)
        unit = replace(unit, name=name)
    return Accepted((organization, unit))


def delete_unit(rows: Rows, caller: Caller, unit_id: str) -> Accepted[None]:
    """Remove an OU; what is attached to it is detached.

    Raises:
        OrganizationalUnitNotEmpty: it holds accounts or OUs.
    """
    organization = hold_own(rows, caller)
    unit_in(rows, organization, unit_id)
    units, accounts = rows.organizations.units, rows.organizations.accounts
    if any(units.below(unit_id, None)) or any(accounts.below(unit_id, None)):
        raise OrganizationalUnitNotEmpty(unit_id)
    rows.ipam_policies.forget_target(organization.organization_id, unit_id)
    units.remove(unit_id)
    return Accepted(None)


def describe_unit(rows: Rows, caller: Caller, unit_id: str) -> tuple[Organization, Unit]:
    """One OU."""
    organization = readable(rows, caller)
    return organization, unit_in(rows, organization, unit_id)


def parent_of(rows: Rows, caller: Caller, child_id: str) -> str:
    """The id of the root or OU that directly holds an account or an OU.

    Raises:
        ChildNotFound: the organization has no such account or OU.
    """
    organization_id = readable(rows, caller).organization_id
    ids.check_form(child_id, ids.ACCOUNT, ids.UNIT)
    child = rows.organizations.accounts.get(
        organization_id, child_id
    ) or rows.organizations.units.get(organization_id, child_id)
    if child is None:
        raise ChildNotFound(child_id)
    return child.parent_id


def unit_in(rows: Rows, organization: Organization, unit_id: str) -> Unit:
    """The OU of this id.

    Raises:
        InvalidInput: it is no OU's id.
        OrganizationalUnitNotFound: the organization has none of it.
    """
    ids.check_form(unit_id, ids.UNIT)
    unit = rows.organizations.units.get(organization.organization_id, unit_id)
    if unit is None:
        raise OrganizationalUnitNotFound(unit_id)
    return unit


def _check_name(rows: Rows, parent_id: str, name: str) -> None:
    if rows.organizations.units.is_named(parent_id, name):
        raise DuplicateOrganizationalUnit(parent_id, name)
