"""Carries a batch's changes out: in the pools in memory at once, in the database in bulk."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.allocation.allocation import Allocation
from services.allocation.changes import (
    Cancelled,
    Change,
    Defined,
    Deprovisioned,
    Freed,
    Held,
    MadeAvailable,
    PinChanged,
    PlacementChanged,
    PoolChange,
    Provisioned,
    ProvisionFailed,
    ProvisionRequested,
    ProvisionWithdrawn,
    PutAside,
    Retired,
)
from services.allocation.free_figures import FreeFigures
from services.allocation.pool import Pool, Usage
from services.allocation.set_aside import SetAside
from services.allocation.store.bulk import BulkDelete, BulkInsert, BulkUpdate
from services.allocation.store.cache import CachedPool
from services.allocation.store.change_log import ChangeLog
from services.allocation.store.driver import pipelined
from services.allocation.store.open_pools import OpenPools
from services.allocation.store.pending import (
    delete_pending_cidr,
    insert_pending_cidr,
    set_failed,
)
from services.allocation.store.pool_rows import (
    delete_records,
    insert_defined_pool,
    insert_pool_cidr,
    insert_retired_pool,
    set_definition,
    set_deprovisioned,
    set_pin,
    set_placement,
)
from services.allocation.store.records import (
    allocation_to_row,
    free_figures_to_row,
    set_aside_to_row,
    usage_to_row,
)
from services.allocation.store.tokens import BatchTokens
from services.allocation.tables import allocations, pools
from shared.errors import CadastreError
from shared.fail_points import FailPoint, reach

_INSERT = BulkInsert(allocations)
_DELETE = BulkDelete(allocations, key="ipam_pool_allocation_id")
_FIGURES = (*usage_to_row(Usage()), *free_figures_to_row(FreeFigures(), 0))
_SET_VERSION = BulkUpdate(pools, key="number", values=("version", *_FIGURES))


class Booking:
    """What one batch changes.

    Allocations and tokens, which are many, are written by `flush`; the rest is written at once,
    after what came before it.
    """

    def __init__(
        self,
        connection: sa.Connection,
        now: datetime,
        opened: OpenPools,
        tokens: BatchTokens,
        log: ChangeLog,
    ) -> None:
        self._connection, self._now = connection, now
        self._opened, self._tokens, self._log = opened, tokens, log
        # A lookup, for every allocation comes through here.
        self._by_kind: dict[type[Change], Callable[[Any], None]] = {
            Held: self._hold,
            Freed: self._free,
            PutAside: self._put_aside,
            MadeAvailable: self._make_available,
            PlacementChanged: self._place,
            Provisioned: self._provision,
            Deprovisioned: self._deprovision,
            Defined: self._define,
            Retired: self._retire,
            Cancelled: self._cancel,
            ProvisionRequested: self._request_provision,
            ProvisionFailed: self._fail_provision,
            ProvisionWithdrawn: self._withdraw_provision,
            PinChanged: self._pin,
        }
        self._done: list[tuple[Pool, PoolChange]] | None = None
        self._held: dict[str, Allocation] = {}
        self._put_by: dict[str, SetAside] = {}
        self._freed: set[str] = set()
        self.touched: dict[str, Allocation | None] = {}
        """Allocations that this batch made or, None, gave back, by id."""

    @property
    def change_counts(self) -> Mapping[type[PoolChange], int]:
        """How much of each kind this batch did to its pools."""
        return self._log.counts

    def carry_out(self, changes: Iterable[Change]) -> None:
        """Make a decision's changes, in this order."""
        for change in changes:
            self._by_kind[type(change)](change)

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """A block of which nothing was done when a refusal ends it.

        Only for what gives addresses away and back.
        """
        self.flush()
        versions = [(c, c.version, c.changes_since_snapshot) for c in self._opened.in_use.values()]
        touched = dict(self.touched)
        self._tokens.mark()
        self._log.mark()
        self._done = []
        try:
            with self._connection.begin_nested():
                yield
        except CadastreError:
            for pool, change in reversed(self._done):
                _undo(pool, change)
            for cached, version, since in versions:
                cached.version, cached.changes_since_snapshot = version, since
            self._held.clear()
            self._put_by.clear()
            self._freed.clear()
            self._log.forget()
            self._tokens.forget()
            self.touched = touched
            raise
        finally:
            self._done = None

    def flush(self) -> None:
        """Write what is not written yet.

        What goes is deleted first: its space may be somebody else's already. Rows are deleted in
        order of id, in which others lock them.
        """
        if not (self._log.has_more or self._tokens.have_more):
            return
        with pipelined(self._connection):
            self._write_allocations()
            self._tokens.write(self._now)
            reach(FailPoint.LEDGER_AFTER_TOKENS)
            self._write_versions()

    def _hold(self, change: Held) -> None:
        allocation = change.allocation
        self._changing(allocation.ipam_pool_id, change).hold(allocation)
        self._held[allocation.ipam_pool_allocation_id] = allocation
        self.touched[allocation.ipam_pool_allocation_id] = allocation

    def _free(self, change: Freed) -> None:
        allocation_id = change.allocation.ipam_pool_allocation_id
        self._changing(change.allocation.ipam_pool_id, change).free(change.allocation)
        self.touched[allocation_id] = None
        if self._held.pop(allocation_id, None) is None:
            self._freed.add(allocation_id)

    def _put_aside(self, change: PutAside) -> None:
        set_aside = change.set_aside
        self._changing(set_aside.ipam_pool_id, change).put_aside(set_aside)
        self._put_by[set_aside.set_aside_id] = set_aside

    def _make_available(self, change: MadeAvailable) -> None:
        set_aside = change.set_aside
        self._changing(set_aside.ipam_pool_id, change).make_available(set_aside)
        if self._put_by.pop(set_aside.set_aside_id, None) is None:
            self._freed.add(set_aside.set_aside_id)

    def _place(self, change: PlacementChanged) -> None:
        self._changing(change.ipam_pool_id, change).place(change.placement)
        number = self._opened.in_use[change.ipam_pool_id].number
        set_placement(self._connection, number, change.placement)

    def _provision(self, change: Provisioned) -> None:
        found = change.pool_cidr
        self._changing(found.ipam_pool_id, change).provision(found)
        self.flush()
        insert_pool_cidr(self._connection, self._opened.in_use[found.ipam_pool_id].number, found)

    def _deprovision(self, change: Deprovisioned) -> None:
        found = change.pool_cidr
        self._changing(found.ipam_pool_id, change).deprovision(found)
        self.flush()
        set_deprovisioned(self._connection, found.ipam_pool_cidr_id)

    def _define(self, change: Defined) -> None:
        definition = change.definition
        if cached := self._opened.in_use.get(definition.ipam_pool_id):
            cached.pool.definition = definition
            set_definition(self._connection, cached.number, definition)
            return
        number = insert_defined_pool(self._connection, definition)
        self._opened.in_use[definition.ipam_pool_id] = CachedPool(number, 0, Pool(definition))

    def _retire(self, change: Retired) -> None:
        self.flush()
        self._opened.retired.add(change.ipam_pool_id)
        cached = self._opened.in_use.pop(change.ipam_pool_id, None)
        if cached is None:
            insert_retired_pool(self._connection, change.ipam_pool_id)
            return
        delete_records(self._connection, cached.number)
        version = cached.version + 1
        gone = {"is_retired": True, "version": version, **usage_to_row(Usage())}
        is_it = pools.c.number == cached.number
        self._connection.execute(pools.update().where(is_it).values(gone))
        self._log.note(change.ipam_pool_id, change)
        self._log.write({change.ipam_pool_id: (cached.number, version)})

    def _cancel(self, change: Cancelled) -> None:
        self._tokens.cancel(change.key, self._now)

    def _request_provision(self, change: ProvisionRequested) -> None:
        pending = change.pending
        number = self._opened.in_use[pending.ipam_pool_id].number
        insert_pending_cidr(self._connection, number, pending)

    def _fail_provision(self, change: ProvisionFailed) -> None:
        set_failed(self._connection, change.ipam_pool_cidr_id, change.failure)

    def _withdraw_provision(self, change: ProvisionWithdrawn) -> None:
        delete_pending_cidr(self._connection, change.ipam_pool_cidr_id)

    def _pin(self, change: PinChanged) -> None:
        set_pin(self._connection, change.ipam_pool_cidr_id, change.reason)

    def _changing(self, ipam_pool_id: str, change: PoolChange) -> Pool:
        self._log.note(ipam_pool_id, change)
        pool = self._opened.in_use[ipam_pool_id].pool
        if self._done is not None:
            self._done.append((pool, change))
        return pool

    def _write_allocations(self) -> None:
        if self._freed:
            _DELETE.execute(self._connection, sorted(self._freed))
            self._freed.clear()
        if self._held or self._put_by:
            numbers = self._opened.in_use
            rows = [
                allocation_to_row(held, numbers[held.ipam_pool_id].number)
                for held in self._held.values()
            ]
            rows += [
                set_aside_to_row(put_by, numbers[put_by.ipam_pool_id].number)
                for put_by in self._put_by.values()
            ]
            _INSERT.execute(self._connection, rows)
            self._held.clear()
            self._put_by.clear()

    def _write_versions(self) -> None:
        noted = self._log.changed_pools()
        if not noted:
            return
        changed = [self._opened.in_use[pool_id] for pool_id in sorted(noted)]
        for cached in changed:
            cached.version += 1
            cached.changes_since_snapshot += noted[cached.pool.ipam_pool_id]
        rows = [
            {
                "number": c.number,
                "version": c.version,
                **usage_to_row(c.pool.usage),
                **free_figures_to_row(c.pool.free_figures, c.version),
            }
            for c in changed
        ]
        _SET_VERSION.execute(self._connection, rows)
        self._log.write({c.pool.ipam_pool_id: (c.number, c.version) for c in changed})


def _undo(pool: Pool, change: PoolChange) -> None:
    match change:
        case Held(allocation):
            pool.free(allocation)
        case Freed(allocation):
            pool.hold(allocation)
        case PutAside(set_aside):
            pool.make_available(set_aside)
        case MadeAvailable(set_aside):
            pool.put_aside(set_aside)
        case _:
            raise NotImplementedError(type(change))
