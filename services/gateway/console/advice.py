"""Refusals as people read them: what was wrong, and what to do about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from shared.errors import (
    AlreadyExists,
    CadastreError,
    Conflict,
    Denied,
    Exhausted,
    NotFound,
    Precondition,
    Unauthenticated,
    Unavailable,
    Unsupported,
    kind_of,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something wasn't done; nothing was changed."""

    reason: str
    """AWS's error code."""
    message: str
    advice: str
    parameter: str
    """What was refused, if it was a member of the request."""
    status: HTTPStatus


_BY_REASON: Sequence[tuple[Callable[[str], bool], str]] = (
    (
        "DependencyViolation".__eq__,
        "Something else still needs it. Remove what depends on it first, or delete with cascade"
        " where that is offered.",
    ),
    (
        "IncorrectState".__eq__,
        "It is in another state just now. Wait until the change that is going on has ended, then"
        " try again.",
    ),
    (
        "InsufficientCidrSpace".__eq__,
        "Choose a smaller block (a longer prefix), release what isn't needed, or provision another"
        " CIDR to the pool.",
    ),
    (
        "TooManyAttempts".__eq__,
        "Make sure that the secret belongs to this access key ID.",
    ),
    (
        lambda reason: "LimitExceeded" in reason or reason.endswith("Exceeded"),
        "Delete what isn't needed any more, or have the quota raised (see Quotas).",
    ),
    (
        lambda reason: reason.endswith(".Malformed"),
        "Check the address: this can't be the ID of such a thing.",
    ),
)
_BY_KIND: Sequence[tuple[type[CadastreError], str, HTTPStatus]] = (
    (
        NotFound,
        "It may have been deleted meanwhile, or belong to another account or region. Nothing was"
        " changed. Go back to the list to see what is there now.",
        HTTPStatus.NOT_FOUND,
    ),
    (
        Denied,
        "Your account or its policies don't allow this. Ask whoever administers them, or switch to"
        " another account.",
        HTTPStatus.FORBIDDEN,
    ),
    (
        Unauthenticated,
        "Sign in again.",
        HTTPStatus.UNAUTHORIZED,
    ),
    (
        Unavailable,
        "A service behind this page doesn't answer just now. Nothing is lost; try again in a"
        " moment.",
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
    (
        Conflict,
        "Somebody else was faster. Look at what is there now, then try again.",
        HTTPStatus.CONFLICT,
    ),
    (
        AlreadyExists,
        "Choose something that isn't taken yet.",
        HTTPStatus.CONFLICT,
    ),
    (
        Precondition,
        "What is there now doesn't allow it. Change that first.",
        HTTPStatus.CONFLICT,
    ),
    (
        Exhausted,
        "There isn't enough left. Make room first, or ask for less.",
        HTTPStatus.CONFLICT,
    ),
    (
        Unsupported,
        "This installation can't do that.",
        HTTPStatus.BAD_REQUEST,
    ),
)


def refusal_of(error: CadastreError) -> Refusal:
    """What to tell of ``error``."""
    advice, status = _advice_and_status(error)
    return Refusal(
        error.reason, error.message, advice, str(error.metadata.get("parameter", "")), status
    )


def _advice_and_status(error: CadastreError) -> tuple[str, HTTPStatus]:
    kind = kind_of(error)
    by_kind = next(
        ((advice, status) for one, advice, status in _BY_KIND if kind is one),
        ("Correct what is said above, then try again.", HTTPStatus.BAD_REQUEST),
    )
    by_reason = next((advice for matches, advice in _BY_REASON if matches(error.reason)), None)
    return by_reason or by_kind[0], by_kind[1]
