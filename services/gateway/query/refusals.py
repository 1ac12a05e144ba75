"""Refusals in the shape of AWS's plain Query protocol (STS, IAM); EC2 has one of its own."""

from http import HTTPStatus

from services.gateway.answers import Answer
from services.gateway.errors import (
    INTERNAL_ERROR,
    INTERNAL_MESSAGE,
    at_fault,
    http_status,
    shown_message,
)
from services.gateway.xml import DECLARATION, MEDIA_TYPE, element, text
from shared.errors import CadastreError


def refuse(error: CadastreError, request_id: str, namespace: str) -> Answer:
    """A client's mistake."""
    return answer(http_status(error), error.reason, shown_message(error), request_id, namespace)


def fault(request_id: str, namespace: str, code: str = INTERNAL_ERROR) -> Answer:
    """A fault of ours."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return answer(status, code, INTERNAL_MESSAGE, request_id, namespace)


def answer(status: int, code: str, message: str, request_id: str, namespace: str) -> Answer:
    """An error document."""
    error = (
        element("Type", at_fault(status))
        + element("Code", text(code))
        + element("Message", text(message))
    )
    body = (
        f'{DECLARATION}<ErrorResponse xmlns="{namespace}">'
        + element("Error", error)
        + element("RequestId", request_id)
        + "</ErrorResponse>"
    )
    return Answer(body.encode(), MEDIA_TYPE, status)
