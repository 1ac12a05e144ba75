"""What can be done to the accounts of an organization."""

from datetime import datetime

from services.control_plane.organizations import ids
from services.control_plane.organizations.account import (
    Account,
    AccountCreation,
    CreationFailure,
    JoinedMethod,
    check_email_of_member,
    check_room_for_account,
)
from services.control_plane.organizations.errors import (
    AccountNotFound,
    ConstraintViolation,
    CreateAccountStatusNotFound,
    DestinationParentNotFound,
    DuplicateAccount,
    ManagementAccountCannotLeave,
    SourceParentNotFound,
)
from services.control_plane.organizations.membership import IPAM_SERVICE
from services.control_plane.organizations.organization import Organization
from services.control_plane.organizations.policy import FULL_AWS_ACCESS
from services.control_plane.service.identity.roles import give_role_to_members
from services.control_plane.service.organizations.holding import (
    PARENTS,
    hold_own,
    path_of,
    path_of_parent,
    readable,
)
from services.control_plane.service.rows import Rows
from services.control_plane.service.shares_users import telling_users_within
from services.control_plane.service.steps import Accepted
from shared.caller import Caller
from shared.tags import Tags


def create_account(
    rows: Rows, caller: Caller, name: str, email: str, tags: Tags, now: datetime
) -> Accepted[AccountCreation]:
    """Make a member account directly below the root; what stands in the way is told in the answer.

    Raises:
        InvalidInput: the email address is malformed, or of the domain kept for accounts that make
            organizations.
        ConstraintViolation: the organization has all the accounts it may have.
    """
    organization = hold_own(rows, caller)
    organization_id = organization.organization_id
    check_email_of_member(email)
    check_room_for_account(organization_id, rows.organizations.accounts.count(organization_id))
    is_taken = rows.organizations.accounts.has_email(email)
    creation = AccountCreation(
        request_id=ids.new_account_request_id(),
        organization_id=organization_id,
        account_name=name,
        requested_at=now,
        account_id=None if is_taken else ids.new_account_id(),
        failure=CreationFailure.EMAIL_ALREADY_EXISTS if is_taken else None,
    )
    rows.organizations.accounts.add_creation(creation)
    if creation.account_id is None:
        return Accepted(creation)
    account = Account(
        account_id=creation.account_id,
        organization_id=organization_id,
        parent_id=organization.root_id,
        name=name,
        email=email,
        joined_method=JoinedMethod.CREATED,
        joined_at=now,
    )

    def create() -> AccountCreation:
        add_account(rows, organization, account, tags)
        return creation

    return telling_users_within(rows, organization_id, create)


def add_account(rows: Rows, organization: Organization, account: Account, tags: Tags) -> None:
    """Add an account that is known to fit, with the policy that everything begins with.

    And with IPAM's role, where IPAM has an administrator (ORG-2).
    """
    rows.organizations.accounts.add(account, tags)
    if organization.has_service_control_policies:
        rows.organizations.policies.attach(
            organization.organization_id, FULL_AWS_ACCESS.policy_id, account.account_id
        )
    if rows.organizations.delegated_administrator(organization.organization_id, IPAM_SERVICE):
        give_role_to_members(rows, [account.account_id])


def describe_creation(rows: Rows, caller: Caller, request_id: str) -> AccountCreation:
    """How far the making of an account has come.

    Raises:
        CreateAccountStatusNotFound: none was asked for by that request.
    """
    organization_id = readable(rows, caller).organization_id
    ids.check_form(request_id, ids.ACCOUNT_REQUEST)
    creation = rows.organizations.accounts.creation(organization_id, request_id)
    if creation is None:
        raise CreateAccountStatusNotFound(request_id)
    return creation


def describe_account(
    rows: Rows, caller: Caller, account_id: str
) -> tuple[Organization, Account, str]:
    """One account of the organization, and the entity path of what holds it."""
    organization = readable(rows, caller)
    account = account_in(rows, organization, account_id)
    return organization, account, path_of_parent(rows, organization, account.parent_id)


def move_account(
    rows: Rows, caller: Caller, account_id: str, source_id: str, destination_id: str
) -> Accepted[None]:
    """Move an account from what holds it to another OU or the root.

    Raises:
        SourceParentNotFound: ``source_id`` does not hold it.
        DestinationParentNotFound: there is no such root or OU.
        DuplicateAccount: it is there already.
    """
    organization = hold_own(rows, caller)
    account = account_in(rows, organization, account_id)
    ids.check_form(source_id, *PARENTS)
    ids.check_form(destination_id, *PARENTS)
    if account.parent_id != source_id:
        raise SourceParentNotFound(account_id, source_id, account.parent_id)
    if path_of(rows, organization, destination_id) is None:
        raise DestinationParentNotFound(destination_id)
    if account.parent_id == destination_id:
        raise DuplicateAccount(account_id, destination_id)
    return telling_users_within(
        rows,
        organization.organization_id,
        lambda: rows.organizations.accounts.move(account_id, destination_id),
    )


def remove_account(rows: Rows, caller: Caller, account_id: str) -> Accepted[None]:
    """Let a member leave; what is attached to it is detached.

    Raises:
        ManagementAccountCannotLeave: it is the management account.
        ConstraintViolation: it is a delegated administrator.
    """
    organization = hold_own(rows, caller)
    account_in(rows, organization, account_id)
    if account_id == organization.management_account_id:
        raise ManagementAccountCannotLeave(account_id)
    administered = [name for name, _ in rows.organizations.services.of_account(account_id, None)]
    if administered:
        raise ConstraintViolation(
            "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
            f"Account {account_id} is the delegated administrator for {', '.join(administered)};"
            " deregister it first",
            account_id=account_id,
            service_principals=",".join(administered),
        )
    organization_id = organization.organization_id

    def remove() -> None:
        rows.ipam_policies.forget_target(organization_id, account_id)
        rows.organizations.accounts.remove(account_id)

    return telling_users_within(rows, organization_id, remove)


def account_in(rows: Rows, organization: Organization, account_id: str) -> Account:
    """The account of this id.

    Raises:
        InvalidInput: it is no account's id.
        AccountNotFound: the organization has none of it.
    """
    ids.check_form(account_id, ids.ACCOUNT)
    account = rows.organizations.accounts.get(organization.organization_id, account_id)
    if account is None:
        raise AccountNotFound(account_id)
    return account
