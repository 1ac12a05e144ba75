"""The reverse zones of a range: the guide's examples, and `ipaddress` as the oracle."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control_plane.verification.reverse_zones import (
    covering_blocks,
    record_names,
    reverse_zone,
)
from shared.cidr import Cidr

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@pytest.mark.parametrize(
    ("cidr", "names"),
    [
        ("203.0.113.0/24", ["t.113.0.203.in-addr.arpa"]),
        ("198.18.123.0/24", ["t.123.18.198.in-addr.arpa"]),
        (
            "198.18.12.0/22",
            [
                "t.12.18.198.in-addr.arpa",
                "t.13.18.198.in-addr.arpa",
                "t.14.18.198.in-addr.arpa",
                "t.15.18.198.in-addr.arpa",
            ],
        ),
        ("198.18.0.0/16", ["t.18.198.in-addr.arpa"]),
        ("2001:0db8::/40", ["t.0.0.8.b.d.0.1.0.0.2.ip6.arpa"]),
        (
            "2001:0db8:80::/42",
            [
                "t.8.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                "t.9.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                "t.a.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                "t.b.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            ],
        ),
        (
            "2001:db8:0:1000::/54",
            [
                "t.0.1.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                "t.1.1.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                "t.2.1.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                "t.3.1.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            ],
        ),
    ],
)
def test_the_records_of_a_range_are_those_of_the_guide(cidr: str, names: list[str]) -> None:
    assert record_names("t", Cidr.parse(cidr)) == names  # BYOIP-2


@pytest.mark.parametrize(
    ("cidr", "blocks"),
    [
        ("2001:db8:80::/42", "2001:db8:80::/44 2001:db8:90::/44 2001:db8:a0::/44 2001:db8:b0::/44"),
        (
            "2001:db8:0:1000::/54",
            "2001:db8:0:1000::/56 2001:db8:0:1100::/56 2001:db8:0:1200::/56 2001:db8:0:1300::/56",
        ),
    ],
)
def test_the_blocks_of_a_range_are_those_of_the_guide(cidr: str, blocks: str) -> None:  # BYOIP-2
    assert list(map(str, covering_blocks(Cidr.parse(cidr)))) == blocks.split()


@st.composite
def networks(draw: st.DrawFn) -> Network:
    address = draw(st.ip_addresses())
    length = draw(st.integers(0, address.max_prefixlen))
    network = ipaddress.IPv4Network if address.version == 4 else ipaddress.IPv6Network
    return network((int(address), length), strict=False)


def to_cidr(network: Network) -> Cidr:
    family = Cidr.parse("0.0.0.0/0" if network.version == 4 else "::/0").family
    return Cidr(family, int(network.network_address), network.prefixlen)


def boundaries(network: Network) -> list[int]:
    return list(range(0, 33, 8)) if network.version == 4 else list(range(0, 129, 4))


@given(networks())
def test_the_blocks_cover_a_range_exactly_with_the_fewest_on_boundaries(network: Network) -> None:
    """Taken by widening as far as the range goes, from one block at each of its addresses on."""
    blocks = covering_blocks(to_cidr(network))
    told = [ipaddress.ip_network(f"{block}") for block in blocks]
    assert list(ipaddress.collapse_addresses(told)) == [network]  # type: ignore[type-var]
    assert sum(block.num_addresses for block in told) == network.num_addresses
    # The widest boundary block in the range is the only size there can be fewest of.
    fitting = min(length for length in boundaries(network) if length >= network.prefixlen)
    assert told == list(network.subnets(new_prefix=fitting))


@given(networks())
def test_a_zone_holds_the_reverse_names_of_its_blocks_addresses(network: Network) -> None:
    for block in covering_blocks(to_cidr(network)):
        zone, addresses = reverse_zone(block), ipaddress.ip_network(str(block))
        assert addresses[0].reverse_pointer.endswith(f"{zone}")
        assert addresses[-1].reverse_pointer.endswith(f"{zone}")
        labels = zone.split(".")
        assert len(labels) - 2 == block.prefix_length // (8 if network.version == 4 else 4)
