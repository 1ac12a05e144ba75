"""Shares of blocks in use, against sets of addresses (DISC-5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.discovery.ip_usage import Coverage
from shared.cidr import AddressFamily, Cidr

BASE = Cidr.parse("10.0.0.0/27").first


@st.composite
def small_blocks(draw: st.DrawFn) -> Cidr:
    """Within 10.0.0.0/27."""
    length = draw(st.integers(27, 32))
    size = 1 << (32 - length)
    place = draw(st.integers(0, 31)) // size * size
    return Cidr(AddressFamily.IPV4, BASE + place, length)


def addresses_of(cidr: Cidr) -> set[int]:
    return set(range(cidr.first, cidr.last + 1))


@given(st.lists(small_blocks(), max_size=12), small_blocks())
def test_an_address_counts_once_however_many_blocks_hold_it(
    blocks: list[Cidr], asked: Cidr
) -> None:
    held = set().union(*map(addresses_of, blocks))
    share = len(held & addresses_of(asked)) / asked.size
    assert Coverage(AddressFamily.IPV4, blocks).share_of(asked) == share


@pytest.mark.parametrize(
    ("asked", "share"), [("2001:db8::/56", 2 / 256), ("2001:db8:1::/64", 0), ("0.0.0.0/0", 0)]
)
def test_families_are_apart(asked: str, share: float) -> None:
    blocks = map(Cidr.parse, ["2001:db8::/64", "2001:db8:0:ff::/64", "10.0.0.0/8", "::/128"])
    assert Coverage(AddressFamily.IPV6, blocks).share_of(Cidr.parse(asked)) == share
