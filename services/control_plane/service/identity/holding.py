"""Finding a user that a caller means, and keeping it still while it is decided upon (ORG-10)."""

from services.control_plane.identity.errors import NoSuchEntity
from services.control_plane.identity.names import user_name_of
from services.control_plane.identity.user import User
from services.control_plane.service.rows import Rows
from shared.caller import Caller


def find_user(rows: Rows, caller: Caller, user_name: str | None) -> User:
    """The user of this name in the caller's account; without a name, the caller itself.

    Raises:
        NoSuchEntity: the account has none.
        ValidationError: there is no name, and the caller is no user.
    """
    name = user_name or user_name_of(caller.principal, caller.account_id)
    user = rows.identity.users.get(caller.account_id, name)
    if user is None:
        raise NoSuchEntity("user", name)
    return user


def hold_user(rows: Rows, caller: Caller, user_name: str | None) -> User:
    """Like `find_user`; the account's users are locked."""
    rows.identity.hold(caller.account_id)
    return find_user(rows, caller, user_name)
