"""Services that work with an organization, and the accounts that administer them for it (ORG-2)."""

import re
from dataclasses import dataclass
from datetime import datetime

from services.control_plane.organizations.account import Account
from services.control_plane.organizations.errors import ConstraintViolation, InvalidInput
from services.control_plane.organizations.organization import Organization

_SERVICE_PRINCIPAL = re.compile(r"[\w+=,.@-]+\.amazonaws\.com", re.ASCII)


@dataclass(frozen=True, slots=True)
class ServiceAccess:
    """A service that may work with the organization, or that an account administers for it."""

    service_principal: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Administrator:
    """An account that administers one service or several for its organization."""

    account: Account
    since: datetime
    """When it began with the first of them."""


def check_service_principal(service_principal: str) -> str:
    """``service_principal`` itself, when it has the form of one.

    Raises:
        InvalidInput: it hasn't.
    """
    if not _SERVICE_PRINCIPAL.fullmatch(service_principal):
        raise InvalidInput(
            "UNRECOGNIZED_SERVICE_PRINCIPAL",
            f"'{service_principal}' is not the name of a service; use one such as"
            " ipam.amazonaws.com",
            service_principal=service_principal,
        )
    return service_principal


def check_registrable(
    organization: Organization,
    account_id: str,
    service_principal: str,
    *,
    has_access: bool,
    administrator_id: str | None,
) -> None:
    """A member account can become the administrator of a service.

    Raises:
        ConstraintViolation: it is the management account, the service has no access, or an
            administrator, who is another account.
    """
    if account_id == organization.management_account_id:
        raise ConstraintViolation(
            "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR",
            f"Account {account_id} is the management account of {organization.organization_id};"
            " only another member can be a delegated administrator",
            account_id=account_id,
            organization_id=organization.organization_id,
        )
    if not has_access:
        raise ConstraintViolation(
            "SERVICE_ACCESS_NOT_ENABLED",
            f"'{service_principal}' has no access to organization {organization.organization_id};"
            " let it with EnableAWSServiceAccess first",
            service_principal=service_principal,
            organization_id=organization.organization_id,
        )
    if administrator_id:
        raise ConstraintViolation(
            "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED",
            f"Account {administrator_id} is the delegated administrator for '{service_principal}';"
            " a service has 1 at most, so deregister that one first",
            administrator_id=administrator_id,
            service_principal=service_principal,
        )
