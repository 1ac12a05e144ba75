"""Questions of a check. What can be a million rows comes as a stream, in the drivers' words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from services.allocation.audit.allocations import ChildBlock
from services.allocation.audit.finding import FindingKind
from services.allocation.audit.pool_cidrs import SourceBooks
from services.allocation.audit.records import (
    AllocationRow,
    CidrRecord,
    ParentRecord,
    PoolRecord,
    Range,
)
from services.allocation.changes import Repaired
from services.allocation.pool_cidr import CidrState
from services.allocation.store.change_log import changes_from_text
from services.allocation.store.records import Row, usage_from_row
from services.allocation.tables import (
    allocations,
    changes,
    pending_cidrs,
    pool_cidrs,
    pools,
    snapshots,
)
from shared.cidr import KEY_BYTES, AddressFamily

_CHUNK_ROWS = 2_000
_STREAM = {"stream_results": True, "max_row_buffer": _CHUNK_ROWS}
_RECORDS_NAMED = 100

_ALLOCATIONS = sa.text(
    "SELECT first_key, last_key, prefix_length, resource_type, resource_id, ipam_pool_allocation_id"
    " FROM ipam_pool_allocations WHERE pool_number = :number"
    " ORDER BY first_key, prefix_length, ipam_pool_allocation_id"
)
# Of most rows the version is all that matters, and only what a repair wrote begins like this.
_NOTED = sa.text(
    """
    SELECT pool_version, CASE WHEN content LIKE '[["repaired"%' THEN content END
    FROM ipam_ledger_changes WHERE pool_number = :number ORDER BY pool_version
    """
)
_IN_USE = pool_cidrs.c.state == CidrState.PROVISIONED.value
_KNOWN = sa.select(pools.c.number)


def all_pool_ids(connection: sa.Connection) -> list[str]:
    return list(connection.scalars(sa.select(pools.c.ipam_pool_id).order_by(pools.c.ipam_pool_id)))


def pool_record(connection: sa.Connection, ipam_pool_id: str) -> PoolRecord | None:
    row = connection.execute(
        sa.select(pools).where(pools.c.ipam_pool_id == ipam_pool_id)
    ).one_or_none()
    if row is None:
        return None
    return PoolRecord(
        number=row.number,
        ipam_pool_id=row.ipam_pool_id,
        version=row.version,
        is_retired=row.is_retired,
        address_family=AddressFamily(row.definition["address_family"]) if row.definition else None,
        source_ipam_pool_id=row.source_ipam_pool_id,
        owner_id=row.owner_id,
        usage=usage_from_row(row),
    )


def cidrs_of(connection: sa.Connection, pool: PoolRecord) -> list[CidrRecord]:
    """Those deprovisioned, too."""
    rows = connection.execute(
        sa.select(pool_cidrs)
        .where(pool_cidrs.c.pool_number == pool.number)
        .order_by(pool_cidrs.c.first_key, pool_cidrs.c.prefix_length)
    )
    return [_cidr(row, pool.ipam_pool_id) for row in rows]


def allocation_rows(connection: sa.Connection, pool_number: int) -> Iterator[AllocationRow]:
    """By address, wider ones first."""
    for chunk in _streamed(connection, _ALLOCATIONS, pool_number):
        yield from cast(Sequence[AllocationRow], chunk)


def child_blocks(connection: sa.Connection, pool: PoolRecord) -> set[ChildBlock]:
    """What the pool's children say they have."""
    rows = connection.execute(
        sa.select(pools.c.ipam_pool_id, pool_cidrs.c.first_key, pool_cidrs.c.last_key)
        .join(pool_cidrs, pool_cidrs.c.pool_number == pools.c.number)
        .where(pools.c.source_ipam_pool_id == pool.ipam_pool_id, ~pools.c.is_retired, _IN_USE)
    )
    return {
        (row.ipam_pool_id, int.from_bytes(row.first_key), int.from_bytes(row.last_key))
        for row in rows
    }


def parents_of(connection: sa.Connection, pool: PoolRecord) -> Mapping[str, ParentRecord]:
    """The allocations that a pool's CIDRs name as what they are in the source pool."""
    rows = connection.execute(
        _parents(pool_cidrs.c.ipam_pool_cidr_id)
        .join(
            pool_cidrs,
            pool_cidrs.c.parent_allocation_id == allocations.c.ipam_pool_allocation_id,
        )
        .where(pool_cidrs.c.pool_number == pool.number)
    )
    return {row.ipam_pool_cidr_id: _parent(row) for row in rows}


def source_books(
    connection: sa.Connection, source_ipam_pool_id: str | None, block: Range
) -> SourceBooks | None:
    """What the source pool has of a block; None when it is not in use."""
    source = pool_record(connection, source_ipam_pool_id or "")
    if source is None or source.is_retired:
        return None
    rows = connection.execute(
        _parents().where(
            allocations.c.pool_number == source.number,
            allocations.c.first_key <= block.last.to_bytes(KEY_BYTES),
            allocations.c.last_key >= block.first.to_bytes(KEY_BYTES),
        )
    )
    return SourceBooks(cidrs_of(connection, source), map(_parent, rows))


