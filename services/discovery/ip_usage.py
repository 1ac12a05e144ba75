"""Which share of a block is used (DISC-5)."""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from shared.cidr import AddressFamily, Cidr


class Coverage:
    """Blocks of one family, looked at as the set of addresses they hold: none counts twice."""

    def __init__(self, family: AddressFamily, blocks: Iterable[Cidr]) -> None:
        """Takes those of ``blocks`` that are of ``family``; n log n of them."""
        self._family = family
        outermost: list[tuple[int, int]] = []
        for first, last in sorted((b.first, b.last) for b in blocks if b.family is family):
            # Blocks nest or are disjoint, and of equal firsts a later one is as wide or wider.
            if outermost and outermost[-1][0] == first:
                outermost.pop()
            if not outermost or outermost[-1][1] < last:
                outermost.append((first, last))
        self._firsts = [first for first, _ in outermost]
        self._lasts = [last for _, last in outermost]
        self._held_before = list(
            accumulate((last - first + 1 for first, last in outermost), initial=0)
        )

    def share_of(self, cidr: Cidr) -> float:
        """How much of ``cidr`` is held, 0 to 1; by bisection."""
        if cidr.family is not self._family:
            return 0.0
        return (self._held_up_to(cidr.last) - self._held_up_to(cidr.first - 1)) / cidr.size

    def _held_up_to(self, address: int) -> int:
        """Held addresses that are not above ``address``."""
        place = bisect_right(self._firsts, address)
        if not place:
            return 0
        beyond = max(0, self._lasts[place - 1] - address)
        return self._held_before[place] - beyond
