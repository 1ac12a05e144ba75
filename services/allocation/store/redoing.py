"""Changes that a restored database lacks, made again (BEY-14)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from services.allocation.allocation import Allocation
from services.allocation.changes import (
    Deprovisioned,
    Freed,
    Held,
    MadeAvailable,
    PlacementChanged,
    PoolChange,
    Provisioned,
    PutAside,
    Repaired,
    Retired,
)
from services.allocation.placement import Placement
from services.allocation.pool_cidr import PoolCidr
from services.allocation.set_aside import SetAside
from services.allocation.store.audit import queries
from services.allocation.store.audit.pool_check import PoolCheck
from services.allocation.store.change_log import changes_from_text
from services.allocation.store.journal import Entry
from services.allocation.store.pending import delete_pending_cidr
from services.allocation.store.pool_rows import (
    delete_records,
    insert_defined_pool,
    insert_pool_cidr,
    set_definition,
    set_deprovisioned,
    set_placement,
)
from services.allocation.store.records import (
    allocation_to_row,
    definition_from_json,
    set_aside_to_row,
    usage_to_row,
)
from services.allocation.tables import allocations, changes, pools, snapshots


@dataclass
class _Net:
    """What a row of changes comes to."""

    placed: dict[str, Allocation | SetAside] = field(default_factory=dict)
    """What is there afterwards and was not before, by id; so with CIDRs."""
    removed: set[str] = field(default_factory=set)
    provisioned: dict[str, PoolCidr] = field(default_factory=dict)
    no_more_waiting: set[str] = field(default_factory=set)
    """CIDRs that were provisioned, whatever became of them later."""
    deprovisioned: set[str] = field(default_factory=set)
    placements: dict[str, Placement] = field(default_factory=dict)
    retired: set[str] = field(default_factory=set)

    def add(self, change: PoolChange) -> None:
        match change:
            case Held(record) | PutAside(record):
                self.placed[_id_of(record)] = record
            case Freed(record) | MadeAvailable(record):
                if self.placed.pop(_id_of(record), None) is None:
                    self.removed.add(_id_of(record))
            case Provisioned(pool_cidr):
                self.provisioned[pool_cidr.ipam_pool_cidr_id] = pool_cidr
                self.no_more_waiting.add(pool_cidr.ipam_pool_cidr_id)
            case Deprovisioned(pool_cidr):
                if self.provisioned.pop(pool_cidr.ipam_pool_cidr_id, None) is None:
                    self.deprovisioned.add(pool_cidr.ipam_pool_cidr_id)
            case PlacementChanged(ipam_pool_id, placement):
                self.placements[ipam_pool_id] = placement
            case Retired(ipam_pool_id):
                self._retire(ipam_pool_id)
            case Repaired():
                # Of which records, is told beside it.
                pass

    def _retire(self, ipam_pool_id: str) -> None:
        self.retired.add(ipam_pool_id)
        self.placed = {k: v for k, v in self.placed.items() if v.ipam_pool_id != ipam_pool_id}
        self.provisioned = {
            k: v for k, v in self.provisioned.items() if v.ipam_pool_id != ipam_pool_id
        }


class Redoing:
    """Changes that were made once, made again, under their old numbers."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._numbers: dict[str, int] = {}

    def redo(self, entries: Iterable[Entry]) -> None:
        """Make them; what is in the database must be what was there before the first."""
        net, versions = _Net(), dict[str, int]()
        for entry in entries:
            number = self._number_of(entry)
            versions[entry.ipam_pool_id] = entry.pool_version
            self._note(entry, number)
            for change in changes_from_text(entry.content):
                net.add(change)
        self._remove(net)
        self._place(net)
        for pool_id, version in versions.items():
            self._settle(pool_id, version, is_retired=pool_id in net.retired)

    def _number_of(self, entry: Entry) -> int:
        number = self._numbers.get(entry.ipam_pool_id)
        if number is None:
            number = self._numbers[entry.ipam_pool_id] = self._defined(entry)
        return number

    def _defined(self, entry: Entry) -> int:
        """The pool's number; it becomes known if it was not, or as it was known."""
        is_it = pools.c.ipam_pool_id == entry.ipam_pool_id
        row = self._connection.execute(sa.select(pools).where(is_it)).one_or_none()
        # What was written before Amazon's space had pools is taken in as it would be today.
        definition = definition_from_json(entry.definition).as_taken_in()
        if row is None:
            return insert_defined_pool(self._connection, definition)
        number: int = row.number
        if (row.definition_version or 0) < definition.version:
            set_definition(self._connection, number, definition)
        return number

    def _note(self, entry: Entry, number: int) -> None:
        row = {
            "sequence": entry.sequence,
            "pool_number": number,
            "pool_version": entry.pool_version,
            "content": entry.content,
            "committed_at": datetime.fromisoformat(entry.committed_at),
        }
        self._connection.execute(changes.insert().values(row))

    def _remove(self, net: _Net) -> None:
        retired = [self._numbers[pool_id] for pool_id in sorted(net.retired)]
        # CIDRs first, for they hold the allocations that they are in their source pools.
        for pool_cidr_id in sorted(net.no_more_waiting):
            delete_pending_cidr(self._connection, pool_cidr_id)
        for pool_cidr_id in sorted(net.deprovisioned):
            set_deprovisioned(self._connection, pool_cidr_id)
        for number in retired:
            delete_records(self._connection, number)
        for record_id in sorted(net.removed):
            is_it = allocations.c.ipam_pool_allocation_id == record_id
            self._connection.execute(allocations.delete().where(is_it))

    def _place(self, net: _Net) -> None:
        for record in net.placed.values():
            number = self._numbers[record.ipam_pool_id]
            if isinstance(record, Allocation):
                row = allocation_to_row(record, number)
            else:
                row = set_aside_to_row(record, number)
            self._connection.execute(allocations.insert().values(row))
        for found in net.provisioned.values():
            insert_pool_cidr(self._connection, self._numbers[found.ipam_pool_id], found)
        for pool_id, placement in net.placements.items():
            set_placement(self._connection, self._numbers[pool_id], placement)

    def _settle(self, ipam_pool_id: str, version: int, *, is_retired: bool) -> None:
        """The pool's version, and figures as its records make them."""
        number = self._numbers[ipam_pool_id]
        is_it = pools.c.number == number
        self._connection.execute(snapshots.delete().where(snapshots.c.pool_number == number))
        changed = pools.update().where(is_it)
        self._connection.execute(changed.values(version=version, is_retired=is_retired))
        record = queries.pool_record(self._connection, ipam_pool_id)
        if record is None:
            raise AssertionError(f"'{ipam_pool_id}' is not there")
        check = PoolCheck(self._connection, record)
        for _ in check.findings():
            pass
        self._connection.execute(changed.values(usage_to_row(check.usage)))


def _id_of(record: Allocation | SetAside) -> str:
    return record.set_aside_id if isinstance(record, SetAside) else record.ipam_pool_allocation_id
