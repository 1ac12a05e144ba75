"""Shapes of AWS's models and the messages they travel in, as tests make and read them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from botocore import xform_name
from botocore.model import ListShape, MapShape, Shape, ShapeResolver, StructureShape
from google.protobuf import descriptor_pb2, text_format, timestamp_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from hypothesis import settings
from hypothesis import strategies as st

from services.gateway.form import UNPRINTABLE
from shared.rpc.enums import aws_enum_name, aws_enum_names, enum_number

EXAMPLES = settings(max_examples=20, deadline=None)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(
    lambda text: not UNPRINTABLE.search(text)
)
SCALARS: Mapping[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "integer": st.integers(-(1 << 31), (1 << 31) - 1),
    "long": st.integers(-(1 << 63), (1 << 63) - 1),
    "string": TEXT,
    "double": st.floats(allow_nan=False, allow_infinity=False),
    # botocore writes years before 1000 with three digits.
    "timestamp": st.datetimes(timezones=st.just(UTC))
    .filter(lambda time: time.year >= 1000)
    .map(lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000)),
}
# A time that is a floating-point number has room for milliseconds for that long.
SECONDS = st.integers(0, 4_000_000_000_000).map(
    lambda milliseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
)

Scalars: TypeAlias = Mapping[str, st.SearchStrategy[Any]]


def values(shape: Shape, field: Any, scalars: Scalars = SCALARS) -> st.SearchStrategy[Any]:
    """What a client may give for a member, as far as the contract has it."""
    if isinstance(shape, ListShape):
        return st.lists(values(shape.member, field, scalars), max_size=3)
    if isinstance(shape, MapShape):
        return st.dictionaries(TEXT, scalars[shape.value.type_name], max_size=3)
    if isinstance(shape, StructureShape):
        return structures(shape, field.message_type, scalars)
    if field.enum_type is not None:
        return st.sampled_from(aws_enum_names(field.enum_type))
    return scalars[shape.type_name]


def structures(
    shape: StructureShape, descriptor: Any, scalars: Scalars = SCALARS
) -> st.SearchStrategy[dict[str, Any]]:
    members = {
        name: values(member, field, scalars) for name, member, field in fields(shape, descriptor)
    }
    return st.fixed_dictionaries({}, optional=members)


def as_aws(shape: StructureShape, message: Message) -> dict[str, Any]:
    """A message, read member by member in the plainest way; every list is there, no empty map."""
    result: dict[str, Any] = {}
    for name, member, field in fields(shape, message.DESCRIPTOR):
        value = getattr(message, field.name)
        if isinstance(member, ListShape):
            result[name] = [_single(member.member, field, item) for item in value]
        elif isinstance(member, MapShape):
            result |= {name: dict(value)} if value else {}
        elif message.HasField(field.name):
            result[name] = _single(member, field, value)
    return result


def _single(shape: Shape, field: Any, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        return as_aws(shape, value)
    if field.enum_type is not None:
        return aws_enum_name(field.enum_type, value)
    return value.ToDatetime(tzinfo=UTC) if shape.type_name == "timestamp" else value


def as_message(shape: StructureShape, value: dict[str, Any], message: Message) -> Message:
    """The reverse of `as_aws`."""
    for name, given_value in value.items():
        member = shape.members[name]
        field = message.DESCRIPTOR.fields_by_name[xform_name(name)]
        if isinstance(member, MapShape):
            getattr(message, field.name).update(given_value)
            continue
        is_list = isinstance(member, ListShape)
        single = member.member if isinstance(member, ListShape) else member
        for item in given_value if is_list else [given_value]:
            _set(single, field, item, message, is_list=is_list)
    return message


def _set(shape: Shape, field: Any, value: Any, message: Message, *, is_list: bool) -> None:
    target = getattr(message, field.name)
    if isinstance(shape, StructureShape):
        child = target.add() if is_list else target
        child.SetInParent()
        as_message(shape, value, child)
    elif shape.type_name == "timestamp":
        (target.add() if is_list else target).FromDatetime(value)
    else:
        value = enum_number(field.enum_type, value) if field.enum_type is not None else value
        target.append(value) if is_list else setattr(message, field.name, value)


def pruned(value: Any) -> Any:
    """Without what the wire can't say: empty lists and structures."""
    if isinstance(value, dict):
        members = {key: pruned(child) for key, child in value.items()}
        return {key: child for key, child in members.items() if child not in ({}, [])}
    if isinstance(value, list):
        return [child for child in map(pruned, value) if child not in ({}, [])]
    return value


