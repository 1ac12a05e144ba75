"""botocore's own serializer and parser against ours, for every action the contracts have."""

from datetime import UTC
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore import xform_name
from botocore.model import ListShape, OperationModel, Shape, StructureShape
from botocore.parsers import EC2QueryParser
from botocore.serialize import EC2Serializer
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.ec2.model import load_model
from services.gateway.ec2.operations import operations_of
from services.gateway.ec2.parameters import nested
from services.gateway.ec2.requests import structure_reader
from services.gateway.form import UNPRINTABLE, parse_form
from services.gateway.routes import Rpc, rpcs_by_action
from shared.rpc.enums import aws_enum_name, enum_number

MODEL = load_model()
RPCS = [rpc for rpcs in rpcs_by_action().values() for rpc in rpcs]
OPERATIONS = operations_of(MODEL)

EXAMPLES = settings(max_examples=20, deadline=None)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(
    lambda text: not UNPRINTABLE.search(text)
)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "integer": st.integers(-(1 << 31), (1 << 31) - 1),
    "long": st.integers(-(1 << 63), (1 << 63) - 1),
    "string": TEXT,
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "timestamp": st.datetimes(timezones=st.just(UTC)).map(
        lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000)
    ),
}


def values(shape: Shape, field: Any) -> st.SearchStrategy[Any]:
    """What a client may give for a member, as far as the contract has it."""
    if isinstance(shape, ListShape):
        return st.lists(values(shape.member, field), max_size=3)
    if isinstance(shape, StructureShape):
        return structures(shape, field.message_type)
    if field.enum_type is not None:
        return st.sampled_from(shape.enum)  # type: ignore[attr-defined]
    return SCALARS[shape.type_name]


def structures(shape: StructureShape, descriptor: Any) -> st.SearchStrategy[dict[str, Any]]:
    members = {
        name: values(member, descriptor.fields_by_name[xform_name(name)])
        for name, member in shape.members.items()
        if xform_name(name) in descriptor.fields_by_name
    }
    return st.fixed_dictionaries({}, optional=members)


def as_aws(shape: StructureShape, message: Message) -> dict[str, Any]:
    """A message, read member by member in the plainest way; every list is there."""
    result = {}
    for name, member in shape.members.items():
        field = message.DESCRIPTOR.fields_by_name.get(xform_name(name))
        if field is None:
            continue
        value = getattr(message, field.name)
        if isinstance(member, ListShape):
            result[name] = [_single(member.member, field, item) for item in value]
        elif message.HasField(field.name):
            result[name] = _single(member, field, value)
    return result


def _single(shape: Shape, field: Any, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        return as_aws(shape, value)
    if field.enum_type is not None:
        return aws_enum_name(field.enum_type, value)
    return value.ToDatetime(tzinfo=UTC) if shape.type_name == "timestamp" else value


def as_message(shape: StructureShape, value: dict[str, Any], message: Message) -> Message:
    """The reverse of `as_aws`."""
    for name, given_value in value.items():
        member = shape.members[name]
        field = message.DESCRIPTOR.fields_by_name[xform_name(name)]
        is_list = isinstance(member, ListShape)
        single = member.member if isinstance(member, ListShape) else member
        for item in given_value if is_list else [given_value]:
            _set(single, field, item, message, is_list=is_list)
    return message


def _set(shape: Shape, field: Any, value: Any, message: Message, *, is_list: bool) -> None:
    target = getattr(message, field.name)
    if isinstance(shape, StructureShape):
        child = target.add() if is_list else target
        child.SetInParent()
        as_message(shape, value, child)
    elif shape.type_name == "timestamp":
        (target.add() if is_list else target).FromDatetime(value)
    else:
        value = enum_number(field.enum_type, value) if field.enum_type is not None else value
        target.append(value) if is_list else setattr(message, field.name, value)


def pruned(value: Any) -> Any:
    """Without what the wire can't say: empty lists and structures."""
    if isinstance(value, dict):
        members = {key: pruned(child) for key, child in value.items()}
        return {key: child for key, child in members.items() if child not in ({}, [])}
    if isinstance(value, list):
        return [child for child in map(pruned, value) if child not in ({}, [])]
    return value


def sent_by_botocore(operation: OperationModel, parameters: dict[str, Any]) -> bytes:
    body = EC2Serializer().serialize_to_request(parameters, operation)["body"]
    return urlencode(body).encode()


@pytest.mark.parametrize("rpc", RPCS, ids=lambda rpc: f"{rpc.context}-{rpc.descriptor.name}")
@EXAMPLES
@given(data=st.data())
def test_what_botocore_sends_arrives_in_the_request(rpc: Rpc, data: st.DataObject) -> None:
    operation = MODEL.operation_model(rpc.descriptor.name)
    shape, descriptor = operation.input_shape, rpc.descriptor.input_type
    assert shape is not None
    given_parameters = data.draw(structures(shape, descriptor))

    parameters = parse_form(sent_by_botocore(operation, given_parameters))
    assert parameters.pop("Action") == operation.name
    assert parameters.pop("Version") == MODEL.api_version
    read = structure_reader(shape, descriptor)
    request = rpc.request_type(**read(nested(parameters), ""))

    assert pruned(as_aws(shape, request)) == pruned(given_parameters)


@pytest.mark.parametrize("action", OPERATIONS)
@EXAMPLES
@given(data=st.data())
def test_what_is_answered_comes_out_of_botocore(action: str, data: st.DataObject) -> None:
    operation, shape = OPERATIONS[action], MODEL.operation_model(action).output_shape
    answer = operation.rpcs[0].response_type()
    if shape is not None:
        as_message(shape, data.draw(structures(shape, answer.DESCRIPTOR)), answer)

    document = operation.render(answer, "request-id").encode()
    response = {"body": document, "headers": {}, "status_code": 200}
    parsed: Any = EC2QueryParser().parse(response, shape)  # type: ignore[arg-type]

    metadata = parsed.pop("ResponseMetadata")
    assert metadata["RequestId"] == "request-id"
    assert parsed == (as_aws(shape, answer) if shape is not None else {})
