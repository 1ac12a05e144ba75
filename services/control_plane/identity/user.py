"""Users: principals of an account with access keys and policies of their own (ORG-10)."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.control_plane.identity.errors import DeleteConflict, LimitExceeded, ValidationError
from services.control_plane.identity.names import user_arn
from services.control_plane.identity.policy import UserPolicy
from shared.tags import Tags

MOST_USERS = 500
"""In one account, so that one message tells all of them with their keys and policies."""
MOST_KEYS = 2
"""Of one user, as AWS has it: one in use, and one that takes its place."""
LONGEST_USER_NAME = 64


class KeyStatus(enum.StrEnum):
    ACTIVE = "Active"
    INACTIVE = "Inactive"
    EXPIRED = "Expired"
    """In AWS's word list, but no key is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A principal of an account."""

    user_id: str
    account_id: str
    user_name: str
    created_at: datetime
    tags: Tags

    @property
    def arn(self) -> str:
        return user_arn(self.account_id, self.user_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """What a user signs requests with."""

    access_key_id: str
    user_id: str
    status: KeyStatus
    created_at: datetime
    encrypted_secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class UserCredentials:
    """A user, and all that lets it in and says what it may do."""

    user: User
    keys: Sequence[AccessKey]
    policies: Sequence[UserPolicy]


@dataclass(frozen=True, slots=True)
class AccountUsers:
    """All users of an account."""

    account_id: str
    version: int
    users: Sequence[UserCredentials]


def check_room_for_user(account_id: str, user_count: int) -> None:
    """One more user is allowed.

    Raises:
        LimitExceeded: there are as many as an account may have.
    """
    if user_count >= MOST_USERS:
        raise LimitExceeded(
            f"Account {account_id} has {user_count} users; at most {MOST_USERS} are allowed",
            quota=MOST_USERS,
            account_id=account_id,
        )


def check_room_for_key(user_name: str, keys: Sequence[AccessKey]) -> None:
    """One more access key is allowed.

    Raises:
        LimitExceeded: there are as many as a user may have.
    """
    if len(keys) >= MOST_KEYS:
        raise LimitExceeded(
            f"The user '{user_name}' has {len(keys)} access keys; at most {MOST_KEYS} are allowed,"
            " so delete one first",
            quota=MOST_KEYS,
            user_name=user_name,
        )


def check_settable(status: KeyStatus) -> KeyStatus:
    """``status`` itself, when a key can be given it.

    Raises:
        ValidationError: it can't.
    """
    if status is KeyStatus.EXPIRED:
        raise ValidationError(
            f"The specified value '{status}' for status is invalid; use '{KeyStatus.ACTIVE}' or"
            f" '{KeyStatus.INACTIVE}'",
            parameter="status",
            value=status,
        )
    return status


def check_deletable(user: User, keys: Sequence[AccessKey], policies: Sequence[UserPolicy]) -> None:
    """The user has nothing any more.

    Raises:
        DeleteConflict: it has; what has to be deleted first is named.
    """
    if keys:
        ids = ", ".join(key.access_key_id for key in keys)
        raise DeleteConflict(user.user_name, "access keys", ids)
    if policies:
        names = ", ".join(policy.policy_name for policy in policies)
        raise DeleteConflict(user.user_name, "policies", names)
