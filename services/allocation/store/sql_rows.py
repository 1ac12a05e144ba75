"""`Rows` of one batch."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from services.allocation.allocation import Allocation
from services.allocation.changes import MadeAvailable, TokenKey
from services.allocation.definition import PoolDefinition
from services.allocation.pending_cidr import PendingCidr
from services.allocation.pool import Pool
from services.allocation.pool_cidr import CidrState, PoolCidr
from services.allocation.service.command import Batch, Command
from services.allocation.service.rows import Answer, Cancellation
from services.allocation.set_aside import SetAside, SetAsideReason
from services.allocation.store.booking import Booking
from services.allocation.store.cache import CachedPool
from services.allocation.store.change_log import ChangeLog
from services.allocation.store.driver import pipelined
from services.allocation.store.observed import ObservedCache
from services.allocation.store.open_pools import lock_pools, lock_scopes, open_pools
from services.allocation.store.pending import pending_cidr, pending_cidrs_of
from services.allocation.store.records import (
    RecordTexts,
    allocation_from_row,
    pool_cidr_from_row,
    set_aside_from_row,
)
from services.allocation.store.tokens import BatchTokens
from services.allocation.store.vpc_cidrs import vpc_cidrs_of
from services.allocation.tables import allocations, is_allocated, pool_cidrs, pools, scopes
from shared.cidr import Cidr
from shared.regions import region_of

_TOP_LEVEL = sa.and_(
    pool_cidrs.c.state == CidrState.PROVISIONED.value, pool_cidrs.c.parent_allocation_id.is_(None)
)


class SqlRows:
    """What the decisions of a batch see: its pools in memory, the rest by questions.

    A question is asked after all that the batch changed before it is written.
    """

    def __init__(
        self,
        connection: sa.Connection,
        now: datetime,
        commands: Sequence[Command[object] | Batch[object]],
        cached: Mapping[str, CachedPool],
        observed: ObservedCache,
        cool_down: timedelta,
    ) -> None:
        """Lock what the commands need: pools first, then scopes, and read all they name at once."""
        self._connection, self._now, self._cool_down = connection, now, cool_down
        named = sorted(_union(c.pools for c in commands))
        texts = RecordTexts()
        self.tokens = BatchTokens(connection, texts)
        with pipelined(connection):
            locked = lock_pools(connection, named)
            self.tokens.ask(_tokens(commands))
        self.tokens.read()
        self._opened = open_pools(connection, locked, cached, observed)
        lock_scopes(connection, sorted(_union(c.scopes for c in commands)))
        log = ChangeLog(connection, now, texts)
        self.booking = Booking(connection, now, self._opened, self.tokens, log)
        self._found: dict[str, Allocation | None] = {}
        self._fetch(_union(c.allocations for c in commands))
        self._end_what_is_due()

    @property
    def now(self) -> datetime:
        return self._now

    @property
    def cool_down(self) -> timedelta:
        return self._cool_down

    @property
    def cached_pools(self) -> Iterable[CachedPool]:
        """The pools as they are once all this is committed."""
        return self._opened.in_use.values()

    def pool(self, ipam_pool_id: str) -> Pool | None:
        cached = self._opened.in_use.get(ipam_pool_id)
        return cached.pool if cached else None

    def is_retired(self, ipam_pool_id: str) -> bool:
        return ipam_pool_id in self._opened.retired

    def allocation(self, ipam_pool_allocation_id: str) -> Allocation | None:
        found = self.booking.touched.get(ipam_pool_allocation_id)
        if ipam_pool_allocation_id not in self.booking.touched:
            found = self._as_of_the_beginning(ipam_pool_allocation_id)
        # With its pool it went, too.
        return None if found is None or self.is_retired(found.ipam_pool_id) else found

    def answer(self, key: TokenKey) -> Answer | Cancellation | None:
        return self.tokens.answer(key)

    def overlapping(
        self, ipam_pool_id: str, cidr: Cidr, *, cooling_down: bool = True
    ) -> Allocation | SetAside | None:
        self.booking.flush()
        # The rows of a pool don't overlap: if any does overlap, the one that begins last does.
        query = (
            sa.select(allocations)
            .where(
                allocations.c.pool_number == self._opened.in_use[ipam_pool_id].number,
                allocations.c.first_key <= cidr.last_key,
            )
            .order_by(allocations.c.first_key.desc())
            .limit(1)
        )
        if not cooling_down:
            cools_down = SetAsideReason.COOL_DOWN.value
            query = query.where(allocations.c.resource_type != cools_down)
        row = self._connection.execute(query).one_or_none()
        if row is None or row.last_key < cidr.first_key:
            return None
        if row.expires_at is not None:
            return set_aside_from_row(row, ipam_pool_id)
        return allocation_from_row(row, ipam_pool_id)

    def top_level_cidrs(self, space_id: str, within: Cidr) -> list[PoolCidr]:
        self.booking.flush()
        rows = self._connection.execute(
            sa.select(pool_cidrs, pools.c.ipam_pool_id)
            .join(pools, pools.c.number == pool_cidrs.c.pool_number)
            .join(scopes, scopes.c.number == pool_cidrs.c.scope_number)
            .where(
                _TOP_LEVEL,
                scopes.c.ipam_scope_id == space_id,
                pool_cidrs.c.first_key <= within.last_key,
                pool_cidrs.c.last_key >= within.first_key,
            )
            .order_by(pool_cidrs.c.first_key)
        )
        return [pool_cidr_from_row(row, row.ipam_pool_id) for row in rows]

    def owner_of(self, ipam_pool_id: str) -> str | None:
        query = sa.select(pools.c.owner_id).where(pools.c.ipam_pool_id == ipam_pool_id)
        return self._connection.scalar(query)

    def allocations_in(self, ipam_pool_id: str, cidr: Cidr) -> list[Allocation]:
        self.booking.flush()
        rows = self._connection.execute(
            sa.select(allocations)
            .where(
                allocations.c.pool_number == self._opened.in_use[ipam_pool_id].number,
                allocations.c.first_key >= cidr.first_key,
                allocations.c.first_key <= cidr.last_key,
                is_allocated,
            )
            .order_by(allocations.c.first_key)
            # What is said about allocations is changed without a lock on their pool.
            .with_for_update()
        )
        return [allocation_from_row(row, ipam_pool_id) for row in rows]

    def amazon_block_count(self, pool: PoolDefinition) -> int:
        self.booking.flush()
        query = (
            sa.select(sa.func.count())
            .select_from(pools)
            .join(pool_cidrs, pool_cidrs.c.pool_number == pools.c.number)
            .where(
                pools.c.owner_id == pool.owner_id,
                pools.c.source_ipam_pool_id == pool.source_ipam_pool_id,
                pools.c.public_region == region_of(pool.locale),
                pool_cidrs.c.state == CidrState.PROVISIONED.value,
            )
        )
        return self._connection.scalar(query) or 0

    def pending_cidr(self, ipam_pool_cidr_id: str) -> PendingCidr | None:
        return pending_cidr(self._connection, ipam_pool_cidr_id)

    def pending_cidrs(self, ipam_pool_id: str) -> Sequence[PendingCidr]:
        return pending_cidrs_of(self._connection, self._opened.in_use[ipam_pool_id].number)

    def pin_of(self, ipam_pool_cidr_id: str) -> str | None:
        is_it = pool_cidrs.c.ipam_pool_cidr_id == ipam_pool_cidr_id
        return self._connection.scalar(sa.select(pool_cidrs.c.pinned_for).where(is_it))

    def vpc_cidrs(self, vpc_id: str) -> Sequence[Cidr]:
        return vpc_cidrs_of(self._connection, vpc_id)

    def child_pool_ids(self, ipam_pool_id: str, *, with_cidrs: bool) -> list[str]:
        self.booking.flush()
        children = sa.select(pools.c.ipam_pool_id).where(
            pools.c.source_ipam_pool_id == ipam_pool_id, ~pools.c.is_retired
        )
        if with_cidrs:
            children = children.where(pools.c.cidr_count > 0)
        return list(self._connection.scalars(children.order_by(pools.c.number)))

    def _end_what_is_due(self) -> None:
        """Nothing else ends what was set aside: while nobody looks at a pool, nobody misses it."""
        for cached in self._opened.in_use.values():
            self.booking.carry_out(map(MadeAvailable, cached.pool.due(self._now)))

    def _as_of_the_beginning(self, ipam_pool_allocation_id: str) -> Allocation | None:
        if ipam_pool_allocation_id not in self._found:
            self._fetch({ipam_pool_allocation_id})
        return self._found[ipam_pool_allocation_id]

    def _fetch(self, ipam_pool_allocation_ids: Collection[str]) -> None:
        if not ipam_pool_allocation_ids:
            return
        self._found.update(dict.fromkeys(ipam_pool_allocation_ids))
        found = self._connection.execute(
            sa.select(allocations, pools.c.ipam_pool_id)
            .join(pools, pools.c.number == allocations.c.pool_number)
            .where(
                allocations.c.ipam_pool_allocation_id.in_(ipam_pool_allocation_ids), is_allocated
            )
        )
        for row in found:
            allocation = allocation_from_row(row, row.ipam_pool_id)
            self._found[allocation.ipam_pool_allocation_id] = allocation


def _union(sets: Iterable[frozenset[str]]) -> set[str]:
    return set().union(*sets)


def _tokens(commands: Iterable[Command[object] | Batch[object]]) -> set[TokenKey]:
    found: set[TokenKey] = set()
    for command in commands:
        found |= command.tokens
        if isinstance(command, Command) and command.once:
            found.add(command.once.key)
    return found
