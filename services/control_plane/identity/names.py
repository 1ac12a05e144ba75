"""Names, ids and ARNs as IAM forms them."""

import re
import secrets
import string

from services.control_plane.identity.errors import InvalidInput, ValidationError

ROOT_PATH = "/"
"""Of every user: there are no folders of them."""

_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
_ID_ALPHABET = string.ascii_uppercase + "234567"


def new_user_id() -> str:
    """Such as ``AIDACKCEVSQ6C2EXAMPLE``; never given twice, unlike a name."""
    return f"AIDA{_characters(17)}"


def new_role_id() -> str:
    """Such as ``AROADBQP57FF2AEXAMPLE``."""
    return f"AROA{_characters(17)}"


def user_arn(account_id: str, user_name: str) -> str:
    """``arn:aws:iam::123456789012:user/alice``."""
    return f"arn:aws:iam::{account_id}:user/{user_name}"


def user_name_of(principal: str, account_id: str) -> str:
    """The name of the user that ``principal`` is.

    Raises:
        ValidationError: it is no user, but a role or a service.
    """
    beginning = user_arn(account_id, "")
    if not principal.startswith(beginning):
        raise ValidationError(
            f"'{principal}' is no user, so the request must contain the parameter userName",
            principal=principal,
        )
    return principal.removeprefix(beginning)


def check_name(value: str, parameter: str, longest: int) -> str:
    """``value`` itself, when a user or a policy may be named so.

    Raises:
        ValidationError: it is too long, or has other characters than names have.
    """
    if not _NAME.fullmatch(value) or len(value) > longest:
        raise ValidationError(
            f"The specified value '{value}' for {parameter} is invalid; use 1-{longest} letters,"
            " digits and characters of _+=,.@-",
            parameter=parameter,
            value=value,
        )
    return value


def check_path(path: str) -> None:
    """A user is made at the only path there is.

    Raises:
        InvalidInput: it would be at another.
    """
    if path != ROOT_PATH:
        raise InvalidInput(
            f"Users are at the path '{ROOT_PATH}' here; leave '{path}' out", path=path
        )


def check_path_prefix(prefix: str) -> str:
    """``prefix`` itself, when a path can begin with it.

    Raises:
        ValidationError: none can.
    """
    if not prefix.startswith(ROOT_PATH):
        raise ValidationError(
            f"The specified value '{prefix}' for pathPrefix is invalid; paths begin with"
            f" '{ROOT_PATH}'",
            parameter="pathPrefix",
            value=prefix,
        )
    return prefix


def _characters(count: int) -> str:
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(count))
