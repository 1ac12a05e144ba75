"""Ids and ARNs as AWS Organizations forms them."""

import random
import re
import string

from services.control_plane.organizations.errors import InvalidInput

ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
ROOT = re.compile(r"r-[0-9a-z]{4,32}")
UNIT = re.compile(r"ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}")
ACCOUNT = re.compile(r"\d{12}", re.ASCII)
POLICY = re.compile(r"p-[0-9a-zA-Z_]{8,128}")
ACCOUNT_REQUEST = re.compile(r"car-[a-z0-9]{8,32}")

_ALPHABET = string.ascii_lowercase + string.digits
_random = random.Random()  # noqa: S311 - no secrets come from it


def new_organization_id() -> str:
    """Such as ``o-a1b2c3d4e5``."""
    return f"o-{_characters(10)}"


def new_root_id() -> str:
    """Such as ``r-ab12``: so short that two may be the same, which the database refuses."""
    return f"r-{_characters(4)}"


def new_unit_id(root_id: str) -> str:
    """Of an OU in the tree of a root, such as ``ou-ab12-a1b2c3d4``."""
    return f"ou-{root_id.removeprefix('r-')}-{_characters(8)}"


def new_policy_id() -> str:
    """Such as ``p-a1b2c3d4``."""
    return f"p-{_characters(8)}"


def new_account_request_id() -> str:
    """Such as ``car-`` and 32 letters and digits."""
    return f"car-{_characters(32)}"


def new_account_id() -> str:
    """Twelve digits, the first of them no zero."""
    return str(_random.randrange(10**11, 10**12))


def unit_of(root_id: str) -> re.Pattern[str]:
    """The form of an OU's id in the tree of a root."""
    return re.compile(rf"ou-{root_id.removeprefix('r-')}-[a-z0-9]{{8,32}}")


def check_form(value: str, *forms: re.Pattern[str]) -> str:
    """``value`` itself, when an id of one of the ``forms`` looks like that.

    Raises:
        InvalidInput: none does.
    """
    if not any(form.fullmatch(value) for form in forms):
        expected = " or ".join(form.pattern for form in forms)
        raise InvalidInput(
            "INVALID_PATTERN", f"The ID '{value}' is malformed; expected {expected}", id=value
        )
    return value


def arn(management_account_id: str, kind: str, *path: str) -> str:
    """``arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/ou-ab12-a1b2c3d4``."""
    return f"arn:aws:organizations::{management_account_id}:{'/'.join([kind, *path])}"


def _characters(count: int) -> str:
    return "".join(_random.choices(_ALPHABET, k=count))
