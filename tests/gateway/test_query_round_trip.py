"""botocore's serializer and parser of the plain Query protocol against ours, for all of IAM."""

import asyncio
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
from botocore.model import OperationModel
from botocore.parsers import QueryParser
from botocore.serialize import QuerySerializer
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.answers import Call
from services.gateway.errors import InvalidAction, MissingAction, NoSuchVersion
from services.gateway.model import load_model
from services.gateway.query.endpoint import QueryProtocol
from services.gateway.query.errors import IAM_CODES
from services.gateway.routes import IAM_FILES, Rpc, rpcs_by_action
from services.gateway.sigv4 import SignedRequest
from shared.errors import (
    CadastreError,
    InvalidParameterValue,
    MissingParameter,
    UnknownParameter,
    UnsupportedOperation,
)
from tests.gateway.shapes import EXAMPLES, as_aws, as_message, pruned, structures

MODEL = load_model("iam")
RPCS = rpcs_by_action(IAM_FILES)
ENCODED = ("PolicyDocument", "AssumeRolePolicyDocument")


class Recorder:
    """In place of the contexts: answers as told, and remembers what it was asked last."""

    answer: Message
    asked: tuple[str, Message]

    async def call(self, rpc: Rpc, request: Message, call: Call) -> Message:
        self.asked = (rpc.path, request)
        return self.answer


CONTEXTS = Recorder()
PROTOCOL = QueryProtocol(MODEL, RPCS, IAM_CODES, CONTEXTS)  # type: ignore[arg-type]


def posted(body: str) -> Call:
    call = Call("request-id")
    call.request = SignedRequest("POST", "/", "", {}, body.encode())
    return call


def sent_by_botocore(operation: OperationModel, parameters: dict[str, Any]) -> Call:
    body = QuerySerializer().serialize_to_request(parameters, operation)["body"]
    return posted(urlencode(body))


def decoded(value: Any, name: str = "") -> Any:
    """Policy documents, which clients decode once more."""
    if isinstance(value, dict):
        return {key: decoded(child, key) for key, child in value.items()}
    if isinstance(value, list):
        return [decoded(child) for child in value]
    return unquote(value) if name in ENCODED else value


@pytest.mark.parametrize("name", RPCS)
@EXAMPLES
@given(data=st.data())
def test_what_botocore_sends_arrives_and_what_is_answered_comes_out(
    name: str, data: st.DataObject
) -> None:
    operation, [rpc] = MODEL.operation_model(name), RPCS[name]
    asked, answer = rpc.request_type(), rpc.response_type()
    parameters: dict[str, Any] = {}
    if operation.input_shape is not None:
        parameters = data.draw(structures(operation.input_shape, asked.DESCRIPTOR))
    answered = {}
    if operation.output_shape is not None:
        drawn = data.draw(structures(operation.output_shape, answer.DESCRIPTOR))
        as_message(operation.output_shape, drawn, answer)
        answered = as_aws(operation.output_shape, answer)
    call, CONTEXTS.answer = sent_by_botocore(operation, parameters), answer

    told = asyncio.run(PROTOCOL.answer(call))

    assert call.action == name
    path, request = CONTEXTS.asked
    assert path == rpc.path
    if operation.input_shape is not None:
        assert pruned(as_aws(operation.input_shape, request)) == pruned(parameters)
    response = {"body": told.body, "headers": {}, "status_code": told.status}
    parsed: Any = QueryParser().parse(response, operation.output_shape)  # type: ignore[arg-type]
    assert parsed.pop("ResponseMetadata")["RequestId"] == "request-id"
    assert decoded(parsed) == answered


VERSION = "Version=2010-05-08"


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (VERSION, MissingAction),
        (f"Action=CreateRole&{VERSION}", InvalidAction),
        (f"Action=Fly&{VERSION}", InvalidAction),
        ("Action=ListUsers", MissingParameter),
        ("Action=ListUsers&Version=2010-05-09", NoSuchVersion),
        (f"Action=ListUsers&{VERSION}&Colour=red", UnknownParameter),
        (f"Action=ListUsers&{VERSION}&MaxItems=many", InvalidParameterValue),
        (f"Action=CreateUser&{VERSION}&PermissionsBoundary=arn", UnsupportedOperation),
        (f"Action=CreateUser&{VERSION}&Tags.1.Key=a", UnknownParameter),
        (f"Action=CreateUser&{VERSION}&Tags.entry.1.Key=a", UnknownParameter),
        (f"Action=CreateUser&{VERSION}&Tags=a", InvalidParameterValue),
        (f"Action=CreateUser&{VERSION}&Tags.member.first.Key=a", InvalidParameterValue),
        (f"Action=CreateUser&{VERSION}&UserName.member.1=a", InvalidParameterValue),
    ],
)
def test_a_wrong_request_is_refused(body: str, refusal: type[CadastreError]) -> None:
    with pytest.raises(refusal):
        asyncio.run(PROTOCOL.answer(posted(body)))


def test_a_list_may_be_empty() -> None:
    CONTEXTS.answer = RPCS["CreateUser"][0].response_type()
    asyncio.run(PROTOCOL.answer(posted(f"Action=CreateUser&{VERSION}&UserName=a&Tags=")))
    request: Any = CONTEXTS.asked[1]
    assert (request.user_name, list(request.tags)) == ("a", [])
