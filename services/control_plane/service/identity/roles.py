"""What can be done to service-linked roles, and when they are made by themselves (ORG-2).

A role is a record that stays until it is deleted: it is made when a member account becomes the IPAM
administrator, in all accounts of the organization and in those that join later, and when an account
makes an IPAM. So it is still there to be deleted after the delegation ended, as the guide has it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from services.control_plane.identity.errors import NoSuchEntity
from services.control_plane.identity.names import check_path_prefix
from services.control_plane.identity.service_role import (
    IPAM_LINK,
    Deletion,
    ServiceRole,
    deletion_task_id,
    link_of_service,
    name_taken,
    why_it_stays,
)
from services.control_plane.organizations.membership import IPAM_SERVICE
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted
from shared.caller import Caller

_DELETIONS_TOLD_FOR = timedelta(days=7)


def give_role_to_account(rows: Rows, account_id: str) -> None:
    """Make IPAM's role in an account that makes an IPAM, if it isn't there."""
    # Whoever deletes the role waits, and then sees the IPAM; or was faster, and it is made anew.
    rows.identity.hold(account_id)
    give_role_to_members(rows, [account_id])


def give_role_to_members(rows: Rows, account_ids: Iterable[str]) -> None:
    """Likewise in accounts of an organization, which is locked, that has an IPAM administrator."""
    rows.identity.roles.give(account_ids, IPAM_LINK, IPAM_LINK.description)


def create_service_role(
    rows: Rows, caller: Caller, service_name: str, custom_suffix: str, description: str | None
) -> Accepted[ServiceRole]:
    """Make a service's role.

    Raises:
        InvalidInput: the service has none, or the account has it already.
    """
    link = link_of_service(service_name, custom_suffix)
    rows.identity.hold(caller.account_id)
    if rows.identity.roles.get(caller.account_id, link):
        raise name_taken(caller.account_id, link)
    text = link.description if description is None else description
    rows.identity.roles.give([caller.account_id], link, text)
    return Accepted(get_role(rows, caller, link.role_name))


def get_role(rows: Rows, caller: Caller, role_name: str) -> ServiceRole:
    """One role of the account.

    Raises:
        NoSuchEntity: it has none of that name.
    """
    role = rows.identity.roles.get(caller.account_id, IPAM_LINK)
    if role is None or role_name != IPAM_LINK.role_name:
        raise NoSuchEntity("role", role_name)
    return role


def list_roles(rows: Rows, caller: Caller, path_prefix: str) -> Sequence[ServiceRole]:
    """The account's roles whose path begins so."""
    role = rows.identity.roles.get(caller.account_id, IPAM_LINK)
    is_listed = IPAM_LINK.path.startswith(check_path_prefix(path_prefix))
    return [role] if role and is_listed else []


def delete_service_role(
    rows: Rows, caller: Caller, role_name: str, now: datetime
) -> Accepted[Deletion]:
    """Remove a service's role, unless the service still needs it: the deletion tells (ORG-2).

    Raises:
        NoSuchEntity: the account has no such role.
    """
    account_id, roles = caller.account_id, rows.identity.roles
    organization_id = _hold_organization(rows, account_id)
    rows.identity.hold(account_id)
    link = get_role(rows, caller, role_name).link
    usages = roles.ipam_usages(account_id)
    deletion = Deletion(
        deletion_task_id=deletion_task_id(link, str(uuid4())),
        account_id=account_id,
        ended_at=now,
        refusal=why_it_stays(usages, organization_id),
        usages=tuple(usages),
    )
    if deletion.refusal is None:
        roles.remove(account_id, link)
    roles.forget_deletions(account_id, before=now - _DELETIONS_TOLD_FOR)
    roles.add_deletion(deletion)
    return Accepted(deletion)


def describe_deletion(rows: Rows, caller: Caller, task_id: str) -> Deletion:
    """How a deletion ended.

    Raises:
        NoSuchEntity: the account asked for none such in the last week.
    """
    deletion = rows.identity.roles.deletion(caller.account_id, task_id)
    if deletion is None:
        raise NoSuchEntity("deletion task", task_id)
    return deletion


def _hold_organization(rows: Rows, account_id: str) -> str | None:
    """The organization of the account that has an IPAM administrator; it is locked."""
    if found := rows.organizations.membership(account_id):
        rows.organizations.hold(found.organization_id)
    membership = rows.organizations.membership(account_id)
    if membership is None:
        return None
    organization_id = membership.organization_id
    administrator = rows.organizations.delegated_administrator(organization_id, IPAM_SERVICE)
    return organization_id if administrator else None
