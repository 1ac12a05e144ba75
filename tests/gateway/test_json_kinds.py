"""Every kind of member, in JSON and in query strings, also those that no contract uses yet."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass

from services.gateway.contract import ContractMismatch
from services.gateway.documents.requests import RequestReader
from services.gateway.documents.responses import structure_renderer
from services.gateway.errors import Unserializable
from shared.errors import InvalidParameterValue
from tests.gateway.shapes import TIMESTAMP, message_with, shape_of

KINDS = [
    pytest.param("Boolean", "optional bool", False, id="boolean"),
    pytest.param("Colour", "optional Colour", "sky-blue", id="enum"),
    pytest.param("ColourSet", "repeated Colour", ["red", "sky-blue"], id="enums"),
    pytest.param("Double", "optional double", -0.25, id="double"),
    pytest.param("Double", "optional double", 3, id="a whole double"),
    pytest.param("Integer", "optional int32", -7, id="integer"),
    pytest.param("Integer", "optional int64", 0, id="integer in 64 bits"),
    pytest.param("Long", "optional int64", -(1 << 63), id="long"),
    pytest.param("String", "optional string", "", id="string"),
    pytest.param("StringSet", "repeated string", ["a", "a"], id="strings"),
    pytest.param("StringSet", "repeated string", [], id="no strings"),
    pytest.param("Time", TIMESTAMP, 1767323045.678, id="timestamp"),
    pytest.param("Time", TIMESTAMP, -1, id="timestamp before 1970"),
    pytest.param("TimeSet", f"repeated {TIMESTAMP}", [1767323045], id="timestamps"),
    pytest.param("Inner", "Inner", {"Word": "w"}, id="structure"),
    pytest.param("Inner", "Inner", {}, id="an empty structure"),
]


@pytest.mark.parametrize(("kind", "field", "value"), KINDS)
def test_a_member_of_this_kind_comes_in_and_goes_out(kind: str, field: str, value: Any) -> None:
    shape, descriptor = shape_of(kind), message_with(field)
    read = RequestReader.of(shape, descriptor).read({"TheMember": value}, {})
    message = GetMessageClass(descriptor)(**read)
    assert structure_renderer(shape, descriptor)(message) == {"TheMember": value}


def test_a_time_is_in_utc() -> None:
    read = RequestReader.of(shape_of("Time"), message_with(TIMESTAMP)).read
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    assert read({"TheMember": 1767323045.678}, {}) == {"the_member": moment}


@pytest.mark.parametrize(
    ("kind", "field", "text", "value"),
    [
        ("Boolean", "optional bool", "true", True),
        ("Colour", "optional Colour", "red", 2),
        ("Integer", "optional int32", "-7", -7),
        ("String", "optional string", "a", "a"),
        (
            "Time",
            TIMESTAMP,
            "2026-01-02T03:04:05Z",
            datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        ),
    ],
)
def test_a_member_may_stand_in_the_query_string(
    kind: str, field: str, text: str, value: Any
) -> None:
    shape = shape_of(kind, location="querystring", locationName="q")
    read = RequestReader.of(shape, message_with(field)).read
    assert read({}, {"q": text}) == {"the_member": value}
    with pytest.raises(Exception, match="The parameter q is not recognized"):
        read({"q": text}, {})


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("Boolean", "optional int32"),
        ("Integer", "optional string"),
        ("Long", "optional int32"),
        ("String", "string"),
        ("String", "repeated string"),
        ("StringSet", "optional string"),
        ("Time", "optional string"),
        ("Inner", "optional string"),
        ("Blob", "optional bytes"),
    ],
)
def test_a_field_that_cannot_carry_its_member_is_found_at_the_start(kind: str, field: str) -> None:
    shape, descriptor = shape_of(kind), message_with(field)
    for put_together in (RequestReader.of, structure_renderer):
        with pytest.raises(ContractMismatch, match=r"M\.the_member must"):
            put_together(shape, descriptor)


@pytest.mark.parametrize(
    ("kind", "field", "location"),
    [
        ("StringSet", "repeated string", "querystring"),
        ("Inner", "Inner", "querystring"),
        ("Integer", "optional string", "querystring"),
        ("String", "optional string", "uri"),
        ("String", "optional string", "header"),
    ],
)
def test_a_place_where_nothing_is_read_is_found_at_the_start(
    kind: str, field: str, location: str
) -> None:
    with pytest.raises(ContractMismatch):
        RequestReader.of(shape_of(kind, location=location), message_with(field))


@pytest.mark.parametrize(
    ("kind", "field", "value", "form"),
    [
        ("Boolean", "optional bool", "true", "true or false"),
        ("Boolean", "optional bool", 1, "true or false"),
        ("Colour", "optional Colour", 1, "a string"),
        ("ColourSet", "repeated Colour", "red", "a list"),
        ("Double", "optional double", "1.5", "a number"),
        ("Double", "optional double", True, "a number"),
        ("Integer", "optional int32", "5", "a whole number"),
        ("Integer", "optional int32", 5.0, "a whole number"),
        ("Integer", "optional int32", True, "a whole number"),
        ("Long", "optional int64", [5], "a whole number"),
        ("String", "optional string", 5, "a string"),
        ("String", "optional string", {"a": "b"}, "a string"),
        ("StringSet", "repeated string", {"1": "a"}, "a list"),
        ("Time", TIMESTAMP, "2026-01-02T03:04:05Z", "a number of seconds since 1970"),
        ("Time", TIMESTAMP, False, "a number of seconds since 1970"),
        ("Inner", "Inner", "w", "an object"),
        ("Inner", "Inner", [], "an object"),
    ],
)
def test_another_type_is_refused(kind: str, field: str, value: Any, form: str) -> None:
    read = RequestReader.of(shape_of(kind), message_with(field)).read
    with pytest.raises(Unserializable, match=f"^The parameter TheMember must be {form}$"):
        read({"TheMember": value}, {})


@pytest.mark.parametrize("item", [None, 5, ["a"]])
def test_an_entry_of_a_list_is_named_by_its_place(item: Any) -> None:
    read = RequestReader.of(shape_of("StringSet"), message_with("repeated string")).read
    with pytest.raises(Unserializable, match=r"The parameter TheMember\[1\] must be a string"):
        read({"TheMember": ["a", item]}, {})


@pytest.mark.parametrize(
    ("kind", "field", "value", "message"),
    [
        ("Colour", "optional Colour", "blue", "Use one of sky-blue, red"),
        ("Colour", "optional Colour", "unspecified", "Use one of sky-blue, red"),
        ("Double", "optional double", float("inf"), "64 bits"),
        ("Double", "optional double", 10**400, "64 bits"),
        ("Integer", "optional int32", 1 << 31, "32 bits"),
        ("Long", "optional int64", 1 << 63, "64 bits"),
        ("String", "optional string", "a\0", "no control characters"),
        ("String", "optional string", "\ud800", "no control characters"),
        ("Time", TIMESTAMP, 1e300, "Use seconds since 1970"),
        ("Time", TIMESTAMP, float("inf"), "Use seconds since 1970"),
        ("Time", TIMESTAMP, -(10**400), "Use seconds since 1970"),
    ],
)
def test_what_is_no_value_of_its_kind_is_refused(
    kind: str, field: str, value: Any, message: str
) -> None:
    read = RequestReader.of(shape_of(kind), message_with(field)).read
    with pytest.raises(InvalidParameterValue, match=message):
        read({"TheMember": value}, {})


def test_an_enum_value_of_a_newer_contract_is_empty() -> None:
    descriptor = message_with("optional Colour")
    newer = GetMessageClass(descriptor)(the_member=99)
    assert structure_renderer(shape_of("Colour"), descriptor)(newer) == {"TheMember": ""}
