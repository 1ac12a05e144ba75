"""Documents -> request messages. Readers are put together once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.model import ListShape, Shape, StructureShape
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from services.gateway.contract import ContractMismatch, check_kind, message_of
from services.gateway.documents.json_notation import JSON
from services.gateway.documents.notation import Notation, Scalar
from services.gateway.errors import Unserializable
from services.gateway.form import UNPRINTABLE
from services.gateway.structures import MAX_LIST_LENGTH, Reader, Structure, structure_of
from services.gateway.values import (
    bits_of,
    converted,
    text_converter,
    to_enum,
    to_integer,
)
from shared.errors import InvalidParameterValue

_QUERY_STRING = "querystring"


@dataclass(frozen=True, slots=True)
class RequestReader:
    """Reads a request, whose members stand in its body and its query string."""

    _body: Structure
    _query: Structure

    @classmethod
    def of(
        cls, shape: StructureShape, descriptor: Descriptor, notation: Notation = JSON
    ) -> "RequestReader":
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
            structure_of(body, descriptor, wire_name, _Readers(notation).of),
            structure_of(query, descriptor, wire_name, _query_reader),
        )

    def read(self, document: Mapping[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
        """The keyword arguments of the request message.

        Raises:
            CadastreError: a member is unknown, or its value none that it takes.
        """
        return {**_read_structure(self._body, document, ""), **self._query.read(query, "")}


def wire_name(member: str, shape: Shape) -> str:
    """What a member of a model is called in documents and in query strings."""
    return str(shape.serialization.get("name", member))


def _query_reader(shape: Shape, field: FieldDescriptor) -> Reader:
    check_kind(shape, field)
    if isinstance(shape, ListShape | StructureShape):
        raise ContractMismatch(f"{field.full_name} is no single value to stand in a query string")
    return partial(converted, text_converter(shape, field))


class _Readers:
    """Readers of a notation's values. Of a structure that is in itself, one reads all of them."""

    def __init__(self, notation: Notation) -> None:
        self._notation = notation
        self._begun: set[tuple[str, str]] = set()
        self._structures: dict[tuple[str, str], Structure] = {}
        """By shape and message."""

    def of(self, shape: Shape, field: FieldDescriptor) -> Reader:
        """Reads values of ``shape`` for ``field``; nothing may be read before all are made."""
        check_kind(shape, field)
        if isinstance(shape, ListShape):
            return partial(_read_list, self._of_single(shape.member, field))
        return self._of_single(shape, field)

    def _of_single(self, shape: Shape, field: FieldDescriptor) -> Reader:
        if not isinstance(shape, StructureShape):
            return partial(_read_scalar, _scalar(self._notation, shape, field))
        message = message_of(field)
        key = (shape.name, message.full_name)
        if key not in self._begun:
            self._begun.add(key)
            self._structures[key] = structure_of(shape.members, message, wire_name, self.of)
        return partial(self._read_structure, key)

    def _read_structure(self, key: tuple[str, str], node: Any, path: str) -> dict[str, Any]:
        return _read_structure(self._structures[key], node, path)


def _scalar(notation: Notation, shape: Shape, field: FieldDescriptor) -> Scalar:
    if field.enum_type is not None:
        return Scalar("a string", (str,), partial(to_enum, field.enum_type))
    if shape.type_name in ("integer", "long"):
        return Scalar("a whole number", (int,), partial(to_integer, bits_of(field)))
    return {
        "boolean": _BOOLEAN,
        "double": notation.double,
        "string": _STRING,
        "timestamp": notation.timestamp,
    }[shape.type_name]


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


def _read_scalar(scalar: Scalar, node: Any, path: str) -> Any:
    if type(node) not in scalar.types:
        raise _other_type(path, scalar.form)
    return converted(scalar.convert, node, path)


def _other_type(path: str, form: str) -> Unserializable:
    return Unserializable(f"The parameter {path} must be {form}", parameter=path)


def _to_text(value: str) -> str:
    if UNPRINTABLE.search(value):
        raise ValueError("Use no control characters or others that XML cannot carry")
    return value


_BOOLEAN = Scalar("true or false", (bool,), bool)
_STRING = Scalar("a string", (str,), _to_text)
