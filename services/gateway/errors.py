"""What the edge itself refuses, and the HTTP status of every refusal."""

from http import HTTPStatus

from shared.errors import (
    CadastreError,
    Denied,
    Invalid,
    Unauthenticated,
    Unavailable,
    Unsupported,
    kind_of,
)


class MissingAction(Invalid):
    """The request does not say what is to be done."""

    reason = "MissingAction"

    def __init__(self) -> None:
        super().__init__("The request must contain the parameter Action")


class InvalidAction(Invalid):
    """AWS has no such action, or this installation doesn't."""

    reason = "InvalidAction"


class NoSuchVersion(Invalid):
    """The API version is none, or newer than the one spoken here."""

    reason = "NoSuchVersion"


class InvalidId(Invalid):
    """An id of no kind that the action works on."""

    reason = "InvalidID"

    def __init__(self, resource_id: str) -> None:
        super().__init__(f"The ID '{resource_id}' is not valid", resource_id=resource_id)


class RequestTooLarge(Invalid):
    """More bytes than any sensible request has."""

    reason = "RequestEntityTooLarge"


class Unserializable(Invalid):
    """The body is no document, or a member of it has another type than the operation's."""

    reason = "SerializationException"


class UnknownOperation(Unsupported):
    """A service of AWS that this installation does not play, or an operation of it."""

    reason = "UnknownOperationException"


class RefusedIdentity(Unauthenticated):
    """Nobody is let in by this request.

    ``why`` is for the log, which tells apart what the answer doesn't: whoever tries keys or tokens
    learns nothing by them.
    """

    why: str


class MissingAuthenticationToken(RefusedIdentity):
    """The request is not signed."""

    reason = "MissingAuthenticationToken"
    why = "not signed"

    def __init__(self) -> None:
        super().__init__(
            "The request must be signed: an Authorization header with Signature Version 4"
        )


class IncompleteSignature(RefusedIdentity):
    """The Authorization header lacks a part, or what it signs is too little."""

    reason = "IncompleteSignature"
    why = "incomplete signature"


class UnknownAccessKey(RefusedIdentity):
    """The access key, or the session token that goes with it, is nobody's for now."""

    reason = "InvalidClientTokenId"

    def __init__(self, *, why: str) -> None:
        super().__init__("The security token included in the request is invalid")
        self.why = why


class SignatureDoesNotMatch(RefusedIdentity):
    """The request is not the one that was signed, or another secret signed it."""

    reason = "SignatureDoesNotMatch"
    why = "wrong signature"

    def __init__(self) -> None:
        super().__init__(
            "The request signature we calculated does not match the signature you provided. Check"
            " your AWS Secret Access Key and signing method"
        )


class RequestExpired(RefusedIdentity):
    """Signed too long ago, or by a clock that is ahead."""

    reason = "RequestExpired"

    def __init__(self, message: str, *, why: str) -> None:
        super().__init__(message)
        self.why = why


class ExpiredToken(RefusedIdentity):
    """The session is over."""

    reason = "ExpiredToken"
    why = "expired session"

    def __init__(self) -> None:
        super().__init__("The security token included in the request is expired")


class AccessDenied(Denied):
    """A role or a session is not to be had this way."""

    reason = "AccessDenied"


class ValidationError(Invalid):
    """A value that no such request can have, in the word of IAM and STS."""

    reason = "ValidationError"


INTERNAL_ERROR = "InternalError"
INTERNAL_MESSAGE = "An internal error has occurred"

_MAX_MESSAGE_LENGTH = 1024

# The documented status of AWS's codes; whatever else a client did wrong is a 400.
_STATUS_BY_REASON = {
    "AccessDenied": HTTPStatus.FORBIDDEN,
    "AuthFailure": HTTPStatus.UNAUTHORIZED,
    "DryRunOperation": HTTPStatus.PRECONDITION_FAILED,
    "ExpiredToken": HTTPStatus.FORBIDDEN,
    "InvalidClientTokenId": HTTPStatus.FORBIDDEN,
    "MissingAuthenticationToken": HTTPStatus.FORBIDDEN,
    "RequestEntityTooLarge": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "SignatureDoesNotMatch": HTTPStatus.FORBIDDEN,
    "UnauthorizedOperation": HTTPStatus.FORBIDDEN,
}


def shown_message(error: CadastreError) -> str:
    """The message of ``error``, which may quote what a client sent, however long that was."""
    if len(error.message) <= _MAX_MESSAGE_LENGTH:
        return error.message
    return f"{error.message[:_MAX_MESSAGE_LENGTH]}..."


def http_status(error: CadastreError) -> int:
    """The status AWS answers ``error`` with; 5xx, which clients repeat, only for real faults."""
    if kind_of(error) is Unavailable:
        return HTTPStatus.SERVICE_UNAVAILABLE
    return _STATUS_BY_REASON.get(error.reason, HTTPStatus.BAD_REQUEST)


def at_fault(status: int) -> str:
    """Whose fault a refusal is, in the word of AWS's Query protocols."""
    return "Sender" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "Receiver"
