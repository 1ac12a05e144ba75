"""Parameters -> request messages. Readers are put together once, from a shape and a descriptor."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias

from botocore import xform_name
from botocore.model import ListShape, Shape, StructureShape
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from services.gateway.ec2.contract import check_kind, message_of
from services.gateway.ec2.parameters import Node, unknown_parameter
from shared.errors import CadastreError, InvalidParameterValue, UnsupportedOperation
from shared.rpc.enums import aws_enum_names, enum_number

MAX_LIST_LENGTH = 1000

# What a reader makes of a node is what the message's constructor takes for that field.
Reader: TypeAlias = Callable[[Node, str], Any]
Convert: TypeAlias = Callable[[str], Any]

_INDEX = re.compile(r"[1-9][0-9]{0,8}")
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_FLOAT = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_BOOLEANS = {"true": True, "false": False}


def structure_reader(shape: StructureShape, descriptor: Descriptor) -> Reader:
    """Reads a structure into the keyword arguments of its message."""
    members: dict[str, tuple[str, Reader]] = {}
    missing: set[str] = set()
    for member, member_shape in shape.members.items():
        field = descriptor.fields_by_name.get(xform_name(member))
        name = query_name(member, member_shape)
        if field is None:
            missing.add(name)
        else:
            members[name] = (field.name, _reader(member_shape, field))
    return partial(_read_structure, members, frozenset(missing))


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
        return partial(_read_list, _single_reader(shape.member, field))
    return _single_reader(shape, field)


def _single_reader(shape: Shape, field: FieldDescriptor) -> Reader:
    if isinstance(shape, StructureShape):
        return structure_reader(shape, message_of(field))
    return partial(_read_scalar, _converter(shape, field))


def _converter(shape: Shape, field: FieldDescriptor) -> Convert:
    if field.enum_type is not None:
        return partial(_to_enum, field.enum_type)
    if shape.type_name in ("integer", "long"):
        bits = 32 if field.cpp_type == FieldDescriptor.CPPTYPE_INT32 else 64
        return partial(_to_integer, bits)
    return _CONVERTERS[shape.type_name]


def _read_structure(
    members: Mapping[str, tuple[str, Reader]], missing: frozenset[str], node: Node, path: str
) -> dict[str, Any]:
    if isinstance(node, str):
        raise InvalidParameterValue(
            f"The parameter {path} is a structure; give its members, such as"
            f" {path}.{next(iter(members), 'Name')}",
            parameter=path,
        )
    result = {}
    for name, child in node.items():
        full_name = f"{path}.{name}" if path else name
        if name not in members:
            raise _not_taken(full_name, is_known=name in missing)
        field, read = members[name]
        result[field] = read(child, full_name)
    return result


def _not_taken(name: str, *, is_known: bool) -> CadastreError:
    if is_known:
        return UnsupportedOperation(
            f"The parameter {name} is not supported here; leave it out", parameter=name
        )
    return unknown_parameter(name)


def _read_list(read: Reader, node: Node, path: str) -> list[Any]:
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


def _read_scalar(convert: Convert, node: Node, path: str) -> Any:
    if isinstance(node, dict):
        raise InvalidParameterValue(
            f"The parameter {path} is a single value; it has no part {path}.{next(iter(node))}",
            parameter=path,
        )
    try:
        return convert(node)
    except ValueError as error:
        raise InvalidParameterValue(
            f"Value ({node}) for parameter {path} is invalid. {error}", parameter=path, value=node
        ) from None


def _to_boolean(value: str) -> bool:
    try:
        return _BOOLEANS[value.lower()]
    except KeyError:
        raise ValueError("Use 'true' or 'false'") from None


def _to_integer(bits: int, value: str) -> int:
    limit = 1 << (bits - 1)
    if not _INTEGER.fullmatch(value) or not -limit <= (number := int(value)) < limit:
        raise ValueError(f"Use a whole number of at most {bits} bits, in decimal digits")
    return number


def _to_float(value: str) -> float:
    if not _FLOAT.fullmatch(value):
        raise ValueError("Use a decimal number")
    return float(value)


def _to_timestamp(value: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(value)
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError("Use a time like '2026-01-02T03:04:05Z'") from None


def _to_enum(enum: EnumDescriptor, value: str) -> int:
    number = enum_number(enum, value)
    if number is None:
        raise ValueError(f"Use one of {', '.join(aws_enum_names(enum))}")
    return number


_CONVERTERS: Mapping[str, Convert] = {
    "boolean": _to_boolean,
    "double": _to_float,
    "string": str,
    "timestamp": _to_timestamp,
}
