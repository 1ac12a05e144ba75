"""The file of access keys: what it may say, and what happens when it changes."""

from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from services.gateway.credentials import Credentials, CredentialsError

KEY = "AKIA" + "A" * 16
OTHER_KEY = "AKIA" + "B" * 16


def section(
    profile: str, *, key: str = KEY, secret: str = "s3cr%t=", account: str = "1" * 12
) -> str:
    return (
        f"[{profile}]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
        f"aws_account_id = {account}\n"
    )


@pytest.fixture
def captured() -> LogCapture:
    return LogCapture()


@pytest.fixture
def log(captured: LogCapture) -> Any:
    return structlog.wrap_logger(None, processors=[captured])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "credentials"


def test_a_key_names_its_account_and_user(path: Path, log: Any) -> None:
    path.write_text(section("member-account"))
    key = Credentials(path, log).find(KEY)
    assert key is not None
    assert (key.secret, key.account_id) == ("s3cr%t=", "1" * 12)
    assert key.principal == "arn:aws:iam::111111111111:user/member-account"
    assert "s3cr%t=" not in repr(key)


def test_an_unknown_key_is_nobodys(path: Path, log: Any) -> None:
    path.write_text(section("a"))
    assert Credentials(path, log).find(OTHER_KEY) is None


@pytest.mark.parametrize("profiles", [("default", "a", "b"), ("a", "b", "default")])
def test_a_key_of_several_profiles_is_the_first_ones_that_is_not_default(
    profiles: tuple[str, ...], path: Path, log: Any
) -> None:
    path.write_text("".join(map(section, profiles)))
    key = Credentials(path, log).find(KEY)
    assert key is not None
    assert key.profile == "a"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(section("a", key=""), r"\[a\] has no valid aws_access_key_id", id="no key"),
        pytest.param(section("a", secret=""), "aws_secret_access_key", id="no secret"),
        pytest.param(section("a", account="12"), "aws_account_id", id="bad account"),
        pytest.param("aws_access_key_id = 1", "not a credentials file", id="no profile"),
        pytest.param(section("a") * 2, "not a credentials file", id="profile twice"),
        pytest.param(
            section("a") + section("b", secret="other"),
            r"\[b\] and \[a\] have the same aws_access_key_id",
            id="another secret",
        ),
        pytest.param(
            section("a") + section("default", account="2" * 12),
            r"\[default\] and \[a\]",
            id="another account",
        ),
    ],
)
def test_a_wrong_file_is_refused(content: str, message: str, path: Path, log: Any) -> None:
    path.write_text(content)
    with pytest.raises(CredentialsError, match=message) as refusal:
        Credentials(path, log)
    assert "s3cr%t=" not in str(refusal.value)


def test_a_missing_file_is_refused(path: Path, log: Any) -> None:
    with pytest.raises(CredentialsError, match="No such file"):
        Credentials(path, log)


def test_a_changed_file_is_seen_at_once(path: Path, log: Any, captured: LogCapture) -> None:
    path.write_text(section("a"))
    credentials = Credentials(path, log)
    path.write_text(section("a") + section("another", key=OTHER_KEY))
    assert credentials.find(OTHER_KEY) is not None
    assert [entry["event"] for entry in captured.entries] == ["credentials reloaded"]


@pytest.mark.parametrize("breakage", ["nonsense", None])
def test_a_broken_file_leaves_the_earlier_keys(
    breakage: str | None, path: Path, log: Any, captured: LogCapture
) -> None:
    path.write_text(section("a"))
    credentials = Credentials(path, log)
    path.unlink() if breakage is None else path.write_text(breakage)
    assert credentials.find(KEY) is not None
    assert credentials.find(KEY) is not None
    assert [entry["log_level"] for entry in captured.entries] == ["error"]