SHAPES: dict[str, Any] = {
    "Boolean": {"type": "boolean"},
    "Colour": {"type": "string", "enum": ["sky-blue", "red"]},
    "ColourSet": {"type": "list", "member": {"shape": "Colour", "locationName": "item"}},
    "Double": {"type": "double"},
    "Integer": {"type": "integer"},
    "Long": {"type": "long"},
    "Ratios": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "Double"}},
    "String": {"type": "string"},
    "StringSet": {"type": "list", "member": {"shape": "String", "locationName": "item"}},
    "Time": {"type": "timestamp"},
    "TimeSet": {"type": "list", "member": {"shape": "Time", "locationName": "item"}},
    "Inner": {"type": "structure", "members": {"Word": {"shape": "String"}}},
    "InnerSet": {"type": "list", "member": {"shape": "Inner"}},
    "Blob": {"type": "blob"},
}


def shape_of(kind: str, **location: str) -> Any:
    """A structure whose one member, ``TheMember``, is of ``kind``."""
    structure: Any = {"type": "structure", "members": {"TheMember": {"shape": kind, **location}}}
    shape: Shape = ShapeResolver({**SHAPES, "S": structure}).get_shape_by_name("S")
    return shape


def message_with(field: str) -> Descriptor:
    """A message whose one field, ``the_member``, is declared as in a .proto file.

    A map is from strings: ``map double``.
    """
    *labels, type_name = field.split()
    entry = ""
    if "map" in labels:
        labels, entry, type_name = ["repeated"], _map_entry(type_name), "M.TheMemberEntry"
    label = "LABEL_REPEATED" if "repeated" in labels else "LABEL_OPTIONAL"
    optional = "proto3_optional: true oneof_index: 0" if "optional" in labels else ""
    oneof = 'oneof_decl { name: "_the_member" }' if "optional" in labels else ""
    kind = (
        f"type: TYPE_{type_name.upper()}" if type_name.islower() else f'type_name: ".{type_name}"'
    )
    file = descriptor_pb2.FileDescriptorProto()
    text_format.Parse(
        f"""
        name: "kinds.proto" syntax: "proto3" dependency: "google/protobuf/timestamp.proto"
        enum_type {{ name: "Colour" value {{ name: "COLOUR_UNSPECIFIED" number: 0 }}
          value {{ name: "COLOUR_SKY_BLUE" number: 1 }} value {{ name: "COLOUR_RED" number: 2 }} }}
        message_type {{ name: "Inner" oneof_decl {{ name: "_word" }}
          field {{ name: "word" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING
            proto3_optional: true oneof_index: 0 }} }}
        message_type {{ name: "M" {oneof} {entry}
          field {{ name: "the_member" number: 1 label: {label} {kind} {optional} }} }}
        """,
        file,
    )
    pool = DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindMessageTypeByName("M")


def _map_entry(type_name: str) -> str:
    kind = f"TYPE_{type_name.upper()}"
    return f"""
        nested_type {{ name: "TheMemberEntry" options {{ map_entry: true }}
          field {{ name: "key" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }}
          field {{ name: "value" number: 2 label: LABEL_OPTIONAL type: {kind} }} }}
        """


TIMESTAMP = "google.protobuf.Timestamp"


def fields(shape: StructureShape, descriptor: Any) -> Iterator[tuple[str, Shape, FieldDescriptor]]:
    """The members of ``shape`` that the message has, and the fields they travel in."""
    for name, member in shape.members.items():
        field = descriptor.fields_by_name.get(xform_name(name))
        if field is not None:
            yield name, member, field


def reachable(
    shape: Shape | None,
    descriptor: Descriptor | None,
    around: frozenset[str] = frozenset(),
) -> Iterator[tuple[StructureShape, Descriptor]]:
    """``shape`` and every structure in it, however deep, with the messages they travel in.

    Not those that they are in themselves, ``around`` them.
    """
    if not isinstance(shape, StructureShape) or shape.name in around:
        return
    assert descriptor is not None
    yield shape, descriptor
    for _, member, field in fields(shape, descriptor):
        single = member.member if isinstance(member, ListShape) else member
        yield from reachable(single, field.message_type, around | {shape.name})
