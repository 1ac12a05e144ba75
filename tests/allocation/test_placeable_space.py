"""What is blocked, in whatever way it overlaps, is not placed (BEY-3, BEY-9)."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.allocation.blocked_cidrs import BlockedCidrs
from services.allocation.free_space import FreeSpace
from services.allocation.observed_cidrs import ObservedCidrs
from services.allocation.placeable_space import PlaceableSpace
from shared.cidr import AddressFamily, Cidr
from tests.allocation.free_space_oracle import NaiveFreeSpace, addresses, sub_blocks

UNIVERSE = Cidr.parse("10.0.0.0/27")
BLOCKS = st.sampled_from(list(sub_blocks(UNIVERSE)))


class PlaceableSpaceMachine(RuleBasedStateMachine):
    """What is left is what is free and not blocked, address by address."""

    @initialize(cidrs=st.sets(BLOCKS, max_size=4))
    def begin(self, cidrs: set[Cidr]) -> None:
        self.space, self.naive = FreeSpace(AddressFamily.IPV4), NaiveFreeSpace(UNIVERSE)
        self.space.add_root(UNIVERSE)
        self.naive.add_root(UNIVERSE)
        self.placeable = PlaceableSpace(self.space)
        self.block(cidrs)

    @rule(cidrs=st.sets(BLOCKS, max_size=4))
    def block(self, cidrs: set[Cidr]) -> None:
        self.blocked = cidrs
        self.placeable.block(cidrs)

    @rule(cidr=BLOCKS)
    def take(self, cidr: Cidr) -> None:
        if self.space.is_free(cidr):
            self.space.take(cidr)
            self.placeable.take(cidr)
            self.naive.free -= addresses(cidr)

    @rule(cidr=BLOCKS)
    def give_back(self, cidr: Cidr) -> None:
        if self.naive.is_held(cidr):
            self.space.give_back(cidr)
            self.placeable.give_back(cidr)
            self.naive.free |= addresses(cidr)

    @precondition(lambda self: self.naive.roots and self.space.is_free(UNIVERSE))
    @rule()
    def remove_root(self) -> None:
        self.space.remove_root(UNIVERSE)
        self.placeable.remove_root(UNIVERSE)
        self.naive.remove_root(UNIVERSE)

    @precondition(lambda self: not self.naive.roots)
    @rule()
    def add_root(self) -> None:
        self.space.add_root(UNIVERSE)
        self.placeable.add_root(UNIVERSE)
        self.naive.add_root(UNIVERSE)

    @invariant()
    def what_is_left_is_free_and_not_blocked(self) -> None:
        left = NaiveFreeSpace(UNIVERSE)
        left.roots = self.naive.roots
        left.free = self.naive.free - {a for cidr in self.blocked for a in addresses(cidr)}
        assert list(self.placeable.left) == left.blocks()
        assert self.placeable.left.free_addresses == len(left.free)
        assert list(self.space) == self.naive.blocks()


TestPlaceableSpaceAgainstNaive = PlaceableSpaceMachine.TestCase
TestPlaceableSpaceAgainstNaive.settings = settings(
    max_examples=100, stateful_step_count=20, deadline=None
)


def in_order(parts: Iterable[Cidr]) -> list[int]:
    """Every address of the parts, as often as it is in one."""
    return [address for part in parts for address in range(part.first, part.last + 1)]


@given(st.sets(BLOCKS, max_size=8), st.data())
def test_what_is_blocked_is_known_address_by_address(
    blocked: set[Cidr], data: st.DataObject
) -> None:
    gone = data.draw(st.sets(st.sampled_from(sorted(blocked)))) if blocked else set()
    cidrs = BlockedCidrs(AddressFamily.IPV4)
    for cidr in blocked:
        cidrs.add(cidr)
    for cidr in gone:
        cidrs.remove(cidr)
    shut_out = {address for cidr in blocked - gone for address in addresses(cidr)}
    for asked in sub_blocks(UNIVERSE):
        assert in_order(cidrs.parts_of(asked)) == sorted(addresses(asked) & shut_out)
        assert in_order(cidrs.parts_beside(asked)) == sorted(addresses(asked) - shut_out)


@settings(deadline=None)
@given(st.lists(st.tuples(BLOCKS, st.sampled_from(["vpc-1", "vpc-2"])), max_size=8), BLOCKS)
def test_what_is_observed_is_found_by_whatever_it_overlaps(
    observed: list[tuple[Cidr, str]], asked: Cidr
) -> None:
    seen = ObservedCidrs(observed)
    found = list(seen.overlapping(asked))
    assert len(found) == len(set(found))
    assert set(found) == {cidr for cidr, _ in observed if cidr.overlaps(asked)}
    of_others = {cidr for cidr, resource_id in observed if resource_id != "vpc-1"}
    for cidr in (*found, asked):
        assert seen.is_of_others(cidr, "vpc-1") == (cidr in of_others)


@pytest.mark.parametrize("asked", ["::/0", "::a00:0/120"])
def test_the_other_family_is_another_space(asked: str) -> None:
    seen = ObservedCidrs([(UNIVERSE, "vpc-1")])
    assert list(seen.overlapping(Cidr.parse(asked))) == []
