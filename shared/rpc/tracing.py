"""Spans of RPCs on either side, named as OpenTelemetry's conventions for gRPC have it."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeAlias

import grpc
from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from shared import tracing
from shared.errors import CadastreError
from shared.rpc.method import Method
from shared.rpc.status import refusal_from

Metadata: TypeAlias = tuple[tuple[str, str], ...]
Attributes: TypeAlias = dict[str, AttributeValue]

# Whoever called is not to blame for these; the others are answers like any.
_FAULTS = frozenset(
    {
        grpc.StatusCode.DATA_LOSS,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.UNKNOWN,
    }
)


def serve(method: Method, metadata: Mapping[str, Any], request_id: str) -> Span:
    """The span of a call, which from here on is this task's; to be ended by `end`."""
    return tracing.serve(
        f"{method.service}/{method.name}",
        metadata,
        lambda: _attributes(method.service, method.name, request_id),
    )


def end(
    span: Span, code: grpc.StatusCode, *, reason: str | None = None, account_id: str | None = None
) -> None:
    """End it with what came of the call."""
    if not span.is_recording():
        return
    span.set_attribute("rpc.grpc.status_code", code.value[0])
    if account_id:
        span.set_attribute(tracing.ACCOUNT_ID, account_id)
    if reason:
        span.set_attribute(tracing.REASON, reason)
    if code in _FAULTS:
        span.set_attribute("error.type", reason or code.name)
        span.set_status(Status(StatusCode.ERROR, reason or code.name))
    span.end()


def server_attributes(address: str) -> Attributes:
    """Of ``host:port``, for the spans of calls to there."""
    host, _, port = address.rpartition(":")
    attributes: Attributes = {"server.address": host.strip("[]")}
    return attributes | ({"server.port": int(port)} if port.isdecimal() else {})


def calling(
    method: Any, server: Attributes, metadata: Metadata
) -> AbstractContextManager[Metadata]:
    """The metadata to call a stub's ``method`` with; with a span for the length of the block."""
    if not tracing.is_on():
        return nullcontext(metadata)
    # Of a stub's methods nothing public tells which they are.
    path: bytes = method._method  # noqa: SLF001
    return _calling(path.decode(), server, metadata)


@contextmanager
def _calling(path: str, server: Attributes, metadata: Metadata) -> Iterator[Metadata]:
    name = path.removeprefix("/")
    service, _, method = name.partition("/")
    request_id = dict(metadata)["x-request-id"]
    span, headers = tracing.ask(name, _attributes(service, method, request_id) | server)
    code, reason = grpc.StatusCode.CANCELLED, None
    try:
        yield (*metadata, *headers.items())
        code = grpc.StatusCode.OK
    except grpc.aio.AioRpcError as error:
        code, reason = error.code(), _reason_of(error)
        raise
    finally:
        end(span, code, reason=reason)


def _reason_of(error: grpc.aio.AioRpcError) -> str | None:
    refusal = refusal_from(error)
    return refusal.reason if isinstance(refusal, CadastreError) else None


def _attributes(service: str, method: str, request_id: str) -> Attributes:
    return {
        "rpc.system": "grpc",
        "rpc.service": service,
        "rpc.method": method,
        tracing.REQUEST_ID: request_id,
    }
