"""Free space as anyone would first write it: a set of addresses, looked through every time."""

from collections.abc import Iterable, Iterator, Sequence

from services.allocation.placement import Strategy
from shared.cidr import Cidr

_WIDER_LATER = {Strategy.BEST_FIT: -1, Strategy.LOWEST: 0, Strategy.SPARSE: 1}
"""The sign by which a strategy goes by the free blocks' prefix lengths."""


class NaiveFreeSpace:
    """The rules of `FreeSpace`, to compare with, for spaces of a few hundred addresses.

    ``universe`` holds every block that can ever be free or asked for.
    """

    def __init__(self, universe: Cidr) -> None:
        self._universe = universe
        self.roots: list[Cidr] = []
        self.free: set[int] = set()

    def add_root(self, cidr: Cidr) -> None:
        self.roots.append(cidr)
        self.free |= addresses(cidr)

    def remove_root(self, cidr: Cidr) -> None:
        self.roots.remove(cidr)
        self.free -= addresses(cidr)

    def is_free(self, cidr: Cidr) -> bool:
        return addresses(cidr) <= self.free and any(root.contains(cidr) for root in self.roots)

    def is_held(self, cidr: Cidr) -> bool:
        in_root = any(root.contains(cidr) for root in self.roots)
        return in_root and self.free.isdisjoint(addresses(cidr))

    def blocks(self) -> list[Cidr]:
        """The free blocks that are no part of a wider free block, in order of address."""
        free = [cidr for cidr in sub_blocks(self._universe) if self.is_free(cidr)]
        return sorted(
            cidr
            for cidr in free
            if cidr.prefix_length == self._universe.prefix_length or cidr.parent not in free
        )

    def find(
        self,
        prefix_length: int,
        allowed: Sequence[Cidr] | None,
        disallowed: Iterable[Cidr],
        strategy: Strategy = Strategy.BEST_FIT,
    ) -> Cidr | None:
        """What a strategy that leaves nothing to chance chooses."""
        weight = _WIDER_LATER[strategy]
        choices = [
            (weight * block.prefix_length, cidr.first, cidr)
            for block, cidr in self.places(prefix_length, allowed, disallowed)
        ]
        return min(choices)[-1] if choices else None

    def places(
        self, prefix_length: int, allowed: Sequence[Cidr] | None, disallowed: Iterable[Cidr]
    ) -> Iterator[tuple[Cidr, Cidr]]:
        """All that could be chosen, each with the free block around it."""
        shut_out = {address for cidr in disallowed for address in addresses(cidr)}
        for block in self.blocks():
            for cidr in sub_blocks(block):
                if (
                    cidr.prefix_length == prefix_length
                    and shut_out.isdisjoint(addresses(cidr))
                    and (allowed is None or any(other.contains(cidr) for other in allowed))
                ):
                    yield block, cidr

    def largest(self, allowed: Sequence[Cidr] | None, disallowed: Iterable[Cidr]) -> int | None:
        shortest = self._universe.prefix_length
        lengths = range(shortest, self._universe.family.bits + 1)
        found = (n for n in lengths if self.find(n, allowed, disallowed) is not None)
        return next(found, None)


def addresses(cidr: Cidr) -> set[int]:
    return set(range(cidr.first, cidr.last + 1))


def sub_blocks(cidr: Cidr) -> Iterator[Cidr]:
    """The block itself and every smaller one inside."""
    yield cidr
    if cidr.size > 1:
        for half in cidr.halves:
            yield from sub_blocks(half)
