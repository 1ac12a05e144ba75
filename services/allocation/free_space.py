"""What is left of a pool: buddy blocks, split on allocate, coalesced on release."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sortedcontainers import SortedDict

from services.allocation.block_arithmetic import block_around, gaps
from services.allocation.block_codec import Block, blocks_from_bytes, blocks_to_bytes
from services.allocation.choosing import Choice, ListedSpace, choose
from services.allocation.free_blocks import FreeBlocks
from services.allocation.placement import Strategy
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

    A new block comes out of the smallest free block that can give it, the lowest of these, unless
    another strategy is given. The time of a call depends on the length of an address and the
    logarithm of the number of free blocks, memory on the number of free blocks; neither depends on
    how much is taken. A call that raises changes nothing.
    """

    def __init__(self, family: AddressFamily) -> None:
        self._family = family
        self._bits = family.bits
        # First address to prefix length; no two overlap.
        self._roots: SortedDict[int, int] = SortedDict()
        self._free = FreeBlocks(family)
        self._free_addresses = 0

    @classmethod
    def rebuilt(
        cls, family: AddressFamily, roots: Iterable[Cidr], held: Iterable[Block]
    ) -> "FreeSpace":
        """What is left of ``roots`` once every block of ``held`` is taken, in one pass.

        ``held`` has first addresses and prefix lengths in order of address, and need not be a list:
        there may be a million.

        Raises:
            ValueError: roots overlap, held blocks overlap or are not in order, or one is outside
                every root.
        """
        space = cls(family)
        for root in roots:
            space._note_root(root)
        space._fill(gaps(space._bits, space._roots, held))
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
        space._check_free_blocks(dict(free))
        space._fill(free)
        return space

    def copy(self) -> "FreeSpace":
        """The same roots and free blocks, to go ways of their own."""
        twin = FreeSpace(self._family)
        twin._roots = self._roots.copy()
        twin._free = self._free.copy()
        twin._free_addresses = self._free_addresses
        return twin

    def dump(self) -> bytes:
        """The roots and the free blocks, for `loaded`."""
        return blocks_to_bytes([self._roots.items(), self._free], self._family)

    @property
    def family(self) -> AddressFamily:
        """The family of every address in here."""
        return self._family

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
        self._free.add(cidr.first, cidr.prefix_length)
        self._free_addresses += cidr.size

    def remove_root(self, cidr: Cidr) -> None:
        """Remove a CIDR that was added and is wholly free.

        Raises:
            ValueError: it is no root, or part of it is taken.
        """
        if cidr.family is not self._family or self._roots.get(cidr.first) != cidr.prefix_length:
            raise ValueError(f"{cidr} is no root")
        if self._free.prefix_lengths.get(cidr.first) != cidr.prefix_length:
            raise ValueError(f"part of {cidr} is taken")
        del self._roots[cidr.first]
        self._free.remove(cidr.first, cidr.prefix_length)
        self._free_addresses -= cidr.size

    def find(
        self,
        prefix_length: int,
        *,
        allowed: Sequence[Cidr] | None = None,
        disallowed: Sequence[Cidr] = (),
        strategy: Strategy = Strategy.BEST_FIT,
        seed: str = "",
    ) -> Cidr:
        """The block that `take_next` would take.

        Raises:
            NoFit: no free block can give it.
        """
        _, first = self._choose(prefix_length, allowed, disallowed, strategy, seed)
        return Cidr(self._family, first, prefix_length)

    def take(self, cidr: Cidr) -> None:
        """Take exactly this block.

        Raises:
            NotFree: part of it is taken or outside every root.
        """
        around = self._free.around(cidr)
        if around is None:
            raise NotFree(cidr)
        self._cut(around, cidr.first, cidr.prefix_length)

    def take_next(
        self,
        prefix_length: int,
        *,
        allowed: Sequence[Cidr] | None = None,
        disallowed: Sequence[Cidr] = (),
        strategy: Strategy = Strategy.BEST_FIT,
        seed: str = "",
    ) -> Cidr:
        """Take a block that lies inside one of ``allowed`` and overlaps none of ``disallowed``.

        ``seed`` decides where `Strategy.RANDOM` has a choice.

        Raises:
            NoFit: no free block can give it.
        """
        around, first = self._choose(prefix_length, allowed, disallowed, strategy, seed)
        self._cut(around, first, prefix_length)
        return Cidr(self._family, first, prefix_length)

    def give_back(self, cidr: Cidr) -> None:
        """Free a taken block, or a part of one, and merge it with each buddy that is free too.

        Raises:
            NotHeld: part of it is free or outside every root.
        """
        root = self._root_around(cidr)
        if root is None or self.is_free(cidr) or any(self._free.inside(cidr)):
            raise NotHeld(f"{cidr} is not wholly taken")
        first, prefix_length = cidr.first, cidr.prefix_length
        self._free_addresses += cidr.size
        while prefix_length > root:
            size = 1 << (self._bits - prefix_length)
            if self._free.prefix_lengths.get(first ^ size) != prefix_length:
                break
            self._free.remove(first ^ size, prefix_length)
            first &= ~size
            prefix_length -= 1
        self._free.add(first, prefix_length)

    def is_free(self, cidr: Cidr) -> bool:
        """Every address of ``cidr`` is free, and in one root."""
        return self._free.around(cidr) is not None

    def free_parts(self, cidr: Cidr) -> list[Cidr]:
        """What is free of ``cidr``, of the same family, as the fewest blocks, in no order."""
        if self.is_free(cidr):
            return [cidr]
        return [Cidr(self._family, *block) for block in self._free.inside(cidr)]

    @property
    def largest_free(self) -> int | None:
        """Prefix length of the largest free block, None when nothing is free."""
        return self._free.largest

    @property
    def block_count(self) -> int:
        """Number of free blocks: what memory goes by."""
        return len(self._free.prefix_lengths)

    @property
    def free_addresses(self) -> int:
        """Number of addresses that can still be taken."""
        return self._free_addresses

    @property
    def total_addresses(self) -> int:
        """Number of addresses in all roots."""
        return sum(1 << (self._bits - prefix_length) for prefix_length in self._roots.values())

    @property
    def block_counts(self) -> dict[int, int]:
        """Number of free blocks by prefix length, widest first; costs the same however many."""
        return self._free.counts

    def block_counts_without(self, cidr: Cidr) -> dict[int, int]:
        """`block_counts` as they would be once ``cidr`` was taken; nothing is taken.

        Raises:
            NotFree: part of it is taken or outside every root.
        """
        around = self._free.around(cidr)
        if around is None:
            raise NotFree(cidr)
        counts = Counter(self.block_counts)
        counts[around] -= 1
        # As in `_cut`: what stays free is the buddy at each step down.
        counts.update(range(around + 1, cidr.prefix_length + 1))
        return {length: count for length, count in sorted(counts.items()) if count}

    def __iter__(self) -> Iterator[Cidr]:
        """The free blocks in order of address."""
        return (Cidr(self._family, *block) for block in self._free)

    def _choose(
        self,
        wanted: int,
        allowed: Sequence[Cidr] | None,
        disallowed: Sequence[Cidr],
        strategy: Strategy,
        seed: str,
    ) -> Choice:
        if allowed is None and not disallowed and strategy is not Strategy.RANDOM:
            choice = choose(self._free, wanted, strategy)
            if choice is None:
                raise NoFit(wanted, self.largest_free)
            return choice
        listed = ListedSpace(self._free, allowed, disallowed)
        choice = listed.choose(wanted, strategy, seed=seed)
        if choice is None:
            raise NoFit(wanted, listed.largest_below(wanted))
        return choice

    def _root_around(self, cidr: Cidr) -> int | None:
        return block_around(self._roots, cidr) if cidr.family is self._family else None

    def _fill(self, free: Iterable[Block]) -> None:
        self._free = FreeBlocks(self._family, free)
        self._free_addresses = self._free.addresses

    def _check_free_blocks(self, free: Mapping[int, int]) -> None:
        """They are in order: each lies in a root, after the one before, and has no free buddy.

        Raises:
            ValueError: they don't.
        """
        roots = iter(self._roots.items())
        begin = end = reached = root_length = 0
        for first, prefix_length in free.items():
            size = 1 << (self._bits - prefix_length)
            while first >= end:
                begin, root_length = next(roots, (1 << self._bits, 0))
                end = begin + (1 << (self._bits - root_length))
            is_inside = max(begin, reached) <= first and first + size <= end
            is_merged = prefix_length == root_length or free.get(first ^ size) != prefix_length
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
        self._free.remove(first & -(1 << (self._bits - around)), around)
        # What stays free is the buddy at each step down.
        for longer in range(around + 1, prefix_length + 1):
            size = 1 << (self._bits - longer)
            self._free.add((first & -size) ^ size, longer)
        self._free_addresses -= 1 << (self._bits - prefix_length)
