"""The ledger as anybody would first write it: sets of blocks, looked through every time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.cidr import AddressFamily, Cidr


@dataclass
class ModelPool:
    """What a pool has and what was given away of it."""

    source: str | None
    roots: set[Cidr] = field(default_factory=set)
    held: dict[str, Cidr] = field(default_factory=dict)
    """By allocation id, of children too."""
    resources: dict[str, str] = field(default_factory=dict)
    """Of those in `held` that were taken in, by allocation id."""
    holds: dict[Cidr, tuple[str, datetime]] = field(default_factory=dict)
    """Ids, and when they expire."""
    cooling_down: dict[Cidr, datetime] = field(default_factory=dict)
    excluded: set[Cidr] = field(default_factory=set)
    avoids_observed: bool = True
    cool_down: timedelta = timedelta()

    def pass_time(self, now: datetime) -> None:
        self.holds = {k: v for k, v in self.holds.items() if v[1] > now}
        self.cooling_down = {k: v for k, v in self.cooling_down.items() if v > now}

    def can_take_in(self, cidr: Cidr) -> bool:
        """Nobody has it or holds it."""
        inside = any(root.contains(cidr) for root in self.roots)
        not_free = (*self.held.values(), *self.holds, *self.cooling_down)
        return inside and not any(cidr.overlaps(other) for other in not_free)

    def is_free(self, cidr: Cidr) -> bool:
        """And it is not excluded."""
        return self.can_take_in(cidr) and not any(cidr.overlaps(o) for o in self.excluded)

    def allocation_of(self, resource_id: str, cidr: Cidr) -> str | None:
        """What was taken in of a resource as exactly this."""
        found = (k for k, v in self.resources.items() if v == resource_id and self.held[k] == cidr)
        return next(found, None)

    def can_give(self, cidr: Cidr, observed: set[Cidr]) -> bool:
        """Whoever may ask, without naming it as its holder."""
        seen = any(cidr.overlaps(other) for other in observed) and self.avoids_observed
        return self.is_free(cidr) and not seen

    def has_place(self, netmask_length: int, observed: set[Cidr]) -> bool:
        return any(
            self.can_give(block, observed)
            for root in self.roots
            for block in blocks(root, netmask_length)
        )

    def is_unused(self, root: Cidr) -> bool:
        return not any(root.overlaps(other) for other in (*self.held.values(), *self.holds))

    def give_back(self, cidr: Cidr, now: datetime) -> None:
        self.held = {k: v for k, v in self.held.items() if v != cidr}
        self.resources = {k: v for k, v in self.resources.items() if k in self.held}
        if self.cool_down:
            self.cooling_down[cidr] = now + self.cool_down

    def free_blocks(self) -> list[Cidr]:
        """The fewest that cover what nobody has or holds; no two CIDRs share one."""
        found, left = [], list(self.roots)
        while left:
            block = left.pop()
            if self.can_take_in(block):
                found.append(block)
            elif block.prefix_length < AddressFamily.IPV4.bits:
                left += block.halves
        return found

    @property
    def addresses(self) -> tuple[int, int]:
        """In all its CIDRs, and in what is held of them."""
        return sum(r.size for r in self.roots), sum(h.size for h in self.held.values())


def blocks(root: Cidr, netmask_length: int) -> Iterator[Cidr]:
    """All blocks of a length in ``root``."""
    size = 1 << (32 - netmask_length)
    for first in range(root.first, root.last + 1, size):
        if netmask_length >= root.prefix_length:
            yield Cidr(AddressFamily.IPV4, first, netmask_length)
