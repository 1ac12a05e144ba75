"""Refusals as gRPC statuses and back; one table says which kind is which code."""

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from shared.errors import (
    AlreadyExists,
    CadastreError,
    Conflict,
    Denied,
    Exhausted,
    ForwardedRefusal,
    Invalid,
    NotFound,
    Precondition,
    ServiceUnavailable,
    Unauthenticated,
    Unavailable,
    Unsupported,
    kind_of,
)

ERROR_DOMAIN = "cadastre"
DETAILS_KEY = "grpc-status-details-bin"

CODE_OF_KIND: dict[type[CadastreError], grpc.StatusCode] = {
    Invalid: grpc.StatusCode.INVALID_ARGUMENT,
    NotFound: grpc.StatusCode.NOT_FOUND,
    AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    Precondition: grpc.StatusCode.FAILED_PRECONDITION,
    Conflict: grpc.StatusCode.ABORTED,
    Exhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Denied: grpc.StatusCode.PERMISSION_DENIED,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    Unsupported: grpc.StatusCode.UNIMPLEMENTED,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
}
_KIND_OF_CODE = {code: kind for kind, code in CODE_OF_KIND.items()}
_KIND_OF_NUMBER: dict[int, type[CadastreError]] = {
    code.value[0]: kind for kind, code in CODE_OF_KIND.items()
}
# A call that its own side cancels raises CancelledError; this CANCELLED is the connection's.
_UNREACHABLE = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
)


def code_of(error: CadastreError) -> grpc.StatusCode:
    """The status code a refusal travels under."""
    return CODE_OF_KIND[kind_of(error)]


def details_of(error: CadastreError) -> bytes:
    """``google.rpc.Status`` with the refusal's ``ErrorInfo``, for the trailing metadata."""
    info = error_details_pb2.ErrorInfo(
        reason=error.reason, domain=ERROR_DOMAIN, metadata=error.metadata
    )
    packed = any_pb2.Any()
    packed.Pack(info)
    code: int = code_of(error).value[0]
    status = status_pb2.Status(code=code, message=error.message, details=[packed])
    content: bytes = status.SerializeToString()
    return content


def refusal_from_details(content: bytes) -> CadastreError:
    """Of `details_of`: the refusal with its own kind, reason and values."""
    status = status_pb2.Status.FromString(content)
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    kind = _KIND_OF_NUMBER[status.code]
    return ForwardedRefusal(kind, info.reason, status.message, dict(info.metadata))


def refusal_from(error: grpc.aio.AioRpcError) -> CadastreError | grpc.aio.AioRpcError:
    """What a peer's error means: its refusal, that it can't be reached, or the error itself."""
    info = _error_info(error)
    if info is not None and error.code() in _KIND_OF_CODE:
        kind = _KIND_OF_CODE[error.code()]
        return ForwardedRefusal(kind, info.reason, error.details() or "", dict(info.metadata))
    if error.code() in _UNREACHABLE:
        return ServiceUnavailable("A service this request needs does not answer; try again")
    return error


def _error_info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo | None:
    packed = dict(error.trailing_metadata()).get(DETAILS_KEY)
    if not isinstance(packed, bytes):
        return None
    for detail in status_pb2.Status.FromString(packed).details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info) and info.domain == ERROR_DOMAIN:
            return info
    return None
