"""Free spaces for tests, and blocks to take of them."""

from collections.abc import Iterable, Sequence

from hypothesis import strategies as st

from services.allocation.block_codec import Block
from services.allocation.free_space import FreeSpace
from shared.cidr import Cidr


def cidrs(*texts: str) -> list[Cidr]:
    return [Cidr.parse(text) for text in texts]


def space_of(*roots: str, held: Sequence[str] = ()) -> FreeSpace:
    return FreeSpace.rebuilt(Cidr.parse(roots[0]).family, cidrs(*roots), blocks(cidrs(*held)))


def blocks(held: Iterable[Cidr]) -> list[Block]:
    return [(cidr.first, cidr.prefix_length) for cidr in held]


def shown(space: FreeSpace) -> list[str]:
    return [str(cidr) for cidr in space]


UNIVERSES = cidrs("10.0.0.0/26", "0.0.0.0/27", "255.255.255.224/27", "2600::40/122")


def blocks_of(universe: Cidr) -> st.SearchStrategy[Cidr]:
    """Any block of the universe, wide and narrow ones equally often."""
    lengths = st.integers(universe.prefix_length, universe.family.bits)
    return st.builds(
        lambda length, offset: Cidr(
            universe.family, universe.first + offset % universe.size, universe.family.bits
        ).supernet(length),
        lengths,
        st.integers(0, universe.size - 1),
    )
