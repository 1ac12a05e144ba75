"""Arithmetic of blocks that are disjoint, in order of address, or both."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

from services.allocation.block_codec import Block
from shared.cidr import AddressFamily, Cidr


def block_around(blocks: Mapping[int, int], cidr: Cidr) -> int | None:
    """Prefix length of the one of ``blocks``, which are disjoint, that holds all of ``cidr``."""
    # It begins where ``cidr`` does, less some of the lowest bits that are set there. The first
    # block on the way decides: one further down could only hold ``cidr`` by overlapping it.
    first = cidr.first
    while (prefix_length := blocks.get(first)) is None and first:
        first &= first - 1
    if prefix_length is None or prefix_length > cidr.prefix_length:
        return None
    is_inside = (first ^ cidr.first) >> (cidr.family.bits - prefix_length) == 0
    return prefix_length if is_inside else None


def gaps(bits: int, roots: Mapping[int, int], held: Iterable[Block]) -> Iterator[Block]:
    """The free blocks that ``held`` leaves of ``roots``, both in order of address.

    Raises:
        ValueError: they are not in order, overlap, or a held block is outside every root.
    """
    remaining, nothing = iter(held), (1 << bits, 0)
    block, length = next(remaining, nothing)
    for first, prefix_length in roots.items():
        reached, end = first, first + (1 << (bits - prefix_length))
        while block < end:
            if block != reached:
                if block < reached:
                    raise ValueError(f"{block:#x}/{length} overlaps one before, or no root has it")
                yield from fewest_blocks(reached, block, bits)
            if length > bits:
                raise ValueError(f"a prefix length of {length} is not one of {bits} bits")
            reached = block + (1 << (bits - length))
            block, length = next(remaining, nothing)
        if reached > end:
            raise ValueError(f"a held block reaches outside the root {first:#x}/{prefix_length}")
        yield from fewest_blocks(reached, end, bits)
    if (block, length) != nothing:
        raise ValueError(f"{block:#x} is outside every root")


def fewest_blocks(first: int, end: int, bits: int) -> Iterator[Block]:
    """First address and prefix length of the blocks that make up the addresses before ``end``."""
    while first < end:
        aligned = first & -first or 1 << bits
        size = min(aligned, 1 << ((end - first).bit_length() - 1))
        yield first, bits + 1 - size.bit_length()
        first += size


def lowest_beside(avoided: Sequence[Cidr], block: Cidr, wanted: int) -> int | None:
    """First address of the lowest /``wanted`` in ``block`` that overlaps no ``avoided``."""
    touching = overlapping(avoided, block)
    if not touching:
        return block.first
    if block.prefix_length == wanted or touching[0].contains(block):
        return None
    for half in block.halves:
        if (first := lowest_beside(touching, half, wanted)) is not None:
            return first
    return None


def overlapping(blocks: Sequence[Cidr], cidr: Cidr) -> Sequence[Cidr]:
    """Those that share addresses with ``cidr``, of blocks disjoint and in order of address."""
    begin = bisect_left(blocks, cidr.first, key=attrgetter("last"))
    return blocks[begin : bisect_right(blocks, cidr.last, key=attrgetter("first"))]


def widest(cidrs: Iterable[Cidr], family: AddressFamily) -> list[Cidr]:
    """Those of this family that lie in no other, in order of address."""
    found: list[Cidr] = []
    for cidr in sorted(cidr for cidr in cidrs if cidr.family is family):
        if not (found and found[-1].contains(cidr)):
            found.append(cidr)
    return found
