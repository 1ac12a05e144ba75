"""AWS services that nothing here plays: a precise refusal each client understands."""

from http import HTTPStatus

from services.gateway.answers import Answer, Call
from services.gateway.documents.errors import document_error
from services.gateway.documents.notation import Notation
from services.gateway.errors import (
    INTERNAL_ERROR,
    INTERNAL_MESSAGE,
    InvalidAction,
    UnknownOperation,
    http_status,
    shown_message,
)
from services.gateway.query import refusals
from shared.errors import CadastreError

_NAMESPACE = "http://webservices.amazon.com/AWSFault/2005-15-09"


class OtherQueryService:
    """A service that speaks the Query protocol, such as SNS."""

    def __init__(self, service: str) -> None:
        self._service = service

    async def answer(self, call: Call) -> Answer:  # noqa: ARG002 the same for every call
        raise InvalidAction(_message(self._service))

    def refuse(self, error: CadastreError, request_id: str) -> Answer:
        return refusals.refuse(error, request_id, _NAMESPACE)

    def fault(self, request_id: str) -> Answer:
        return refusals.fault(request_id, _NAMESPACE)


class OtherDocumentService:
    """A service that speaks in documents, such as CloudWatch Logs."""

    def __init__(self, service: str, media_type: str, notation: Notation) -> None:
        self._service, self._media_type, self._notation = service, media_type, notation

    async def answer(self, call: Call) -> Answer:  # noqa: ARG002 the same for every call
        raise UnknownOperation(_message(self._service))

    def refuse(self, error: CadastreError, request_id: str) -> Answer:  # noqa: ARG002 in a header
        return self._error(http_status(error), error.reason, shown_message(error))

    def fault(self, request_id: str) -> Answer:  # noqa: ARG002 in a header
        return self._error(HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL_ERROR, INTERNAL_MESSAGE)

    def _error(self, status: int, code: str, message: str) -> Answer:
        members = {"message": message}
        return document_error(status, code, members, self._media_type, self._notation)


def _message(service: str) -> str:
    return f"The operations of the service '{service}' are not available here"
