"""Letting services work with an organization, and members administer them for it (ORG-2)."""

from collections.abc import Callable, Iterator
from datetime import datetime

from services.control_plane.organizations import ids
from services.control_plane.organizations.account import Account
from services.control_plane.organizations.errors import (
    AccountAlreadyRegistered,
    AccountNotRegistered,
    ConstraintViolation,
    IpamOrganizationAdminAccountLimitExceeded,
)
from services.control_plane.organizations.membership import IPAM_SERVICE, SHARING_SERVICE
from services.control_plane.organizations.organization import Organization, check_all_features
from services.control_plane.organizations.service_access import (
    ServiceAccess,
    check_registrable,
    check_service_principal,
)
from services.control_plane.service.identity.roles import give_role_to_members
from services.control_plane.service.organizations.accounts import account_in
from services.control_plane.service.organizations.holding import hold, hold_own, readable
from services.control_plane.service.rows import Rows
from services.control_plane.service.shares_users import telling_users_within
from services.control_plane.service.steps import Accepted
from shared.caller import Caller
from shared.errors import InvalidParameterValue, OperationNotPermitted


def let_service(
    rows: Rows, caller: Caller, service_principal: str, now: datetime
) -> Accepted[None]:
    """Let a service work with the organization; one that is let already stays so."""
    organization = hold_own(rows, caller)
    check_all_features(organization)
    check_service_principal(service_principal)
    organization_id = organization.organization_id
    return _telling_users(
        rows,
        organization_id,
        service_principal,
        lambda: rows.organizations.services.add(organization_id, service_principal, now),
    )


def stop_service(rows: Rows, caller: Caller, service_principal: str) -> Accepted[None]:
    """Let a service work with the organization no more; one that was never let is no error.

    Raises:
        ConstraintViolation: an account administers it.
    """
    organization = hold_own(rows, caller)
    check_service_principal(service_principal)
    organization_id = organization.organization_id
    administrator = rows.organizations.delegated_administrator(organization_id, service_principal)
    if administrator:
        raise ConstraintViolation(
            "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE",
            f"Account {administrator} is the delegated administrator for '{service_principal}';"
            " deregister it first",
            administrator_id=administrator,
            service_principal=service_principal,
        )
    return _telling_users(
        rows,
        organization_id,
        service_principal,
        lambda: rows.organizations.services.remove(organization_id, service_principal),
    )


def register_administrator(
    rows: Rows, caller: Caller, account_id: str, service_principal: str, now: datetime
) -> Accepted[None]:
    """Let a member administer a service for the organization.

    Raises:
        AccountAlreadyRegistered: it does already.
        ConstraintViolation: it is the management account, another account does, or the service has
            no access.
    """
    organization = hold_own(rows, caller)
    check_service_principal(service_principal)
    account_in(rows, organization, account_id)
    organization_id = organization.organization_id
    current = rows.organizations.delegated_administrator(organization_id, service_principal)
    if current == account_id:
        raise AccountAlreadyRegistered(account_id, service_principal)
    check_registrable(
        organization,
        account_id,
        service_principal,
        has_access=rows.organizations.has_service_access(organization_id, service_principal),
        administrator_id=current,
    )
    return _telling_users(
        rows,
        organization_id,
        service_principal,
        lambda: _register(rows, organization_id, account_id, service_principal, now),
    )


def deregister_administrator(
    rows: Rows, caller: Caller, account_id: str, service_principal: str
) -> Accepted[None]:
    """Take that back.

    Raises:
        AccountNotRegistered: the account does not administer the service.
    """
    organization = hold_own(rows, caller)
    check_service_principal(service_principal)
    account_in(rows, organization, account_id)
    organization_id = organization.organization_id
    current = rows.organizations.delegated_administrator(organization_id, service_principal)
    if current != account_id:
        raise AccountNotRegistered(account_id, service_principal)
    return _telling_users(
        rows,
        organization_id,
        service_principal,
        lambda: rows.organizations.services.deregister(organization_id, service_principal),
    )


