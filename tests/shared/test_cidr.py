import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cidr import AddressFamily, Cidr, check_netmask_length
from shared.errors import InvalidParameterValue


@st.composite
def networks(draw: st.DrawFn) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    mapped = ipaddress.IPv6Network("::ffff:0:0/96")
    address = draw(st.ip_addresses().filter(lambda a: a.version == 4 or a not in mapped))
    length = draw(st.integers(0, address.max_prefixlen))
    network = ipaddress.IPv4Network if address.version == 4 else ipaddress.IPv6Network
    return network((int(address), length), strict=False)


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[str, str]:
    """Two blocks of a small space, so that overlaps are common."""
    return tuple(  # type: ignore[return-value]
        str(
            ipaddress.ip_network(
                (0x0A000000 + draw(st.integers(0, 255)), draw(st.integers(22, 32))), strict=False
            )
        )
        for _ in range(2)
    )


@given(networks())
def test_parsing_and_printing_agree_with_the_standard_library(
    network: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> None:
    cidr = Cidr.parse(str(network))
    assert str(cidr) == str(network)
    assert (cidr.first, cidr.last) == (int(network[0]), int(network[-1]))
    assert cidr.size == network.num_addresses


@given(neighbours())
def test_containment_and_overlap_agree_with_the_standard_library(pair: tuple[str, str]) -> None:
    a, b = map(Cidr.parse, pair)
    net_a, net_b = map(ipaddress.IPv4Network, pair)
    assert a.contains(b) == net_b.subnet_of(net_a)
    assert a.overlaps(b) == net_a.overlaps(net_b)


@given(networks())
def test_halves_are_buddies_and_make_up_their_parent(
    network: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> None:
    cidr = Cidr.parse(str(network))
    if cidr.size == 1:
        return
    lower, upper = cidr.halves
    assert (lower.buddy, upper.buddy) == (upper, lower)
    assert lower.parent == upper.parent == cidr
    assert lower.last + 1 == upper.first


@given(networks(), networks())
def test_keys_order_as_blocks_do_within_a_family_and_name_one_block(
    left: ipaddress.IPv4Network | ipaddress.IPv6Network,
    right: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> None:
    a, b = Cidr.parse(str(left)), Cidr.parse(str(right))
    assert Cidr.from_key(a.first_key, a.prefix_length) == a
    assert len(a.first_key) == len(a.last_key) == 16
    if a.family is b.family:
        assert (a.first_key < b.first_key) == (a.first < b.first)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.0.0.0",
        "10.0.0.0/",
        "/8",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/255.0.0.0",
        "10.0.0/8",
        "10.0.0.0/8 ",
        "10.0.0.0/٨",
        "010.0.0.0/8",
        "2001:db8::/129",
        "fe80::%eth0/64",
        "ten/8",
        "::ffff:10.0.0.0/104",
    ],
)
def test_malformed_cidrs_are_refused_with_the_value(text: str) -> None:
    with pytest.raises(InvalidParameterValue) as refusal:
        Cidr.parse(text)
    assert refusal.value.metadata["value"] == text


def test_host_bits_are_refused_with_the_block_that_was_probably_meant() -> None:
    with pytest.raises(InvalidParameterValue, match=r"use '10\.0\.1\.0/24'"):
        Cidr.parse("10.0.1.7/24")


def test_host_bits_are_cleared_where_aws_clears_them() -> None:  # VPC-1
    assert str(Cidr.parse("100.68.0.18/18", clear_host_bits=True)) == "100.68.0.0/18"


@pytest.mark.parametrize(("first", "length"), [(1, 31), (0, 33), (1 << 32, 32), (-1, 32)])
def test_a_block_cannot_hold_a_wrong_state(first: int, length: int) -> None:
    with pytest.raises(ValueError, match=r"block|outside"):
        Cidr(AddressFamily.IPV4, first, length)


@pytest.mark.parametrize(
    ("length", "family", "is_allowed"),
    [
        (0, "ipv4", True),
        (32, "ipv4", True),
        (33, "ipv4", False),
        (128, "ipv6", True),
        (129, "ipv6", False),
        (-1, "ipv6", False),
    ],
)
def test_netmask_lengths_depend_on_the_family(
    length: int, family: str, is_allowed: bool
) -> None:  # POOL-4
    if is_allowed:
        assert (
            check_netmask_length(length, AddressFamily(family), parameter="netmaskLength") == length
        )
    else:
        with pytest.raises(InvalidParameterValue, match="netmask lengths are 0-"):
            check_netmask_length(length, AddressFamily(family), parameter="netmaskLength")
