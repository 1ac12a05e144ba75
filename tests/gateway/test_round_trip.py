"""botocore's own serializer and parser against ours, for every action the contracts have."""

from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.model import OperationModel
from botocore.parsers import EC2QueryParser
from botocore.serialize import EC2Serializer
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.ec2.operations import operations_of
from services.gateway.ec2.parameters import nested
from services.gateway.ec2.requests import structure_reader
from services.gateway.form import parse_form
from services.gateway.model import load_model
from services.gateway.routes import Rpc, rpcs_by_action
from tests.gateway.shapes import EXAMPLES, as_aws, as_message, pruned, structures

MODEL = load_model("ec2")
RPCS = [rpc for rpcs in rpcs_by_action().values() for rpc in rpcs]
OPERATIONS = operations_of(MODEL)


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
