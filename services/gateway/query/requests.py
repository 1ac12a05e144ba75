"""Parameters -> request messages, as the plain Query protocol names them: ``Tags.member.1.Key``."""

from functools import partial
from typing import Any

from botocore.model import ListShape, Shape, StructureShape
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from services.gateway.contract import check_kind, message_of
from services.gateway.ec2.parameters import Node
from services.gateway.ec2.requests import read_list, read_scalar, read_structure
from services.gateway.structures import Reader, structure_of, unknown_parameter
from services.gateway.values import text_converter

ITEM = "member"
"""What stands before an entry's number, where a model has no other name for it."""


def structure_reader(shape: StructureShape, descriptor: Descriptor) -> Reader:
    """Reads a structure into the keyword arguments of its message."""
    return partial(read_structure, structure_of(shape.members, descriptor, _wire_name, _reader))


def _wire_name(member: str, shape: Shape) -> str:
    return str(shape.serialization.get("name", member))


def _reader(shape: Shape, field: FieldDescriptor) -> Reader:
    check_kind(shape, field)
    if isinstance(shape, ListShape):
        item = str(shape.member.serialization.get("name", ITEM))
        return partial(_read_list, item, _single_reader(shape.member, field))
    return _single_reader(shape, field)


def _single_reader(shape: Shape, field: FieldDescriptor) -> Reader:
    if isinstance(shape, StructureShape):
        return structure_reader(shape, message_of(field))
    return partial(read_scalar, text_converter(shape, field))


def _read_list(item: str, read: Reader, node: Node, path: str) -> list[Any]:
    # How a list without entries is sent.
    if node == "":
        return []
    if isinstance(node, dict):
        for name in node:
            if name != item:
                raise unknown_parameter(f"{path}.{name}")
        node = node[item]
    return read_list(read, node, f"{path}.{item}")
