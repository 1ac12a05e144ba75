"""One pass over a pool's allocations, in order of address, without holding them."""

from collections.abc import Iterable, Iterator, Sequence, Set

from services.allocation.audit.finding import Finding, FindingKind
from services.allocation.audit.pool_cidrs import malformed
from services.allocation.audit.records import (
    AllocationRow,
    CidrRecord,
    Holding,
    PoolRecord,
    Range,
    cidr_at,
    holding_of,
    is_block,
    widest,
)
from services.allocation.block_arithmetic import fewest_blocks
from services.allocation.pool import Usage
from shared.cidr import Cidr

ChildBlock = tuple[str, int, int]
"""Pool id, first and last address of a CIDR that a child pool has."""

GIVEN_BACK = "the allocation is given back"
COUNTED_AGAIN = "the records are counted again"
FORGOTTEN = "the free blocks are forgotten, and made of the allocations"


class AllocationScan:
    """What is wrong with a pool's allocations, and what they add up to.

    Rows are judged one by one, against the CIDRs and the row before that reaches furthest.
    """

    def __init__(
        self,
        pool: PoolRecord,
        cidrs: Sequence[CidrRecord],
        child_blocks: Set[ChildBlock],
        kept: Iterable[Cidr] | None = None,
    ) -> None:
        """``kept`` is the free blocks kept for a quick start, in order of address."""
        blocks = [found.block for found in cidrs if found.is_provisioned and found.block.is_block]
        blocks.sort(key=lambda block: (block.first, -block.last))
        self._pool, self._child_blocks = pool, child_blocks
        self._roots = list(widest(iter(blocks)))
        self._root = 0
        self._leftover = Leftover(self._roots, kept) if kept is not None else None
        self._furthest: tuple[int, str, Range] = (-1, "", Range(0, 0, 0))
        self._is_readable = len(self._roots) == len(cidrs) - _gone(cidrs)
        self._allocated = self._assigned = self._count = 0
        self._total, self._cidr_count = (
            sum(block.size for block in blocks),
            len(cidrs) - _gone(cidrs),
        )

    @property
    def usage(self) -> Usage:
        """What the rows read so far add up to."""
        return Usage(
            total_addresses=self._total,
            allocated_addresses=self._allocated,
            assigned_addresses=self._assigned,
            cidr_count=self._cidr_count,
            allocation_count=self._count,
        )

    def findings(self, rows: Iterable[AllocationRow]) -> Iterator[Finding]:
        """Read the pool's rows, which come by first key, wider ones first; then all is known."""
        for row in rows:
            first, last = int.from_bytes(row[0]), int.from_bytes(row[1])
            if is_block(first, last, row[2]):
                yield from self._judge(first, last, row)
            else:
                self._is_readable = False
                self._add(row[3], last - first + 1)
                yield malformed(self._pool.ipam_pool_id, row[5], Range(first, last, row[2]))
        yield from self._usage_finding()
        yield from self._leftover_finding()

    def _judge(self, first: int, last: int, row: AllocationRow) -> Sequence[Finding]:
        holding = self._add(row[3], last - first + 1)
        found = []
        if first <= self._furthest[0]:
            found.append(self._overlap(Range(first, last, row[2]), row[5]))
        elif not self._is_inside(first, last):
            found.append(self._outside(Range(first, last, row[2]), row[5]))
        elif self._leftover:
            self._leftover.hold(first, last)
        if last > self._furthest[0]:
            self._furthest = (last, row[5], Range(first, last, row[2]))
        self._is_readable = self._is_readable and not found
        if holding is Holding.PASSED_ON and (row[4], first, last) not in self._child_blocks:
            found.append(self._orphan(Range(first, last, row[2]), row))
        return found

    def _add(self, resource_type: str, size: int) -> Holding:
        holding = holding_of(resource_type)
        if holding is Holding.ASSIGNED:
            self._assigned += size
        elif holding is Holding.PASSED_ON:
            self._allocated += size
        self._count += holding is not Holding.SET_ASIDE
        return holding

    def _is_inside(self, first: int, last: int) -> bool:
        roots, number = self._roots, self._root
        while number < len(roots) and roots[number].last < first:
            number += 1
        self._root = number
        return number < len(roots) and roots[number].first <= first and last <= roots[number].last

    def _overlap(self, block: Range, allocation_id: str) -> Finding:
        _, other_id, other = self._furthest
        pool_id = self._pool.ipam_pool_id
        return Finding(
            FindingKind.OVERLAPPING_ALLOCATIONS,
            pool_id,
            f"'{other_id}' ({other}) and '{allocation_id}' ({block}), both of '{pool_id}', share"
            " addresses",
            (other_id, allocation_id),
            (str(other), str(block)),
        )

    def _outside(self, block: Range, allocation_id: str) -> Finding:
        pool_id = self._pool.ipam_pool_id
        cidrs = ", ".join(map(str, self._roots)) or "none"
        return Finding(
            FindingKind.ALLOCATION_OUTSIDE_CIDRS,
            pool_id,
            f"'{allocation_id}' ({block}) lies in no CIDR of '{pool_id}', which are: {cidrs}",
            (allocation_id,),
            (str(block),),
        )

    def _orphan(self, block: Range, row: AllocationRow) -> Finding:
        pool_id = self._pool.ipam_pool_id
        return Finding(
            FindingKind.ORPHANED_PARENT_ALLOCATION,
            pool_id,
            f"'{row[5]}' ({block}) of '{pool_id}' is held for the pool '{row[4]}', which has no"
            " such CIDR of it",
            (row[5],),
            (str(block),),
            repair=GIVEN_BACK,
        )

    def _usage_finding(self) -> Iterator[Finding]:
        if self.usage == self._pool.usage:
            return
        pool_id = self._pool.ipam_pool_id
        yield Finding(
            FindingKind.WRONG_USAGE,
            pool_id,
            f"the figures of '{pool_id}' are {self._pool.usage}; its records make {self.usage}",
            (pool_id,),
            ("",),
            repair=COUNTED_AGAIN,
        )

    def _leftover_finding(self) -> Iterator[Finding]:
        # With overlaps or strangers among the allocations there is nothing to compare with.
        if self._leftover and self._is_readable and (differing := self._leftover.difference()):
            yield wrong_free_blocks(self._pool.ipam_pool_id, differing)


