"""The AWS config and credentials files that point unmodified AWS clients at this installation."""

import configparser
import os
import tempfile
from pathlib import Path

from shared.access_keys import new_access_key_id, new_secret_access_key

DEFAULT_REGION = "us-east-1"
DEFAULT_PROFILE = "ipam-account"

# One organization, named as the guide names its profiles. 123456789012 is the guide's own example
# of an account that owns an IPAM.
ACCOUNT_IDS = {
    "management-account": "111122223333",
    "ipam-account": "123456789012",
    "member-account": "444455556666",
    "byoip-owner-account": "777788889999",
}


def write_credentials(path: Path) -> None:
    """Give each profile an access key, keeping the keys that ``path`` already has."""
    credentials = configparser.RawConfigParser()
    credentials.read(path)
    for profile, account_id in ACCOUNT_IDS.items():
        if not credentials.has_section(profile):
            credentials[profile] = {
                "aws_access_key_id": new_access_key_id(),
                "aws_secret_access_key": new_secret_access_key(),
                "aws_account_id": account_id,
            }
    if not credentials.has_section("default"):
        credentials["default"] = dict(credentials[DEFAULT_PROFILE])
    _write(path, credentials)


def write_config(path: Path, endpoint_url: str) -> None:
    """Point every profile at ``endpoint_url``, keeping other settings that ``path`` already has."""
    config = configparser.RawConfigParser()
    config.read(path)
    for section in ["default", *(f"profile {name}" for name in ACCOUNT_IDS)]:
        if not config.has_section(section):
            config[section] = {"region": DEFAULT_REGION, "output": "json"}
        config[section]["endpoint_url"] = endpoint_url
    _write(path, config)


def _write(path: Path, content: configparser.RawConfigParser) -> None:
    """Replace ``path`` in one step, readable by its owner only, so no reader sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as file:
        content.write(file)
    Path(temporary).replace(path)
