"""Refusals of IAM, with its codes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from shared.errors import (
    AlreadyExists,
    CadastreError,
    ForwardedRefusal,
    Invalid,
    InvalidNextToken,
    InvalidParameterValue,
    NotFound,
    Precondition,
    QuotaExceeded,
    kind_of,
)


class NoSuchEntity(NotFound):
    """The account has no such user, key, policy, role or deletion."""

    reason = "NoSuchEntity"

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"Your account has no {kind} '{name}'", kind=kind, name=name)


class EntityAlreadyExists(AlreadyExists):
    """The account has one of that name."""

    reason = "EntityAlreadyExists"

    def __init__(self, user_name: str) -> None:
        super().__init__(
            f"Your account has a user named '{user_name}' already; names that differ in case only"
            " are the same, so use another",
            user_name=user_name,
        )


class DeleteConflict(Precondition):
    """Something of it is still there."""

    reason = "DeleteConflict"

    def __init__(self, user_name: str, what: str, names: str) -> None:
        super().__init__(
            f"The user '{user_name}' still has {what}: {names}; delete them first",
            user_name=user_name,
            names=names,
        )


class LimitExceeded(QuotaExceeded):
    """There are as many as there may be."""

    def __init__(self, message: str, *, quota: int, **metadata: object) -> None:
        super().__init__("LimitExceeded", message, quota=quota, **metadata)


class MalformedPolicyDocument(Invalid):
    """The document is no policy."""

    reason = "MalformedPolicyDocument"


class ValidationError(Invalid):
    """A value that no such request can have."""

    reason = "ValidationError"


class InvalidInput(Invalid):
    """A value that this can't be done with."""

    reason = "InvalidInput"


_SHARED_REASONS: Mapping[type[CadastreError], str] = {
    InvalidNextToken: ValidationError.reason,
    InvalidParameterValue: ValidationError.reason,
    QuotaExceeded: "LimitExceeded",
}


@contextmanager
def in_the_words_of_iam() -> Iterator[None]:
    """What is refused within, by rules that all services share, is refused with IAM's code.

    Within are paging and tags; the only quota among them is that of tags.
    """
    try:
        yield
    except tuple(_SHARED_REASONS) as error:
        reason = _SHARED_REASONS[type(error)]
        raise ForwardedRefusal(kind_of(error), reason, error.message, error.metadata) from error
