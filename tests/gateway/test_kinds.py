"""Every kind of member AWS's EC2 model has, also those that no contract uses yet."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.model import Shape, ShapeResolver
from google.protobuf import descriptor_pb2, text_format, timestamp_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from services.gateway.ec2.contract import ContractMismatch
from services.gateway.ec2.parameters import nested
from services.gateway.ec2.requests import structure_reader
from services.gateway.ec2.responses import structure_renderer
from shared.errors import InvalidParameterValue

SHAPES: dict[str, Any] = {
    "Boolean": {"type": "boolean"},
    "Colour": {"type": "string", "enum": ["sky-blue", "red"]},
    "ColourSet": {"type": "list", "member": {"shape": "Colour", "locationName": "item"}},
    "Double": {"type": "double"},
    "Integer": {"type": "integer"},
    "Long": {"type": "long"},
    "String": {"type": "string"},
    "StringSet": {"type": "list", "member": {"shape": "String", "locationName": "item"}},
    "Time": {"type": "timestamp"},
    "TimeSet": {"type": "list", "member": {"shape": "Time", "locationName": "item"}},
    "Inner": {"type": "structure", "members": {"Word": {"shape": "String"}}},
    "Blob": {"type": "blob"},
}


def shape_of(kind: str, **location: str) -> Any:
    """A structure whose one member, ``TheMember``, is of ``kind``."""
    structure: Any = {"type": "structure", "members": {"TheMember": {"shape": kind, **location}}}
    shape: Shape = ShapeResolver({**SHAPES, "S": structure}).get_shape_by_name("S")
    return shape


def message_with(field: str) -> Descriptor:
    """A message whose one field, ``the_member``, is declared as in a .proto file."""
    *labels, type_name = field.split()
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
        message_type {{ name: "M" {oneof}
          field {{ name: "the_member" number: 1 label: {label} {kind} {optional} }} }}
        """,
        file,
    )
    pool = DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindMessageTypeByName("M")


TIMESTAMP = "google.protobuf.Timestamp"
KINDS = [
    pytest.param("Boolean", "optional bool", {"TheMember": "true"}, "true", id="boolean"),
    pytest.param("Colour", "optional Colour", {"TheMember": "sky-blue"}, "sky-blue", id="enum"),
    pytest.param(
        "ColourSet",
        "repeated Colour",
        {"TheMember.1": "red", "TheMember.2": "sky-blue"},
        "<item>red</item><item>sky-blue</item>",
        id="enums",
    ),
    pytest.param("Double", "optional double", {"TheMember": "-0.25"}, "-0.25", id="double"),
    pytest.param("Integer", "optional int32", {"TheMember": "-7"}, "-7", id="integer"),
    pytest.param("Integer", "optional int64", {"TheMember": "7"}, "7", id="integer in 64 bits"),
    pytest.param("Long", "optional int64", {"TheMember": f"{1 << 62}"}, f"{1 << 62}", id="long"),
    pytest.param("String", "optional string", {"TheMember": "<"}, "&lt;", id="string"),
    pytest.param(
        "StringSet", "repeated string", {"TheMember.1": "a"}, "<item>a</item>", id="strings"
    ),
    pytest.param(
        "Time",
        TIMESTAMP,
        {"TheMember": "2026-01-02T03:04:05.678Z"},
        "2026-01-02T03:04:05.678Z",
        id="timestamp",
    ),
    pytest.param(
        "TimeSet",
        f"repeated {TIMESTAMP}",
        {"TheMember.1": "2026-01-02T03:04:05Z"},
        "<item>2026-01-02T03:04:05.000Z</item>",
        id="timestamps",
    ),
    pytest.param("Inner", "Inner", {"TheMember.Word": "w"}, "<Word>w</Word>", id="structure"),
]


@pytest.mark.parametrize(("kind", "field", "parameters", "xml"), KINDS)
def test_a_member_of_this_kind_comes_in_and_goes_out(
    kind: str, field: str, parameters: dict[str, str], xml: str
) -> None:
    shape, descriptor = shape_of(kind), message_with(field)
    read, render = structure_reader(shape, descriptor), structure_renderer(shape, descriptor)
    message = GetMessageClass(descriptor)(**read(nested(parameters), ""))
    assert render(message) == f"<TheMember>{xml}</TheMember>"


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("Boolean", "optional int32"),
        ("Integer", "optional string"),
        ("Long", "optional int32"),
        ("String", "optional bytes"),
        ("String", "string"),
        ("String", "repeated string"),
        ("StringSet", "optional string"),
        ("Time", "optional string"),
        ("Time", "Inner"),
        ("Inner", "optional string"),
        ("Blob", "optional bytes"),
    ],
)
def test_a_field_that_cannot_carry_its_member_is_found_at_the_start(kind: str, field: str) -> None:
    shape, descriptor = shape_of(kind), message_with(field)
    for put_together in (structure_reader, structure_renderer):
        with pytest.raises(ContractMismatch, match=r"M\.the_member must"):
            put_together(shape, descriptor)


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ({}, "TheMember"),
        ({"locationName": "theName"}, "TheName"),
        ({"locationName": "theName", "queryName": "q"}, "q"),
    ],
)
def test_a_parameter_is_named_as_the_model_says(location: dict[str, str], name: str) -> None:
    read = structure_reader(shape_of("String", **location), message_with("optional string"))
    assert read(nested({name: "x"}), "") == {"the_member": "x"}


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.678901Z", datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)),
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (
            "2026-01-02T03:04:05+09:00",
            datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=9))),
        ),
        ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_every_iso_form(text: str, time: datetime) -> None:
    read = structure_reader(shape_of("Time"), message_with(TIMESTAMP))
    assert read(nested({"TheMember": text}), "") == {"the_member": time}


@pytest.mark.parametrize(
    ("kind", "field", "text"),
    [
        ("Time", TIMESTAMP, "yesterday"),
        ("Time", TIMESTAMP, ""),
        ("Time", TIMESTAMP, "1767323045"),
        ("Time", TIMESTAMP, "0001-01-01T00:00:00+14:00"),
        ("Double", "optional double", "nan"),
        ("Double", "optional double", "1e999"),
        ("Long", "optional int64", f"{1 << 63}"),
    ],
)
def test_what_is_none_is_refused(kind: str, field: str, text: str) -> None:
    read = structure_reader(shape_of(kind), message_with(field))
    with pytest.raises(InvalidParameterValue, match=r"for parameter TheMember is invalid\. Use"):
        read(nested({"TheMember": text}), "")
