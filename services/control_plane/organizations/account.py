"""The accounts of an organization (ORG-1)."""

import enum
import re
from dataclasses import dataclass
from datetime import datetime

from services.control_plane.organizations.errors import ConstraintViolation, InvalidInput

MOST_ACCOUNTS = 10_000
"""In one organization; at AWS, too, no quota goes higher without asking."""

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_DOMAIN_OF_OWNERS = "accounts.invalid"


class JoinedMethod(enum.StrEnum):
    INVITED = "INVITED"
    CREATED = "CREATED"


class CreationFailure(enum.StrEnum):
    EMAIL_ALREADY_EXISTS = "EMAIL_ALREADY_EXISTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account in its organization."""

    account_id: str
    organization_id: str
    parent_id: str
    """The root's or OU's that holds it."""
    name: str
    email: str
    joined_method: JoinedMethod
    joined_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCreation:
    """What became of a request for a new account; it is answered at once, so it never waits."""

    request_id: str
    organization_id: str
    account_name: str
    requested_at: datetime
    account_id: str | None = None
    failure: CreationFailure | None = None


def email_of_owner(account_id: str) -> str:
    """Of the account that makes an organization, for no one has said another; it reaches nobody."""
    return f"{account_id}@{_DOMAIN_OF_OWNERS}"


def check_email(email: str) -> str:
    """``email`` itself, when it has the form of one.

    Raises:
        InvalidInput: it hasn't.
    """
    if not _EMAIL.fullmatch(email):
        raise InvalidInput(
            "INVALID_EMAIL_ADDRESS_TARGET",
            f"'{email}' is not an email address; use one such as name@example.com",
            email=email,
        )
    return email


def check_email_of_member(email: str) -> None:
    """An account that an organization makes may have this address.

    Raises:
        InvalidInput: it is malformed, or of the domain of `email_of_owner`: a taken address there
            would keep another account from making an organization.
    """
    domain = check_email(email).rpartition("@")[2]
    if domain.lower() == _DOMAIN_OF_OWNERS:
        raise InvalidInput(
            "INVALID_EMAIL_ADDRESS_TARGET",
            f"'{email}' is of the domain '{_DOMAIN_OF_OWNERS}', which is for accounts that make"
            " organizations; use an address of another domain, such as name@example.com",
            email=email,
        )


def check_room_for_account(organization_id: str, account_count: int) -> None:
    """One more account is allowed.

    Raises:
        ConstraintViolation: there are as many as an organization may have.
    """
    if account_count >= MOST_ACCOUNTS:
        raise ConstraintViolation(
            "ACCOUNT_NUMBER_LIMIT_EXCEEDED",
            f"Organization {organization_id} has {account_count} accounts; at most {MOST_ACCOUNTS}"
            " are allowed",
            organization_id=organization_id,
            quota=MOST_ACCOUNTS,
        )
