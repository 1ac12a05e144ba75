"""What can be done to a user's access keys."""

from collections.abc import Sequence
from datetime import datetime

from services.control_plane.identity.errors import NoSuchEntity
from services.control_plane.identity.user import (
    AccessKey,
    KeyStatus,
    User,
    check_room_for_key,
    check_settable,
)
from services.control_plane.service.identity.holding import find_user, hold_user
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted
from shared.access_keys import new_access_key_id, new_secret_access_key
from shared.caller import Caller
from shared.encryption_keys import EncryptionKeys, EncryptionKeysUnusable, Undecipherable


def create_access_key(
    rows: Rows, caller: Caller, user_name: str | None, keys: EncryptionKeys, now: datetime
) -> Accepted[tuple[User, AccessKey, str]]:
    """Make a key; its secret is told here, and is kept encrypted.

    Raises:
        NoSuchEntity: there is no such user.
        LimitExceeded: it has all the keys it may have.
    """
    user = hold_user(rows, caller, user_name)
    check_room_for_key(user.user_name, rows.identity.users.keys(user.user_id))
    access_key_id, secret = new_access_key_id(), new_secret_access_key()
    key = AccessKey(
        access_key_id=access_key_id,
        user_id=user.user_id,
        status=KeyStatus.ACTIVE,
        created_at=now,
        encrypted_secret=keys.encrypt(secret.encode(), bound_to=access_key_id),
    )
    rows.identity.users.add_key(key)
    rows.identity.users.told(caller.account_id)
    return Accepted((user, key, secret))


def update_access_key(
    rows: Rows, caller: Caller, user_name: str | None, access_key_id: str, status: KeyStatus
) -> Accepted[None]:
    """Have a key hold no longer, or again.

    Raises:
        NoSuchEntity: there is no such user, or it has no such key.
    """
    check_settable(status)
    _hold_key(rows, caller, user_name, access_key_id)
    rows.identity.users.set_status(access_key_id, status)
    rows.identity.users.told(caller.account_id)
    return Accepted(None)


def delete_access_key(
    rows: Rows, caller: Caller, user_name: str | None, access_key_id: str
) -> Accepted[None]:
    """Remove a key.

    Raises:
        NoSuchEntity: there is no such user, or it has no such key.
    """
    _hold_key(rows, caller, user_name, access_key_id)
    rows.identity.users.remove_key(access_key_id)
    rows.identity.users.told(caller.account_id)
    return Accepted(None)


def list_access_keys(
    rows: Rows, caller: Caller, user_name: str | None
) -> tuple[User, Sequence[AccessKey]]:
    """A user's keys, oldest first.

    Raises:
        NoSuchEntity: there is no such user.
    """
    user = find_user(rows, caller, user_name)
    return user, rows.identity.users.keys(user.user_id)


def adopt_encryption_keys(rows: Rows, keys: EncryptionKeys) -> None:
    """Have the first of ``keys`` encrypt every secret, so that the others can go.

    Raises:
        EncryptionKeysUnusable: a secret was encrypted with none of them.
    """
    for key in rows.identity.users.all_keys():
        access_key_id, encrypted = key.access_key_id, key.encrypted_secret
        try:
            secret = keys.decrypt(encrypted, bound_to=access_key_id)
        except Undecipherable as error:
            raise EncryptionKeysUnusable(
                f"no encryption key decrypts the secret of access key {access_key_id}; the key it"
                " was encrypted with must be one of them"
            ) from error
        if not keys.are_current_for(encrypted, bound_to=access_key_id):
            encrypted = keys.encrypt(secret, bound_to=access_key_id)
            rows.identity.users.set_secret(access_key_id, encrypted)


def _hold_key(rows: Rows, caller: Caller, user_name: str | None, access_key_id: str) -> None:
    user = hold_user(rows, caller, user_name)
    for key in rows.identity.users.keys(user.user_id):
        if key.access_key_id == access_key_id:
            return
    raise NoSuchEntity(f"access key of user '{user.user_name}' with the id", access_key_id)