def noted_versions(connection: sa.Connection, pool: PoolRecord) -> Iterator[tuple[int, bool]]:
    """The versions that the change feed tells of, each with whether it settles what is missing."""
    versions = changes.c.pool_version
    count, first, last = connection.execute(
        sa.select(sa.func.count(), sa.func.min(versions), sa.func.max(versions)).where(
            changes.c.pool_number == pool.number
        )
    ).one()
    if (count, first or 1, last or 0) == (pool.version, 1, pool.version):
        # As it should be, told by the index alone: as good as every one of them, and settled.
        yield pool.version, True
        return
    for chunk in _streamed(connection, _NOTED, pool.number):
        for version, content in chunk:
            yield version, bool(content) and _is_settling(content)


def last_noted(connection: sa.Connection, pool_number: int) -> int:
    """The highest version of a pool in the change feed."""
    of_pool = changes.c.pool_number == pool_number
    return connection.scalar(sa.select(sa.func.max(changes.c.pool_version)).where(of_pool)) or 0


def top_level_cidrs(connection: sa.Connection) -> Iterator[tuple[int, CidrRecord]]:
    """Of pools without a source, with the numbers of their spaces, space by space."""
    rows = connection.execute(
        sa.select(pool_cidrs, pools.c.ipam_pool_id, pools.c.space_number)
        .join(pools, pools.c.number == pool_cidrs.c.pool_number)
        .where(pools.c.source_ipam_pool_id.is_(None), ~pools.c.is_retired, _IN_USE)
        .order_by(pools.c.space_number, pool_cidrs.c.first_key)
    )
    return ((row.space_number, _cidr(row, row.ipam_pool_id)) for row in rows)


@dataclass(frozen=True, slots=True)
class Remains:
    """Records of a pool that should have none: how many, and the ids of some."""

    allocation_count: int
    cidr_count: int
    has_snapshot: bool
    record_ids: tuple[str, ...]

    @property
    def is_nothing(self) -> bool:
        return not (self.allocation_count or self.cidr_count or self.has_snapshot)

    def __str__(self) -> str:
        kept = " and free blocks" if self.has_snapshot else ""
        return f"{self.allocation_count} allocations, {self.cidr_count} CIDRs{kept}"


def remains_of(connection: sa.Connection, pool_number: int) -> Remains:
    ids: list[str] = []
    counts = []
    for table, key in (
        (allocations, allocations.c.ipam_pool_allocation_id),
        (pool_cidrs, pool_cidrs.c.ipam_pool_cidr_id),
        (pending_cidrs, pending_cidrs.c.ipam_pool_cidr_id),
    ):
        is_its = table.c.pool_number == pool_number
        counts.append(connection.scalar(sa.select(sa.func.count()).where(is_its)) or 0)
        ids += connection.scalars(sa.select(key).where(is_its).order_by(key).limit(_RECORDS_NAMED))
    is_kept = sa.select(snapshots.c.pool_number).where(snapshots.c.pool_number == pool_number)
    kept = connection.execute(is_kept).first() is not None
    return Remains(counts[0], counts[1] + counts[2], kept, tuple(ids[:_RECORDS_NAMED]))


def strange_pool_numbers(connection: sa.Connection) -> list[int]:
    """Of pools that are not there, but have records."""
    found = {
        number
        for table in (allocations, pool_cidrs, pending_cidrs, snapshots)
        for number in connection.scalars(
            sa.select(table.c.pool_number).where(table.c.pool_number.not_in(_KNOWN)).distinct()
        )
    }
    return sorted(found)


def _streamed(
    connection: sa.Connection, query: sa.TextClause, pool_number: int
) -> Iterator[Sequence[Row]]:
    parameters = {"number": pool_number}
    # Closed also when nobody reads to the end.
    with connection.execute(query, parameters, execution_options=_STREAM) as rows:
        yield from rows.partitions(_CHUNK_ROWS)


def _is_settling(content: str) -> bool:
    match changes_from_text(content)[0]:
        case Repaired(kinds):
            return FindingKind.CHANGE_FEED_GAP in kinds
    return False


def _parents(*columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(allocations, pools.c.ipam_pool_id, *columns).join(
        pools, pools.c.number == allocations.c.pool_number
    )


def _parent(row: Row) -> ParentRecord:
    return ParentRecord(
        row.ipam_pool_allocation_id,
        row.ipam_pool_id,
        Range.from_keys(row.first_key, row.last_key, row.prefix_length),
        row.resource_type,
        row.resource_id,
    )


def _cidr(row: Row, ipam_pool_id: str) -> CidrRecord:
    return CidrRecord(
        row.ipam_pool_cidr_id,
        ipam_pool_id,
        Range.from_keys(row.first_key, row.last_key, row.prefix_length),
        is_provisioned=row.state == CidrState.PROVISIONED.value,
        parent_allocation_id=row.parent_allocation_id,
    )
