"""Routing tables in MRT and in RIPE RIS's form, against what an independent writer wrote."""

import io
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control_plane.routes.errors import NoRouteFeed
from services.control_plane.routes.mrt import is_mrt, read_mrt
from services.control_plane.routes.ris_whois import read_ris_whois
from services.control_plane.routes.route import AnnouncedRoute
from services.control_plane.routes.route_table import RouteTable, RouteTableBuilder
from shared.cidr import AddressFamily, Cidr
from tests.control_plane.routes.feeds import (
    CONFED_SEQUENCE,
    SEQUENCE,
    SET,
    Segment,
    Told,
    attribute,
    peer_index_table,
    record,
    rib,
    ris_line,
)

LONGEST = (1 << 32) - 1
EVERYTHING = [Cidr(family, 0, 0) for family in AddressFamily]
PREFIX, IPV6_PREFIX = Cidr.parse("198.18.8.0/21"), Cidr.parse("2001:db8:100::/40")


def told_by(read: Any) -> set[tuple[Cidr, int, int]]:
    """Prefix, ASN and time of all routes."""
    builder = RouteTableBuilder()
    read(builder)
    table = RouteTable(builder)
    routes = [route for whole in EVERYTHING for route in table.overlapping(whole)]
    assert routes == sorted(routes, key=lambda one: (one.prefix, one.asn))
    return {(one.prefix, one.asn, int(one.detected_at.timestamp())) for one in routes}


def of_mrt(*records: bytes) -> set[tuple[Cidr, int, int]]:
    return told_by(lambda builder: read_mrt(io.BytesIO(b"".join(records)), builder))


def of_ris(content: bytes, at: int = 9) -> set[tuple[Cidr, int, int]]:
    return told_by(lambda builder: read_ris_whois(io.BytesIO(content), at, builder))


@st.composite
def prefixes(draw: st.DrawFn) -> Cidr:
    family = draw(st.sampled_from(list(AddressFamily)))
    length = draw(st.integers(0, family.bits))
    whole = Cidr(family, draw(st.integers(0, (1 << family.bits) - 1)), family.bits)
    return whole.supernet(length)


asns = st.integers(1, 3) | st.integers(1, LONGEST)
paths = st.lists(
    st.tuples(st.sampled_from([SEQUENCE, SET, CONFED_SEQUENCE]), st.lists(asns, max_size=4)),
    max_size=3,
)
tellings = st.builds(
    Told, path=paths, since=st.integers(1, LONGEST), peer=st.integers(0, 3), path_id=asns
)


def origins(path: Sequence[Segment]) -> set[int]:
    """RFC 4271: who is last; of a set, which has no order, all."""
    for kind, members in reversed(path):
        if kind in (SEQUENCE, SET) and members:
            return {members[-1]} if kind == SEQUENCE else set(members)
    return set()


@given(
    st.dictionaries(prefixes(), st.lists(tellings, max_size=4), max_size=6),
    st.booleans(),
    st.integers(0, 127),
)
def test_of_a_table_dump_all_origins_are_told_since_the_first_peer_tells_of_them(
    table: dict[Cidr, list[Told]], add_path: bool, spare_bits: int
) -> None:  # RFC 6396, section 4.3; RFC 8050, section 4
    expected: dict[tuple[Cidr, int], int] = {}
    for prefix, told in table.items():
        for one in told:
            for asn in origins(one.path):
                since = expected.get((prefix, asn), one.since)
                expected[prefix, asn] = min(since, one.since)
    written = [
        rib(prefix, told, add_path=add_path, spare_bits=spare_bits)
        for prefix, told in table.items()
    ]
    found = of_mrt(peer_index_table(), *written)
    assert found == {(prefix, asn, since) for (prefix, asn), since in expected.items()}


@given(st.dictionaries(prefixes(), st.lists(asns, min_size=1, max_size=3, unique=True)))
def test_a_dump_of_ripe_ris_is_read_back(table: dict[Cidr, list[int]]) -> None:
    lines = [ris_line(origins, prefix) for prefix, origins in table.items()]
    content = b"% RIPE RIS\n\n" + b"".join(lines)
    assert of_ris(content) == {(p, asn, 9) for p, found in table.items() for asn in found}


@st.composite
def routes(draw: st.DrawFn) -> AnnouncedRoute:
    """Of a space so small that many overlap."""
    family = draw(st.sampled_from(list(AddressFamily)))
    length = draw(st.integers(0, 3))
    prefix = Cidr(family, draw(st.integers(0, (1 << length) - 1)) << (family.bits - length), length)
    moment = datetime.fromtimestamp(draw(st.integers(0, 5)), UTC)
    return AnnouncedRoute(prefix, draw(st.integers(0, 1)), moment)


@given(st.lists(routes(), max_size=20), routes())
def test_what_overlaps_is_what_a_scan_finds(found: list[AnnouncedRoute], asked: Any) -> None:
    earliest: dict[tuple[Cidr, int], AnnouncedRoute] = {}
    for one in sorted(found, key=lambda one: one.detected_at, reverse=True):
        if one.prefix.overlaps(asked.prefix):
            earliest[one.prefix, one.asn] = one
    expected = sorted(earliest.values(), key=lambda one: (one.prefix, one.asn))
    assert list(RouteTable.of(found).overlapping(asked.prefix)) == expected


