"""What a pool may still place, where some of its space is blocked (BEY-3, BEY-9)."""

from collections.abc import Set as AbstractSet

from services.allocation.blocked_cidrs import BlockedCidrs
from services.allocation.free_space import FreeSpace
from shared.cidr import Cidr


class PlaceableSpace:
    """``left`` is what is left of a pool, less the CIDRs that are blocked.

    These may overlap each other, allocations and the pool's CIDRs in any way, or lie outside. The
    pool's own space knows nothing of them, so that the books count allocations alone. What happens
    to it must be repeated here, before or after, by the methods named as its own are.

    To begin costs a copy of the pool's space. From then on, a call costs what it does there, times
    the number of pieces into which blocked and free blocks cut the CIDR at hand.
    """

    def __init__(self, space: FreeSpace) -> None:
        self._space = space
        self._blocked = BlockedCidrs(space.family)
        self._known: AbstractSet[Cidr] = frozenset()
        self.left = space.copy()

    def block(self, cidrs: AbstractSet[Cidr]) -> None:
        """Place nothing in these, and nowhere else is anything blocked from now on."""
        for cidr in self._known - cidrs:
            self._unblock(cidr)
        for cidr in cidrs - self._known:
            self._blocked.add(cidr)
            self.take(cidr)
        self._known = cidrs

    def take(self, cidr: Cidr) -> None:
        # What is blocked of it is not left anyway.
        for part in self.left.free_parts(cidr):
            self.left.take(part)

    def give_back(self, cidr: Cidr) -> None:
        for part in self._blocked.parts_beside(cidr):
            self.left.give_back(part)

    def add_root(self, cidr: Cidr) -> None:
        self.left.add_root(cidr)
        for part in self._blocked.parts_of(cidr):
            self.left.take(part)

    def remove_root(self, cidr: Cidr) -> None:
        # A root must be wholly free to go, and all that is not free of this one is blocked.
        for part in self._blocked.parts_of(cidr):
            self.left.give_back(part)
        self.left.remove_root(cidr)

    def _unblock(self, cidr: Cidr) -> None:
        self._blocked.remove(cidr)
        for part in self._blocked.parts_beside(cidr):
            for free in self._space.free_parts(part):
                self.left.give_back(free)
