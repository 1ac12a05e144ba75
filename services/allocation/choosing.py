"""Which free block to cut, and where: the answer is its prefix length and a first address."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from random import Random

from services.allocation.block_arithmetic import (
    fewest_blocks,
    lowest_beside,
    overlapping,
    widest,
)
from services.allocation.free_blocks import FreeBlocks
from services.allocation.placement import Strategy
from shared.cidr import Cidr

Choice = tuple[int, int]
"""Prefix length of the free block to cut, and first address of the block to cut out."""

_Run = tuple[int | None, int, int]
"""Places in free blocks of one prefix length from an address on, or, None, in one stretch that
begins there; and how many places these are."""


def choose(free: FreeBlocks, wanted: int, strategy: Strategy) -> Choice | None:
    """Where a /``wanted`` goes if it may go anywhere; not for `Strategy.RANDOM`."""
    fitting = free.lengths & ((2 << wanted) - 1)
    if not fitting:
        return None
    if strategy is Strategy.LOWEST:
        lowest, around = min((free.starts[n][0], n) for n in free.lengths_between(0, wanted))
        return around, lowest
    if strategy is Strategy.SPARSE:
        around = (fitting & -fitting).bit_length() - 1
    else:
        around = fitting.bit_length() - 1
    return around, free.starts[around][0]


class ListedSpace:
    """The part of free space that a request's lists leave it (ALLOC-1)."""

    def __init__(
        self, free: FreeBlocks, allowed: Sequence[Cidr] | None, disallowed: Sequence[Cidr]
    ) -> None:
        everywhere = [Cidr(free.family, 0, 0)]
        self._free = free
        self._within = widest(everywhere if allowed is None else allowed, free.family)
        self._avoided = widest(disallowed, free.family)

    def choose(self, wanted: int, strategy: Strategy, *, seed: str = "") -> Choice | None:
        """Where a /``wanted`` goes; the same place for the same ``seed``, where that matters."""
        match strategy:
            case Strategy.BEST_FIT:
                lengths = self._free.lengths_between(0, wanted)
                return next(self._lowest_of_each(lengths, wanted), None)
            case Strategy.SPARSE:
                widest_first = reversed(list(self._free.lengths_between(0, wanted)))
                return next(self._lowest_of_each(widest_first, wanted), None)
            case Strategy.LOWEST:
                return self.lowest(wanted)
            case Strategy.RANDOM:
                return self._random(wanted, Random(seed))  # noqa: S311 - no secret

    def lowest(self, wanted: int) -> Choice | None:
        """The lowest address at which a /``wanted`` fits."""
        lengths = self._free.lengths_between(0, wanted)
        choices = self._lowest_of_each(lengths, wanted)
        return min(choices, key=lambda choice: choice[1], default=None)

    def largest_below(self, wanted: int) -> int | None:
        """The shortest prefix length that can be had, knowing that ``wanted`` can't."""
        longer = range(wanted + 1, self._free.family.bits + 1)
        # Whoever finds a block also finds one half its size, so the lengths are in order.
        index = bisect_left(
            longer, True, key=lambda length: self.choose(length, Strategy.BEST_FIT) is not None
        )
        return longer[index] if index < len(longer) else None

    def _lowest_of_each(self, lengths: Iterable[int], wanted: int) -> Iterator[Choice]:
        """The lowest place in free blocks of each of these prefix lengths."""
        for around in lengths:
            if (first := min(self._lowest_by_block(around, wanted), default=None)) is not None:
                yield around, first

    def _random(self, wanted: int, random: Random) -> Choice | None:
        """Each place is equally likely, but for those next above what is disallowed."""
        runs = list(self._free_runs(wanted))
        places = sum(count for _, _, count in runs)
        if not places:
            return None
        first = self._place(runs, random.randrange(places), wanted)
        place = Cidr(self._free.family, first, wanted)
        if not overlapping(self._avoided, place):
            return self._around(place), first
        return self._from(first).lowest(wanted) or self.lowest(wanted)

    def _place(self, runs: Sequence[_Run], number: int, wanted: int) -> int:
        """First address of one of the places in ``runs``, counted from 0."""
        size = 1 << (self._free.family.bits - wanted)
        for around, begin, count in runs:
            if number >= count:
                number -= count
            elif around is None:
                return begin + number * size
            else:
                in_each = 1 << (wanted - around)
                starts = self._free.starts[around]
                start: int = starts[starts.bisect_left(begin) + number // in_each]
                return start + number % in_each * size
        raise AssertionError(f"place {number} of {runs}")

    def _around(self, free: Cidr) -> int:
        around = self._free.around(free)
        if around is None:
            raise AssertionError(f"{free} is not free")
        return around

    def _free_runs(self, wanted: int) -> Iterator[_Run]:
        """Where there are places, disallowed or not."""
        for block in self._within:
            if block.prefix_length > wanted:
                continue
            if self._free.around(block) is not None:
                yield None, block.first, 1 << (wanted - block.prefix_length)
                continue
            for around in self._free.lengths_between(block.prefix_length, wanted):
                starts = self._free.starts[around]
                count = starts.bisect_right(block.last) - starts.bisect_left(block.first)
                if count:
                    yield around, block.first, count << (wanted - around)

    def _from(self, first: int) -> "ListedSpace":
        """What of it lies at this address or above."""
        bits = self._free.family.bits
        rest = [
            Cidr(self._free.family, *part)
            for block in self._within
            if block.last >= first
            for part in fewest_blocks(max(first, block.first), block.last + 1, bits)
        ]
        return ListedSpace(self._free, rest, self._avoided)

    def _lowest_by_block(self, around: int, wanted: int) -> Iterator[int]:
        """What free blocks of one prefix length, ``around``, give in each of ``allowed``."""
        for block in self._within:
            if block.prefix_length <= wanted:
                first = self._lowest_inside(block, around, wanted)
                if first is not None:
                    yield first

    def _lowest_inside(self, block: Cidr, around: int, wanted: int) -> int | None:
        free, avoided = self._free, self._avoided
        if around < block.prefix_length:
            is_free = free.around(block) == around
            return lowest_beside(avoided, block, wanted) if is_free else None
        reached = block.first
        starts = free.starts[around]
        while (start := next(starts.irange(reached, block.last), None)) is not None:
            cidr = Cidr(free.family, start, around)
            if (first := lowest_beside(avoided, cidr, wanted)) is not None:
                return first
            # In one step past all the free blocks that the same wide block shuts out.
            reached = overlapping(avoided, cidr)[-1].last + 1
        return None
