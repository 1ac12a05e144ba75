"""CIDRs that may overlap in any way, and what they cover of a block."""

from collections import Counter
from collections.abc import Iterator

from sortedcontainers import SortedList

from services.allocation.block_arithmetic import gaps
from services.allocation.block_codec import Block
from shared.cidr import AddressFamily, Cidr


class BlockedCidrs:
    """A set of CIDRs of one family.

    The time of a call depends on the length of an address and the logarithm of the number of
    CIDRs, and of those that say what is in a block, on the number of outermost ones in there.
    """

    def __init__(self, family: AddressFamily) -> None:
        self._family = family
        self._blocks: set[Block] = set()
        self._ordered: SortedList[Block] = SortedList()
        self._lengths: Counter[int] = Counter()

    def add(self, cidr: Cidr) -> None:
        """Add one that is not there."""
        block = (cidr.first, cidr.prefix_length)
        self._blocks.add(block)
        self._ordered.add(block)
        self._lengths[cidr.prefix_length] += 1

    def remove(self, cidr: Cidr) -> None:
        """Remove one that is there."""
        block = (cidr.first, cidr.prefix_length)
        self._blocks.remove(block)
        self._ordered.remove(block)
        self._lengths[cidr.prefix_length] -= 1
        if not self._lengths[cidr.prefix_length]:
            del self._lengths[cidr.prefix_length]

    def parts_of(self, cidr: Cidr) -> list[Cidr]:
        """What is covered of ``cidr``, as disjoint blocks in order of address."""
        return [cidr] if self._is_covered(cidr) else list(self._inside(cidr))

    def parts_beside(self, cidr: Cidr) -> list[Cidr]:
        """What is not covered of ``cidr``, as disjoint blocks in order of address."""
        covered = [(part.first, part.prefix_length) for part in self.parts_of(cidr)]
        whole = {cidr.first: cidr.prefix_length}
        return [Cidr(self._family, *block) for block in gaps(self._family.bits, whole, covered)]

    def _is_covered(self, cidr: Cidr) -> bool:
        return any(
            (cidr.first & -(1 << (self._family.bits - length)), length) in self._blocks
            for length in self._lengths
            if length <= cidr.prefix_length
        )

    def _inside(self, cidr: Cidr) -> Iterator[Cidr]:
        """The outermost ones in ``cidr``, which none is around."""
        reached, end = cidr.first, (cidr.last, self._family.bits)
        while (block := next(self._ordered.irange((reached, 0), end), None)) is not None:
            outermost = Cidr(self._family, *block)
            yield outermost
            # In one step past all that lie in this one.
            reached = outermost.last + 1
