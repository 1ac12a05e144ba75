from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from services.allocation.free_space import FreeSpace, NoFit, NotFree, NotHeld
from services.allocation.placement import Strategy
from shared.cidr import AddressFamily, Cidr
from tests.allocation.free_space_oracle import NaiveFreeSpace, addresses, sub_blocks
from tests.allocation.free_spaces import UNIVERSES, blocks, blocks_of, cidrs, shown, space_of


@pytest.mark.parametrize(
    ("roots", "held", "wanted", "found"),
    [
        pytest.param(["10.0.0.0/8"], [], 24, "10.0.0.0/24", id="lowest address of a fresh pool"),
        pytest.param(
            ["10.0.0.0/16", "10.8.0.0/24"], [], 25, "10.8.0.0/25", id="smallest root, though higher"
        ),
        pytest.param(["10.8.0.0/24", "10.0.0.0/24"], [], 24, "10.0.0.0/24", id="lowest of equals"),
        pytest.param(
            ["10.0.0.0/24"], ["10.0.0.128/27"], 28, "10.0.0.160/28", id="tightest fit, then lowest"
        ),
        pytest.param(["0.0.0.0/0"], [], 0, "0.0.0.0/0", id="all of IPv4"),
        pytest.param(["10.0.0.7/32"], [], 32, "10.0.0.7/32", id="single address"),
        pytest.param(["2600::/9"], ["2600::/128"], 128, "2600::1/128", id="IPv6 split all the way"),
        pytest.param(["2600::/9"], ["2600::/56"], 52, "2600:0:0:1000::/52", id="IPv6"),
    ],
)
def test_the_tightest_block_is_cut_at_its_lowest_address(
    roots: list[str], held: list[str], wanted: int, found: str
) -> None:  # ALLOC-1
    space = space_of(*roots, held=held)
    assert str(space.find(wanted)) == found
    assert str(space.take_next(wanted)) == found
    assert not space.is_free(Cidr.parse(found))


@pytest.mark.parametrize(
    ("allowed", "disallowed", "found"),
    [
        pytest.param(None, ["10.0.0.0/26"], "10.0.0.64/26", id="beside a disallowed block"),
        pytest.param(None, ["10.0.0.77/32"], "10.0.0.0/26", id="disallowed elsewhere"),
        pytest.param(None, ["10.0.0.1/32", "10.0.0.64/28"], "10.0.0.128/26", id="touched by two"),
        pytest.param(None, ["10.0.0.0/8"], None, id="all disallowed"),
        pytest.param(None, ["10.0.0.0/8", "10.0.0.0/32"], None, id="disallowed twice"),
        pytest.param(None, ["::a00:0/122"], "10.0.0.0/26", id="other family disallowed"),
        pytest.param(["10.0.0.128/25"], [], "10.0.0.128/26", id="in a part of a free block"),
        pytest.param(["10.0.0.0/8"], [], "10.0.0.0/26", id="allowed is wider than the pool"),
        pytest.param(["10.0.0.192/26", "10.0.0.64/26"], [], "10.0.0.64/26", id="lowest allowed"),
        pytest.param(["10.0.0.0/27", "10.0.0.32/27"], [], None, id="halves don't add up"),
        pytest.param(["10.0.0.0/25"], ["10.0.0.0/26"], "10.0.0.64/26", id="both lists"),
        pytest.param(["::a00:0/120"], [], None, id="other family allowed"),
        pytest.param([], [], None, id="nothing allowed"),
    ],
)
def test_the_result_lies_in_an_allowed_and_beside_every_disallowed_block(
    allowed: list[str] | None, disallowed: list[str], found: str | None
) -> None:  # ALLOC-1
    space = space_of("10.0.0.0/24")
    within = None if allowed is None else cidrs(*allowed)
    if found is None:
        with pytest.raises(NoFit):
            space.take_next(26, allowed=within, disallowed=cidrs(*disallowed))
    else:
        taken = space.take_next(26, allowed=within, disallowed=cidrs(*disallowed))
        assert str(taken) == found


