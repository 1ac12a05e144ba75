"""Session tokens: they hold a session, and nobody without the encryption keys can make one."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.errors import UnknownAccessKey
from services.gateway.sessions import AssumedRole, Session, SessionTokens, new_session
from shared.encryption_keys import EncryptionKeys

KEYS = EncryptionKeys([b"n" * 32])
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROLE = AssumedRole("444455556666", "OrganizationAccountAccessRole", "alice")
HOLDER = "AKIA" + "A" * 16


def session(role: AssumedRole | None = ROLE) -> Session:
    return new_session(HOLDER, NOON, role)


def refused(token: str, keys: EncryptionKeys = KEYS) -> str:
    with pytest.raises(UnknownAccessKey) as refusal:
        SessionTokens(keys).session_of(token)
    # Short ones are parts of any message.
    assert len(token) < 20 or token not in refusal.value.message
    return refusal.value.why


@pytest.mark.parametrize("role", [ROLE, None], ids=["of a role", "of a user"])
def test_a_token_holds_its_session(role: AssumedRole | None) -> None:
    made = session(role)
    assert SessionTokens(KEYS).session_of(SessionTokens(KEYS).token_of(made)) == made


def test_keys_are_temporary_ones_and_never_the_same() -> None:
    sessions = [session() for _ in range(50)]
    assert all(one.access_key_id.startswith("ASIA") for one in sessions)
    assert len({one.access_key_id for one in sessions}) == 50
    assert len({one.secret for one in sessions}) == 50


def test_neither_session_nor_token_shows_the_secret() -> None:
    made = session()
    token = SessionTokens(KEYS).token_of(made)
    padded = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert made.secret not in repr(made)
    assert made.secret.encode() not in padded
    assert made.access_key_id.encode() not in padded


@given(st.data())
def test_a_changed_token_is_none(data: st.DataObject) -> None:
    token = SessionTokens(KEYS).token_of(session())
    # The last character has bits that mean nothing.
    place = data.draw(st.integers(0, len(token) - 2))
    other = data.draw(st.sampled_from("abcXYZ019-_").filter(lambda c: c != token[place]))
    assert refused(token[:place] + other + token[place + 1 :]) == "forged session token"


@given(st.text(max_size=100))
def test_what_is_no_token_is_refused(text: str) -> None:
    assert refused(text) == "forged session token"


def test_another_installations_token_is_refused() -> None:
    token = SessionTokens(EncryptionKeys([b"o" * 32])).token_of(session())
    assert refused(token) == "forged session token"


def test_what_was_encrypted_for_something_else_is_no_token() -> None:
    secret = KEYS.encrypt(b'["ASIA", "s", 1, "AKIA", null]', bound_to=HOLDER)
    assert refused(base64.urlsafe_b64encode(secret).decode().rstrip("=")) == "forged session token"


def test_tokens_outlive_the_rotation_of_the_encryption_key() -> None:
    made = session()
    token = SessionTokens(KEYS).token_of(made)
    rotated = EncryptionKeys([b"x" * 32, b"n" * 32])
    assert SessionTokens(rotated).session_of(token) == made
    assert refused(token, EncryptionKeys([b"x" * 32])) == "forged session token"


def test_a_role_is_named_as_aws_names_it() -> None:
    name = "OrganizationAccountAccessRole"
    assert ROLE.arn == f"arn:aws:sts::444455556666:assumed-role/{name}/alice"
    assert ROLE.role_arn == f"arn:aws:iam::444455556666:role/{name}"
