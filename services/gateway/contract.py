"""What a contract's field must be for a member of AWS's model to travel in it."""

from collections.abc import Mapping

from botocore.model import ListShape, Shape
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


def check_kind(shape: Shape, field: FieldDescriptor) -> None:
    """Make sure that every value of ``shape`` has its place in ``field``, and "absent" too.

    Raises:
        ContractMismatch: it doesn't.
    """
    is_list = isinstance(shape, ListShape)
    single = shape.member if isinstance(shape, ListShape) else shape
    fits = (
        field.is_repeated == is_list
        and field.type in _TYPES.get(single.type_name, ())
        and (is_list or field.has_presence)
        and (single.type_name != "timestamp" or message_of(field).full_name == _TIMESTAMP)
    )
    if not fits:
        form = f"a list of {single.type_name}" if is_list else single.type_name
        raise ContractMismatch(f"{field.full_name} must be able to carry {form}, or be absent")
