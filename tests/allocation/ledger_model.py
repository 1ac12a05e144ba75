"""The ledger as anybody would first write it: sets of blocks, looked through every time."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.cidr import AddressFamily, Cidr


@dataclass
class ModelPool:
    """What a pool has and what was given away of it."""

    source: str | None
    roots: set[Cidr] = field(default_factory=set)
    held: dict[str, Cidr] = field(default_factory=dict)
    """By allocation id, of children too."""

    def is_free(self, cidr: Cidr) -> bool:
        inside = any(root.contains(cidr) for root in self.roots)
        return inside and not any(cidr.overlaps(held) for held in self.held.values())

    def has_free(self, netmask_length: int) -> bool:
        return any(
            self.is_free(block) for root in self.roots for block in blocks(root, netmask_length)
        )

    def is_unused(self, root: Cidr) -> bool:
        return not any(root.overlaps(held) for held in self.held.values())

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