def services_of(
    rows: Rows, caller: Caller, account_id: str, after: str | None
) -> Iterator[tuple[str, ServiceAccess]]:
    """What an account administers, each with its key for paging.

    Raises:
        AccountNotRegistered: nothing.
    """
    organization = readable(rows, caller)
    account_in(rows, organization, account_id)
    if not any(rows.organizations.services.of_account(account_id, None)):
        raise AccountNotRegistered(account_id)
    return rows.organizations.services.of_account(account_id, after)


def enable_ipam_administrator(
    rows: Rows, caller: Caller, account_id: str, now: datetime
) -> Accepted[None]:
    """Make a member the IPAM administrator, and let IPAM work with the organization (ORG-2).

    Raises:
        OperationNotPermitted: it is not the management account's call.
        InvalidParameterValue: the account is no member, or the management account itself.
        IpamOrganizationAdminAccountLimitExceeded: another account is it.
    """
    organization = _hold_for_ipam(rows, caller)
    organization_id = organization.organization_id
    _check_may_administer(organization, account_id, _member(rows, organization, account_id))
    current = rows.organizations.delegated_administrator(organization_id, IPAM_SERVICE)
    if current == account_id:
        return Accepted(None)
    if current:
        raise IpamOrganizationAdminAccountLimitExceeded(organization_id, current)
    rows.organizations.services.add(organization_id, IPAM_SERVICE, now)
    return _telling_users(
        rows,
        organization_id,
        IPAM_SERVICE,
        lambda: _register(rows, organization_id, account_id, IPAM_SERVICE, now),
    )


def disable_ipam_administrator(rows: Rows, caller: Caller, account_id: str) -> Accepted[None]:
    """Take that back; IPAM may work with the organization all the same.

    Raises:
        OperationNotPermitted: it is not the management account's call.
        InvalidParameterValue: the account is not the IPAM administrator.
    """
    organization_id = _hold_for_ipam(rows, caller).organization_id
    current = rows.organizations.delegated_administrator(organization_id, IPAM_SERVICE)
    if current != account_id:
        raise _unfit(
            account_id,
            f"it is not the IPAM administrator of organization {organization_id}; {current or 'no'}"
            " account is",
        )
    return _telling_users(
        rows,
        organization_id,
        IPAM_SERVICE,
        lambda: rows.organizations.services.deregister(organization_id, IPAM_SERVICE),
    )


def _register(
    rows: Rows, organization_id: str, account_id: str, service_principal: str, now: datetime
) -> None:
    """Where IPAM gets an administrator, every account gets IPAM's role (ORG-2)."""
    rows.organizations.services.register(organization_id, account_id, service_principal, now)
    if service_principal == IPAM_SERVICE:
        give_role_to_members(rows, rows.organizations.accounts_in(organization_id))


def _hold_for_ipam(rows: Rows, caller: Caller) -> Organization:
    membership = rows.organizations.membership(caller.account_id)
    if membership is None or not membership.is_management:
        raise OperationNotPermitted(
            f"Account {caller.account_id} is not the management account of an organization, and"
            " only that makes a member account the IPAM administrator",
            account_id=caller.account_id,
        )
    organization = hold(rows, caller, membership.organization_id)
    check_all_features(organization)
    return organization


def _member(rows: Rows, organization: Organization, account_id: str) -> Account | None:
    if not ids.ACCOUNT.fullmatch(account_id):
        return None
    return rows.organizations.accounts.get(organization.organization_id, account_id)


def _check_may_administer(
    organization: Organization, account_id: str, account: Account | None
) -> None:
    if account is None:
        why = f"it is no account of organization {organization.organization_id}"
    elif account_id == organization.management_account_id:
        why = f"it is the management account of organization {organization.organization_id}"
    else:
        return
    raise _unfit(account_id, f"{why}; use a member account")


def _unfit(account_id: str, why: str) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"Value ({account_id}) for parameter delegatedAdminAccountId is invalid; {why}",
        parameter="delegatedAdminAccountId",
        value=account_id,
    )


def _telling_users(
    rows: Rows, organization_id: str, service_principal: str, change: Callable[[], None]
) -> Accepted[None]:
    """Of what concerns IPAM.

    Whether members share with each other uninvited is RAM's access (ORG-4), and policies count that
    the delegated administrator for IPAM enabled.
    """
    if service_principal in (SHARING_SERVICE, IPAM_SERVICE):
        return telling_users_within(rows, organization_id, change)
    change()
    return Accepted(None)
