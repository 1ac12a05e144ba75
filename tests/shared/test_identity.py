import stat
from pathlib import Path

import jwt
import pytest

from shared.caller import Caller
from shared.errors import AuthFailure
from shared.identity import TokenSigner, TokenVerifier, create_secret, load_secret
from shared.secret_files import SecretUnusable

SECRET = b"0123456789abcdef0123456789abcdef"
CALLER = Caller("123456789012", "us-east-1", "arn:aws:iam::123456789012:user/someone")
NOON = 1_800_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


def test_a_token_names_its_caller() -> None:
    token = TokenSigner(SECRET, clock=Clock()).token_for(CALLER)
    assert TokenVerifier(SECRET, clock=Clock()).caller_of(token) == CALLER


def test_a_token_is_reused_until_it_nears_its_end() -> None:
    clock = Clock()
    signer = TokenSigner(SECRET, clock=clock)
    token = signer.token_for(CALLER)
    clock.now += 9 * 60
    assert signer.token_for(CALLER) == token
    clock.now += 2 * 60
    assert signer.token_for(CALLER) != token


def test_a_token_expires_even_if_it_was_verified_before() -> None:
    clock = Clock()
    token = TokenSigner(SECRET, clock=clock).token_for(CALLER)
    verifier = TokenVerifier(SECRET, clock=clock)
    verifier.caller_of(token)
    clock.now += 15 * 60
    with pytest.raises(AuthFailure, match="expired"):
        verifier.caller_of(token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        TokenSigner(b"another secret, also 32 bytes long").token_for(CALLER),
        jwt.encode({"sub": "x"}, SECRET),
        jwt.encode({"sub": "x", "aud": "cadastre", "exp": NOON + 60}, SECRET),
        jwt.encode({"aud": "cadastre"}, "", algorithm="none"),
    ],
    ids=["empty", "garbled", "another key", "no audience", "no account", "unsigned"],
)
def test_a_forged_token_is_refused_without_being_quoted(token: str) -> None:
    with pytest.raises(AuthFailure) as refusal:
        TokenVerifier(SECRET, clock=Clock()).caller_of(token)
    assert not token or token not in refusal.value.message


def test_a_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "identity" / "secret"
    secret = create_secret(path)
    assert len(secret) == 32
    assert create_secret(path) == load_secret(path) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret"]


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [(None, 0, "can't be read"), (b"short", 0o600, "5 bytes"), (SECRET, 0o640, "chmod 600")],
    ids=["missing", "short", "open to others"],
)
def test_an_unusable_secret_says_why(
    tmp_path: Path, content: bytes | None, mode: int, says: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(SecretUnusable, match=says):
        load_secret(path)
