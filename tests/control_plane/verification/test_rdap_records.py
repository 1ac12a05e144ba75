"""What an RDAP record is about, and the certificates in it."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control_plane.verification.rdap_records import (
    certificates,
    covers_asn,
    covers_range,
)
from shared.cidr import Cidr
from tests.registries.signing import autnum_record, network_record

DER = bytes(range(200))
BODY = base64.b64encode(DER).decode()
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
LINES = [BEGIN, *(BODY[start : start + 64] for start in range(0, len(BODY), 64)), END]


@pytest.mark.parametrize(
    ("record", "cidr", "covered"),
    [
        ("198.18.12.0/22", "198.18.12.0/22", True),
        ("198.18.0.0/15", "198.18.12.0/22", True),
        ("198.18.12.0/23", "198.18.12.0/22", False),
        ("198.18.16.0/22", "198.18.12.0/22", False),
        ("2001:db8::/32", "2001:db8::/40", True),
        ("2001:db8::/40", "2001:db8:100::/40", False),
        ("::/0", "198.18.12.0/22", False),
    ],
)
def test_a_record_covers_a_range_when_all_of_it_is_the_records(
    record: str, cidr: str, covered: bool
) -> None:  # BYOIP-1
    assert covers_range(network_record(record), Cidr.parse(cidr)) is covered


def test_a_record_of_no_single_block_covers_what_is_between_its_addresses() -> None:
    record = {"startAddress": "198.18.3.0", "endAddress": "198.18.7.255"}
    assert covers_range(record, Cidr.parse("198.18.4.0/22"))
    assert not covers_range(record, Cidr.parse("198.18.0.0/21"))


@pytest.mark.parametrize(
    ("prefixes", "covered"),
    [
        ([("v4prefix", "198.18.12.0", 22)], True),
        ([("v4prefix", "198.18.14.0", 23), ("v4prefix", "198.18.12.0", 23)], True),
        ([("v4prefix", "198.18.12.0", 24), ("v4prefix", "198.18.14.0", 23)], False),
        ([("v4prefix", "198.18.8.0", 21), ("v4prefix", "198.18.12.0", 24)], True),
        ([("v6prefix", "::", 0)], False),
        ([("v4prefix", "198.18.12.1", 22)], False),
    ],
)
def test_the_prefixes_of_cidr0_count_together(
    prefixes: list[tuple[str, str, int]], covered: bool
) -> None:
    entries = [{family: prefix, "length": length} for family, prefix, length in prefixes]
    assert covers_range({"cidr0_cidrs": entries}, Cidr.parse("198.18.12.0/22")) is covered


@pytest.mark.parametrize(
    ("record", "covered"),
    [
        (autnum_record(64496), True),
        ({"startAutnum": 64000, "endAutnum": 65000}, True),
        (autnum_record(64497), False),
        ({"startAutnum": "64496", "endAutnum": "64496"}, False),
        ({}, False),
    ],
)
def test_a_record_covers_an_asn_between_its_first_and_last(
    record: dict[str, Any], covered: bool
) -> None:  # ASN-1
    assert covers_asn(record, 64496) is covered


@pytest.mark.parametrize(
    "description",
    [
        ["".join(LINES)],
        ["\n".join(LINES)],
        ["\r\n".join(LINES)],
        [" ".join(LINES)],
        ["\\n".join(LINES)],
        ["\\r\\n".join(LINES)],
        LINES,
        ["Holder's network", *LINES, "Contact us"],
        [f"See {''.join(LINES)} for BYOIP"],
        ["".join(LINES)[:100], "".join(LINES)[100:]],
    ],
    ids=[
        "one long line",
        "lines",
        "lines ended as by Windows",
        "blanks for line breaks",
        "line breaks written out",
        "both written out",
        "a line each",
        "a line each between others",
        "text around it",
        "broken anywhere",
    ],
)
def test_a_certificate_is_found_however_the_registry_breaks_its_lines(
    description: list[str],
) -> None:  # BYOIP-1
    record = network_record("198.18.0.0/16", "Something else", description)
    assert certificates(record) == [DER]


def test_all_certificates_of_a_record_are_found_each_once() -> None:
    other = f"{BEGIN}{base64.b64encode(b'other').decode()}{END}"
    record = network_record("198.18.0.0/16", "".join(LINES) + other, ["x", *LINES])
    assert certificates(record) == [DER, b"other"]


@pytest.mark.parametrize(
    "text", [f"{BEGIN}MIIB", f"{BEGIN}no*base64{END}", f"{BEGIN}MIIBé{END}", f"{BEGIN}{END}"]
)
def test_a_damaged_certificate_is_an_empty_one(text: str) -> None:
    assert certificates(network_record("198.18.0.0/16", text)) == [b""]


def test_certificates_of_organizations_and_contacts_do_not_count() -> None:
    remarks = network_record("198.18.0.0/16", "".join(LINES))["remarks"]
    record = network_record("198.18.0.0/16") | {"entities": [{"remarks": remarks}]}
    assert certificates(record) == []


_MEMBERS = st.sampled_from(
    ["startAddress", "endAddress", "cidr0_cidrs", "remarks", "startAutnum", "endAutnum"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("".join(LINES)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["description", "v4prefix", "v6prefix", "length"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(_MEMBERS, _VALUES))
def test_no_record_is_too_badly_written_to_be_read(record: dict[str, Any]) -> None:
    covers_range(record, Cidr.parse("198.18.0.0/16"))
    covers_asn(record, 64496)
    assert set(certificates(record)) <= {DER}
