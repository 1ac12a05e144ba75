"""botocore's JSON serializers and parsers against ours, for every operation of both contracts."""

import asyncio
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from botocore.model import OperationModel, StructureShape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st

from cadastre.control.sharing.v1 import sharing_service_pb2 as sharing
from services.gateway.answers import Answer, Call
from services.gateway.documents.endpoint import DocumentProtocol
from services.gateway.documents.requests import RequestReader, wire_name
from services.gateway.documents.responses import structure_renderer
from services.gateway.model import load_model
from services.gateway.routes import ORGANIZATIONS_FILES, RAM_FILES, Rpc, rpcs_by_action
from services.gateway.sigv4 import SignedRequest
from shared.rpc.enums import aws_enum_names, enum_number
from tests.gateway import shapes
from tests.gateway.shapes import (
    EXAMPLES,
    SECONDS,
    as_aws,
    as_message,
    fields,
    reachable,
    structures,
)

MODELS = {service: load_model(service) for service in ("organizations", "ram")}
RPCS = {
    "organizations": rpcs_by_action(ORGANIZATIONS_FILES),
    "ram": rpcs_by_action(RAM_FILES),
}
SCALARS = {**shapes.SCALARS, "timestamp": SECONDS}
OPERATIONS = [(service, name) for service, rpcs in RPCS.items() for name in rpcs]
operations = pytest.mark.parametrize(("service", "name"), OPERATIONS)


class Recorder:
    """In place of the contexts: answers as told, and remembers what it was asked last."""

    answer: Message
    asked: tuple[str, Message]

    async def call(self, rpc: Rpc, request: Message, call: Call) -> Message:
        self.asked = (rpc.path, request)
        return self.answer


CONTEXTS = Recorder()
PROTOCOLS = {
    service: DocumentProtocol(model, RPCS[service], {}, CONTEXTS)  # type: ignore[arg-type]
    for service, model in MODELS.items()
}


def sent_by_botocore(operation: OperationModel, parameters: dict[str, Any]) -> SignedRequest:
    """What botocore's serializer makes of ``parameters``, as it stands on the wire."""
    protocol = operation.service_model.protocol
    serializer = create_serializer(protocol, include_validation=False)
    sent = serializer.serialize_to_request(parameters, operation)
    headers = {name.lower(): value for name, value in sent["headers"].items()}
    query = urlencode(sent["query_string"], quote_via=quote)
    return SignedRequest(sent["method"], sent["url_path"], query, headers, bytes(sent["body"]))


def parsed_by_botocore(operation: OperationModel, answer: Answer) -> Any:
    response = {"body": answer.body, "headers": {}, "status_code": answer.status}
    parser = create_parser(operation.service_model.protocol)
    parsed: Any = parser.parse(response, operation.output_shape)  # type: ignore[arg-type]
    del parsed["ResponseMetadata"]
    return parsed


@operations
@EXAMPLES
@given(data=st.data())
def test_what_botocore_sends_arrives_and_what_is_answered_comes_out(
    service: str, name: str, data: st.DataObject
) -> None:
    operation, [rpc] = MODELS[service].operation_model(name), RPCS[service][name]
    asked, answer = rpc.request_type(), rpc.response_type()
    parameters, answered = {}, {}
    if operation.input_shape is not None:
        parameters = data.draw(structures(operation.input_shape, asked.DESCRIPTOR, SCALARS))
        as_message(operation.input_shape, parameters, asked)
    if operation.output_shape is not None:
        drawn = data.draw(structures(operation.output_shape, answer.DESCRIPTOR, SCALARS))
        as_message(operation.output_shape, drawn, answer)
        answered = as_aws(operation.output_shape, answer)
    call, CONTEXTS.answer = Call("request-id"), answer
    call.request = sent_by_botocore(operation, parameters)

    told = asyncio.run(PROTOCOLS[service].answer(call))

    assert call.action == name
    assert CONTEXTS.asked == (rpc.path, asked)
    assert parsed_by_botocore(operation, told) == answered


WITH_ENUMS = {
    f"{service}-{shape.name}": (shape, descriptor)
    for service, name in OPERATIONS
    for whole, top in (
        (MODELS[service].operation_model(name).input_shape, "input_type"),
        (MODELS[service].operation_model(name).output_shape, "output_type"),
    )
    for shape, descriptor in reachable(whole, getattr(RPCS[service][name][0].descriptor, top))
    if any(field.enum_type is not None for _, _, field in fields(shape, descriptor))
}


@pytest.mark.parametrize(("shape", "descriptor"), WITH_ENUMS.values(), ids=WITH_ENUMS)
def test_every_word_of_every_enum_comes_in_and_goes_out(
    shape: StructureShape, descriptor: Descriptor
) -> None:
    reader = RequestReader.of(shape, descriptor)
    render = structure_renderer(shape, descriptor)
    for name, member, field in fields(shape, descriptor):
        enum = field.enum_type
        if enum is None:
            continue
        for word in aws_enum_names(enum):
            read = reader.read({wire_name(name, member): word}, {})
            assert read == {field.name: enum_number(enum, word)}
            assert render(GetMessageClass(descriptor)(**read))[wire_name(name, member)] == word


def test_a_query_string_is_utf_8_without_escapes_too() -> None:
    call, CONTEXTS.answer = Call("request-id"), sharing.DeleteResourceShareResponse()
    query = "resourceShareArn=\uac00".encode().decode("latin-1")
    call.request = SignedRequest("DELETE", "/deleteresourceshare", query, {}, b"")
    asyncio.run(PROTOCOLS["ram"].answer(call))
    [_, request] = CONTEXTS.asked
    assert request == sharing.DeleteResourceShareRequest(resource_share_arn="\uac00")
