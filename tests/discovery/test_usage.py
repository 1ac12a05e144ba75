"""Figures, against ways to compute them that take no thought."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.discovery.service.usage import (
    BlockState,
    Limits,
    MapBlock,
    MappedCidr,
    Resource,
    UsedCidr,
    Utilization,
    chosen,
    drawn,
    usages,
    utilizations,
)
from shared.cidr import AddressFamily, Cidr

IPV4, IPV6 = AddressFamily.IPV4, AddressFamily.IPV6
# Twelve addresses' bits are enough for every case of nesting, and few enough to look at each one.
WHOLE = Cidr.parse("10.0.0.0/26")


@st.composite
def mapped(draw: st.DrawFn) -> list[tuple[Cidr, BlockState | None]]:
    """What overlaps `WHOLE`, by address, widest first."""
    found = set()
    for _ in range(draw(st.integers(0, 12))):
        length = draw(st.integers(22, 32))
        address = Cidr(IPV4, WHOLE.first + draw(st.integers(0, WHOLE.size - 1)), 32)
        state = draw(st.sampled_from([*BlockState, None]))
        found.add((address.supernet(length), state))
    return sorted(found, key=lambda one: (one[0], one[1] or 0))


def mapped_cidr(cidr: Cidr, state: BlockState | None) -> MappedCidr:
    return MappedCidr(cidr.first, cidr.prefix_length, state)


def looked_at(cidrs: list[tuple[Cidr, BlockState | None]], length: int) -> list[MapBlock]:
    blocks = [
        Cidr(IPV4, first, length)
        for first in range(WHOLE.first, WHOLE.last + 1, 1 << (32 - length))
    ]
    found = []
    for block in blocks:
        held = [one for one in cidrs if one[0].overlaps(block)]
        if not held:
            continue
        addresses = set(range(block.first, block.last + 1))
        taken = {a for a in addresses if any(h.first <= a <= h.last for h, _ in held)}
        states = [state for _, state in held if state]
        worst = min(states, default=BlockState.OCCUPIED)
        found.append(MapBlock(block, worst, len(held), taken == addresses))
    return found


@given(mapped(), st.integers(26, 32))
def test_a_map_is_what_looking_at_each_address_shows(  # MON-8
    cidrs: list[tuple[Cidr, BlockState | None]], length: int
) -> None:
    assert drawn([mapped_cidr(*one) for one in cidrs], WHOLE, length) == looked_at(cidrs, length)


def test_a_block_that_lacks_one_address_is_not_full() -> None:  # MON-8
    whole = Cidr.parse("2001:db8::/48")
    halves = []
    rest = whole
    while rest.prefix_length < 128:
        half, rest = rest.halves
        halves.append(mapped_cidr(half, BlockState.COMPLIANT))
    [block] = drawn(halves, whole, 48)
    assert not block.is_full
    [block] = drawn([*halves, mapped_cidr(rest, None)], whole, 48)
    assert block.is_full


RESOURCES = st.tuples(*map(st.sampled_from, ("ab", "xy", "mn"))).map(lambda one: Resource(*one))
USED_CIDRS = st.lists(
    st.builds(
        UsedCidr,
        resource=RESOURCES,
        prefix_length=st.integers(0, 128),
        ip_usage=st.floats(0, 1),
        is_allocated=st.booleans(),
    )
)


@given(USED_CIDRS)
def test_each_cidr_counts_by_its_size(cidrs: list[UsedCidr]) -> None:  # MET-3
    found = {one.resource: one for one in utilizations(cidrs, IPV6)}
    assert found.keys() == {one.resource for one in cidrs}
    for resource, utilization in found.items():
        own = [one for one in cidrs if one.resource == resource]
        total = sum(2 ** (128 - one.prefix_length) for one in own)
        used = sum(Fraction(one.ip_usage) * 2 ** (128 - one.prefix_length) for one in own)
        assert utilization.total_addresses == total
        assert utilization.ip_usage == pytest.approx(float(used / total))
        assert utilization.is_allocated == any(one.is_allocated for one in own)


@given(USED_CIDRS)
def test_one_by_one_resources_are_as_full_as_together(cidrs: list[UsedCidr]) -> None:  # BEY-11
    ordered = sorted(cidrs, key=lambda one: one.resource.identity)
    found = list(usages(((str(at), one) for at, one in enumerate(ordered)), IPV6))
    assert [one for _, one in found] == utilizations(ordered, IPV6)
    assert all(ordered[int(key)].resource == one.resource for key, one in found)


@given(
    st.lists(
        st.builds(
            Utilization,
            resource=RESOURCES,
            ip_usage=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
            total_addresses=st.sampled_from([1, 2, 2**100]),
            is_allocated=st.booleans(),
        ),
        unique_by=lambda one: one.resource,
    ),
    st.builds(Limits, *[st.integers(0, 5)] * 3),
)
def test_those_are_chosen_that_the_rules_name(  # MET-2
    known: list[Utilization], limits: Limits
) -> None:
    found = chosen(known, limits)
    rising = sorted(known, key=lambda one: (one.ip_usage, one.resource.identity))
    falling = sorted(known, key=lambda one: (-one.ip_usage, one.resource.identity))
    extremes = {*rising[: limits.lowest], *falling[: limits.highest]}
    others = sorted(
        (one for one in known if one.is_allocated and one not in extremes),
        key=lambda one: (-one.total_addresses, one.resource.identity),
    )
    assert set(found) == extremes | set(others[: limits.allocated])
    assert len(found) == len(set(found))
    assert all(above.ip_usage >= below.ip_usage for above, below in pairwise(found))
