"""Free blocks by address and by length, so that each is found in a step or two.

Blocks are plain numbers in here, a first address and a prefix length, because every allocation
passes through; `Cidr` is how they come in and go out.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from sortedcontainers import SortedList

from services.allocation.block_arithmetic import block_around
from services.allocation.block_codec import Block
from shared.cidr import AddressFamily, Cidr


class FreeBlocks:
    """Blocks that don't overlap. To look at, but for `add` and `remove`.

    ``prefix_lengths`` has the blocks by first address. ``starts`` has them again by prefix length,
    in order of address. Bit n of ``lengths`` is set while there is a /n, so that the tightest
    length is found in one step.
    """

    def __init__(self, family: AddressFamily, blocks: Iterable[Block] = ()) -> None:
        self.family = family
        self.prefix_lengths = dict(blocks)
        self.starts: defaultdict[int, SortedList[int]] = defaultdict(SortedList)
        self.lengths = 0
        starts = defaultdict(list)
        for first, prefix_length in self.prefix_lengths.items():
            starts[prefix_length].append(first)
        for prefix_length, firsts in starts.items():
            self.starts[prefix_length].update(firsts)
            self.lengths |= 1 << prefix_length

    def copy(self) -> "FreeBlocks":
        """The same blocks, in an index of their own."""
        twin = FreeBlocks(self.family)
        twin.prefix_lengths = self.prefix_lengths.copy()
        twin.starts.update((length, firsts.copy()) for length, firsts in self.starts.items())
        twin.lengths = self.lengths
        return twin

    def __iter__(self) -> Iterator[Block]:
        """In order of address."""
        return iter(sorted(self.prefix_lengths.items()))

    @property
    def addresses(self) -> int:
        """Number of addresses in all blocks."""
        bits = self.family.bits
        return sum(len(firsts) << (bits - length) for length, firsts in self.starts.items())

    @property
    def counts(self) -> dict[int, int]:
        """Number of blocks by prefix length, widest first."""
        return {length: len(firsts) for length, firsts in sorted(self.starts.items()) if firsts}

    @property
    def largest(self) -> int | None:
        """Prefix length of the largest block."""
        return (self.lengths & -self.lengths).bit_length() - 1 if self.lengths else None

    def add(self, first: int, prefix_length: int) -> None:
        self.prefix_lengths[first] = prefix_length
        self.starts[prefix_length].add(first)
        self.lengths |= 1 << prefix_length

    def remove(self, first: int, prefix_length: int) -> None:
        del self.prefix_lengths[first]
        starts = self.starts[prefix_length]
        starts.remove(first)
        if not starts:
            self.lengths ^= 1 << prefix_length

    def around(self, cidr: Cidr) -> int | None:
        """Prefix length of the block that holds all of ``cidr``."""
        return block_around(self.prefix_lengths, cidr) if cidr.family is self.family else None

    def inside(self, cidr: Cidr) -> Iterator[Block]:
        """Those that lie in ``cidr``, of the same family, the smallest first."""
        for prefix_length in self.lengths_between(cidr.prefix_length, self.family.bits):
            for first in self.starts[prefix_length].irange(cidr.first, cidr.last):
                yield first, prefix_length

    def lengths_between(self, shortest: int, longest: int) -> Iterator[int]:
        """The prefix lengths there are, longest first."""
        lengths = (self.lengths & ((2 << longest) - 1)) >> shortest
        while lengths:
            above = lengths.bit_length() - 1
            yield shortest + above
            lengths ^= 1 << above
