"""CBOR requests at the edge: whatever a client sends, it is told what was wrong with it."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.documents.cbor_notation import CBOR, SecondsSince1970, parse_document
from services.gateway.documents.requests import RequestReader
from services.gateway.errors import Unserializable
from shared.errors import InvalidParameterValue
from tests.gateway.shapes import EXAMPLES, TIMESTAMP, message_with, shape_of

BYTES = bytes.fromhex


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (b"", {}),
        (BYTES("a0"), {}),
        (BYTES("a16161820102"), {"a": [1, 2]}),
        (BYTES("bf6161 9f0102ff ff"), {"a": [1, 2]}),
        (BYTES("a16161 7f61626163ff"), {"a": "bc"}),
        (BYTES("a16161f6"), {"a": None}),
        (BYTES("a16161f93e00"), {"a": 1.5}),
        (BYTES("a16161c1fb41da55cd696b645a"), {"a": SecondsSince1970(1767323045.678)}),
        (BYTES("a16161c101"), {"a": SecondsSince1970(1)}),
    ],
)
def test_a_document_is_a_map_or_nothing(body: bytes, document: dict[str, Any]) -> None:
    assert parse_document(body) == document


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"MetricName": "a"}', "is not a CBOR document"),
        (BYTES("a1"), "is not a CBOR document"),
        (BYTES("ff"), "is not a CBOR document"),
        (BYTES("a16161"), "is not a CBOR document"),
        (BYTES("a16162c328"), "is not a CBOR document"),
        pytest.param(b"\x81" * 1_000_000, "is not a CBOR document", id="deep"),
        pytest.param(b"\xa1\x61a" * 33 + b"\x01", "is not a CBOR document", id="a bit deep"),
        pytest.param(b"\xc1" * 100 + b"\x01", "is not a CBOR document", id="tags in tags"),
        (BYTES("9bffffffffffffffff"), "is not a CBOR document"),
        (BYTES("5bffffffffffffffff"), "is not a CBOR document"),
        (BYTES("a2616101616102"), "is not a CBOR document"),
        (BYTES("a10102"), "is not a CBOR document"),
        (BYTES("a18001"), "is not a CBOR document"),
        (BYTES("a16161c24101"), "is not a CBOR document"),
        (BYTES("a16161c1c24101"), "is not a CBOR document"),
        (BYTES("a16161c16131"), "is not a CBOR document"),
        (BYTES("a16161c0"), "is not a CBOR document"),
        # References, of which a few bytes could stand for more than memory holds.
        (BYTES("a16161d81c82d81d00d81d00"), "is not a CBOR document"),
        (BYTES("d9d9f7a0"), "is not a CBOR document"),
        (BYTES("a0a0"), "has more than one CBOR item"),
        (BYTES("80"), "must be a CBOR map"),
        (BYTES("f6"), "must be a CBOR map"),
        (BYTES("c101"), "must be a CBOR map"),
    ],
    ids=lambda value: value.hex()[:50] if isinstance(value, bytes) else "",
)
def test_what_is_no_document_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(Unserializable, match=message):
        parse_document(body)


@EXAMPLES
@given(body=st.binary(max_size=40))
def test_whatever_it_is_it_is_read_or_refused(body: bytes) -> None:
    with suppress(Unserializable):
        assert isinstance(parse_document(body), dict)


def member(kind: str, field: str, value: Any) -> Any:
    """What becomes of ``value`` when it is sent."""
    document = parse_document(cbor2.dumps({"TheMember": value}))
    return RequestReader.of(shape_of(kind), message_with(field), CBOR).read(document, {})


@pytest.mark.parametrize("seconds", [1767323045.5, 1767323045])
def test_a_time_has_a_tag(seconds: float) -> None:
    read = member("Time", TIMESTAMP, cbor2.CBORTag(1, seconds))
    assert read == {"the_member": datetime.fromtimestamp(seconds, UTC)}


@pytest.mark.parametrize(
    ("kind", "field", "value", "form"),
    [
        ("Boolean", "optional bool", 1, "true or false"),
        ("Boolean", "optional bool", cbor2.undefined, "true or false"),
        ("Colour", "optional Colour", b"red", "a string"),
        ("Double", "optional double", "1.5", "a number"),
        ("Integer", "optional int32", 5.0, "a whole number"),
        ("Integer", "optional int32", cbor2.CBORTag(1, 5), "a whole number"),
        ("String", "optional string", b"a", "a string"),
        ("StringSet", "repeated string", {"1": "a"}, "a list"),
        ("Time", TIMESTAMP, 1767323045, "a time, which has tag 1"),
        ("Time", TIMESTAMP, "2026-01-02T03:04:05Z", "a time, which has tag 1"),
        ("Inner", "Inner", [], "an object"),
    ],
)
def test_another_type_is_refused(kind: str, field: str, value: Any, form: str) -> None:
    with pytest.raises(Unserializable, match=f"^The parameter TheMember must be {form}$"):
        member(kind, field, value)


@pytest.mark.parametrize(
    ("kind", "field", "value", "message"),
    [
        ("Double", "optional double", float("nan"), "64 bits"),
        ("Double", "optional double", float("-inf"), "64 bits"),
        ("Integer", "optional int32", 1 << 31, "32 bits"),
        ("Long", "optional int64", 1 << 63, "64 bits"),
        ("String", "optional string", "a\0", "no control characters"),
        ("Time", TIMESTAMP, cbor2.CBORTag(1, 1e300), r"Value \(1e\+300\) .* Use seconds since"),
        ("Time", TIMESTAMP, cbor2.CBORTag(1, float("inf")), "Use seconds since 1970"),
        ("Time", TIMESTAMP, cbor2.CBORTag(1, float("nan")), "Use seconds since 1970"),
        ("Time", TIMESTAMP, cbor2.CBORTag(1, 1 << 63), "Use seconds since 1970"),
    ],
)
def test_what_is_no_value_of_its_kind_is_refused(
    kind: str, field: str, value: Any, message: str
) -> None:
    with pytest.raises(InvalidParameterValue, match=message):
        member(kind, field, value)
