"""Route origin validation, against a scan of all ROAs."""

import ipaddress
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control_plane.verification.roas import (
    NoRoaExport,
    Roa,
    RoaTable,
    RoaValidity,
    longest_by,
    read_roas,
)
from shared.cidr import AddressFamily, Cidr


def exported(*roas: dict[str, Any], **others: Any) -> str:
    return json.dumps({**others, "roas": roas})


def roa(asn: object, prefix: str, **members: object) -> dict[str, Any]:
    return {"asn": asn, "prefix": prefix, **members}


TABLE = read_roas(
    exported(
        roa("AS64496", "198.18.0.0/16", maxLength=20, ta="arin"),
        roa(64497, "198.18.12.0/22", maxLength=24, ta="arin"),
        roa("64498", "2001:db8::/32", maxLength=48, expires=1735689600),
        roa("AS64499", "203.0.113.0/24"),
        roa("AS0", "192.0.2.0/24", maxLength=32, ta="apnic"),
        metadata={"generated": 1700000000},
    )
)


@pytest.mark.parametrize(
    ("cidr", "asn", "validity"),
    [
        ("198.18.0.0/16", 64496, RoaValidity.VALID),
        ("198.18.16.0/20", 64496, RoaValidity.VALID),
        ("198.18.16.0/21", 64496, RoaValidity.TOO_SPECIFIC),
        ("198.18.16.0/20", 64497, RoaValidity.OTHER_ORIGIN),
        ("198.18.12.0/24", 64497, RoaValidity.VALID),
        ("198.18.12.0/24", 64496, RoaValidity.TOO_SPECIFIC),
        ("198.18.12.0/25", 64497, RoaValidity.TOO_SPECIFIC),
        ("198.18.0.0/15", 64496, RoaValidity.NOT_FOUND),
        ("2001:db8:1::/48", 64498, RoaValidity.VALID),
        ("2001:db8:1::/49", 64498, RoaValidity.TOO_SPECIFIC),
        ("203.0.113.0/24", 64499, RoaValidity.VALID),
        ("203.0.113.0/25", 64499, RoaValidity.TOO_SPECIFIC),
        ("192.0.2.0/24", 64496, RoaValidity.OTHER_ORIGIN),
        ("192.0.2.0/24", 0, RoaValidity.OTHER_ORIGIN),
        ("198.51.100.0/24", 64496, RoaValidity.NOT_FOUND),
    ],
)
def test_a_route_is_what_rfc_6811_says(cidr: str, asn: int, validity: RoaValidity) -> None:
    assert TABLE.validity(Cidr.parse(cidr), asn) is validity


@pytest.mark.parametrize(
    ("cidr", "length"),
    [
        ("198.18.0.0/16", 20),
        ("198.18.12.0/22", 24),
        ("198.18.16.0/22", 20),
        ("2001:db8::/32", 48),
        ("198.18.0.0/15", None),
        ("192.0.2.0/24", None),
    ],
)
def test_the_maximum_length_is_the_greatest_of_the_roas_that_let_somebody_originate_a_cidr(
    cidr: str, length: int | None
) -> None:  # BYOIP-5
    assert longest_by(TABLE.covering(Cidr.parse(cidr))) == length


@st.composite
def prefixes(draw: st.DrawFn) -> Cidr:
    """Of a space so small that many cover one another."""
    family = draw(st.sampled_from(list(AddressFamily)))
    length = draw(st.integers(0, 6))
    return Cidr(family, draw(st.integers(0, (1 << length) - 1)) << (family.bits - length), length)


@st.composite
def roas(draw: st.DrawFn) -> Roa:
    prefix = draw(prefixes())
    return Roa(draw(st.integers(0, 3)), prefix, draw(st.integers(prefix.prefix_length, 8)))


def by_scan(roas: list[Roa], cidr: Cidr, asn: int) -> str:
    """RFC 6811 word for word."""
    route = ipaddress.ip_network(str(cidr))
    covering = [
        roa
        for roa in roas
        if roa.prefix.family is cidr.family
        and route.subnet_of(ipaddress.ip_network(str(roa.prefix)))  # type: ignore[arg-type]
    ]
    if not covering:
        return "not found"
    if any(asn == r.asn != 0 and route.prefixlen <= r.max_length for r in covering):
        return "valid"
    return "invalid"


@given(st.lists(roas(), max_size=12), prefixes(), st.integers(0, 3))
def test_looking_up_supernets_finds_what_a_scan_finds(
    roas: list[Roa], cidr: Cidr, asn: int
) -> None:
    found = RoaTable(roas).validity(cidr, asn).value
    assert (found if found in {"valid", "not found"} else "invalid") == by_scan(roas, cidr, asn)


