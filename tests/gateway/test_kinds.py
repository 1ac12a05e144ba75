"""Every kind of member AWS's EC2 model has, also those that no contract uses yet."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.protobuf.message_factory import GetMessageClass

from services.gateway.contract import ContractMismatch
from services.gateway.ec2.parameters import nested
from services.gateway.ec2.requests import structure_reader
from services.gateway.ec2.responses import structure_renderer
from shared.errors import InvalidParameterValue
from tests.gateway.shapes import TIMESTAMP, message_with, shape_of

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
