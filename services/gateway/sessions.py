"""Sessions: access for a time, by keys that only their token knows (design.md section 6).

A token holds all that there is of its session, encrypted, so that nothing is stored and every
gateway with the same encryption keys takes it.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.gateway.errors import UnknownAccessKey
from shared.access_keys import new_access_key_id, new_secret_access_key
from shared.encryption_keys import EncryptionKeys, Undecipherable

_BOUND_TO = "session token"
_TOKEN = re.compile(r"[\w-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Whose a temporary key is, until when."""

    access_key_id: str
    secret: str = field(repr=False)
    expires_at: datetime
    """In whole seconds."""
    holder_key_id: str
    """The permanent key it was got with: the session ends when that holds no longer."""
    role: "AssumedRole | None" = None
    """None: the session is the key's user itself."""


@dataclass(frozen=True, slots=True)
class AssumedRole:
    """A role, and the name that who acts in it gave the session."""

    account_id: str
    role_name: str
    session_name: str

    @property
    def arn(self) -> str:
        """Of who acts in it: ``arn:aws:sts::123456789012:assumed-role/ROLE/SESSION``."""
        name = f"{self.role_name}/{self.session_name}"
        return f"arn:aws:sts::{self.account_id}:assumed-role/{name}"

    @property
    def role_arn(self) -> str:
        return f"arn:aws:iam::{self.account_id}:role/{self.role_name}"


def new_session(
    holder_key_id: str, expires_at: datetime, role: AssumedRole | None = None
) -> Session:
    """One with a key that nobody can guess."""
    return Session(
        access_key_id=new_access_key_id("ASIA"),
        secret=new_secret_access_key(),
        expires_at=expires_at.replace(microsecond=0),
        holder_key_id=holder_key_id,
        role=role,
    )


class SessionTokens:
    """Sessions as the tokens that clients keep."""

    def __init__(self, keys: EncryptionKeys) -> None:
        self._keys = keys

    def token_of(self, session: Session) -> str:
        """The session; without the encryption keys it can be neither read nor made."""
        role = session.role
        content = [
            session.access_key_id,
            session.secret,
            int(session.expires_at.timestamp()),
            session.holder_key_id,
            [role.account_id, role.role_name, role.session_name] if role else None,
        ]
        encrypted = self._keys.encrypt(json.dumps(content).encode(), bound_to=_BOUND_TO)
        return base64.urlsafe_b64encode(encrypted).decode().rstrip("=")

    def session_of(self, token: str) -> Session:
        """The session of a token, though it may have expired.

        Raises:
            UnknownAccessKey: it was not made here, or was changed.
        """
        try:
            content = json.loads(self._keys.decrypt(_decoded(token), bound_to=_BOUND_TO))
        except (ValueError, Undecipherable):
            raise UnknownAccessKey(why="forged session token") from None
        return _session(*content)


def _decoded(token: str) -> bytes:
    if not _TOKEN.fullmatch(token):
        raise ValueError("no token")
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except binascii.Error as error:
        raise ValueError("no token") from error


def _session(
    access_key_id: str, secret: str, expires: int, holder_key_id: str, role: list[Any] | None
) -> Session:
    return Session(
        access_key_id=access_key_id,
        secret=secret,
        expires_at=datetime.fromtimestamp(expires, UTC),
        holder_key_id=holder_key_id,
        role=AssumedRole(*role) if role else None,
    )
