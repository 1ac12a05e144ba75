"""All that is wrong with one pool, as of one transaction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import sqlalchemy as sa

from services.allocation.audit.allocations import AllocationScan, wrong_free_blocks
from services.allocation.audit.change_feed import feed_finding
from services.allocation.audit.finding import Checked, Finding, FindingKind
from services.allocation.audit.pool_cidrs import cidr_findings, parentage_findings, scope_findings
from services.allocation.audit.records import CidrRecord, PoolRecord, cidr_at
from services.allocation.free_space import FreeSpace, NotFree
from services.allocation.pool import Usage
from services.allocation.store.audit import queries
from services.allocation.store.audit.queries import Remains
from services.allocation.store.pool_loader import space_from_snapshot

DELETED = "the records are deleted"


@dataclass
class PoolCheck:
    """Looks at a pool once; ``usage`` and ``checked`` are known when all findings are read."""

    connection: sa.Connection
    pool: PoolRecord
    usage: Usage = field(default_factory=Usage)
    checked: Checked = field(default_factory=lambda: Checked(pools=1))

    def findings(self) -> Iterator[Finding]:
        """One by one, as they are met."""
        pool = self.pool
        if found := feed_finding(pool, queries.noted_versions(self.connection, pool)):
            yield found
        if pool.is_retired or pool.address_family is None:
            yield from self._remains()
        else:
            yield from self._records()

    def _remains(self) -> Iterator[Finding]:
        remains = queries.remains_of(self.connection, self.pool.number)
        if not remains.is_nothing:
            pool_id = self.pool.ipam_pool_id
            yield remains_finding(pool_id, f"'{pool_id}' is retired", remains)

    def _records(self) -> Iterator[Finding]:
        connection, pool = self.connection, self.pool
        cidrs = queries.cidrs_of(connection, pool)
        yield from cidr_findings(cidrs)
        parents = queries.parents_of(connection, pool) if pool.source_ipam_pool_id else {}
        yield from parentage_findings(
            pool,
            cidrs,
            lambda found: parents.get(found.ipam_pool_cidr_id),
            lambda block: queries.source_books(connection, pool.source_ipam_pool_id, block),
        )
        kept, why = self._kept_blocks(cidrs)
        if why:
            yield wrong_free_blocks(pool.ipam_pool_id, why)
        children = queries.child_blocks(connection, pool)
        scan = AllocationScan(pool, cidrs, children, kept)
        yield from scan.findings(queries.allocation_rows(connection, pool.number))
        self.usage = scan.usage
        self.checked = Checked(1, scan.usage.allocation_count, len(cidrs))

    def _kept_blocks(self, cidrs: Sequence[CidrRecord]) -> tuple[FreeSpace | None, str]:
        """What a start would begin with, or why it would not."""
        blocks = [found.block for found in cidrs if found.is_provisioned and found.block.is_block]
        roots = {cidr_at(block.first, block.prefix_length) for block in blocks}
        row = SimpleNamespace(number=self.pool.number, version=self.pool.version)
        family = self.pool.address_family
        try:
            found = family and space_from_snapshot(self.connection, row, family, roots)
        except (ValueError, NotFree) as error:
            return None, str(error)
        return (found[0] if found else None), ""


def findings_across_pools(
    connection: sa.Connection, ipam_pool_ids: Sequence[str]
) -> Iterator[Finding]:
    """What no pool's own check sees. Without ids, of all pools, and what belongs to none."""
    only = frozenset(ipam_pool_ids) or None
    yield from scope_findings(queries.top_level_cidrs(connection), only)
    if only is None:
        for number in queries.strange_pool_numbers(connection):
            yield stray_finding(connection, number)


def stray_finding(connection: sa.Connection, pool_number: int) -> Finding:
    there = f"There is no pool with the number {pool_number}"
    return remains_finding("", there, queries.remains_of(connection, pool_number))


def remains_finding(ipam_pool_id: str, why_none: str, remains: Remains) -> Finding:
    return Finding(
        FindingKind.RECORDS_OF_RETIRED_POOL,
        ipam_pool_id,
        f"{why_none}, but there are records of it: {remains}",
        remains.record_ids,
        ("",) * len(remains.record_ids),
        repair=DELETED,
    )
