"""What is left of some blocks once others are taken out of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.cidr import Cidr


@dataclass(frozen=True, slots=True)
class Left:
    """How many free blocks there are of each prefix length, and how many addresses."""

    blocks: Mapping[int, int]
    """The fewest that cover all that is free."""
    addresses: int

    @property
    def largest(self) -> int | None:
        """The prefix length of the largest; None: nothing is free."""
        return min(self.blocks, default=None)


def left_of(blocks: Sequence[Cidr], taken: Iterable[Cidr]) -> Left:
    """What is free in ``blocks``, which don't overlap, without all that is ``taken``.

    What is taken may overlap, and may lie elsewhere. It takes as long as sorting it does.
    """
    if not blocks:
        return Left({}, 0)
    bits = blocks[0].family.bits
    counts: Counter[int] = Counter()
    for first, last in _gaps(sorted(blocks), sorted(taken)):
        counts.update(_prefix_lengths(first, last, bits))
    addresses = sum(count << (bits - length) for length, count in counts.items())
    return Left(dict(sorted(counts.items())), addresses)


def _gaps(blocks: Sequence[Cidr], taken: Sequence[Cidr]) -> Iterator[tuple[int, int]]:
    """First and last address of each run that is free, within one of ``blocks``."""
    number = 0
    for block in blocks:
        at = block.first
        # What begins before the block may reach into it.
        while number < len(taken) and taken[number].last < block.first:
            number += 1
        while number < len(taken) and taken[number].first <= block.last:
            if taken[number].first > at:
                yield at, taken[number].first - 1
            at = max(at, taken[number].last + 1)
            if taken[number].last > block.last:
                break
            number += 1
        if at <= block.last:
            yield at, block.last


def _prefix_lengths(first: int, last: int, bits: int) -> Iterator[int]:
    """Of the fewest blocks that cover a run of addresses."""
    while first <= last:
        aligned = (first & -first).bit_length() - 1 if first else bits
        size = min(aligned, (last - first + 1).bit_length() - 1)
        yield bits - size
        first += 1 << size