# Were anything enumerated, these two would take years.
@pytest.mark.parametrize(
    ("root", "disallowed", "found"),
    [
        pytest.param("0.0.0.0/0", "0.0.0.0/2", "64.0.0.0/30", id="a quarter of IPv4"),
        pytest.param("2600::/9", "2600::/10", "2640::/64", id="half of an IPv6 pool"),
    ],
)
def test_a_wide_disallowed_block_is_passed_in_one_step(
    root: str, disallowed: str, found: str
) -> None:  # BEY-7
    wanted = Cidr.parse(found)
    space = space_of(root)
    assert space.find(wanted.prefix_length, disallowed=cidrs(disallowed)) == wanted


def test_a_wholly_disallowed_pool_is_refused_in_one_step() -> None:  # BEY-7
    with pytest.raises(NoFit) as refusal:
        space_of("2600::/9").find(64, disallowed=cidrs("2000::/3"))
    assert refusal.value.largest_free is None


@pytest.mark.parametrize(
    ("held", "allowed", "disallowed", "largest"),
    [
        pytest.param(["10.0.0.0/24"], None, [], None, id="nothing left"),
        pytest.param(["10.0.0.0/25", "10.0.0.192/26"], None, [], 26, id="a quarter left"),
        pytest.param([], None, ["10.0.0.1/32", "10.0.0.129/32"], 26, id="cut by disallowed"),
        pytest.param([], ["10.0.0.32/27"], [], 27, id="little allowed"),
        pytest.param([], ["10.0.0.32/32"], ["10.0.0.32/32"], None, id="lists leave nothing"),
    ],
)
def test_a_refusal_tells_the_largest_block_that_could_be_had(
    held: list[str], allowed: list[str] | None, disallowed: list[str], largest: int | None
) -> None:
    space = space_of("10.0.0.0/24", held=held)
    with pytest.raises(NoFit) as refusal:
        space.find(
            25,
            allowed=None if allowed is None else cidrs(*allowed),
            disallowed=cidrs(*disallowed),
        )
    assert (refusal.value.wanted, refusal.value.largest_free) == (25, largest)


def test_taking_splits_and_giving_back_coalesces() -> None:  # ALLOC-6
    space = space_of("10.0.0.0/24")
    space.take(Cidr.parse("10.0.0.64/27"))
    assert shown(space) == ["10.0.0.0/26", "10.0.0.96/27", "10.0.0.128/25"]
    assert (space.free_addresses, space.largest_free) == (224, 25)
    space.give_back(Cidr.parse("10.0.0.64/27"))
    assert shown(space) == ["10.0.0.0/24"]
    assert (space.free_addresses, space.total_addresses, space.largest_free) == (256, 256, 24)


def test_adjacent_roots_stay_apart() -> None:
    space = space_of("10.0.0.0/25", "10.0.0.128/25")
    whole = Cidr.parse("10.0.0.0/24")
    assert shown(space) == ["10.0.0.0/25", "10.0.0.128/25"]
    assert not space.is_free(whole)
    space.give_back(space.take_next(25))
    assert shown(space) == ["10.0.0.0/25", "10.0.0.128/25"]
    with pytest.raises(NoFit):
        space.find(24)


ROOT = "10.0.0.0/24"
HELD = "10.0.0.0/26"


