"""Refusals in a service's own codes, with the statuses that its model gives them."""

from collections.abc import Mapping

from botocore.model import ServiceModel, StructureShape

from services.gateway.answers import Answer
from services.gateway.errors import INTERNAL_ERROR, http_status, shown_message
from services.gateway.query import refusals
from shared.errors import CadastreError, Unavailable, kind_of

IAM_CODES: Mapping[str, str] = {
    "InvalidParameterCombination": "ValidationError",
    "InvalidParameterValue": "ValidationError",
    "MissingParameter": "ValidationError",
    "UnauthorizedOperation": "AccessDenied",
    "Unavailable": "ServiceFailure",
    "UnknownParameter": "ValidationError",
    "UnsupportedOperation": "ValidationError",
}
"""IAM's words, which are STS's too, for general reasons."""


class QueryErrors:
    """How one service tells its refusals."""

    def __init__(self, model: ServiceModel, codes: Mapping[str, str]) -> None:
        """``codes`` are the service's own for general reasons; what it lacks is told as it is."""
        self._statuses: Mapping[str, int] = {
            str(shape.error_code): (shape.metadata.get("error") or {}).get("httpStatusCode", 0)
            for shape in model.error_shapes
            if isinstance(shape, StructureShape)
        }
        self._codes, self._namespace = codes, str(model.metadata["xmlNamespace"])

    def refuse(self, error: CadastreError, request_id: str) -> Answer:
        """A client's mistake, or an outage."""
        code = self._codes.get(error.reason, error.reason)
        message = shown_message(error)
        status = self._status(error, code)
        return refusals.answer(status, code, message, request_id, self._namespace)

    def fault(self, request_id: str) -> Answer:
        """A fault of ours."""
        code = self._codes.get(INTERNAL_ERROR, INTERNAL_ERROR)
        return refusals.fault(request_id, self._namespace, code)

    def _status(self, error: CadastreError, code: str) -> int:
        # Only 5xx makes clients try again.
        if kind_of(error) is Unavailable:
            return http_status(error)
        return self._statuses.get(code) or http_status(error)
