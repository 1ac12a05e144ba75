"""The contracts against AWS's model: nothing missing, nothing of another kind."""

from collections.abc import Iterator

import pytest
from botocore import xform_name
from botocore.model import ListShape, Shape, StringShape, StructureShape
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from services.gateway.ec2.model import load_model
from services.gateway.ec2.operations import operations_of
from services.gateway.routes import FILES, Rpc, rpcs_by_action
from shared.rpc.enums import enum_number

MODEL = load_model()
RPCS = [rpc for rpcs in rpcs_by_action().values() for rpc in rpcs]

# Newer than the guide: what they belong to isn't offered.
ABSENT = {
    "CreateVpcRequest.vpc_encryption_control",
    "Vpc.encryption_control",
    "Vpc.block_public_access_states",
}
# Strings in the contracts: what may be given there depends on the action, and the service says so.
OPEN_ENUMS = {"TagSpecification.resource_type", "DescribeVpcAttributeRequest.attribute"}


@pytest.fixture(params=RPCS, ids=lambda rpc: f"{rpc.context}-{rpc.descriptor.name}")
def rpc(request: pytest.FixtureRequest) -> Rpc:
    found: Rpc = request.param
    return found


def members(
    shape: Shape | None, descriptor: Descriptor | None
) -> Iterator[tuple[str, Shape, FieldDescriptor | None]]:
    """Every member AWS has in ``shape``, however deep, and the field it travels in."""
    assert descriptor is not None
    for name, member in getattr(shape, "members", {}).items():
        field = descriptor.fields_by_name.get(xform_name(name))
        single = member.member if isinstance(member, ListShape) else member
        yield f"{descriptor.name}.{xform_name(name)}", single, field
        if isinstance(single, StructureShape) and field is not None:
            yield from members(single, field.message_type)


def members_of(rpc: Rpc) -> list[tuple[str, Shape, FieldDescriptor | None]]:
    operation = MODEL.operation_model(rpc.descriptor.name)
    return [
        *members(operation.input_shape, rpc.descriptor.input_type),
        *members(operation.output_shape, rpc.descriptor.output_type),
    ]


def test_every_rpc_is_an_action_of_aws(rpc: Rpc) -> None:  # BEY-15
    assert rpc.descriptor.name in MODEL.operation_names
    assert not rpc.descriptor.client_streaming
    assert not rpc.descriptor.server_streaming


def test_every_member_of_aws_has_a_field(rpc: Rpc) -> None:  # BEY-15
    missing = {name for name, _, field in members_of(rpc) if field is None}
    assert missing <= ABSENT


def test_every_field_is_a_member_of_aws(rpc: Rpc) -> None:
    known = {name for name, _, field in members_of(rpc) if field is not None}
    messages = [rpc.descriptor.input_type, rpc.descriptor.output_type]
    fields = {f"{message.name}.{field.name}" for message in messages for field in message.fields}
    for _, _, field in members_of(rpc):
        if field is not None and field.containing_type is not None:
            message = field.containing_type
            fields |= {f"{message.name}.{sibling.name}" for sibling in message.fields}
    assert fields == known


def test_every_value_of_an_enum_of_aws_is_in_the_contract(rpc: Rpc) -> None:
    for name, shape, field in members_of(rpc):
        values = shape.enum if isinstance(shape, StringShape) else []
        if not values or name in OPEN_ENUMS or field is None:
            continue
        assert field.enum_type is not None, name
        unknown = [value for value in values if enum_number(field.enum_type, value) is None]
        assert not unknown, name


def test_the_kinds_fit() -> None:
    assert set(operations_of(MODEL)) == set(rpcs_by_action())


def test_internal_services_are_out_of_reach() -> None:
    reachable = {rpc.descriptor.containing_service.name for rpc in RPCS}
    assert reachable == {"ControlPlaneService", "AllocationService", "NetworkService"}
    assert "discovery" in FILES
