"""Response messages -> XML. Renderers are put together once, from a shape and a descriptor."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from math import isfinite
from typing import Any, TypeAlias

from botocore import xform_name
from botocore.model import ListShape, MapShape, Shape, StructureShape
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from services.gateway.contract import check_kind, map_value_of, message_of
from services.gateway.values import name_of_infinite
from services.gateway.xml import element, text
from shared.rpc.enums import aws_enum_name

Render: TypeAlias = Callable[[Any], str]
# A member's rendered element, or nothing when it is absent.
Member: TypeAlias = Callable[[Message], str]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between protocols that answer in XML."""

    item: str
    """An entry of a list, where a model has no name for it."""
    strings: Mapping[str, Render]
    """How strings of certain shapes are written; others are as they are."""


EC2 = Dialect(item="item", strings={})


def structure_renderer(
    shape: StructureShape, descriptor: Descriptor, dialect: Dialect = EC2
) -> Render:
    """Renders a message as the content of a structure: absent members stay away."""
    members = []
    for member, member_shape in shape.members.items():
        field = descriptor.fields_by_name.get(xform_name(member))
        # What a contract doesn't have is never there to be answered.
        if field is not None:
            members.append(_member(member, member_shape, field, dialect))
    return partial(_render_structure, members)


def _member(member: str, shape: Shape, field: FieldDescriptor, dialect: Dialect) -> Member:
    check_kind(shape, field)
    name = str(shape.serialization.get("name", member))
    if isinstance(shape, ListShape):
        item = str(shape.member.serialization.get("name", dialect.item))
        render = _renderer(shape.member, field, dialect)
        return partial(_render_list, name, item, field.name, render)
    if isinstance(shape, MapShape):
        render = _renderer(shape.value, map_value_of(field), dialect)
        return partial(_render_map, name, field.name, render)
    return partial(_render_single, name, field.name, _renderer(shape, field, dialect))


def _renderer(shape: Shape, field: FieldDescriptor, dialect: Dialect) -> Render:
    if isinstance(shape, StructureShape):
        return structure_renderer(shape, message_of(field), dialect)
    if field.enum_type is not None:
        return partial(_enum, _aws_names(field.enum_type))
    if shape.name in dialect.strings:
        return dialect.strings[shape.name]
    return _RENDERERS[shape.type_name]


def _aws_names(enum: EnumDescriptor) -> Mapping[int, str]:
    return {v.number: text(aws_enum_name(enum, v.number)) for v in enum.values if v.number}


def _render_structure(members: Sequence[Member], message: Message) -> str:
    return "".join([render(message) for render in members])


def _render_single(name: str, field: str, render: Render, message: Message) -> str:
    if not message.HasField(field):
        return ""
    return element(name, render(getattr(message, field)))


def _render_list(name: str, item: str, field: str, render: Render, message: Message) -> str:
    items = [element(item, render(value)) for value in getattr(message, field)]
    return element(name, "".join(items))


def _render_map(name: str, field: str, render: Render, message: Message) -> str:
    entries = [
        element("entry", element("key", text(key)) + element("value", render(value)))
        for key, value in getattr(message, field).items()
    ]
    return element(name, "".join(entries)) if entries else ""


def _enum(names: Mapping[int, str], value: int) -> str:
    """Nothing for a value of a newer contract than ours: better than no answer at all."""
    return names.get(value, "")


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _double(value: float) -> str:
    return repr(value) if isfinite(value) else name_of_infinite(value)


def _timestamp(value: Timestamp) -> str:
    moment = value.ToDatetime(tzinfo=UTC).isoformat(timespec="milliseconds")
    return moment.replace("+00:00", "Z")


_RENDERERS: Mapping[str, Render] = {
    "boolean": _boolean,
    "double": _double,
    "integer": str,
    "long": str,
    "string": text,
    "timestamp": _timestamp,
}
