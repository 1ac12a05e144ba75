"""JSON -> request messages. Readers are put together once, from shapes and a descriptor."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from botocore.model import ListShape, Shape, StructureShape
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from services.gateway.contract import ContractMismatch, check_kind, message_of
from services.gateway.errors import Unserializable
from services.gateway.form import UNPRINTABLE
from services.gateway.structures import MAX_LIST_LENGTH, Reader, Structure, structure_of
from services.gateway.values import (
    Convert,
    bits_of,
    converted,
    text_converter,
    to_enum,
    to_integer,
)
from shared.errors import InvalidParameterValue

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUERY_STRING = "querystring"


@dataclass(frozen=True, slots=True)
class RequestReader:
    """Reads a request, whose members stand in its body and its query string."""

    _body: Structure
    _query: Structure

    @classmethod
    def of(cls, shape: StructureShape, descriptor: Descriptor) -> "RequestReader":
        """Put together how ``shape`` becomes a message of ``descriptor``.

        Raises:
            ContractMismatch: a field can't carry its member, or a member is elsewhere still.
        """
        body: dict[str, Shape] = {}
        query: dict[str, Shape] = {}
        for name, member in shape.members.items():
            location = member.serialization.get("location")
            if location not in (None, _QUERY_STRING):
                raise ContractMismatch(f"{shape.name}.{name} is sent in the {location}")
            (query if location else body)[name] = member
        return cls(
            structure_of(body, descriptor, wire_name, _reader),
            structure_of(query, descriptor, wire_name, _query_reader),
        )

    def read(self, document: Mapping[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
        """The keyword arguments of the request message.

        Raises:
            CadastreError: a member is unknown, or its value none that it takes.
        """
        return {**_read_structure(self._body, document, ""), **self._query.read(query, "")}


def wire_name(member: str, shape: Shape) -> str:
    """What a member of a model is called in JSON and in query strings."""
    return str(shape.serialization.get("name", member))


def _query_reader(shape: Shape, field: FieldDescriptor) -> Reader:
    check_kind(shape, field)
    if isinstance(shape, ListShape | StructureShape):
        raise ContractMismatch(f"{field.full_name} is no single value to stand in a query string")
    return partial(converted, text_converter(shape, field))


def _reader(shape: Shape, field: FieldDescriptor) -> Reader:
    check_kind(shape, field)
    if isinstance(shape, ListShape):
        return partial(_read_list, _single_reader(shape.member, field))
    return _single_reader(shape, field)


def _single_reader(shape: Shape, field: FieldDescriptor) -> Reader:
    if isinstance(shape, StructureShape):
        structure = structure_of(shape.members, message_of(field), wire_name, _reader)
        return partial(_read_structure, structure)
    return partial(_read_scalar, _scalar(shape, field))


@dataclass(frozen=True, slots=True)
class _Scalar:
    """One kind of single values."""

    form: str
    json_types: tuple[type, ...]
    """Exactly these: to Python, true is a number too."""
    convert: Convert


def _scalar(shape: Shape, field: FieldDescriptor) -> _Scalar:
    if field.enum_type is not None:
        return _Scalar("a string", (str,), partial(to_enum, field.enum_type))
    if shape.type_name in ("integer", "long"):
        return _Scalar("a whole number", (int,), partial(to_integer, bits_of(field)))
    return _SCALARS[shape.type_name]


def _read_structure(structure: Structure, node: Any, path: str) -> dict[str, Any]:
    if not isinstance(node, Mapping):
        raise _other_type(path, "an object")
    # Clients may say "absent" with null.
    return structure.read({name: v for name, v in node.items() if v is not None}, path)


def _read_list(read: Callable[[Any, str], Any], node: Any, path: str) -> list[Any]:
    if not isinstance(node, list):
        raise _other_type(path, "a list")
    if len(node) > MAX_LIST_LENGTH:
        raise InvalidParameterValue(
            f"The list {path} has {len(node)} entries; at most {MAX_LIST_LENGTH} are allowed",
            parameter=path,
        )
    return [read(item, f"{path}[{index}]") for index, item in enumerate(node)]


def _read_scalar(scalar: _Scalar, node: Any, path: str) -> Any:
    if type(node) not in scalar.json_types:
        raise _other_type(path, scalar.form)
    return converted(scalar.convert, node, path)


def _other_type(path: str, form: str) -> Unserializable:
    return Unserializable(f"The parameter {path} must be {form}", parameter=path)


def _to_text(value: str) -> str:
    if UNPRINTABLE.search(value):
        raise ValueError("Use no control characters or others that XML cannot carry")
    return value


def _to_float(value: float) -> float:
    # Infinite is what Python reads 1e999 as; a whole number has no bound at all.
    if not abs(value) <= sys.float_info.max:
        raise ValueError("Use a number of at most 64 bits")
    return float(value)


def _to_timestamp(seconds: float) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError("Use seconds since 1970, such as 1767323045.5") from None


_SCALARS: Mapping[str, _Scalar] = {
    "boolean": _Scalar("true or false", (bool,), bool),
    "double": _Scalar("a number", (int, float), _to_float),
    "string": _Scalar("a string", (str,), _to_text),
    "timestamp": _Scalar("a number of seconds since 1970", (int, float), _to_timestamp),
}