def test_a_peer_that_does_not_say_since_when_tells_it_as_of_the_dump() -> None:
    told = Told([(SEQUENCE, [64500, 64496])], since=0)
    assert of_mrt(peer_index_table(), rib(PREFIX, [told])) == {(PREFIX, 64496, 1_800_000_000)}


def test_what_is_not_unicast_is_passed_over() -> None:
    other = [record(subtype, b"whatever") for subtype in (3, 5, 6, 7, 9, 11, 12)]
    told = rib(IPV6_PREFIX, [Told([(SEQUENCE, [LONGEST])])])
    found = of_mrt(peer_index_table(), *other, told)
    assert {(prefix, asn) for prefix, asn, _ in found} == {(IPV6_PREFIX, LONGEST)}


RIB = rib(PREFIX, [Told([(SEQUENCE, [64496])])])
BROKEN: dict[str, tuple[bytes, str]] = {
    "an update": (record(4, b"", kind=16), "its type is 16"),
    "a half header": (RIB[:7], "requires"),
    "a half record": (RIB[:-1], "it ends after"),
    "a monstrous record": (b"\0\0\0\0\0\x0d\0\x02\xff\xff\xff\xff", "its length is 4294967295"),
    "an empty record": (record(2, b""), "range"),
    "too long a prefix": (
        record(2, b"\0\0\0\1\x21" + b"\x01" * 5 + b"\0\0"),
        "its prefix has the length 33",
    ),
    "a prefix that is cut": (record(2, b"\0\0\0\1\x18\x01"), "buffer"),
    "fewer entries than said": (record(2, b"\0\0\0\1\0\0\1"), "buffer"),
    "bytes left over": (record(2, b"\0\0\0\1\0\0\0!"), "1 bytes are left"),
    "an unknown peer": (rib(PREFIX, [Told([], peer=4)]), "peer 4 of 4"),
    "attributes that are cut": (record(2, b"\0\0\0\1\0\0\1" + b"\0" * 6 + b"\0\x09\x40"), "byte"),
    "an attribute that is cut": (
        record(2, b"\0\0\0\1\0\0\1" + b"\0" * 6 + b"\0\x04\x40\x02\x09\0"),
        "its attribute 2 has 9 bytes",
    ),
    "a path segment that is cut": (
        record(2, b"\0\0\0\1\0\0\1" + b"\0" * 6 + b"\0\x05" + attribute(2, b"\x02\x01")),
        "segment of type 2 with 1 ASNs",
    ),
    "a path segment of no kind": (
        record(2, b"\0\0\0\1\0\0\1" + b"\0" * 6 + b"\0\x05" + attribute(2, b"\x05\x00")),
        "segment of type 5",
    ),
}


@pytest.mark.parametrize(("broken", "why"), BROKEN.values(), ids=BROKEN)
def test_a_record_that_is_none_is_refused_with_its_place(broken: bytes, why: str) -> None:
    before = peer_index_table() + RIB
    with pytest.raises(NoRouteFeed, match=f"at byte {len(before)} .*{why}"):
        of_mrt(before, broken)


@given(st.binary(max_size=60), st.integers(0, 200))
def test_whatever_a_table_dump_has_instead_is_told_or_refused(noise: bytes, at: int) -> None:
    content = peer_index_table() + RIB
    with suppress(NoRouteFeed):
        of_mrt(content[:at] + noise + content[at + len(noise) :])


def test_a_table_dump_without_its_peers_is_refused() -> None:
    with pytest.raises(NoRouteFeed, match="at byte 0 .*no table of peers"):
        of_mrt(RIB)


@pytest.mark.parametrize(
    "line",
    [
        b"64496 192.0.2.0/24",
        b"64496\t192.0.2.0/24\tmany",
        b"64496\t192.0.2.0\t3",
        b"64496\t192.0.2.1/24\t3",
        b"64496\t192.0.2.0/33\t3",
        b"64496\t192.0.2/24\t3",
        b"64496\t2001:db8::1/32\t3",
        b"64496\t2001:db8::/129\t3",
        b"AS64496\t192.0.2.0/24\t3",
        b"4294967296\t192.0.2.0/24\t3",
        b"{64496,}\t192.0.2.0/24\t3",
        b"{}\t192.0.2.0/24\t3",
        b"\xff\xfe",
        b"64496\t\xff/24\t3",
    ],
)
def test_a_line_that_is_no_route_is_refused_with_its_place(line: bytes) -> None:
    before = b"% comment\n" + ris_line([64496], PREFIX)
    with pytest.raises(NoRouteFeed, match=rf"line 3, at byte {len(before)},"):
        of_ris(before + line + b"\n")


def test_text_is_no_table_dump_and_a_table_dump_no_text() -> None:
    starts: Iterable[bytes] = (b"% RIPE RIS\n\n", ris_line([64496], PREFIX), b"", b"\0\0")
    assert not any(map(is_mrt, starts))
    assert is_mrt(peer_index_table())
