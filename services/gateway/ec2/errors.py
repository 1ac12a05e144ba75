"""Refusals as EC2 words them."""

from http import HTTPStatus

from services.gateway.answers import Answer
from services.gateway.errors import (
    INTERNAL_ERROR,
    INTERNAL_MESSAGE,
    SignatureDoesNotMatch,
    UnknownAccessKey,
    http_status,
    shown_message,
)
from services.gateway.xml import DECLARATION, MEDIA_TYPE, element, text
from shared.errors import AuthFailure, CadastreError


def refuse(error: CadastreError, request_id: str) -> Answer:
    """A client's mistake."""
    if isinstance(error, SignatureDoesNotMatch | UnknownAccessKey):
        # EC2 alone has one code for both.
        error = AuthFailure("AWS was not able to validate the provided access credentials")
    return _answer(http_status(error), error.reason, shown_message(error), request_id)


def fault(request_id: str) -> Answer:
    """A fault of ours."""
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL_ERROR, INTERNAL_MESSAGE, request_id)


def _answer(status: int, code: str, message: str, request_id: str) -> Answer:
    error = element("Code", text(code)) + element("Message", text(message))
    content = element("Errors", element("Error", error)) + element("RequestID", request_id)
    body = f"{DECLARATION}{element('Response', content)}"
    return Answer(body.encode(), MEDIA_TYPE, status)
