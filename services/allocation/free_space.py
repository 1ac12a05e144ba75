"""What is left of a pool: buddy blocks, split on allocate, coalesced on release.

Blocks are plain numbers in here, a first address and a prefix length, because every allocation
passes through; `Cidr` is how they come in and go out.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

from sortedcontainers import SortedDict, SortedList

from services.allocation.block_codec import Block, blocks_from_bytes, blocks_to_bytes
from shared.cidr import AddressFamily, Cidr


class NoFit(Exception):
    """No free block can give what is wanted.

    ``largest_free`` is the prefix length of the largest block that the same request could have
    had, None when not even a single address is eligible.
    """

    def __init__(self, wanted: int, largest_free: int | None) -> None:
        largest = "nothing" if largest_free is None else f"/{largest_free}"
        super().__init__(f"no /{wanted} is free; the largest free block is {largest}")
        self.wanted = wanted
        self.largest_free = largest_free


class NotFree(Exception):
    """Part of the block is taken or outside every root."""

    def __init__(self, cidr: Cidr) -> None:
        super().__init__(f"{cidr} is not wholly free")
        self.cidr = cidr


class NotHeld(ValueError):
    """Part of a block given back is free or outside every root: a bug in the caller."""


class FreeSpace:
    """What is left of a pool's CIDRs, held as the fewest blocks that cover it.

    A new block comes out of the smallest free block that can give it, the lowest of these. The
    time of a call depends on the length of an address and the logarithm of the number of free
    blocks, memory on the number of free blocks; neither depends on how much is taken. A call that
    raises changes nothing.
    """

    def __init__(self, family: AddressFamily) -> None:
        self._family = family
        self._bits = family.bits
        # First address to prefix length; no two roots overlap, nor do two free blocks.
        self._roots: SortedDict[int, int] = SortedDict()
        self._free: dict[int, int] = {}
        # The free blocks again, for the order of choice: first addresses by prefix length.
        self._starts: defaultdict[int, SortedList[int]] = defaultdict(SortedList)
        # Bit n is set while a /n is free, so that the tightest length is found in one step.
        self._lengths = 0
        self._free_addresses = 0

    @classmethod
    def rebuilt(
        cls, family: AddressFamily, roots: Iterable[Cidr], held: Iterable[Block]
    ) -> "FreeSpace":
        """What is left of ``roots`` once every block of ``held`` is taken, in one pass.

        Quickest when ``held``, first addresses and prefix lengths, is in order.

        Raises:
            ValueError: roots overlap, held blocks overlap, or a held block is outside every root.
        """
        space = cls(family)
        for root in roots:
            space._note_root(root)
        space._free.update(_gaps(space._bits, space._roots, sorted(held)))
        space._index_free_blocks()
        return space

    @classmethod
    def loaded(cls, family: AddressFamily, content: bytes) -> "FreeSpace":
        """What `dump` wrote.

        Raises:
            ValueError: it is not what any space of this family dumps.
        """
        space = cls(family)
        roots, free = blocks_from_bytes(content, family)
        for root in roots:
            space._note_root(Cidr(family, *root))
        space._free.update(free)
        space._check_free_blocks()
        space._index_free_blocks()
        return space

    def dump(self) -> bytes:
        """The roots and the free blocks, for `loaded`."""
        return blocks_to_bytes([self._roots.items(), sorted(self._free.items())], self._family)

    @property
    def roots(self) -> tuple[Cidr, ...]:
        """The CIDRs added, in order of address."""
        return tuple(Cidr(self._family, *root) for root in self._roots.items())

    def add_root(self, cidr: Cidr) -> None:
        """Add a CIDR, wholly free. It never merges with a neighbour: each is removed as it came.

        Raises:
            ValueError: it overlaps a root, or is of the other family.
        """
        self._note_root(cidr)
        self._add(cidr.first, cidr.prefix_length)
        self._free_addresses += cidr.size

    def remove_root(self, cidr: Cidr) -> None:
        """Remove a CIDR that was added and is wholly free.

        Raises:
            ValueError: it is no root, or part of it is taken.
        """
        if cidr.family is not self._family or self._roots.get(cidr.first) != cidr.prefix_length:
            raise ValueError(f"{cidr} is no root")
        if self._free.get(cidr.first) != cidr.prefix_length:
            raise ValueError(f"part of {cidr} is taken")
        del self._roots[cidr.first]
        self._remove(cidr.first, cidr.prefix_length)
        self._free_addresses -= cidr.size

    def find(
        self,
        prefix_length: int,
        *,
        allowed: Sequence[Cidr] | None = None,
        disallowed: Sequence[Cidr] = (),
    ) -> Cidr:
        """The block that `take_next` would take.

        Raises:
            NoFit: no free block can give it.
        """
        _, first = self._choose(prefix_length, allowed, disallowed)
        return Cidr(self._family, first, prefix_length)

    def take(self, cidr: Cidr) -> None:
        """Take exactly this block.

        Raises:
            NotFree: part of it is taken or outside every root.
        """
        around = self._free_around(cidr)
        if around is None:
            raise NotFree(cidr)
        self._cut(around, cidr.first, cidr.prefix_length)

    def take_next(
        self,
        prefix_length: int,
        *,
        allowed: Sequence[Cidr] | None = None,
        disallowed: Sequence[Cidr] = (),
    ) -> Cidr:
        """Take a block that lies inside one of ``allowed`` and overlaps none of ``disallowed``.

        Raises:
            NoFit: no free block can give it.
        """
        around, first = self._choose(prefix_length, allowed, disallowed)
        self._cut(around, first, prefix_length)
        return Cidr(self._family, first, prefix_length)

    def give_back(self, cidr: Cidr) -> None:
        """Free a taken block, or a part of one, and merge it with each buddy that is free too.

        Raises:
            NotHeld: part of it is free or outside every root.
        """
        root = self._root_around(cidr)
        if root is None or self.is_free(cidr) or self._has_free_inside(cidr):
            raise NotHeld(f"{cidr} is not wholly taken")
        first, prefix_length = cidr.first, cidr.prefix_length
        self._free_addresses += cidr.size
        while prefix_length > root:
            size = 1 << (self._bits - prefix_length)
            if self._free.get(first ^ size) != prefix_length:
                break
            self._remove(first ^ size, prefix_length)
            first &= ~size
            prefix_length -= 1
        self._add(first, prefix_length)

    def is_free(self, cidr: Cidr) -> bool:
        """Every address of ``cidr`` is free, and in one root."""
        return self._free_around(cidr) is not None

    @property
    def largest_free(self) -> int | None:
        """Prefix length of the largest free block, None when nothing is free."""
        return (self._lengths & -self._lengths).bit_length() - 1 if self._lengths else None

    @property
    def free_addresses(self) -> int:
        """Number of addresses that can still be taken."""
        return self._free_addresses

    @property
    def total_addresses(self) -> int:
        """Number of addresses in all roots."""
        return sum(1 << (self._bits - prefix_length) for prefix_length in self._roots.values())

    def __iter__(self) -> Iterator[Cidr]:
        """The free blocks in order of address."""
        return (Cidr(self._family, *block) for block in sorted(self._free.items()))

    def _choose(
        self, wanted: int, allowed: Sequence[Cidr] | None, disallowed: Sequence[Cidr]
    ) -> tuple[int, int]:
        """Prefix length of the free block to cut, and first address of the block to cut out."""
        if allowed is None and not disallowed:
            choice = self._lowest_of_tightest(wanted)
        else:
            choice = self._choose_among(wanted, allowed, disallowed)
        if choice is None:
            raise NoFit(wanted, self._largest_free_among(wanted, allowed, disallowed))
        return choice

    def _lowest_of_tightest(self, wanted: int) -> tuple[int, int] | None:
        fitting = self._lengths & ((2 << wanted) - 1)
        if not fitting:
            return None
        prefix_length = fitting.bit_length() - 1
        return prefix_length, self._starts[prefix_length][0]

    def _choose_among(
        self, wanted: int, allowed: Sequence[Cidr] | None, disallowed: Sequence[Cidr]
    ) -> tuple[int, int] | None:
        everywhere = [Cidr(self._family, 0, 0)]
        within = self._widest(everywhere if allowed is None else allowed)
        avoided = self._widest(disallowed)
        for around in self._lengths_between(0, wanted):
            choices = (
                self._lowest_inside(block, around, wanted, avoided)
                for block in within
                if block.prefix_length <= wanted
            )
            if (first := min((c for c in choices if c is not None), default=None)) is not None:
                return around, first
        return None

    def _widest(self, cidrs: Iterable[Cidr]) -> list[Cidr]:
        """Those of this family that lie in no other, in order of address."""
        widest: list[Cidr] = []
        for cidr in sorted(cidr for cidr in cidrs if cidr.family is self._family):
            if not (widest and widest[-1].contains(cidr)):
                widest.append(cidr)
        return widest

    def _lowest_inside(
        self, block: Cidr, around: int, wanted: int, avoided: Sequence[Cidr]
    ) -> int | None:
        """First address of what free blocks of one prefix length, ``around``, give in ``block``."""
        if around < block.prefix_length:
            is_free = self._free_around(block) == around
            return _lowest_beside(avoided, block, wanted) if is_free else None
        reached = block.first
        starts = self._starts[around]
        while (start := next(starts.irange(reached, block.last), None)) is not None:
            free = Cidr(self._family, start, around)
            if (first := _lowest_beside(avoided, free, wanted)) is not None:
                return first
            # In one step past all the free blocks that the same wide block shuts out.
            reached = _overlapping(avoided, free)[-1].last + 1
        return None

    def _largest_free_among(
        self, wanted: int, allowed: Sequence[Cidr] | None, disallowed: Sequence[Cidr]
    ) -> int | None:
        """The shortest prefix length that can be had, knowing that ``wanted`` can't."""
        if allowed is None and not disallowed:
            return self.largest_free
        longer = range(wanted + 1, self._bits + 1)
        # Whoever finds a block also finds one half its size, so the lengths are in order.
        index = bisect_left(
            longer,
            True,
            key=lambda length: self._choose_among(length, allowed, disallowed) is not None,
        )
        return longer[index] if index < len(longer) else None

    def _lengths_between(self, shortest: int, longest: int) -> Iterator[int]:
        """The prefix lengths of free blocks, longest first."""
        lengths = (self._lengths & ((2 << longest) - 1)) >> shortest
        while lengths:
            above = lengths.bit_length() - 1
            yield shortest + above
            lengths ^= 1 << above

    def _free_around(self, cidr: Cidr) -> int | None:
        """Prefix length of the free block that holds all of ``cidr``."""
        return _around(self._free, cidr) if cidr.family is self._family else None

    def _root_around(self, cidr: Cidr) -> int | None:
        return _around(self._roots, cidr) if cidr.family is self._family else None

    def _has_free_inside(self, cidr: Cidr) -> bool:
        return any(
            next(self._starts[prefix_length].irange(cidr.first, cidr.last), None) is not None
            for prefix_length in self._lengths_between(cidr.prefix_length, self._bits)
        )

    def _index_free_blocks(self) -> None:
        starts = defaultdict(list)
        for first, prefix_length in self._free.items():
            starts[prefix_length].append(first)
        for prefix_length, firsts in starts.items():
            self._starts[prefix_length].update(firsts)
            self._lengths |= 1 << prefix_length
            self._free_addresses += len(firsts) << (self._bits - prefix_length)

    def _check_free_blocks(self) -> None:
        """They are in order: each lies in a root, after the one before, and has no free buddy.

        Raises:
            ValueError: they don't.
        """
        roots = iter(self._roots.items())
        begin = end = reached = root_length = 0
        for first, prefix_length in self._free.items():
            size = 1 << (self._bits - prefix_length)
            while first >= end:
                begin, root_length = next(roots, (1 << self._bits, 0))
                end = begin + (1 << (self._bits - root_length))
            is_inside = max(begin, reached) <= first and first + size <= end
            is_merged = (
                prefix_length == root_length or self._free.get(first ^ size) != prefix_length
            )
            if not is_inside or not is_merged or first & (size - 1):
                raise ValueError(f"{first:#x}/{prefix_length} is no free block of these roots")
            reached = first + size

    def _note_root(self, cidr: Cidr) -> None:
        if cidr.family is not self._family:
            raise ValueError(f"{cidr} is not {self._family.value}")
        inside = self._roots.irange(cidr.first, cidr.last)
        if self._root_around(cidr) is not None or next(inside, None) is not None:
            raise ValueError(f"{cidr} overlaps a root")
        self._roots[cidr.first] = cidr.prefix_length

    def _cut(self, around: int, first: int, prefix_length: int) -> None:
        """Take a block out of the free one of prefix length ``around`` that holds it."""
        self._remove(first & -(1 << (self._bits - around)), around)
        # What stays free is the buddy at each step down.
        for longer in range(around + 1, prefix_length + 1):
            size = 1 << (self._bits - longer)
            self._add((first & -size) ^ size, longer)
        self._free_addresses -= 1 << (self._bits - prefix_length)

    def _add(self, first: int, prefix_length: int) -> None:
        self._free[first] = prefix_length
        self._starts[prefix_length].add(first)
        self._lengths |= 1 << prefix_length

    def _remove(self, first: int, prefix_length: int) -> None:
        del self._free[first]
        starts = self._starts[prefix_length]
        starts.remove(first)
        if not starts:
            self._lengths ^= 1 << prefix_length


