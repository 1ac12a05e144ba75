"""Policies of users: what a user may do (ORG-10)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from services.control_plane.identity.errors import LimitExceeded, MalformedPolicyDocument
from shared.policies.document import MalformedPolicy, parse_policy

LONGEST_IN_ALL = 2048
"""Characters of a user's documents besides white space, as AWS has it."""
LONGEST_POLICY_NAME = 128

_CHARACTERS = re.compile("[\t\n\r\x20-\xff]+")
_WHITE_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class UserPolicy:
    """A policy that is a user's alone."""

    policy_name: str
    document: str
    """JSON, as it was given."""

    @property
    def size(self) -> int:
        """Characters; white space doesn't count."""
        return len(_WHITE_SPACE.sub("", self.document))


def check_document(document: str) -> str:
    """``document`` itself, when it is a policy's.

    Raises:
        MalformedPolicyDocument: it is none.
    """
    if not _CHARACTERS.fullmatch(document):
        raise MalformedPolicyDocument(
            "The policy document has characters besides those of Latin-1; write them as \\uXXXX"
        )
    try:
        parse_policy(document)
    except MalformedPolicy as error:
        raise MalformedPolicyDocument(f"The policy document is malformed: {error}") from error
    return document


def check_total_size(user_name: str, policies: Iterable[UserPolicy]) -> None:
    """A user can have all these policies.

    Raises:
        LimitExceeded: together they are too long.
    """
    size = sum(policy.size for policy in policies)
    if size > LONGEST_IN_ALL:
        raise LimitExceeded(
            f"The policies of user '{user_name}' would have {size} characters in all, white space"
            f" not counted; at most {LONGEST_IN_ALL} are allowed",
            quota=LONGEST_IN_ALL,
            user_name=user_name,
            size=size,
        )
