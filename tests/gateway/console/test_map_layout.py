"""Where the CIDR map's blocks stand, for any block of either family (MON-8)."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.console.map_layout import (
    AVAILABLE,
    COLUMNS,
    STEP,
    Held,
    cover_of,
    label_of,
    step_below,
    tiles_of,
    way_to,
)
from shared.cidr import AddressFamily, Cidr


@st.composite
def cidrs(draw: st.DrawFn, family: AddressFamily | None = None) -> Cidr:
    chosen = family or draw(st.sampled_from(list(AddressFamily)))
    length = draw(st.integers(0, chosen.bits))
    size = 1 << (chosen.bits - length)
    return Cidr(chosen, draw(st.integers(0, (1 << length) - 1)) * size, length)


@given(cidrs())
def test_tiles_cover_the_block_in_address_order_without_gaps(whole: Cidr) -> None:
    tiles = tiles_of(whole, {})
    assert len(tiles) <= 1 << STEP
    assert tiles[0].cidr.first == whole.first
    assert tiles[-1].cidr.last == whole.last
    for before, after in pairwise(tiles):
        assert after.cidr.first == before.cidr.last + 1
    places = [(tile.row, tile.column) for tile in tiles]
    assert places == sorted(set(places))
    assert all(0 <= tile.column < COLUMNS for tile in tiles)


@given(cidrs(), st.data())
def test_a_tile_is_what_its_block_holds_and_others_are_available(
    whole: Cidr, data: st.DataObject
) -> None:
    taken = data.draw(st.sampled_from([tile.cidr for tile in tiles_of(whole, {})]))
    tiles = tiles_of(whole, {taken: Held("occupied", 3, is_full=True)})
    [held] = [tile for tile in tiles if tile.state != AVAILABLE]
    assert (held.cidr, held.state, held.resource_cidrs, held.is_full) == (
        taken,
        "occupied",
        3,
        True,
    )


@given(cidrs())
def test_labels_tell_blocks_of_one_map_apart(whole: Cidr) -> None:
    tiles = tiles_of(whole, {})
    assert len({tile.label for tile in tiles}) == len(tiles)


@given(cidrs())
def test_the_way_leads_from_everything_to_the_block_in_steps_of_the_map(block: Cidr) -> None:
    way = [*way_to(block), block]
    assert way[0].prefix_length == 0
    for outer, inner in pairwise(way):
        assert outer.contains(inner)
        assert outer.prefix_length < inner.prefix_length <= outer.prefix_length + STEP
        tiles = [tile.cidr for tile in tiles_of(outer, {})]
        assert any(tile.contains(inner) or inner.contains(tile) for tile in tiles)


@given(st.sampled_from(list(AddressFamily)).flatmap(lambda one: st.lists(cidrs(one), min_size=1)))
def test_a_cover_has_all_blocks_in_it_and_none_smaller_has(blocks: list[Cidr]) -> None:
    cover = cover_of(blocks)
    assert cover is not None
    assert all(cover.contains(block) for block in blocks)
    if cover.prefix_length < cover.family.bits:
        size = 1 << (cover.family.bits - cover.prefix_length - 1)
        for half in (0, 1):
            smaller = Cidr(cover.family, cover.first + half * size, cover.prefix_length + 1)
            assert not all(smaller.contains(block) for block in blocks)


def test_nothing_has_no_cover() -> None:
    assert cover_of([]) is None


def test_labels_are_the_parts_that_differ() -> None:
    for whole, block, label in (
        ("0.0.0.0/0", "10.0.0.0/8", "10"),
        ("10.0.0.0/8", "10.4.0.0/16", "4"),
        ("10.64.0.0/12", "10.64.16.0/20", "64.16"),
        ("10.0.0.0/24", "10.0.0.7/32", "7"),
        ("2001:db8::/32", "2001:db8:ab00::/40", "ab00"),
    ):
        assert label_of(Cidr.parse(whole), Cidr.parse(block)) == label


def test_single_addresses_are_the_last_step() -> None:
    assert step_below(Cidr.parse("10.0.0.0/28")) == 32
    assert len(tiles_of(Cidr.parse("10.0.0.0/28"), {})) == 16
    assert len(tiles_of(Cidr.parse("10.0.0.1/32"), {})) == 1
