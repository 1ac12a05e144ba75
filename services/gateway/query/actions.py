"""Which action a form asks for, and in which version: alike in all Query protocols."""

import re

from services.gateway.errors import MissingAction, NoSuchVersion
from shared.errors import MissingParameter

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def take_action(parameters: dict[str, str]) -> str:
    """The action, taken out of ``parameters``.

    Raises:
        MissingAction: there is none.
    """
    action = parameters.pop("Action", "")
    if not action:
        raise MissingAction
    return action


def check_version(version: str, newest: str) -> None:
    """Older clients are welcome, as at AWS; they are answered in today's shape.

    Raises:
        MissingParameter: there is no version.
        NoSuchVersion: it is none, or later than the ``newest``.
    """
    if not version:
        raise MissingParameter("Version")
    if not _DATE.fullmatch(version) or version > newest:
        raise NoSuchVersion(
            f"The API version {version} does not exist; use {newest}", version=version
        )
