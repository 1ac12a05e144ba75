"""What a browser keeps of who signed in: a cookie that only the gateways can read or make."""

import base64
import binascii
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from services.gateway.identities import SignIn
from services.gateway.sessions import AssumedRole
from shared.encryption_keys import EncryptionKeys, Undecipherable

MOST_SIGN_INS = 6
"""Accounts at the same time in one browser: a cookie has to stay below 4 KiB."""

_BOUND_TO = "console session"
_TEXT = re.compile(r"[\w-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """A browser's sign-ins, at most one per account, the latest first."""

    csrf_token: str = field(repr=False)
    """Proves that a form was ours: no other site can read it."""
    sign_ins: Sequence[SignIn] = ()

    @classmethod
    def new(cls) -> "ConsoleSession":
        return cls(secrets.token_urlsafe(24))

    def of_account(self, account_id: str) -> SignIn | None:
        """How somebody signed in to ``account_id``."""
        return next((one for one in self.sign_ins if one.account_id == account_id), None)

    def with_sign_in(self, sign_in: SignIn) -> "ConsoleSession":
        """Besides, or in the place of an earlier one of the account; the oldest give way."""
        others = [one for one in self.sign_ins if one.account_id != sign_in.account_id]
        return replace(self, sign_ins=(sign_in, *others)[:MOST_SIGN_INS])

    def without_account(self, account_id: str) -> "ConsoleSession":
        """After signing out of ``account_id``."""
        left = tuple(one for one in self.sign_ins if one.account_id != account_id)
        return replace(self, sign_ins=left)


class SessionCookies:
    """Sessions as the text of a cookie, and back."""

    def __init__(self, keys: EncryptionKeys) -> None:
        self._keys = keys

    def text_of(self, session: ConsoleSession) -> str:
        """What the browser is given to keep."""
        content = [session.csrf_token, [_to_list(one) for one in session.sign_ins]]
        encrypted = self._keys.encrypt(json.dumps(content).encode(), bound_to=_BOUND_TO)
        return base64.urlsafe_b64encode(encrypted).decode().rstrip("=")

    def session_of(self, text: str) -> ConsoleSession | None:
        """The session, unless ``text`` was not made here or was changed."""
        if not _TEXT.fullmatch(text):
            return None
        try:
            encrypted = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            csrf_token, sign_ins = json.loads(self._keys.decrypt(encrypted, bound_to=_BOUND_TO))
        except (binascii.Error, Undecipherable):
            return None
        return ConsoleSession(csrf_token, tuple(_from_list(*one) for one in sign_ins))


def _to_list(sign_in: SignIn) -> list[Any]:
    role = sign_in.role
    return [
        sign_in.account_id,
        sign_in.holder_key_id,
        sign_in.fingerprint,
        int(sign_in.expires_at.timestamp()),
        [role.account_id, role.role_name, role.session_name] if role else None,
    ]


def _from_list(
    account_id: str, holder_key_id: str, fingerprint: str, expires: int, role: list[str] | None
) -> SignIn:
    return SignIn(
        account_id=account_id,
        holder_key_id=holder_key_id,
        fingerprint=fingerprint,
        expires_at=datetime.fromtimestamp(expires, UTC),
        role=AssumedRole(*role) if role else None,
    )
