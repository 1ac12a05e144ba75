"""Response messages -> documents. Renderers are put together once."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from botocore import xform_name
from botocore.model import ListShape, MapShape, Shape, StructureShape
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from services.gateway.contract import check_kind, map_value_of, message_of
from services.gateway.documents.json_notation import JSON
from services.gateway.documents.notation import Notation, Render
from services.gateway.documents.requests import wire_name
from shared.rpc.enums import aws_enum_name

# What a member of a message is in a document, None when it is absent.
Member: TypeAlias = Callable[[Message], Any]


def structure_renderer(
    shape: StructureShape, descriptor: Descriptor, notation: Notation = JSON
) -> Render:
    """Renders a message as a structure's object: absent members stay away.

    Raises:
        ContractMismatch: a field can't carry its member.
    """
    members = []
    for member, member_shape in shape.members.items():
        field = descriptor.fields_by_name.get(xform_name(member))
        # What a contract doesn't have is never there to be answered.
        if field is not None:
            members.append(
                (wire_name(member, member_shape), _member(member_shape, field, notation))
            )
    return partial(_render_structure, members)


def _member(shape: Shape, field: FieldDescriptor, notation: Notation) -> Member:
    check_kind(shape, field)
    if isinstance(shape, ListShape):
        return partial(_render_list, field.name, _renderer(shape.member, field, notation))
    if isinstance(shape, MapShape):
        render = _renderer(shape.value, map_value_of(field), notation)
        return partial(_render_map, field.name, render)
    return partial(_render_single, field.name, _renderer(shape, field, notation))


def _renderer(shape: Shape, field: FieldDescriptor, notation: Notation) -> Render:
    if isinstance(shape, StructureShape):
        return structure_renderer(shape, message_of(field), notation)
    if field.enum_type is not None:
        enum = field.enum_type
        return partial(_enum, {v.number: aws_enum_name(enum, v.number) for v in enum.values[1:]})
    if shape.type_name == "double":
        return notation.render_double
    return notation.render_timestamp if shape.type_name == "timestamp" else _as_it_is


def _render_structure(members: Sequence[tuple[str, Member]], message: Message) -> dict[str, Any]:
    rendered = ((name, render(message)) for name, render in members)
    return {name: value for name, value in rendered if value is not None}


def _render_single(field: str, render: Render, message: Message) -> Any:
    return render(getattr(message, field)) if message.HasField(field) else None


def _render_list(field: str, render: Render, message: Message) -> list[Any]:
    return [render(value) for value in getattr(message, field)]


def _render_map(field: str, render: Render, message: Message) -> dict[str, Any] | None:
    """Unlike a list, one without entries stays away: nothing was asked that would be in it."""
    return {key: render(value) for key, value in getattr(message, field).items()} or None


def _enum(names: Mapping[int, str], value: int) -> str:
    """Nothing for a value of a newer contract than ours: better than no answer at all."""
    return names.get(value, "")


def _as_it_is(value: Any) -> Any:
    return value
