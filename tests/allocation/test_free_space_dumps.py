"""Free space written down, and read again (ipam_pool_snapshots)."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.allocation.block_codec import Block, blocks_from_columns, blocks_to_bytes
from services.allocation.free_space import FreeSpace
from shared.cidr import AddressFamily, Cidr
from tests.allocation.free_spaces import UNIVERSES, blocks, blocks_of, space_of

ROOT, HELD = "10.0.0.0/24", "10.0.0.0/26"


@st.composite
def spaces(draw: st.DrawFn) -> FreeSpace:
    """Roots that lie side by side or apart, and blocks taken of them."""
    universe = draw(st.sampled_from(UNIVERSES))
    roots: list[Cidr] = []
    for cidr in draw(st.permutations([*universe.halves[0].halves, universe.halves[1]])):
        roots += draw(st.sampled_from([[], [cidr], cidr.halves]))
    space = FreeSpace.rebuilt(universe.family, roots, [])
    for cidr in draw(st.lists(blocks_of(universe), max_size=20)):
        if space.is_free(cidr):
            space.take(cidr)
    return space


def what_is_in(space: FreeSpace) -> tuple[object, ...]:
    amounts = (space.free_addresses, space.total_addresses, space.largest_free)
    return space.family, space.roots, list(space), amounts


@given(spaces())
def test_a_dump_is_loaded_as_the_space_it_is_of(space: FreeSpace) -> None:
    loaded = FreeSpace.loaded(space.family, space.dump())
    assert what_is_in(loaded) == what_is_in(space)
    for cidr in list(space):
        loaded.give_back(loaded.take_next(space.family.bits, allowed=[cidr]))
    assert loaded.dump() == space.dump()


@given(spaces())
def test_a_copy_goes_its_own_way(space: FreeSpace) -> None:
    before, twin = what_is_in(space), space.copy()
    assert what_is_in(twin) == before
    twin.add_root(Cidr(space.family, 1 << 27, space.family.bits))
    for cidr in list(twin):
        twin.take(cidr)
    assert what_is_in(space) == before
    assert (list(twin), len(twin.roots)) == ([], len(space.roots) + 1)


@given(spaces(), st.data())
def test_a_damaged_dump_is_not_loaded(space: FreeSpace, data: st.DataObject) -> None:
    content = bytearray(space.dump())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match="damaged"):
        FreeSpace.loaded(space.family, bytes(content))


@pytest.mark.parametrize("length", range(8))
def test_a_dump_that_was_cut_off_is_not_loaded(length: int) -> None:
    with pytest.raises(ValueError, match="damaged"):
        FreeSpace.loaded(AddressFamily.IPV4, space_of(ROOT).dump()[:length])


@pytest.mark.parametrize(
    ("roots", "free", "says"),
    [
        pytest.param([ROOT], ["9.0.0.0/24"], "no free block", id="below the roots"),
        pytest.param([ROOT], ["11.0.0.0/24"], "no free block", id="above the roots"),
        pytest.param(
            [ROOT, "10.0.2.0/24"], ["10.0.1.0/24"], "no free block", id="between the roots"
        ),
        pytest.param([ROOT], ["10.0.0.0/23"], "no free block", id="around a root"),
        pytest.param(
            ["10.0.0.0/25", "10.0.0.128/25"], [ROOT], "no free block", id="across two roots"
        ),
        pytest.param([ROOT], ["10.0.0.0/25", "10.0.0.64/26"], "no free block", id="overlapping"),
        pytest.param([ROOT], ["10.0.0.128/26", "10.0.0.0/26"], "no free block", id="not in order"),
        pytest.param(
            [ROOT, "10.0.1.0/24"], ["10.0.1.0/26", HELD], "no free block", id="roots out of order"
        ),
        pytest.param([ROOT], ["10.0.0.0/25", "10.0.0.128/25"], "no free block", id="not merged"),
        pytest.param([ROOT], ["10.0.0.1/31"], "no free block", id="not aligned"),
        pytest.param([ROOT, "10.0.0.0/25"], [], "overlaps a root", id="roots overlap"),
        pytest.param(["10.0.0.1/24"], [], "not a block", id="root not aligned"),
        pytest.param(["10.0.0.0/33"], [], "prefix length of 33", id="root too long"),
        pytest.param([ROOT], [HELD, "10.0.0.64/33"], "prefix length of 33", id="free too long"),
    ],
)
def test_free_blocks_that_no_space_has_are_not_loaded(
    roots: list[str], free: list[str], says: str
) -> None:  # ALLOC-3
    content = blocks_to_bytes([map(pair, roots), map(pair, free)], AddressFamily.IPV4)
    with pytest.raises(ValueError, match=says):
        FreeSpace.loaded(AddressFamily.IPV4, content)


def pair(text: str) -> Block:
    """First address and prefix length, right or wrong."""
    address, _, length = text.partition("/")
    return int(ipaddress.IPv4Address(address)), int(length)


@pytest.mark.parametrize(
    ("written", "read"), [("ipv4", "ipv6"), ("ipv6", "ipv4")], ids=["IPv4 as IPv6", "IPv6 as IPv4"]
)
def test_a_dump_of_the_other_family_is_not_loaded(written: str, read: str) -> None:
    space = FreeSpace(AddressFamily(written))
    space.add_root(Cidr(space.family, 0, 8))
    with pytest.raises(ValueError, match=f"not {read}"):
        FreeSpace.loaded(AddressFamily(read), space.dump())


def test_a_dump_of_the_other_family_has_too_few_prefix_lengths() -> None:
    """Read as IPv6, three addresses take all but one byte of what two lists of IPv4 are."""
    lists = [[(number << 8, 24) for number in range(count)] for count in (3, 6)]
    with pytest.raises(ValueError, match="not ipv6"):
        FreeSpace.loaded(AddressFamily.IPV6, blocks_to_bytes(lists, AddressFamily.IPV4))


@pytest.mark.parametrize("lists", [0, 1, 3])
def test_a_dump_is_two_lists(lists: int) -> None:
    with pytest.raises(ValueError, match="values to unpack"):
        FreeSpace.loaded(AddressFamily.IPV4, blocks_to_bytes([[]] * lists, AddressFamily.IPV4))


@given(spaces())
def test_columns_are_read_as_the_blocks_they_are_of(space: FreeSpace) -> None:
    free = blocks(space)
    firsts = b"".join(first.to_bytes(space.family.bits // 8) for first, _ in free)
    lengths = b"".join(length.to_bytes(4) for _, length in free)
    assert list(blocks_from_columns(firsts, lengths, space.family)) == free
    with pytest.raises(ValueError, match="zip"):
        list(blocks_from_columns(firsts, lengths + bytes(4), space.family))