def test_equal_roas_count_once_until_the_last_of_them_ends() -> None:
    prefix, later = Cidr.parse("198.18.0.0/16"), datetime(2031, 1, 1, tzinfo=UTC)
    ends = [datetime(2030, 1, 1, tzinfo=UTC), later, None]
    [found] = RoaTable(Roa(64496, prefix, 24, end) for end in ends).covering(prefix)
    assert (found, found.expires_at) == (Roa(64496, prefix, 24), later)


@given(st.lists(roas(), max_size=12), prefixes())
def test_what_lies_inside_is_what_a_scan_finds(found: list[Roa], cidr: Cidr) -> None:
    table, key = RoaTable(found), lambda roa: (roa.prefix, roa.asn, roa.max_length)
    assert table.inside(cidr) == sorted({r for r in found if cidr.contains(r.prefix)}, key=key)
    assert table.covering(cidr) == sorted({r for r in found if r.prefix.contains(cidr)}, key=key)


SOURCES = [
    {"validity": {"notBefore": "2026-01-01T00:00:00Z", "notAfter": "2028-01-01T00:00:00Z"}},
    {
        "validity": {"notAfter": "2031-01-01T00:00:00Z"},
        "chainValidity": {"notAfter": "2030-06-15T12:00:00Z"},
    },
]


@pytest.mark.parametrize(
    ("members", "expires_at"),
    [
        ({}, None),
        ({"expires": 1735689600}, datetime(2025, 1, 1, tzinfo=UTC)),
        ({"expires": "soon"}, None),
        ({"expires": 1 << 80}, None),
        ({"source": SOURCES}, datetime(2030, 6, 15, 12, tzinfo=UTC)),
        ({"source": SOURCES[:1]}, datetime(2028, 1, 1, tzinfo=UTC)),
        ({"source": [{"type": "exception"}, None, {"validity": {"notAfter": 3.5}}]}, None),
    ],
    ids=["untold", "rpki-client", "text", "never", "Routinator", "one source", "exceptions"],
)
def test_the_end_of_a_roa_is_told_as_far_as_the_validator_tells_it(
    members: dict[str, Any], expires_at: datetime | None
) -> None:
    prefix = "198.18.0.0/16"
    [found] = read_roas(exported(roa(64496, prefix, **members))).covering(Cidr.parse(prefix))
    assert found.expires_at == expires_at


@given(st.integers(0, 200), st.sampled_from([*'{}[]":,0a ', ""]))
def test_what_is_read_entry_by_entry_is_json_as_a_whole(at: int, instead: str) -> None:
    # RFC 8259; of what came of it in the end, all that was put in has to be there.
    text = exported(roa(64496, "198.18.0.0/16"), roa(64497, "198.18.0.0/16"), ta={"a": []})
    changed = text[:at] + instead + text[at + 1 :]
    with suppress(NoRoaExport):
        found = read_roas(changed).inside(Cidr.parse("0.0.0.0/0"))
        assert len(found) == len({json.dumps(one) for one in json.loads(changed)["roas"]})


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"roas": [],}',
        '{"roas": []} {}',
        '{"roas": [] "ta": 1}',
        '{1: 2, "roas": []}',
        '{"roas" []}',
        exported(roa("AS64496", "198.18.0.0/16")).replace("}]", "},]"),
        "prefix,asn\n",
        "[" * 100_000,
        "[]",
        "{}",
        '{"roas": {}}',
        exported(roa("AS64496", "198.18.0.1/16")),
        exported(roa("AS64496", "198.18.0.0")),
        exported(roa("AS64496", "198.18.0.0/16", maxLength=15)),
        exported(roa("AS64496", "198.18.0.0/16", maxLength=33)),
        exported(roa("AS64496", "198.18.0.0/16", maxLength="24")),
        exported(roa("AS64496", "198.18.0.0/16", maxLength=None)),
        exported(roa("AS4294967296", "198.18.0.0/16")),
        exported(roa(None, "198.18.0.0/16")),
        exported(roa("AS64496", 5)),  # type: ignore[arg-type]
        exported({"asn": "AS64496"}),
        '{"roas": ["AS64496"]}',
        '{"roas": [null]}',
    ],
)
def test_what_is_no_export_of_roas_is_refused_whole(text: str) -> None:
    with pytest.raises(NoRoaExport):
        read_roas(text)
