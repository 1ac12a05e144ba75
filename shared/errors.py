"""Refusals: one class per reason, each under the kind that decides its gRPC status.

A reason is the AWS error code clients branch on. The message gives the refused value and what would
work; every value in it also stands in ``metadata``.
"""

from collections.abc import Mapping


class StartFailed(Exception):
    """A process can't start; the message is one line that says why and what would help."""


class CadastreError(Exception):
    """A refusal the caller can act on. Raise a subclass that carries a reason."""

    reason: str

    def __init__(self, message: str, **metadata: object) -> None:
        super().__init__(message)
        self.message = message
        self.metadata: Mapping[str, str] = {key: str(value) for key, value in metadata.items()}


class Invalid(CadastreError):
    """The request can never succeed as written."""


class NotFound(CadastreError):
    """The named thing does not exist, or is not the caller's to see (BEY-12)."""


class AlreadyExists(CadastreError):
    """The thing to be made is already there."""


class Precondition(CadastreError):
    """The request is sound, but the state of things forbids it."""


class Conflict(CadastreError):
    """Another request was faster; the same request may succeed when repeated."""


class Exhausted(CadastreError):
    """A quota or the address space is used up."""


class Denied(CadastreError):
    """The caller may not do this."""


class Unauthenticated(CadastreError):
    """The caller did not prove who it is."""


class Unsupported(CadastreError):
    """The request asks for something this installation does not do."""


class Unavailable(CadastreError):
    """A service this request needs does not answer now; repeat later."""


class InvalidParameterValue(Invalid):
    """A value is malformed or outside what is allowed."""

    reason = "InvalidParameterValue"


class MissingParameter(Invalid):
    """A required member is absent."""

    reason = "MissingParameter"

    def __init__(self, parameter: str) -> None:
        super().__init__(f"The request must contain the parameter {parameter}", parameter=parameter)


class InvalidParameterCombination(Invalid):
    """Two values exclude each other, or one needs another that is absent."""

    reason = "InvalidParameterCombination"


class UnknownParameter(Invalid):
    """The operation has no such member."""

    reason = "UnknownParameter"


class InvalidNextToken(Invalid):
    """A paging token that this operation did not issue for this query."""

    reason = "InvalidNextToken"

    def __init__(self) -> None:
        super().__init__(
            "The NextToken is not valid for this request; repeat the query without it and follow"
            " the tokens it returns"
        )


class IdempotentParameterMismatch(Invalid):
    """A client token came back with other parameters (ALLOC-7)."""

    reason = "IdempotentParameterMismatch"

    def __init__(self, client_token: str) -> None:
        super().__init__(
            f"The client token '{client_token}' was used before with other parameters; use a new"
            " token for a new request",
            client_token=client_token,
        )


class DryRunOperation(Precondition):
    """Not a failure: the request would have succeeded, had it not been a dry run."""

    reason = "DryRunOperation"

    def __init__(self) -> None:
        super().__init__("Request would have succeeded, but DryRun flag is set.")


class IncorrectState(Precondition):
    """The thing is in a state that does not allow the request."""

    reason = "IncorrectState"


class DependencyViolation(Precondition):
    """Something else still needs the thing."""

    reason = "DependencyViolation"


class OperationNotPermitted(Denied):
    """Ownership or the nature of the thing forbids the request, whoever asks politely."""

    reason = "OperationNotPermitted"


class UnauthorizedOperation(Denied):
    """A policy, or the lack of one, forbids the request."""

    reason = "UnauthorizedOperation"


class AuthFailure(Unauthenticated):
    """The caller's credentials could not be verified."""

    reason = "AuthFailure"


class UnsupportedOperation(Unsupported):
    """The request is sound AWS, but needs what this version does not have."""

    reason = "UnsupportedOperation"


class ServiceUnavailable(Unavailable):
    """A service this request needs does not answer now."""

    reason = "Unavailable"


class QuotaExceeded(Exhausted):
    """A quota of requirements.md section 14 is reached; ``reason`` names which one."""

    def __init__(self, reason: str, message: str, *, quota: int, **metadata: object) -> None:
        super().__init__(message, quota=quota, **metadata)
        self.reason = reason


class UnknownId(NotFound):
    """An id of the right form that names nothing the caller may see."""

    def __init__(self, error_stem: str, resource_id: str) -> None:
        super().__init__(f"The ID '{resource_id}' does not exist", resource_id=resource_id)
        self.reason = f"{error_stem}.NotFound"


class MalformedId(Invalid):
    """An id that could never name a thing of this kind."""

    def __init__(self, error_stem: str, resource_id: str, form: str) -> None:
        super().__init__(
            f"The ID '{resource_id}' is malformed; expected {form}", resource_id=resource_id
        )
        self.reason = f"{error_stem}.Malformed"


class ForwardedRefusal(CadastreError):
    """A refusal another service gave, passed on with its own reason and kind."""

    def __init__(
        self, kind: type[CadastreError], reason: str, message: str, metadata: Mapping[str, str]
    ) -> None:
        super().__init__(message, **metadata)
        self.reason, self.kind = reason, kind


KINDS: tuple[type[CadastreError], ...] = (
    Invalid,
    NotFound,
    AlreadyExists,
    Precondition,
    Conflict,
    Exhausted,
    Denied,
    Unauthenticated,
    Unsupported,
    Unavailable,
)


def kind_of(error: CadastreError) -> type[CadastreError]:
    """The kind in ``KINDS`` that ``error`` falls under."""
    if isinstance(error, ForwardedRefusal):
        return error.kind
    return next(kind for kind in KINDS if isinstance(error, kind))
