"""CloudWatch, whose clients speak three protocols: today's JSON or CBOR, and yesterday's Query."""

from collections.abc import Mapping

from services.gateway.answers import WireProtocol
from services.gateway.clients import Services
from services.gateway.documents.addresses import RPC_V2_CBOR
from services.gateway.documents.endpoint import DocumentProtocol
from services.gateway.errors import INTERNAL_ERROR
from services.gateway.model import load_model
from services.gateway.protocols import Writing
from services.gateway.query.endpoint import QueryProtocol
from services.gateway.routes import CLOUDWATCH_FILES, rpcs_by_action

CLOUDWATCH_CODES: Mapping[str, str] = {
    "UnauthorizedOperation": "AccessDenied",
    "Unavailable": "ServiceUnavailable",
    "UnknownParameter": "ValidationError",
    INTERNAL_ERROR: "InternalServiceError",
}
"""The Query protocol's, by which the models of all three know errors."""

_SERVICE = "cloudwatch"


def cloudwatch_protocols(services: Services) -> Mapping[Writing, WireProtocol]:
    """By what a request is written in.

    Raises:
        ContractMismatch: the contract can't carry what AWS's model says.
    """
    rpcs = rpcs_by_action(CLOUDWATCH_FILES)
    cbor, json = (load_model(_SERVICE, protocol) for protocol in (RPC_V2_CBOR, "json"))
    return {
        Writing.CBOR: DocumentProtocol(cbor, rpcs, CLOUDWATCH_CODES, services),
        Writing.FORM: QueryProtocol(
            load_model(_SERVICE, "query"), rpcs, CLOUDWATCH_CODES, services
        ),
        Writing.JSON: DocumentProtocol(json, rpcs, CLOUDWATCH_CODES, services),
    }
