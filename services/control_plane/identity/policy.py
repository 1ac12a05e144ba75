"""Policies of users: what a user may do (ORG-10)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from services.control_plane.identity.errors import LimitExceeded, MalformedPolicyDocument
from services.control_plane.identity.names import check_name
from shared.policies.document import MalformedPolicy, parse_policy
from shared.policies.json_text import compacted

LONGEST_IN_ALL = 2048
"""Characters of a user's documents as they are told, as AWS has it."""
LONGEST_AS_GIVEN = 16_384
"""Characters of them with all white space, so that those of an account can be read at once."""
LONGEST_POLICY_NAME = 128

_CHARACTERS = re.compile("[\t\n\r\x20-\xff]+")


@dataclass(frozen=True, slots=True)
class UserPolicy:
    """A policy that is a user's alone."""

    policy_name: str
    document: str
    """JSON, as it was given."""

    @property
    def told_document(self) -> str:
        """Without the white space between its tokens, which nobody's quota counts."""
        return compacted(self.document)


def new_policy(policy_name: str, document: str) -> UserPolicy:
    """A policy as a user can be given it, if there is room.

    Raises:
        ValidationError: no policy can be named so.
        LimitExceeded: the document is longer than all of a user's may be.
        MalformedPolicyDocument: it is none.
    """
    name = check_name(policy_name, "policyName", LONGEST_POLICY_NAME)
    return UserPolicy(name, check_document(document))


def check_document(document: str) -> str:
    """``document`` itself, when it is a policy's.

    Raises:
        LimitExceeded: it is too long to be looked at.
        MalformedPolicyDocument: it is none.
    """
    if len(document) > LONGEST_AS_GIVEN:
        raise LimitExceeded(
            f"The policy document has {len(document)} characters, white space counted; at most"
            f" {LONGEST_AS_GIVEN} are allowed",
            quota=LONGEST_AS_GIVEN,
            size=len(document),
        )
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
    told = as_given = 0
    for policy in policies:
        told += len(policy.told_document)
        as_given += len(policy.document)
    _check_size(user_name, told, LONGEST_IN_ALL, "not counted outside strings")
    _check_size(user_name, as_given, LONGEST_AS_GIVEN, "counted")


def _check_size(user_name: str, size: int, longest: int, white_space: str) -> None:
    if size > longest:
        raise LimitExceeded(
            f"The policies of user '{user_name}' would have {size} characters in all, white space"
            f" {white_space}; at most {longest} are allowed",
            quota=longest,
            user_name=user_name,
            size=size,
        )