@pytest.mark.parametrize(
    ("operation", "cidr", "error"),
    [
        pytest.param(FreeSpace.take, HELD, NotFree, id="take what is held"),
        pytest.param(FreeSpace.take, "10.0.0.0/25", NotFree, id="take what is partly held"),
        pytest.param(FreeSpace.take, "10.0.0.4/30", NotFree, id="take inside what is held"),
        pytest.param(FreeSpace.take, "10.0.1.0/24", NotFree, id="take outside"),
        pytest.param(FreeSpace.take, "10.0.0.0/23", NotFree, id="take more than the root"),
        pytest.param(FreeSpace.take, "::a00:80/128", NotFree, id="take of the other family"),
        pytest.param(FreeSpace.give_back, "10.0.0.64/26", NotHeld, id="give back a free block"),
        pytest.param(FreeSpace.give_back, "10.0.0.200/32", NotHeld, id="give back inside a free"),
        pytest.param(FreeSpace.give_back, "10.0.0.0/25", NotHeld, id="give back partly free"),
        pytest.param(FreeSpace.give_back, "10.0.0.254/31", NotHeld, id="give back half free"),
        pytest.param(FreeSpace.give_back, "10.0.1.0/24", NotHeld, id="give back outside"),
        pytest.param(FreeSpace.give_back, "10.0.0.0/23", NotHeld, id="give back more than root"),
        pytest.param(FreeSpace.give_back, "::a00:0/128", NotHeld, id="give back other family"),
        pytest.param(FreeSpace.add_root, ROOT, ValueError, id="add a root twice"),
        pytest.param(FreeSpace.add_root, "10.0.0.0/25", ValueError, id="add inside a root"),
        pytest.param(FreeSpace.add_root, "10.0.0.0/8", ValueError, id="add around a root"),
        pytest.param(FreeSpace.add_root, "2600::/9", ValueError, id="add of the other family"),
        pytest.param(FreeSpace.remove_root, ROOT, ValueError, id="remove a root in use"),
        pytest.param(FreeSpace.remove_root, "10.0.0.128/25", ValueError, id="remove a part"),
        pytest.param(FreeSpace.remove_root, "10.0.2.0/25", ValueError, id="remove a free part"),
        pytest.param(FreeSpace.remove_root, "10.0.1.0/24", ValueError, id="remove an unknown root"),
        pytest.param(FreeSpace.remove_root, "::/8", ValueError, id="remove other family"),
    ],
)
def test_a_refused_call_changes_nothing(
    operation: Callable[[FreeSpace, Cidr], None], cidr: str, error: type[Exception]
) -> None:  # ALLOC-3
    space = space_of(
        "0.0.0.0/8", ROOT, "10.0.2.0/24", held=[HELD, "10.0.0.255/32", "10.0.2.128/25"]
    )
    before = (shown(space), space.roots, space.free_addresses)
    with pytest.raises(error):
        operation(space, Cidr.parse(cidr))
    assert (shown(space), space.roots, space.free_addresses) == before


def test_a_block_is_given_back_once() -> None:  # ALLOC-3
    space = space_of(ROOT)
    taken = space.take_next(26)
    space.give_back(taken)
    with pytest.raises(NotHeld, match=r"10\.0\.0\.0/26 is not wholly taken"):
        space.give_back(taken)


@pytest.mark.parametrize(
    ("roots", "held"),
    [
        pytest.param(["10.0.0.0/24", "10.0.0.0/25"], [], id="roots overlap"),
        pytest.param(["2600::/9"], [], id="root of the other family"),
        pytest.param(["10.0.0.0/24"], ["10.0.0.0/26", "10.0.0.0/27"], id="held within held"),
        pytest.param(["10.0.0.0/24"], ["10.0.0.0/26"] * 2, id="held twice"),
        pytest.param(["10.0.0.0/24"], ["10.0.0.64/26", "10.0.0.0/26"], id="held out of order"),
        pytest.param(["10.0.0.0/24"], ["10.0.0.0/23"], id="held around the root"),
        pytest.param(["10.0.0.0/24"], ["9.0.0.0/24"], id="held below the roots"),
        pytest.param(["10.0.0.0/24"], ["11.0.0.0/24"], id="held above the roots"),
        pytest.param(["10.0.0.0/24", "10.0.2.0/24"], ["10.0.1.0/24"], id="held between the roots"),
        pytest.param(["10.0.0.0/24"], ["::a00:0/128"], id="held of the other family"),
    ],
)
def test_a_ledger_that_contradicts_itself_is_not_rebuilt(
    roots: list[str], held: list[str]
) -> None:  # ALLOC-3
    with pytest.raises(ValueError, match="overlaps|outside|is not ipv4|is not one of 32 bits"):
        FreeSpace.rebuilt(AddressFamily.IPV4, cidrs(*roots), blocks(cidrs(*held)))


