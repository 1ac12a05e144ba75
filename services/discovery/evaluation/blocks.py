"""Blocks as plain numbers, and what is filed under them: quick where there are a million."""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable
from itertools import accumulate
from typing import Generic, Protocol, TypeVar

from shared.cidr import AddressFamily, Cidr

G = TypeVar("G", bound=Hashable)
V = TypeVar("V")


class HasCidr(Protocol):
    """A resource with one of its CIDRs, whoever tells of it."""

    @property
    def region(self) -> str: ...
    @property
    def resource_id(self) -> str: ...
    @property
    def cidr(self) -> Cidr: ...


class OwnsCidr(HasCidr, Protocol):
    """With whose it is."""

    @property
    def owner_id(self) -> str: ...


NamedBlock = tuple[str, str, int]
"""Region and id of a resource and `block_number` of its CIDR: several owners may name it so."""
ResourceBlock = tuple[str, str, str, int]
"""Owner, and a `NamedBlock`: what tells a resource's CIDR from all others."""


def resource_block(holder: OwnsCidr) -> ResourceBlock:
    """A quick key."""
    return (holder.owner_id, *named_block(holder))


def named_block(holder: HasCidr) -> NamedBlock:
    """A quick key."""
    cidr = holder.cidr
    return (
        holder.region,
        holder.resource_id,
        block_number(cidr.family, cidr.first, cidr.prefix_length),
    )


def block_number(family: AddressFamily, first: int, prefix_length: int) -> int:
    """A number that only this block has; it hashes far quicker than a `Cidr`."""
    return first << 9 | prefix_length << 1 | (family is AddressFamily.IPV6)


class HoldingBlocks(Generic[G, V]):
    """Values filed under blocks, group by group, and found by what their blocks hold."""

    def __init__(self) -> None:
        self._values: dict[tuple[G, int], V] = {}
        self._lengths: dict[tuple[G, AddressFamily], list[int]] = {}

    def file(self, group: G, cidr: Cidr, value: V) -> None:
        """What was filed under this block of the group before is gone."""
        self._values[group, block_number(cidr.family, cidr.first, cidr.prefix_length)] = value
        lengths = self._lengths.setdefault((group, cidr.family), [])
        if cidr.prefix_length not in lengths:
            lengths.append(cidr.prefix_length)
            lengths.sort(reverse=True)

    def narrowest(self, group: G, cidr: Cidr) -> V | None:
        """Filed under the narrowest block that holds ``cidr``; a look-up per length there is."""
        family, first = cidr.family, cidr.first
        for length in self._lengths.get((group, family), ()):
            if length > cidr.prefix_length:
                continue
            spare = family.bits - length
            value = self._values.get((group, block_number(family, first >> spare << spare, length)))
            if value is not None:
                return value
        return None


class BlockSet:
    """Blocks of one family, asked for those that share addresses with another."""

    def __init__(self, blocks: Iterable[Cidr]) -> None:
        ordered = sorted({(block.first, block.prefix_length, block.last) for block in blocks})
        self._places = [(first, length) for first, length, _ in ordered]
        self._firsts = [first for first, _, _ in ordered]
        self._furthest = list(accumulate((last for _, _, last in ordered), max))

    def overlaps(self, cidr: Cidr) -> bool:
        """Some block shares an address with ``cidr``."""
        place = bisect_right(self._firsts, cidr.last)
        return place > 0 and self._furthest[place - 1] >= cidr.first

    def first_inside(self, cidr: Cidr) -> tuple[int, int] | None:
        """First address and length of the first block inside ``cidr``, narrower than it."""
        place = bisect_left(self._places, (cidr.first, cidr.prefix_length + 1))
        if place < len(self._places) and self._firsts[place] <= cidr.last:
            return self._places[place]
        return None
