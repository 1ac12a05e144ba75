"""Parameters -> request messages. Readers are put together once, from a shape and a descriptor."""

import re
from functools import partial
from typing import Any

from botocore.model import ListShape, Shape, StructureShape
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from services.gateway.contract import check_kind, message_of
from services.gateway.ec2.parameters import Node
from services.gateway.structures import MAX_LIST_LENGTH, Reader, Structure, structure_of
from services.gateway.values import Convert, converted, text_converter
from shared.errors import InvalidParameterValue

_INDEX = re.compile(r"[1-9][0-9]{0,8}")


def structure_reader(shape: StructureShape, descriptor: Descriptor) -> Reader:
    """Reads a structure into the keyword arguments of its message."""
    return partial(read_structure, structure_of(shape.members, descriptor, query_name, _reader))


def query_name(member: str, shape: Shape) -> str:
    """What a member of EC2's model is called on the wire."""
    if "queryName" in shape.serialization:
        return str(shape.serialization["queryName"])
    if "name" in shape.serialization:
        location = str(shape.serialization["name"])
        return location[0].upper() + location[1:]
    return member


def _reader(shape: Shape, field: FieldDescriptor) -> Reader:
    check_kind(shape, field)
    if isinstance(shape, ListShape):
        return partial(read_list, _single_reader(shape.member, field))
    return _single_reader(shape, field)


def _single_reader(shape: Shape, field: FieldDescriptor) -> Reader:
    if isinstance(shape, StructureShape):
        return structure_reader(shape, message_of(field))
    return partial(read_scalar, text_converter(shape, field))


def read_structure(structure: Structure, node: Node, path: str) -> dict[str, Any]:
    """The arguments of the structure's message.

    Raises:
        InvalidParameterValue: it is a single value.
    """
    if isinstance(node, str):
        raise InvalidParameterValue(
            f"The parameter {path} is a structure; give its members, such as"
            f" {path}.{next(iter(structure.readers), 'Name')}",
            parameter=path,
        )
    return structure.read(node, path)


def read_list(read: Reader, node: Node, path: str) -> list[Any]:
    """What ``read`` makes of the numbered entries, in their order.

    Raises:
        InvalidParameterValue: it is a single value, too long, or an entry has no number.
    """
    if isinstance(node, str):
        raise InvalidParameterValue(
            f"The parameter {path} is a list; number its entries, such as {path}.1", parameter=path
        )
    if len(node) > MAX_LIST_LENGTH:
        raise InvalidParameterValue(
            f"The list {path} has {len(node)} entries; at most {MAX_LIST_LENGTH} are allowed",
            parameter=path,
        )
    for index in node:
        if not _INDEX.fullmatch(index):
            raise InvalidParameterValue(
                f"The parameter {path}.{index} is not an entry of a list; entries are numbered from"
                f" 1, such as {path}.1",
                parameter=f"{path}.{index}",
            )
    return [read(node[index], f"{path}.{index}") for index in sorted(node, key=int)]


def read_scalar(convert: Convert, node: Node, path: str) -> Any:
    """What ``convert`` makes of a single value.

    Raises:
        InvalidParameterValue: it has parts, or is none that ``convert`` takes.
    """
    if isinstance(node, dict):
        raise InvalidParameterValue(
            f"The parameter {path} is a single value; it has no part {path}.{next(iter(node))}",
            parameter=path,
        )
    return converted(convert, node, path)
