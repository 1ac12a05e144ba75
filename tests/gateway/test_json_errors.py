"""Refusals in JSON: each service's own codes, as unmodified clients take them apart."""

from collections.abc import Mapping
from typing import Any

import grpc
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import ServiceModel

from services.gateway.documents.errors import ORGANIZATIONS_CODES, RAM_CODES
from services.gateway.errors import INTERNAL_ERROR
from services.gateway.model import load_model
from shared import errors
from tests.gateway.edge import Edge
from tests.gateway.fakes import Refusal

MODELS = {service: load_model(service) for service in ("organizations", "ram")}
CODES = {"organizations": ORGANIZATIONS_CODES, "ram": RAM_CODES}
# What only reads would be asked again during an outage.
ASKED = {"organizations": "DeleteOrganization", "ram": "EnableSharingWithAwsOrganization"}


def refused(edge: Edge, service: str, refusal: Refusal) -> Any:
    """The exception that boto3 raises when the context refuses."""
    edge.fakes.answers[ASKED[service]] = refusal
    ask = getattr(edge.client(service), xform_name(ASKED[service]))
    with pytest.raises(ClientError) as raised:
        ask()
    response = raised.value.response
    assert response["ResponseMetadata"]["RequestId"]
    return raised.value


MODELLED = [
    (service, shape.name, shape.metadata.get("error", {}).get("httpStatusCode", 400))
    for service, model in MODELS.items()
    for shape in model.error_shapes
]


@pytest.mark.parametrize(("service", "code", "status"), MODELLED)
def test_a_code_of_the_model_is_the_clients_own_exception(
    service: str, code: str, status: int, edge: Edge
) -> None:
    error = refused(edge, service, Refusal(code, "<no> & 'why'"))
    assert type(error).__name__ == code
    assert error.response["Error"] == {"Code": code, "Message": "<no> & 'why'"}
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status
    told = {"organizations": "Message", "ram": "message"}[service]
    assert error.response[told] == "<no> & 'why'"


@pytest.mark.parametrize(
    ("code", "reason", "organizations", "ram"),
    [
        (
            "INVALID_ARGUMENT",
            "InvalidParameterValue",
            ("InvalidInputException", 400),
            ("InvalidParameterException", 400),
        ),
        (
            "INVALID_ARGUMENT",
            "MissingParameter",
            ("InvalidInputException", 400),
            ("InvalidParameterException", 400),
        ),
        (
            "INVALID_ARGUMENT",
            "InvalidParameterCombination",
            ("InvalidInputException", 400),
            ("InvalidParameterException", 400),
        ),
        (
            "INVALID_ARGUMENT",
            "InvalidNextToken",
            ("InvalidInputException", 400),
            ("InvalidNextTokenException", 400),
        ),
        (
            "INVALID_ARGUMENT",
            "IdempotentParameterMismatch",
            ("InvalidInputException", 400),
            ("IdempotentParameterMismatchException", 400),
        ),
        (
            "PERMISSION_DENIED",
            "UnauthorizedOperation",
            ("AccessDeniedException", 400),
            ("AccessDeniedException", 403),
        ),
        (
            "PERMISSION_DENIED",
            "OperationNotPermitted",
            ("AccessDeniedException", 400),
            ("OperationNotPermittedException", 400),
        ),
        (
            "RESOURCE_EXHAUSTED",
            "TagLimitExceeded",
            ("TagLimitExceeded", 400),
            ("TagLimitExceeded", 400),
        ),
        (
            "UNAVAILABLE",
            "Unavailable",
            ("ServiceException", 503),
            ("ServiceUnavailableException", 503),
        ),
    ],
)
def test_a_general_reason_becomes_the_services_own(
    code: str, reason: str, organizations: tuple[str, int], ram: tuple[str, int], edge: Edge
) -> None:
    for service, expected in (("organizations", organizations), ("ram", ram)):
        error = refused(edge, service, Refusal(reason, "no", grpc.StatusCode[code]))
        metadata = error.response["ResponseMetadata"]
        assert (error.response["Error"]["Code"], metadata["HTTPStatusCode"]) == expected
        assert error.response["Error"]["Message"] == "no"


@pytest.mark.parametrize(("service", "codes"), CODES.items())
def test_the_tables_name_general_reasons_and_codes_of_the_model(
    service: str, codes: Mapping[str, str]
) -> None:
    reasons = {getattr(error, "reason", None) for error in vars(errors).values()}
    assert set(codes) <= {*reasons, INTERNAL_ERROR}
    # AWS answers so for every service; not every model says it.
    assert set(codes.values()) <= {*names(MODELS[service]), "AccessDeniedException"}


def names(model: ServiceModel) -> set[str]:
    return {shape.name for shape in model.error_shapes}


def test_what_else_the_model_gives_an_error_is_told_too(edge: Edge) -> None:
    metadata = {"reason": "OU_DEPTH_LIMIT_EXCEEDED", "depth": "6"}
    refusal = Refusal("ConstraintViolationException", "no", metadata=metadata)
    error = refused(edge, "organizations", refusal)
    assert error.response["Reason"] == "OU_DEPTH_LIMIT_EXCEEDED"
    assert "depth" not in error.response


@pytest.mark.parametrize(
    ("service", "code"), [("organizations", "ServiceException"), ("ram", "ServerInternalException")]
)
def test_a_fault_is_told_without_details(service: str, code: str, edge: Edge) -> None:
    error = refused(edge, service, Refusal("", "table shares", grpc.StatusCode.INTERNAL))
    assert error.response["Error"] == {"Code": code, "Message": "An internal error has occurred"}
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_a_message_is_bounded(edge: Edge) -> None:
    answer = edge.operate("ram", "CreateResourceShare", f'{{"{"x" * 100_000}": 1}}')
    assert answer.status_code == 400
    assert len(answer.text) < 2_000


def test_the_error_on_the_wire(edge: Edge) -> None:
    edge.fakes.answers["ListRoots"] = Refusal("AccessDeniedException", "<no>")
    edge.fakes.answers["ListPermissions"] = Refusal("MalformedArnException", "<no>")
    organizations = edge.operate("organizations", "ListRoots", "{}")
    ram = edge.operate("ram", "ListPermissions", "{}")
    assert organizations.headers["content-type"] == "application/x-amz-json-1.1"
    assert organizations.json() == {"__type": "AccessDeniedException", "Message": "<no>"}
    assert ram.headers["content-type"] == "application/json"
    assert ram.headers["x-amzn-errortype"] == "MalformedArnException"
    assert ram.json() == {"__type": "MalformedArnException", "message": "<no>"}