def wrong_free_blocks(ipam_pool_id: str, why: str) -> Finding:
    return Finding(
        FindingKind.WRONG_FREE_BLOCKS,
        ipam_pool_id,
        f"the free blocks kept for '{ipam_pool_id}' are not what its allocations leave: {why}",
        (ipam_pool_id,),
        ("",),
        repair=FORGOTTEN,
    )


class Leftover:
    """What allocations leave of a pool's CIDRs, compared block by block with what is kept."""

    def __init__(self, roots: Sequence[Range], kept: Iterable[Cidr]) -> None:
        self._roots, self._kept = iter(roots), iter(kept)
        self._reached, self._end = 0, 0
        self._differing = ""

    def hold(self, first: int, last: int) -> None:
        """Go on to an allocation, which lies in one of the CIDRs and after all before it."""
        while first >= self._end:
            self._next_root()
        self._leave(first)
        self._reached = last + 1

    def difference(self) -> str:
        """Where the two part, now that all allocations are there; empty when they don't."""
        while self._next_root():
            pass
        if not self._differing and (more := next(self._kept, None)):
            self._differing = f"{more} is kept and not free"
        return self._differing

    def _next_root(self) -> bool:
        self._leave(self._end)
        root = next(self._roots, None)
        if root:
            self._reached, self._end = root.first, root.last + 1
        return root is not None

    def _leave(self, end: int) -> None:
        if self._reached >= end or self._differing:
            return
        for free in _blocks(self._reached, end):
            kept = next(self._kept, None)
            if kept != free:
                self._differing = f"{free} is free and {kept or 'nothing'} is kept instead"
                return
        self._reached = end


def _blocks(first: int, end: int) -> Iterator[Cidr]:
    family = cidr_at(first, 32 if first >> 32 == 0xFFFF else 128).family
    offset = first - cidr_at(first, family.bits).first
    for start, length in fewest_blocks(first - offset, end - offset, family.bits):
        yield Cidr(family, start, length)


def _gone(cidrs: Sequence[CidrRecord]) -> int:
    return sum(not found.is_provisioned for found in cidrs)