def _around(blocks: Mapping[int, int], cidr: Cidr) -> int | None:
    """Prefix length of the one of ``blocks``, which are disjoint, that holds all of ``cidr``."""
    # It begins where ``cidr`` does, less some of the lowest bits that are set there. The first
    # block on the way decides: one further down could only hold ``cidr`` by overlapping it.
    first = cidr.first
    while (prefix_length := blocks.get(first)) is None and first:
        first &= first - 1
    if prefix_length is None or prefix_length > cidr.prefix_length:
        return None
    is_inside = (first ^ cidr.first) >> (cidr.family.bits - prefix_length) == 0
    return prefix_length if is_inside else None


def _gaps(bits: int, roots: Mapping[int, int], held: Sequence[Block]) -> Iterator[Block]:
    """The free blocks that ``held`` leaves of ``roots``, both in order of address."""
    number = 0
    for first, prefix_length in roots.items():
        reached, end = first, first + (1 << (bits - prefix_length))
        while number < len(held) and held[number][0] < end:
            block, length = held[number]
            number += 1
            if block > reached:
                yield from fewest_blocks(reached, block, bits)
            elif block < reached:
                raise ValueError(f"{block:#x}/{length} overlaps another or is outside every root")
            if length > bits:
                raise ValueError(f"a prefix length of {length} is not one of {bits} bits")
            reached = block + (1 << (bits - length))
        if reached > end:
            raise ValueError(f"a held block reaches outside the root {first:#x}/{prefix_length}")
        yield from fewest_blocks(reached, end, bits)
    if number < len(held):
        raise ValueError(f"{held[number][0]:#x} is outside every root")


def fewest_blocks(first: int, end: int, bits: int) -> Iterator[Block]:
    """First address and prefix length of the blocks that make up the addresses before ``end``."""
    while first < end:
        aligned = first & -first or 1 << bits
        size = min(aligned, 1 << ((end - first).bit_length() - 1))
        yield first, bits + 1 - size.bit_length()
        first += size


def _lowest_beside(avoided: Sequence[Cidr], block: Cidr, wanted: int) -> int | None:
    """First address of the lowest /``wanted`` in ``block`` that overlaps no ``avoided``."""
    overlapping = _overlapping(avoided, block)
    if not overlapping:
        return block.first
    if block.prefix_length == wanted or overlapping[0].contains(block):
        return None
    for half in block.halves:
        if (first := _lowest_beside(overlapping, half, wanted)) is not None:
            return first
    return None


def _overlapping(blocks: Sequence[Cidr], cidr: Cidr) -> Sequence[Cidr]:
    """Those that share addresses with ``cidr``, of blocks disjoint and in order of address."""
    begin = bisect_left(blocks, cidr.first, key=attrgetter("last"))
    return blocks[begin : bisect_right(blocks, cidr.last, key=attrgetter("first"))]
