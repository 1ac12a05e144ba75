"""Puts right what has one right answer, in a transaction that holds the pools concerned.

A repair notes in the change log that it was one (`Repaired`), beside what it did to records. So
followers go on and are told of every record, while replicas, which can't repeat that note, read
the pool anew; and a gap in the log that was settled is known by the note that settled it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import sqlalchemy as sa

from services.allocation.allocation import Allocation, ResourceType
from services.allocation.audit.finding import UNREADABLE, Finding, FindingKind
from services.allocation.audit.records import CidrRecord, PoolRecord, cidr_at
from services.allocation.changes import Freed, Held, PoolChange, Repaired
from services.allocation.pool import Usage
from services.allocation.store.audit import queries
from services.allocation.store.audit.pool_check import PoolCheck, stray_finding
from services.allocation.store.change_log import ChangeLog
from services.allocation.store.records import (
    allocation_from_row,
    allocation_to_row,
    usage_to_row,
)
from services.allocation.tables import allocations, pending_cidrs, pool_cidrs, pools, snapshots
from shared.ids import IPAM_POOL_ALLOCATION

_WAITS = "not repaired while the pool has blocks that overlap, lie outside its CIDRs or are none"


def repaired_pool(
    connection: sa.Connection, now: datetime, ipam_pool_id: str, log: ChangeLog
) -> Sequence[Finding]:
    """What could be repaired of a pool, looked at once more now that nobody else changes it."""
    pool = _locked(connection, ipam_pool_id)
    if pool is None:
        return []
    check = PoolCheck(connection, pool)
    found, is_readable = _repairable(check)
    if not is_readable:
        return [replace(finding, message=f"{finding.message}; {_WAITS}") for finding in found]
    if pool.is_retired:
        check.usage = Usage()
    return Repairs(connection, now, check, log).carry_out(found)


def repaired_strays(connection: sa.Connection) -> Iterator[Finding]:
    """Records that belong to no pool, deleted."""
    for number in queries.strange_pool_numbers(connection):
        found = stray_finding(connection, number)
        yield replace(found, is_repaired=_delete_records(connection, number))


@dataclass
class _Changed:
    """A pool that gets a new version, and why."""

    pool: PoolRecord
    usage: Usage
    kinds: list[str] = field(default_factory=list)
    changes: list[PoolChange] = field(default_factory=list)


class Repairs:
    """Of one pool and, where its CIDRs are concerned, of its source pool."""

    def __init__(
        self, connection: sa.Connection, now: datetime, check: PoolCheck, log: ChangeLog
    ) -> None:
        self._connection, self._now, self._log = connection, now, log
        self._pool = check.pool
        self._changed = _Changed(check.pool, check.usage)
        self._source: _Changed | None = None

    def carry_out(self, found: Sequence[Finding]) -> Sequence[Finding]:
        """The findings, each with whether it is repaired."""
        repaired = [replace(finding, is_repaired=self._repair(finding)) for finding in found]
        for changed in (self._changed, self._source):
            if changed and changed.kinds:
                self._settle(changed)
        return repaired

    def _repair(self, finding: Finding) -> bool:
        is_done = True
        match finding.kind:
            case FindingKind.ORPHANED_PARENT_ALLOCATION:
                is_done = self._give_back(finding.record_ids[0])
            case FindingKind.CIDR_WITHOUT_PARENT_ALLOCATION:
                is_done = self._enter_in_source(finding)
            case FindingKind.RECORDS_OF_RETIRED_POOL:
                # Nobody has a retired pool in memory, so there is nobody to be told.
                return _delete_records(self._connection, self._pool.number)
        # The others are put right by the new version, with the figures as they were counted.
        if is_done:
            self._changed.kinds.append(finding.kind)
        return is_done

    def _give_back(self, allocation_id: str) -> bool:
        is_it = allocations.c.ipam_pool_allocation_id == allocation_id
        is_named = pool_cidrs.c.parent_allocation_id == allocation_id
        if self._connection.execute(sa.select(pool_cidrs).where(is_named)).first():
            # Some CIDR names it, wrongly; that is repaired first, with the CIDR's pool.
            return False
        row = self._connection.execute(sa.select(allocations).where(is_it)).one()
        allocation = allocation_from_row(row, self._pool.ipam_pool_id)
        self._connection.execute(allocations.delete().where(is_it))
        self._changed.usage = _with_child(self._changed.usage, allocation, -1)
        self._changed.changes.append(Freed(allocation))
        return True

    def _enter_in_source(self, finding: Finding) -> bool:
        source = self._readable_source()
        cidrs = queries.cidrs_of(self._connection, self._pool)
        [child_cidr] = [c for c in cidrs if c.ipam_pool_cidr_id == finding.record_ids[0]]
        books = queries.source_books(
            self._connection, self._pool.source_ipam_pool_id, child_cidr.block
        )
        if source is None or books is None:
            return False
        own = books.allocation_of(child_cidr)
        allocation_id = own.ipam_pool_allocation_id if own else self._make_in(source, child_cidr)
        if allocation_id != child_cidr.parent_allocation_id:
            self._name_parent(child_cidr, allocation_id)
        source.kinds.append(finding.kind)
        return True

    def _readable_source(self) -> _Changed | None:
        source_id = self._pool.source_ipam_pool_id
        if self._source is None and source_id:
            source = queries.pool_record(self._connection, source_id)
            if source and not source.is_retired:
                _, is_readable = _repairable(PoolCheck(self._connection, source))
                # Its figures may be wrong as well; that is for its own check to tell.
                self._source = _Changed(source, source.usage) if is_readable else None
        return self._source

    def _make_in(self, source: _Changed, child_cidr: CidrRecord) -> str:
        allocation = Allocation(
            ipam_pool_allocation_id=self._free_id(child_cidr.parent_allocation_id),
            ipam_pool_id=source.pool.ipam_pool_id,
            cidr=cidr_at(child_cidr.block.first, child_cidr.block.prefix_length),
            resource_type=ResourceType.IPAM_POOL,
            resource_owner=self._pool.owner_id or "",
            resource_id=self._pool.ipam_pool_id,
            created_at=self._now,
        )
        row = allocation_to_row(allocation, source.pool.number)
        self._connection.execute(allocations.insert().values(row))
        source.usage = _with_child(source.usage, allocation, 1)
        source.changes.append(Held(allocation))
        return allocation.ipam_pool_allocation_id

    def _free_id(self, named: str | None) -> str:
        """The id that the CIDR names, when nothing has it."""
        is_it = allocations.c.ipam_pool_allocation_id == (named or "")
        has_it = self._connection.execute(sa.select(allocations.c.pool_number).where(is_it)).first()
        return named if named and not has_it else IPAM_POOL_ALLOCATION.new()

    def _name_parent(self, child_cidr: CidrRecord, allocation_id: str) -> None:
        # Written anew, for the database lets no CIDR that is provisioned be given another parent.
        is_it = pool_cidrs.c.ipam_pool_cidr_id == child_cidr.ipam_pool_cidr_id
        row = dict(self._connection.execute(sa.select(pool_cidrs).where(is_it)).mappings().one())
        self._connection.execute(pool_cidrs.delete().where(is_it))
        renamed = {**row, "parent_allocation_id": allocation_id}
        self._connection.execute(pool_cidrs.insert().values(renamed))

    def _settle(self, changed: _Changed) -> None:
        """Give a pool its figures and a version that is new to everybody, the feed included."""
        pool = changed.pool
        version = max(pool.version, queries.last_noted(self._connection, pool.number)) + 1
        self._connection.execute(
            pools.update()
            .where(pools.c.number == pool.number)
            .values(version=version, **usage_to_row(changed.usage))
        )
        self._connection.execute(snapshots.delete().where(snapshots.c.pool_number == pool.number))
        kinds = tuple(dict.fromkeys(changed.kinds))
        for change in (Repaired(kinds), *changed.changes):
            self._log.note(pool.ipam_pool_id, change)
        self._log.write({pool.ipam_pool_id: (pool.number, version)})


def _locked(connection: sa.Connection, ipam_pool_id: str) -> PoolRecord | None:
    """The pool, held together with its source pool, in order of id as everybody does.

    A child's CIDRs change only while its source pool is held, so no children have to be.
    """
    pool = queries.pool_record(connection, ipam_pool_id)
    if pool is None:
        return None
    ids = [pool.ipam_pool_id, *filter(None, [pool.source_ipam_pool_id])]
    connection.execute(
        sa.select(pools.c.number)
        .where(pools.c.ipam_pool_id.in_(ids))
        .order_by(pools.c.ipam_pool_id)
        .with_for_update(key_share=True)
    ).all()
    return queries.pool_record(connection, ipam_pool_id)


def _repairable(check: PoolCheck) -> tuple[list[Finding], bool]:
    """What has a repair, and whether replicas could read the pool after one."""
    found, is_readable = [], True
    for finding in check.findings():
        is_readable = is_readable and finding.kind not in UNREADABLE
        if finding.repair:
            found.append(finding)
    return found, is_readable


def _with_child(usage: Usage, allocation: Allocation, by: int) -> Usage:
    return replace(
        usage,
        allocated_addresses=usage.allocated_addresses + by * allocation.cidr.size,
        allocation_count=usage.allocation_count + by,
    )


def _delete_records(connection: sa.Connection, pool_number: int) -> bool:
    """Delete all but allocations that a CIDR of another pool still names; whether that was all."""
    named = sa.select(pool_cidrs.c.parent_allocation_id).where(
        pool_cidrs.c.parent_allocation_id.is_not(None)
    )
    is_named = allocations.c.ipam_pool_allocation_id.in_(named)
    for deletion in (
        pool_cidrs.delete().where(pool_cidrs.c.pool_number == pool_number),
        pending_cidrs.delete().where(pending_cidrs.c.pool_number == pool_number),
        allocations.delete().where(allocations.c.pool_number == pool_number, ~is_named),
        snapshots.delete().where(snapshots.c.pool_number == pool_number),
    ):
        connection.execute(deletion)
    return queries.remains_of(connection, pool_number).is_nothing
