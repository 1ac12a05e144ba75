"""The span of a request at the edge, as OpenTelemetry's conventions for HTTP have it."""

from http import HTTPStatus

from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.util.types import AttributeValue
from starlette.requests import Request

from services.gateway.answers import UNKNOWN_ACTION, Call
from shared import tracing

_ACTION = "cadastre.action"


def serve(request: Request, call: Call) -> Span:
    """It goes on with a trace that the client began, and is from here on this task's."""
    return tracing.serve(
        request.method, request.headers, lambda: _attributes(request, call.request_id)
    )


def end(span: Span, request: Request, call: Call, status: int, code: str) -> None:
    """End it with what was answered; ``code`` is AWS's."""
    if not span.is_recording():
        return
    if call.action != UNKNOWN_ACTION:
        span.update_name(f"{request.method} {call.action}")
        span.set_attribute(_ACTION, call.action)
    if call.caller.account_id:
        span.set_attribute(tracing.ACCOUNT_ID, call.caller.account_id)
    span.set_attribute("http.response.status_code", status)
    if status >= HTTPStatus.BAD_REQUEST:
        span.set_attribute(tracing.REASON, code)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.set_attribute("error.type", code)
        span.set_status(Status(StatusCode.ERROR, code))
    span.end()


def _attributes(request: Request, request_id: str) -> dict[str, AttributeValue]:
    # As it listens, not as the client calls it: a header may hold anything.
    host, port = request.scope["server"]
    return {
        "http.request.method": request.method,
        "url.path": request.scope["path"],
        "url.scheme": request.scope["scheme"],
        "server.address": host,
        "server.port": port,
        tracing.REQUEST_ID: request_id,
    }
