"""Quick look-ups of blocks, against looking at every block."""

from hypothesis import given
from hypothesis import strategies as st

from services.discovery.evaluation.blocks import BlockSet, HoldingBlocks, block_number
from shared.cidr import AddressFamily, Cidr


@st.composite
def blocks(draw: st.DrawFn, family: AddressFamily | None = None) -> Cidr:
    """Of either family, in a space small enough for them to nest."""
    family = family or draw(st.sampled_from(AddressFamily))
    spare = draw(st.integers(0, 5))
    return Cidr(family, draw(st.integers(0, 31)) >> spare << spare, family.bits - spare)


@given(blocks(), blocks())
def test_a_block_has_a_number_of_its_own(left: Cidr, right: Cidr) -> None:
    numbers = [block_number(c.family, c.first, c.prefix_length) for c in (left, right)]
    assert (numbers[0] == numbers[1]) == (left == right)


@given(st.lists(st.tuples(st.sampled_from("ab"), blocks()), max_size=20), blocks())
def test_the_narrowest_holding_block_of_the_group_is_found(
    filed: list[tuple[str, Cidr]], asked: Cidr
) -> None:
    index: HoldingBlocks[str, Cidr] = HoldingBlocks()
    for group, cidr in filed:
        index.file(group, cidr, cidr)
    holding = [cidr for group, cidr in filed if group == "a" and cidr.contains(asked)]
    expected = max(holding, key=lambda cidr: cidr.prefix_length, default=None)
    assert index.narrowest("a", asked) == expected


@given(st.lists(blocks(AddressFamily.IPV4), max_size=20), blocks(AddressFamily.IPV4))
def test_overlaps_and_blocks_inside_are_found(held: list[Cidr], asked: Cidr) -> None:
    found = BlockSet(held)
    assert found.overlaps(asked) == any(cidr.overlaps(asked) for cidr in held)
    inside = [cidr for cidr in sorted(held) if asked.contains(cidr) and cidr != asked]
    expected = (inside[0].first, inside[0].prefix_length) if inside else None
    assert found.first_inside(asked) == expected
