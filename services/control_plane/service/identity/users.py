"""What can be done to a user, and to its policies."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from services.control_plane.identity.errors import EntityAlreadyExists, NoSuchEntity
from services.control_plane.identity.names import (
    ROOT_PATH,
    check_name,
    check_path,
    check_path_prefix,
    new_user_id,
)
from services.control_plane.identity.policy import UserPolicy, check_total_size
from services.control_plane.identity.user import (
    LONGEST_USER_NAME,
    User,
    check_deletable,
    check_room_for_user,
)
from services.control_plane.service.identity.holding import find_user, hold_user
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted
from shared.caller import Caller
from shared.tags import Tags


def create_user(
    rows: Rows, caller: Caller, user_name: str, path: str, tags: Tags, now: datetime
) -> Accepted[User]:
    """Make a user, who may do nothing yet (ORG-10).

    Raises:
        ValidationError: nobody can be named so.
        EntityAlreadyExists: somebody is.
        LimitExceeded: the account has all the users it may have.
    """
    check_path(path)
    check_name(user_name, "userName", LONGEST_USER_NAME)
    account_id = caller.account_id
    rows.identity.hold(account_id)
    if rows.identity.users.is_named(account_id, user_name):
        raise EntityAlreadyExists(user_name)
    check_room_for_user(account_id, rows.identity.users.count(account_id))
    user = User(
        user_id=new_user_id(),
        account_id=account_id,
        user_name=user_name,
        created_at=now,
        tags=tags,
    )
    rows.identity.users.add(user)
    rows.identity.users.told(account_id)
    return Accepted(user)


def delete_user(rows: Rows, caller: Caller, user_name: str) -> Accepted[None]:
    """Remove a user that has neither keys nor policies.

    Raises:
        NoSuchEntity: there is none of that name.
        DeleteConflict: it has.
    """
    user = hold_user(rows, caller, user_name)
    users = rows.identity.users
    check_deletable(user, users.keys(user.user_id), users.policies(user.user_id))
    users.remove(user.user_id)
    users.told(caller.account_id)
    return Accepted(None)


def list_users(
    rows: Rows, caller: Caller, path_prefix: str, after: str | None
) -> Iterator[tuple[str, User]]:
    """The account's users whose path begins so, each with its key for paging."""
    if check_path_prefix(path_prefix) == ROOT_PATH:
        yield from rows.identity.users.all(caller.account_id, after)


def put_policy(rows: Rows, caller: Caller, user_name: str, policy: UserPolicy) -> Accepted[None]:
    """Give a user a policy, or replace the one of that name (ORG-10).

    Raises:
        NoSuchEntity: there is no such user.
        LimitExceeded: the user's policies would be too long.
    """
    user = hold_user(rows, caller, user_name)
    others = [
        other
        for other in rows.identity.users.policies(user.user_id)
        if other.policy_name != policy.policy_name
    ]
    check_total_size(user_name, [*others, policy])
    rows.identity.users.put_policy(user.user_id, policy)
    rows.identity.users.told(caller.account_id)
    return Accepted(None)


def get_policy(rows: Rows, caller: Caller, user_name: str, policy_name: str) -> UserPolicy:
    """One policy of a user.

    Raises:
        NoSuchEntity: there is no such user, or it has no such policy.
    """
    user = find_user(rows, caller, user_name)
    for policy in rows.identity.users.policies(user.user_id):
        if policy.policy_name == policy_name:
            return policy
    raise NoSuchEntity(f"policy of user '{user_name}' named", policy_name)


def delete_policy(rows: Rows, caller: Caller, user_name: str, policy_name: str) -> Accepted[None]:
    """Take a policy from a user.

    Raises:
        NoSuchEntity: there is no such user, or it has no such policy.
    """
    user = hold_user(rows, caller, user_name)
    get_policy(rows, caller, user_name, policy_name)
    rows.identity.users.remove_policy(user.user_id, policy_name)
    rows.identity.users.told(caller.account_id)
    return Accepted(None)


def list_policies(rows: Rows, caller: Caller, user_name: str) -> Sequence[UserPolicy]:
    """A user's policies, in the order of their names.

    Raises:
        NoSuchEntity: there is no such user.
    """
    return rows.identity.users.policies(find_user(rows, caller, user_name).user_id)