class FreeSpaceMachine(RuleBasedStateMachine):
    """Every call answers as the naive one does, and what is left is the same."""

    @initialize(universe=st.sampled_from(UNIVERSES), data=st.data())
    def begin(self, universe: Cidr, data: st.DataObject) -> None:
        self.universe = universe
        self.space, self.naive = FreeSpace(universe.family), NaiveFreeSpace(universe)
        for cidr in data.draw(st.lists(blocks_of(universe), min_size=1, max_size=3)):
            self.add_root(cidr)

    def add_root(self, cidr: Cidr) -> None:
        if any(root.overlaps(cidr) for root in self.naive.roots):
            with pytest.raises(ValueError, match="overlaps a root"):
                self.space.add_root(cidr)
        else:
            self.space.add_root(cidr)
            self.naive.add_root(cidr)

    @rule(data=st.data())
    def add_another_root(self, data: st.DataObject) -> None:
        self.add_root(data.draw(blocks_of(self.universe)))

    @precondition(lambda self: self.naive.roots)
    @rule(data=st.data())
    def remove_root(self, data: st.DataObject) -> None:
        cidr = data.draw(st.sampled_from(self.naive.roots))
        if self.naive.is_free(cidr):
            self.space.remove_root(cidr)
            self.naive.remove_root(cidr)
        else:
            with pytest.raises(ValueError, match="is taken"):
                self.space.remove_root(cidr)

    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        cidr = data.draw(blocks_of(self.universe))
        assert self.space.is_free(cidr) == self.naive.is_free(cidr)
        if self.naive.is_free(cidr):
            self.space.take(cidr)
            self.naive.free -= addresses(cidr)
        else:
            with pytest.raises(NotFree):
                self.space.take(cidr)

    @rule(data=st.data())
    def take_next(self, data: st.DataObject) -> None:
        universe = self.universe
        wanted = data.draw(st.integers(universe.prefix_length, universe.family.bits))
        lists = st.lists(blocks_of(universe), max_size=4)
        allowed, disallowed = data.draw(st.none() | lists), data.draw(lists)
        strategy, seed = data.draw(st.sampled_from(Strategy)), data.draw(st.text(max_size=1))
        how: dict[str, Any] = {
            "allowed": allowed,
            "disallowed": disallowed,
            "strategy": strategy,
            "seed": seed,
        }
        places = [cidr for _, cidr in self.naive.places(wanted, allowed, disallowed)]
        if not places:
            with pytest.raises(NoFit) as refusal:
                self.space.take_next(wanted, **how)
            assert refusal.value.largest_free == self.naive.largest(allowed, disallowed)
            return
        found = self.space.find(wanted, **how)
        assert self.space.take_next(wanted, **how) == found
        if strategy is Strategy.RANDOM:
            assert found in places
        else:
            assert found == self.naive.find(wanted, allowed, disallowed, strategy)
        self.naive.free -= addresses(found)

    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        held = [cidr for cidr in sub_blocks(self.universe) if self.naive.is_held(cidr)]
        likely = [st.sampled_from(held)] * 3 if held else []
        cidr = data.draw(st.one_of(*likely, blocks_of(self.universe)))
        if self.naive.is_held(cidr):
            self.space.give_back(cidr)
            self.naive.free |= addresses(cidr)
        else:
            with pytest.raises(NotHeld):
                self.space.give_back(cidr)

    @invariant()
    def no_address_is_lost_or_held_twice(self) -> None:  # ALLOC-3
        blocks = self.naive.blocks()
        assert list(self.space) == blocks
        assert self.space.block_count == len(blocks)
        for half in self.universe.halves:
            parts = [half] if self.naive.is_free(half) else [b for b in blocks if half.contains(b)]
            assert sorted(self.space.free_parts(half)) == parts
        assert self.space.free_addresses == len(self.naive.free)
        assert self.space.total_addresses == sum(root.size for root in self.naive.roots)
        assert self.space.largest_free == min((b.prefix_length for b in blocks), default=None)
        assert list(self.space.roots) == sorted(self.naive.roots)


TestFreeSpaceAgainstNaive = FreeSpaceMachine.TestCase
TestFreeSpaceAgainstNaive.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None
)


@settings(deadline=None)
@given(st.data())
def test_a_rebuilt_space_is_the_one_that_taking_leaves(data: st.DataObject) -> None:
    universe = data.draw(st.sampled_from(UNIVERSES))
    roots = data.draw(st.permutations([universe]) | st.permutations(universe.halves))
    taken = FreeSpace.rebuilt(universe.family, roots, [])
    held = []
    for cidr in data.draw(st.lists(blocks_of(universe), max_size=20)):
        if taken.is_free(cidr):
            taken.take(cidr)
            held.append(cidr)
    rebuilt = FreeSpace.rebuilt(universe.family, roots, blocks(sorted(held)))
    assert list(rebuilt) == list(taken)
    assert rebuilt.free_addresses == taken.free_addresses
    for cidr in held:
        rebuilt.give_back(cidr)
    assert list(rebuilt) == sorted(roots)
