"""Sets of addresses and AS numbers, as RFC 6492 and RFC 3779 write them."""

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from services.control_plane.delegated_rpki.keys import KeyMaker
from services.control_plane.delegated_rpki.names import key_name
from services.control_plane.delegated_rpki.resource_extensions import (
    extensions_of,
    inheriting_extensions,
    resources_of,
)
from services.control_plane.delegated_rpki.resources import Range, Resources
from shared.cidr import AddressFamily, Cidr


def ranges(bits: int) -> st.SearchStrategy[list[Range]]:
    """A few ranges, close enough to touch and overlap, at either end of the numbers too."""
    near = st.integers(0, 40) | st.integers((1 << bits) - 40, (1 << bits) - 1)
    return st.lists(st.tuples(near, near).map(lambda pair: (min(pair), max(pair))), max_size=3)


resources = st.builds(
    lambda asns, ipv4, ipv6: Resources.of_ranges(asns=asns, ipv4=ipv4, ipv6=ipv6),
    ranges(32),
    ranges(32),
    ranges(128),
)


@pytest.mark.parametrize(
    ("text", "cidrs"),
    [
        ("", []),
        ("192.0.2.0/24", ["192.0.2.0/24"]),
        ("192.0.2.1", ["192.0.2.1/32"]),
        ("10.0.0.0-10.0.1.255", ["10.0.0.0/23"]),
        ("192.0.2.0/24,10.0.0.0-10.0.1.255", ["10.0.0.0/23", "192.0.2.0/24"]),
        ("10.0.0.0/24, 10.0.1.0/24", ["10.0.0.0/23"]),
        ("10.0.0.0-10.0.0.2", ["10.0.0.0/31", "10.0.0.2/32"]),
        ("10.0.0.3-10.0.0.8", ["10.0.0.3/32", "10.0.0.4/30", "10.0.0.8/32"]),
        ("0.0.0.0/0", ["0.0.0.0/0"]),
    ],
)
def test_ipv4_is_read_and_told_as_the_fewest_blocks(text: str, cidrs: list[str]) -> None:
    assert [str(cidr) for cidr in Resources.parse(ipv4=text).cidrs()] == cidrs  # RFC 6492, 3.3.2


def test_ipv6_and_as_numbers_are_read() -> None:
    read = Resources.parse(
        asns="64496-64511,65000,64512", ipv6="2001:db8::/48,2001:0DB8:0002::-2001:0DB8:0005::"
    )
    assert read.asn_ranges == ((64496, 64512), (65000, 65000))
    assert read.cidrs()[0] == Cidr.parse("2001:db8::/48")
    assert read.ipv6_ranges[1][1] == int(ipaddress.ip_address("2001:db8:5::"))
    assert str(Resources.parse(asns="1-2,9", ipv4="10.0.0.0/8")) == "10.0.0.0/8, AS1-2, AS9"


@pytest.mark.parametrize(
    "members",
    [
        {"ipv4": "10.0.0.0/33"},
        {"ipv4": "10.0.0.1/8"},
        {"ipv4": "10.0.0.9-10.0.0.1"},
        {"ipv4": "2001:db8::/32"},
        {"ipv4": "10.0.0.0-2001:db8::"},
        {"ipv4": "10.0.0.0/8,"},
        {"ipv6": "10.0.0.0/8"},
        {"asns": "AS1"},
        {"asns": "4294967296"},
        {"asns": "9-1"},
        {"asns": "-1"},
        {"asns": "\u0661"},
    ],
    ids=str,
)
def test_what_is_not_written_so_is_not_read(members: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Resources.parse(**members)


@pytest.mark.parametrize(
    ("cidr", "is_covered"),
    [
        ("10.0.0.0/8", True),
        ("10.255.255.255/32", True),
        ("10.0.0.0/7", False),
        ("11.0.0.0/32", False),
        ("192.0.2.128/31", True),
        ("192.0.2.128/30", False),
        ("9.255.255.255/32", False),
        ("2001:db8:ffff::/48", True),
        ("2001:db9::/48", False),
        ("::/0", False),
    ],
)
def test_a_block_is_covered_when_all_of_it_is(cidr: str, is_covered: bool) -> None:
    held = Resources.parse(ipv4="10.0.0.0/8,192.0.2.0-192.0.2.130", ipv6="2001:db8::/32")
    assert held.covers(Cidr.parse(cidr)) is is_covered
    assert held.includes(Resources.of([Cidr.parse(cidr)])) is is_covered


def test_as_numbers_are_covered_one_by_one() -> None:
    held = Resources.of(asns=[1, 3, 4])
    assert [asn for asn in range(6) if held.covers_asn(asn)] == [1, 3, 4]
    assert held.includes(Resources.of(asns=[3, 4]))
    assert not held.includes(Resources.of(asns=[1, 2]))


@pytest.mark.parametrize(
    "of_asns", [((2, 1),), ((1, 2), (3, 4)), ((3, 4), (1, 1)), ((0, 1 << 32),), ((-1, 3),)], ids=str
)
def test_no_other_form_can_be_held(of_asns: tuple[Range, ...]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Resources(asn_ranges=of_asns)


@given(ranges(32))
def test_blocks_are_the_addresses_of_the_ranges_and_the_fewest(parts: list[Range]) -> None:
    cidrs = Resources.of_ranges(ipv4=parts).cidrs()
    networks = (
        network
        for first, last in parts
        for network in ipaddress.summarize_address_range(
            ipaddress.IPv4Address(first), ipaddress.IPv4Address(last)
        )
    )
    assert [str(cidr) for cidr in cidrs] == [
        str(network) for network in ipaddress.collapse_addresses(networks)
    ]


@given(resources)
def test_what_is_told_as_text_is_read_back(held: Resources) -> None:
    def told(family: AddressFamily) -> str:
        return ",".join(str(cidr) for cidr in held.cidrs() if cidr.family is family)

    asns = ",".join(f"{first}-{last}" for first, last in held.asn_ranges)
    ipv4, ipv6 = told(AddressFamily.IPV4), told(AddressFamily.IPV6)
    assert Resources.parse(asns=asns, ipv4=ipv4, ipv6=ipv6) == held


def certificate(make_key: KeyMaker, parts: list[x509.UnrecognizedExtension]) -> x509.Certificate:
    key, now = make_key(), datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(key_name(b"1"), key_name(b"1"), key.public_key(), 1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    for part in parts:
        builder = builder.add_extension(part, critical=True)
    return builder.sign(key, SHA256())


@given(held=resources)
def test_what_is_written_into_a_certificate_is_read_back(
    make_key: KeyMaker, held: Resources
) -> None:  # RFC 3779
    assert resources_of(certificate(make_key, extensions_of(held))) == held


def test_extensions_are_written_as_rfc_3779_has_them() -> None:
    """The IPv4 example of its appendix B, without the third byte that the RPKI has not."""
    blocks = "10.0.32.0/20,10.0.64.0/24,10.1.0.0/16,10.2.48.0/20,10.2.64.0/24,10.3.0.0/16"
    (extension,) = extensions_of(Resources.parse(ipv4=blocks))
    prefixes = ("0304040a0020", "0304000a0040", "0303000a01")
    between = "300c" + "0304040a0230" + "0304000a0240"
    assert extension.value.hex() == "302c302a040200013024" + "".join(
        [*prefixes, between, "0303000a03"]
    )


def test_a_certificate_that_inherits_does_not_say_what_it_has(make_key: KeyMaker) -> None:
    with pytest.raises(ValueError, match="what its issuer has"):
        resources_of(certificate(make_key, inheriting_extensions()))
