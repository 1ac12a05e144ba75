"""CIDRs of pools: whether they are blocks, apart, and in the books of the source pool."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from itertools import groupby

from services.allocation.audit.finding import Finding, FindingKind
from services.allocation.audit.records import CidrRecord, ParentRecord, PoolRecord, Range


def cidr_findings(cidrs: Sequence[CidrRecord]) -> Iterator[Finding]:
    """Of one pool's: what is no block, and what overlaps."""
    for found in cidrs:
        if not found.block.is_block:
            yield malformed(found.ipam_pool_id, found.ipam_pool_cidr_id, found.block)
    for one, other in _overlaps(_in_use(cidrs)):
        yield _overlap(one, other, f"both of '{other.ipam_pool_id}'")


def scope_findings(
    top_level: Iterable[tuple[int, CidrRecord]], only: Set[str] | None = None
) -> Iterator[Finding]:
    """Of different top-level pools of one scope, or other space: what overlaps.

    ``top_level`` is their CIDRs with the numbers of their spaces, in order of these; ``only`` is
    the pools that matter. Of CIDRs that share addresses with several others, each is named once at
    least.
    """
    for _, of_scope in groupby(top_level, key=lambda placed: placed[0]):
        for one, other in _overlaps(_in_use(found for _, found in of_scope)):
            pool_ids = {one.ipam_pool_id, other.ipam_pool_id}
            if len(pool_ids) == 2 and (only is None or only & pool_ids):
                where = f"of '{one.ipam_pool_id}' and '{other.ipam_pool_id}' in one scope"
                yield _overlap(one, other, where)


def parentage_findings(
    pool: PoolRecord,
    cidrs: Sequence[CidrRecord],
    parent_of: Callable[[CidrRecord], ParentRecord | None],
    source_books: "Callable[[Range], SourceBooks | None]",
) -> Iterator[Finding]:
    """Of a child pool: the CIDRs that the books of its source pool do not show.

    ``parent_of`` tells the allocation that a CIDR names as its own, ``source_books`` what the
    source pool has of a block, None when it is not in use.
    """
    if pool.source_ipam_pool_id is None:
        return
    for found in cidrs:
        if not found.is_provisioned or not found.block.is_block:
            continue
        parent = parent_of(found)
        is_known = parent and parent.ipam_pool_id == pool.source_ipam_pool_id
        if not (parent and is_known and parent.is_of(found)):
            yield _without_parent(pool, found, source_books(found.block))


class SourceBooks:
    """What a source pool has of a block: CIDRs around it, and allocations with a part of it."""

    def __init__(self, cidrs: Iterable[CidrRecord], allocations: Iterable[ParentRecord]) -> None:
        self.cidrs, self.allocations = tuple(cidrs), tuple(allocations)

    def repair_of(self, child_cidr: CidrRecord) -> str:
        """What would make the books show the child's CIDR; empty when its space is another's."""
        if own := self.allocation_of(child_cidr):
            return f"'{own.ipam_pool_allocation_id}' is noted as its allocation"
        is_inside = any(
            found.is_provisioned and found.block.contains(child_cidr.block) for found in self.cidrs
        )
        if self.allocations or not is_inside:
            return ""
        return "the allocation is made in the source pool"

    def allocation_of(self, child_cidr: CidrRecord) -> ParentRecord | None:
        """The allocation that is the child's, if that is all there is in the block."""
        is_alone = len(self.allocations) == 1
        return self.allocations[0] if is_alone and self.allocations[0].is_of(child_cidr) else None


def malformed(ipam_pool_id: str, record_id: str, block: Range) -> Finding:
    return Finding(
        FindingKind.MALFORMED_BLOCK,
        ipam_pool_id,
        f"'{record_id}' of '{ipam_pool_id}' has {block}, which is no CIDR",
        (record_id,),
        ("",),
    )


def _without_parent(pool: PoolRecord, found: CidrRecord, books: SourceBooks | None) -> Finding:
    held = [
        f"'{a.ipam_pool_allocation_id}' ({a.block})" for a in (books.allocations if books else ())
    ]
    there = f"has {', '.join(held)} there" if held else "has no allocation there"
    if books is None:
        there = "is not in use"
    named = f"'{found.parent_allocation_id}'" if found.parent_allocation_id else "no allocation"
    return Finding(
        FindingKind.CIDR_WITHOUT_PARENT_ALLOCATION,
        pool.ipam_pool_id,
        f"'{found.ipam_pool_cidr_id}' ({found.block}) of '{pool.ipam_pool_id}' names {named} as"
        f" what it is in its source pool; '{pool.source_ipam_pool_id}' {there}",
        (found.ipam_pool_cidr_id,),
        (str(found.block),),
        repair=books.repair_of(found) if books else "",
    )


def _overlap(one: CidrRecord, other: CidrRecord, where: str) -> Finding:
    return Finding(
        FindingKind.OVERLAPPING_CIDRS,
        other.ipam_pool_id,
        f"{one.block} and {other.block}, {where}, share addresses",
        (one.ipam_pool_cidr_id, other.ipam_pool_cidr_id),
        (str(one.block), str(other.block)),
    )


def _in_use(cidrs: Iterable[CidrRecord]) -> list[CidrRecord]:
    blocks = [found for found in cidrs if found.is_provisioned and found.block.is_block]
    return sorted(blocks, key=lambda found: (found.block.first, -found.block.last))


def _overlaps(in_order: Iterable[CidrRecord]) -> Iterator[tuple[CidrRecord, CidrRecord]]:
    """Each that shares addresses with one before it, after that of these which reaches furthest."""
    furthest: CidrRecord | None = None
    for found in in_order:
        if furthest and found.block.first <= furthest.block.last:
            yield furthest, found
        if furthest is None or found.block.last > furthest.block.last:
            furthest = found
