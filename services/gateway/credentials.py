"""The access keys the gateway accepts, from a file in the format of AWS's own tools."""

import configparser
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from shared.errors import StartFailed

_ACCESS_KEY_ID = re.compile(r"\w{16,128}", re.ASCII)
_ACCOUNT_ID = re.compile(r"\d{12}", re.ASCII)
_DEFAULT_PROFILE = "default"
_SHORTEST_PASSWORD = 12


class CredentialsError(StartFailed):
    """The credentials file can't be used; the message says where and why, without secrets."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """Whose a key is, and the secret that proves it."""

    secret: str = field(repr=False)
    account_id: str
    profile: str
    console_password: str = field(repr=False, default="")
    """Lets in to the console, besides the secret; empty: there is none."""

    @property
    def principal(self) -> str:
        """The ARN of the caller: one user per profile, who may do whatever the account may."""
        return f"arn:aws:iam::{self.account_id}:user/{self.profile}"

    def is_same_as(self, other: "AccessKey") -> bool:
        """Everything but the profile's name is the same."""
        return replace(self, profile=other.profile) == other


class Credentials:
    """The keys of a file that may change at any time.

    A change is seen by the next look-up. A file that became unusable leaves the last good keys in
    force, and is logged once.
    """

    def __init__(self, path: Path, log: FilteringBoundLogger) -> None:
        """Read ``path``.

        Raises:
            CredentialsError: it is missing or unusable.
        """
        self._path, self._log = path, log
        self._seen = _version_of(path)
        self._keys = read_keys(path)

    def find(self, access_key_id: str) -> AccessKey | None:
        """The key with this id, if anybody has it now."""
        if (version := _version_of(self._path)) != self._seen:
            self._seen = version
            self._reload()
        return self._keys.get(access_key_id)

    def _reload(self) -> None:
        try:
            self._keys = read_keys(self._path)
        except CredentialsError as error:
            self._log.error("credentials not reloaded, the earlier keys stay", error=str(error))
        else:
            self._log.info("credentials reloaded", keys=len(self._keys))


def read_keys(path: Path) -> Mapping[str, AccessKey]:
    """The keys in ``path`` by access key id.

    A key may stand in several profiles, say in ``[default]`` too, if they agree; the first profile
    that isn't the default one gives the caller's name.

    Raises:
        CredentialsError: the file can't be read or a profile is incomplete or contradicts another.
    """
    parser = configparser.RawConfigParser()
    try:
        with path.open(encoding="utf-8") as file:
            parser.read_file(file)
    except OSError as error:
        raise CredentialsError(f"{path}: {error.strerror}") from error
    except (configparser.Error, UnicodeDecodeError):
        # Not chained: the parser quotes the line, which may hold a secret.
        raise CredentialsError(f"{path}: not a credentials file") from None
    keys: dict[str, AccessKey] = {}
    for profile in sorted(parser.sections(), key=_DEFAULT_PROFILE.__eq__):
        access_key_id, key = _key_of(path, profile, parser[profile])
        if not keys.setdefault(access_key_id, key).is_same_as(key):
            raise CredentialsError(
                f"{path}: [{profile}] and [{keys[access_key_id].profile}] have the same"
                " aws_access_key_id, but another secret or account"
            )
    return keys


def _key_of(path: Path, profile: str, section: Mapping[str, str]) -> tuple[str, AccessKey]:
    access_key_id = section.get("aws_access_key_id", "")
    secret = section.get("aws_secret_access_key", "")
    account_id = section.get("aws_account_id", "")
    for name, is_good in (
        ("aws_access_key_id", _ACCESS_KEY_ID.fullmatch(access_key_id)),
        ("aws_secret_access_key", secret),
        ("aws_account_id", _ACCOUNT_ID.fullmatch(account_id)),
    ):
        if not is_good:
            raise CredentialsError(f"{path}: [{profile}] has no valid {name}")
    password = section.get("cadastre_console_password", "")
    if password and len(password) < _SHORTEST_PASSWORD:
        raise CredentialsError(
            f"{path}: [{profile}] has a cadastre_console_password of less than"
            f" {_SHORTEST_PASSWORD} characters"
        )
    return access_key_id, AccessKey(secret, account_id, profile, password)


def _version_of(path: Path) -> tuple[int, int, int] | None:
    """Changes when the file is written or replaced; None while there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 several times faster, and once per request
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
