"""botocore's serializers and parsers of CloudWatch's three protocols against ours."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.model import OperationModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.answers import Answer, Call
from services.gateway.cloudwatch import cloudwatch_protocols
from services.gateway.model import load_model
from services.gateway.protocols import Writing
from services.gateway.routes import CLOUDWATCH_FILES, Rpc, rpcs_by_action
from services.gateway.sigv4 import SignedRequest
from shared.errors import ServiceUnavailable
from tests.gateway import shapes
from tests.gateway.shapes import EXAMPLES, SECONDS, as_aws, as_message, pruned, structures

MODEL = load_model("cloudwatch")
RPCS = rpcs_by_action(CLOUDWATCH_FILES)
SPOKEN = {
    "json": Writing.JSON,
    "query": Writing.FORM,
    "smithy-rpc-v2-cbor": Writing.CBOR,
}
SCALARS = {**shapes.SCALARS, "timestamp": SECONDS}


class Recorder:
    """In place of the contexts: answers as told, and remembers what it was asked last."""

    answer: Message
    asked: tuple[str, Message]

    async def call(self, rpc: Rpc, request: Message, call: Call) -> Message:
        self.asked = (rpc.path, request)
        return self.answer


CONTEXTS = Recorder()
PROTOCOLS = cloudwatch_protocols(CONTEXTS)  # type: ignore[arg-type]


def sent_by_botocore(
    protocol: str, operation: OperationModel, parameters: dict[str, Any]
) -> SignedRequest:
    """What botocore's serializer makes of ``parameters``, as it stands on the wire."""
    serializer = create_serializer(protocol, include_validation=False)
    sent = serializer.serialize_to_request(parameters, operation)
    headers = {name.lower(): value for name, value in sent["headers"].items()}
    body = sent["body"]
    content = urlencode(body).encode() if protocol == "query" else bytes(body)
    return SignedRequest(sent["method"], sent["url_path"], "", headers, content)


def parsed_by_botocore(protocol: str, operation: OperationModel, answer: Answer) -> Any:
    response = {"body": answer.body, "headers": {}, "status_code": answer.status}
    parsed: Any = create_parser(protocol).parse(response, operation.output_shape)  # type: ignore[arg-type]
    del parsed["ResponseMetadata"]
    return parsed


@pytest.mark.parametrize("protocol", SPOKEN)
@pytest.mark.parametrize("name", RPCS)
@EXAMPLES
@given(data=st.data())
def test_what_botocore_sends_arrives_and_what_is_answered_comes_out(
    protocol: str, name: str, data: st.DataObject
) -> None:
    operation, [rpc] = MODEL.operation_model(name), RPCS[name]
    sent_shape, answered_shape = operation.input_shape, operation.output_shape
    assert sent_shape is not None
    assert answered_shape is not None
    parameters = data.draw(structures(sent_shape, rpc.descriptor.input_type, SCALARS))
    answered = data.draw(structures(answered_shape, rpc.descriptor.output_type, SCALARS))
    CONTEXTS.answer = as_message(answered_shape, answered, rpc.response_type())
    call = Call("request-id")
    call.request = sent_by_botocore(protocol, operation, parameters)

    assert Writing.of(call.request.headers) is SPOKEN[protocol]
    told = asyncio.run(PROTOCOLS[SPOKEN[protocol]].answer(call))

    assert call.action == name
    path, request = CONTEXTS.asked
    assert path == rpc.path
    assert pruned(as_aws(sent_shape, request)) == pruned(parameters)
    assert parsed_by_botocore(protocol, operation, told) == as_aws(answered_shape, CONTEXTS.answer)


@pytest.mark.parametrize("protocol", SPOKEN)
def test_an_outage_makes_every_client_try_again(protocol: str) -> None:
    told = PROTOCOLS[SPOKEN[protocol]].refuse(ServiceUnavailable("not now"), "request-id")
    response = {"body": told.body, "headers": told.headers, "status_code": told.status}
    parsed: Any = create_parser(protocol).parse(response, None)  # type: ignore[arg-type]
    assert told.status == 503
    assert parsed["Error"] == {
        **parsed["Error"],
        "Code": "ServiceUnavailable",
        "Message": "not now",
        "Type": "Receiver",
    }
