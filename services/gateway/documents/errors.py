"""Refusals as protocols of documents shape them, in each service's own codes."""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

from botocore import xform_name
from botocore.model import ServiceModel, StructureShape

from services.gateway.answers import Answer
from services.gateway.documents.json_notation import JSON
from services.gateway.documents.notation import Notation
from services.gateway.errors import (
    INTERNAL_ERROR,
    INTERNAL_MESSAGE,
    at_fault,
    http_status,
    shown_message,
)
from shared.errors import CadastreError, Unavailable, kind_of

COST_EXPLORER_CODES: Mapping[str, str] = {
    "InvalidNextToken": "InvalidNextTokenException",
    "InvalidParameterValue": "ValidationException",
    "MissingParameter": "ValidationException",
    "UnauthorizedOperation": "AccessDeniedException",
    "Unavailable": "ServiceUnavailable",
    "UnknownParameter": "ValidationException",
    INTERNAL_ERROR: "InternalFailure",
}
ORGANIZATIONS_CODES: Mapping[str, str] = {
    "IdempotentParameterMismatch": "InvalidInputException",
    "InvalidNextToken": "InvalidInputException",
    "InvalidParameterCombination": "InvalidInputException",
    "InvalidParameterValue": "InvalidInputException",
    "MissingParameter": "InvalidInputException",
    "OperationNotPermitted": "AccessDeniedException",
    "UnauthorizedOperation": "AccessDeniedException",
    "Unavailable": "ServiceException",
    "UnknownParameter": "InvalidInputException",
    INTERNAL_ERROR: "ServiceException",
}
RAM_CODES: Mapping[str, str] = {
    "IdempotentParameterMismatch": "IdempotentParameterMismatchException",
    "InvalidNextToken": "InvalidNextTokenException",
    "InvalidParameterCombination": "InvalidParameterException",
    "InvalidParameterValue": "InvalidParameterException",
    "MissingParameter": "InvalidParameterException",
    "OperationNotPermitted": "OperationNotPermittedException",
    "UnauthorizedOperation": "AccessDeniedException",
    "Unavailable": "ServiceUnavailableException",
    "UnknownParameter": "InvalidParameterException",
    INTERNAL_ERROR: "ServerInternalException",
}

_MESSAGE = "message"


class DocumentErrors:
    """How one service tells its refusals."""

    def __init__(
        self,
        model: ServiceModel,
        codes: Mapping[str, str],
        media_type: str,
        notation: Notation = JSON,
    ) -> None:
        """``codes`` are the service's own for general reasons; what it lacks is told as it is."""
        self._shapes = {
            shape.error_code: shape
            for shape in model.error_shapes
            if isinstance(shape, StructureShape)
        }
        self._codes, self._media_type, self._notation = codes, media_type, notation
        self._namespace = f"com.amazonaws.{model.service_name}#"
        self._is_query_compatible = model.is_query_compatible

    def refuse(self, error: CadastreError) -> Answer:
        """A client's mistake, or an outage."""
        code = self._codes.get(error.reason, error.reason)
        return self._answer(
            self._status(error, code), code, {**error.metadata, _MESSAGE: shown_message(error)}
        )

    def fault(self) -> Answer:
        """A fault of ours."""
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return self._answer(status, self._codes[INTERNAL_ERROR], {_MESSAGE: INTERNAL_MESSAGE})

    def _status(self, error: CadastreError, code: str) -> int:
        # Not all models say that an outage is one, and only 5xx makes clients try again.
        if code not in self._shapes or kind_of(error) is Unavailable:
            return http_status(error)
        declared: Mapping[str, int] = self._shapes[code].metadata.get("error", {})
        return declared.get("httpStatusCode", HTTPStatus.BAD_REQUEST)

    def _answer(self, status: int, code: str, values: Mapping[str, str]) -> Answer:
        """The members that the model gives the error, in the model's spelling, which differs."""
        shape = self._shapes.get(code)
        members = shape.members if shape else (_MESSAGE,)
        given = {name: values[xform_name(name)] for name in members if xform_name(name) in values}
        name = str(shape.name) if shape else code
        if shape and self._notation.has_full_error_types:
            name = f"{self._namespace}{name}"
        answer = document_error(status, name, given, self._media_type, self._notation)
        if self._is_query_compatible:
            # What errors were called in the Query protocol is their code to this day.
            told = {"x-amzn-query-error": f"{code};{at_fault(status)}"}
            return replace(answer, headers={**answer.headers, **told})
        return answer


def document_error(
    status: int,
    name: str,
    members: Mapping[str, str],
    media_type: str,
    notation: Notation = JSON,
) -> Answer:
    """An error document. Some clients look for the name in the body, some in the header."""
    body = notation.write({"__type": name, **members})
    headers = {**notation.headers, "x-amzn-ErrorType": name}
    return Answer(body, media_type, status, headers)
