"""What a contract's field must be for a member of AWS's model to travel in it."""

from collections.abc import Mapping

from botocore.model import ListShape, MapShape, Shape
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from shared.errors import StartFailed

_TIMESTAMP = "google.protobuf.Timestamp"
_TYPES: Mapping[str, tuple[int, ...]] = {
    "boolean": (FieldDescriptor.TYPE_BOOL,),
    "double": (FieldDescriptor.TYPE_DOUBLE,),
    "integer": (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64),
    "long": (FieldDescriptor.TYPE_INT64,),
    "string": (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_ENUM),
    "structure": (FieldDescriptor.TYPE_MESSAGE,),
    "timestamp": (FieldDescriptor.TYPE_MESSAGE,),
}


class ContractMismatch(StartFailed):
    """A contract says another thing than AWS's model: ours to correct, before anything starts."""


def message_of(field: FieldDescriptor) -> Descriptor:
    """The type of a field that holds messages."""
    if field.message_type is None:
        raise ContractMismatch(f"{field.full_name} must hold messages")
    return field.message_type


def map_value_of(field: FieldDescriptor) -> FieldDescriptor:
    """What the values are of a field that is a map."""
    return message_of(field).fields_by_name["value"]


def check_kind(shape: Shape, field: FieldDescriptor) -> None:
    """Make sure that every value of ``shape`` has its place in ``field``, and "absent" too.

    Raises:
        ContractMismatch: it doesn't.
    """
    if not _fits(shape, field):
        raise ContractMismatch(
            f"{field.full_name} must be able to carry {_form(shape)}, or be absent"
        )


def _fits(shape: Shape, field: FieldDescriptor) -> bool:
    if isinstance(shape, MapShape):
        return (
            _is_map(field)
            and _has_type(shape.key, message_of(field).fields_by_name["key"])
            and _has_type(shape.value, map_value_of(field))
        )
    if isinstance(shape, ListShape):
        return field.is_repeated and not _is_map(field) and _has_type(shape.member, field)
    return not field.is_repeated and field.has_presence and _has_type(shape, field)


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _has_type(single: Shape, field: FieldDescriptor) -> bool:
    return field.type in _TYPES.get(single.type_name, ()) and (
        single.type_name != "timestamp" or message_of(field).full_name == _TIMESTAMP
    )


def _form(shape: Shape) -> str:
    if isinstance(shape, MapShape):
        return f"a map of {shape.value.type_name}"
    return (
        f"a list of {shape.member.type_name}" if isinstance(shape, ListShape) else shape.type_name
    )
