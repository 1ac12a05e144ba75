import ipaddress
from itertools import product

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.cidr import AddressFamily, Cidr, check_netmask_length
from shared.errors import InvalidParameterValue


@st.composite
def networks(draw: st.DrawFn) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    mapped = ipaddress.IPv6Network("::ffff:0:0/96")
    address = draw(st.ip_addresses().filter(lambda a: a.version == 4 or a not in mapped))
    length = draw(st.integers(0, address.max_prefixlen))
    if address.version == 4:
        return ipaddress.IPv4Network((int(address), length), strict=False)
    network = ipaddress.IPv6Network((int(address), length), strict=False)
    # Nor may it end there, as ::/80 does: the key of its last address would be one of IPv4.
    assume(network[-1] not in mapped)
    return network


@given(networks())
def test_parsing_and_printing_agree_with_the_standard_library(
    network: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> None:
    cidr = Cidr.parse(str(network))
    assert str(cidr) == str(network)
    assert (cidr.first, cidr.last) == (int(network[0]), int(network[-1]))
    assert cidr.size == network.num_addresses


def test_containment_and_overlap_agree_with_the_standard_library() -> None:
    """For every pair of blocks of a small space."""
    space = ipaddress.IPv4Network("10.0.0.0/28")
    blocks = [block for length in range(28, 33) for block in space.subnets(new_prefix=length)]
    for net_a, net_b in product(blocks, repeat=2):
        a, b = Cidr.parse(str(net_a)), Cidr.parse(str(net_b))
        assert a.contains(b) == net_b.subnet_of(net_a)
        assert a.overlaps(b) == net_a.overlaps(net_b)


@pytest.mark.parametrize("other", ["::/0", "::/8", "::a00:0/104", "::a00:0/128"])
def test_the_same_numbers_of_the_other_family_are_other_addresses(other: str) -> None:
    ipv4, ipv6 = Cidr.parse("10.0.0.0/8"), Cidr.parse(other)
    assert not ipv4.contains(ipv6)
    assert not ipv6.contains(ipv4)
    assert not ipv4.overlaps(ipv6)


def test_blocks_order_by_family_then_address_then_widest_first() -> None:
    texts = ("0.0.0.0/0", "0.0.0.0/8", "9.0.0.0/32", "10.0.0.0/8", "10.0.0.0/9", "::/0", "2600::/9")
    ordered = list(enumerate(map(Cidr.parse, texts)))
    for (place, cidr), (other_place, other) in product(ordered, repeat=2):
        assert (cidr < other, cidr <= other) == (place < other_place, place <= other_place)


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


@example(ipaddress.IPv4Network("255.255.255.255/32"), ipaddress.IPv6Network("::/0"))
@given(networks(), networks())
def test_keys_order_as_blocks_do_within_a_family_and_name_one_block(
    left: ipaddress.IPv4Network | ipaddress.IPv6Network,
    right: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> None:
    a, b = Cidr.parse(str(left)), Cidr.parse(str(right))
    assert Cidr.from_key(a.first_key, a.prefix_length) == a
    assert Cidr.from_key(a.last_key, a.family.bits).first == a.last
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
    with pytest.raises(InvalidParameterValue, match="not a valid CIDR block") as refusal:
        Cidr.parse(text)
    assert refusal.value.metadata == {"parameter": "cidr", "value": text}


def read_by_ipaddress(text: str, clear_host_bits: bool) -> tuple[int, int, int] | str:
    """What a CIDR is, by the standard library alone: version, first address, length; or what is
    wrong with it."""
    _, _, length = text.partition("/")
    mapped = ipaddress.IPv6Network("::ffff:0:0/96")
    try:
        interface = ipaddress.ip_interface(text)
    except ValueError:
        return "not a valid CIDR block"
    network = interface.network
    is_a_cidr = length.isascii() and length.isdigit() and "%" not in text
    if not is_a_cidr or (network.version == 6 and network.network_address in mapped):
        return "not a valid CIDR block"
    if interface.ip != network.network_address and not clear_host_bits:
        return f"host bits set; use '{network}'"
    return network.version, int(network.network_address), network.prefixlen


LENGTHS = st.integers(0, 140).map(str) | st.sampled_from(["08", "0016", "", "-1", "٨", "9" * 5000])
WRITTEN = (
    st.ip_addresses().map(str)
    | st.ip_addresses(v=6).map(lambda address: address.exploded)
    | st.ip_addresses(v=4).map(lambda address: f"::{address}")
    | st.ip_addresses(v=4).map(lambda address: f"::ffff:{address}")
    | st.ip_addresses(v=4).map(lambda address: f"0{address}")
    | st.ip_addresses(v=6).map(lambda address: f"{address}%eth0".upper())
    | networks().map(lambda network: str(network.network_address))
    | st.text("0123456789abcdefABCDEF.:%x/\x00é\ud800 ", max_size=20)
)


@example("::/0", "0", False)
@example("::ffff:1.2.3.4", "95", True)
@example("::ffff:1.2.3.4", "96", True)
@example("10.0.0.0", "33", True)
@given(WRITTEN, LENGTHS, st.booleans())
def test_reading_is_the_standard_librarys_however_a_cidr_is_written(
    address: str, length: str, clear_host_bits: bool
) -> None:
    text = f"{address}/{length}"
    expected = read_by_ipaddress(text, clear_host_bits)
    if isinstance(expected, str):
        with pytest.raises(InvalidParameterValue) as refusal:
            Cidr.parse(text, clear_host_bits=clear_host_bits)
        assert expected in refusal.value.message
    else:
        cidr = Cidr.parse(text, clear_host_bits=clear_host_bits)
        version = {AddressFamily.IPV4: 4, AddressFamily.IPV6: 6}[cidr.family]
        assert (version, cidr.first, cidr.prefix_length) == expected


def test_host_bits_are_refused_with_the_block_that_was_probably_meant() -> None:
    with pytest.raises(InvalidParameterValue, match=r"use '10\.0\.1\.0/24'") as refusal:
        Cidr.parse("10.0.1.7/24", parameter="allowedCidrs.2")
    assert refusal.value.metadata == {
        "parameter": "allowedCidrs.2",
        "value": "10.0.1.7/24",
        "canonical": "10.0.1.0/24",
    }


def test_host_bits_are_cleared_where_aws_clears_them() -> None:  # VPC-1
    assert str(Cidr.parse("100.68.0.18/18", clear_host_bits=True)) == "100.68.0.0/18"


@pytest.mark.parametrize(("first", "length"), [(1, 31), (0, 33), (0, -1), (1 << 32, 32), (-1, 32)])
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
        with pytest.raises(InvalidParameterValue, match="netmask lengths are 0-") as refusal:
            check_netmask_length(length, AddressFamily(family), parameter="netmaskLength")
        assert refusal.value.metadata == {"parameter": "netmaskLength", "value": str(length)}
