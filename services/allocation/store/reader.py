"""`View` and `Annotator` in SQL."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from services.allocation.allocation import Allocation
from services.allocation.changes import TokenKey
from services.allocation.definition import PoolDefinition
from services.allocation.observed_cidrs import ObservedCidrs
from services.allocation.pending_cidr import PendingCidr, WaitingCidr
from services.allocation.placement import Placement
from services.allocation.policy import PolicyRules
from services.allocation.pool import Usage
from services.allocation.pool_cidr import CidrState, PoolCidr
from services.allocation.service.view import (
    KnownPool,
    Observed,
    PoolUsage,
    PoolWithCidrs,
    PublicCidr,
    View,
    VpcCidr,
    address_key,
)
from services.allocation.service.visibility import may_know
from services.allocation.set_aside import SetAside
from services.allocation.store.inventory import allocations_of_ipam_after, pools_of_ipam_after
from services.allocation.store.observed import ObservedCache, observed_after
from services.allocation.store.pending import pending_cidr, waiting_after
from services.allocation.store.policies import policy_rules_of
from services.allocation.store.pool_usages import CountedFigures, pool_usages_after
from services.allocation.store.public_cidrs import public_cidrs_after
from services.allocation.store.records import (
    Row,
    allocation_from_row,
    cidr_of,
    definition_from_json,
    pending_cidr_from_row,
    placement_from_json,
    pool_cidr_from_row,
    set_aside_from_row,
    usage_from_row,
)
from services.allocation.store.tokens import BatchTokens
from services.allocation.store.vpc_cidrs import vpc_cidrs_after
from services.allocation.system_pools import SYSTEM_POOL_IDS
from services.allocation.tables import (
    allocations,
    is_allocated,
    is_set_aside,
    pending_cidrs,
    pool_cidrs,
    pools,
    scopes,
)
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import InvalidNextToken
from shared.ids import IPAM_POOL_ALLOCATION
from shared.persistence.database import Database

_CHUNK_ROWS = 500

T = TypeVar("T")


class SqlReader:
    """Answers each question from one snapshot."""

    def __init__(self, database: Database) -> None:
        self._database, self._observed = database, ObservedCache()
        self._counted = CountedFigures()

    async def read(self, question: Callable[[View], T]) -> T:
        return await self._database.run(self._answer, question)

    def _answer(self, question: Callable[[View], T]) -> T:
        with self._database.read() as connection:
            return question(SqlView(connection, self._observed, self._counted))


class SqlView:
    """Lists go along an index, in chunks: a page costs what it shows."""

    def __init__(
        self, connection: sa.Connection, observed: ObservedCache, counted: CountedFigures
    ) -> None:
        self._connection, self._observed, self._counted = connection, observed, counted

    def definition(self, ipam_pool_id: str, *, retired: bool = False) -> PoolDefinition | None:
        row = self._connection.execute(
            sa.select(pools.c.definition, pools.c.is_retired).where(
                pools.c.ipam_pool_id == ipam_pool_id
            )
        ).one_or_none()
        # One that was retired before it was defined has none.
        is_told = row and row.definition and (retired or not row.is_retired)
        return definition_from_json(row.definition) if row and is_told else None

    def owned_pools(self, caller: Caller) -> list[tuple[int, str]]:
        rows = self._connection.execute(
            sa.select(pools.c.number, pools.c.ipam_pool_id)
            .where(
                pools.c.owner_id == caller.account_id,
                pools.c.ipam_region == caller.region,
                ~pools.c.is_retired,
            )
            .order_by(pools.c.number)
        )
        return [(row.number, row.ipam_pool_id) for row in rows]

    def pool_cidrs(self, ipam_pool_id: str, after: str | None) -> Iterator[tuple[str, PoolCidr]]:
        for key, row in self._along_addresses(pool_cidrs, ipam_pool_id, after):
            yield key, pool_cidr_from_row(row, ipam_pool_id)

    def pending_cidrs(
        self, ipam_pool_id: str, after: str | None
    ) -> Iterator[tuple[str, PendingCidr]]:
        for key, row in self._along_addresses(pending_cidrs, ipam_pool_id, after):
            yield key, pending_cidr_from_row(row, ipam_pool_id)

    def waiting_cidrs(self, after: int) -> Sequence[WaitingCidr]:
        return waiting_after(self._connection, after)

    def pool_of_pending(self, ipam_pool_cidr_id: str) -> str | None:
        found = pending_cidr(self._connection, ipam_pool_cidr_id)
        return found.ipam_pool_id if found else None

    def pool_of_cidr(self, ipam_pool_cidr_id: str) -> str | None:
        query = (
            sa.select(pools.c.ipam_pool_id)
            .join(pool_cidrs, pool_cidrs.c.pool_number == pools.c.number)
            .where(
                pool_cidrs.c.ipam_pool_cidr_id == ipam_pool_cidr_id,
                pool_cidrs.c.state == CidrState.PROVISIONED.value,
            )
        )
        return self._connection.scalar(query)

    def public_cidrs(
        self, account_id: str, region: str, cidr: Cidr | None, after: str | None
    ) -> Iterator[tuple[str, PublicCidr]]:
        return public_cidrs_after(self._connection, account_id, region, cidr, after)

    def policy_rules(self, account_id: str) -> Sequence[PolicyRules]:
        return policy_rules_of(self._connection, account_id)

    def vpc_cidrs(
        self, vpc_ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, VpcCidr]]:
        return vpc_cidrs_after(self._connection, vpc_ids, after)

    def allocations(self, ipam_pool_id: str, after: str | None) -> Iterator[tuple[str, Allocation]]:
        for key, row in self._along_addresses(allocations, ipam_pool_id, after, is_allocated):
            yield key, allocation_from_row(row, ipam_pool_id)

    def set_asides(self, ipam_pool_id: str, after: str | None) -> Iterator[tuple[str, SetAside]]:
        for key, row in self._along_addresses(allocations, ipam_pool_id, after, is_set_aside):
            yield key, set_aside_from_row(row, ipam_pool_id)

    def placement(self, ipam_pool_id: str) -> Placement:
        is_it = pools.c.ipam_pool_id == ipam_pool_id
        query = sa.select(pools.c.placement).where(is_it)
        return placement_from_json(self._connection.execute(query).scalar_one())

    def observed(self, ipam_pool_id: str) -> ObservedCidrs:
        query = (
            sa.select(scopes)
            .join(pools, pools.c.scope_number == scopes.c.number)
            .where(pools.c.ipam_pool_id == ipam_pool_id)
        )
        scope = self._connection.execute(query).one()
        return self._observed.of(self._connection, scope.number, scope.observed_version)

    def observed_in_scope(
        self, ipam_scope_id: str, after: str | None
    ) -> Iterator[tuple[str, Observed]]:
        return observed_after(self._connection, ipam_scope_id, after)

    def allocations_of_ids(self, ipam_pool_allocation_ids: Sequence[str]) -> list[Allocation]:
        is_one = allocations.c.ipam_pool_allocation_id.in_(ipam_pool_allocation_ids)
        rows = self._connection.execute(_with_pool().where(is_one))
        return [allocation_from_row(row, row.ipam_pool_id) for row in rows]

    def resource_allocations(
        self, service: str, after: str | None
    ) -> Iterator[tuple[str, Allocation]]:
        key = allocations.c.ipam_pool_allocation_id
        query = _with_pool().where(allocations.c.allocated_by == service).order_by(key)
        last = after or ""
        while chunk := self._chunk(query.where(key > last)):
            for row in chunk:
                yield row.ipam_pool_allocation_id, allocation_from_row(row, row.ipam_pool_id)
            last = chunk[-1].ipam_pool_allocation_id

    def allocation_under(self, key: TokenKey) -> Allocation | None:
        tokens = BatchTokens(self._connection)
        tokens.ask([key])
        tokens.read()
        answer = tokens.answer(key)
        if not isinstance(answer, Allocation):
            return None
        # Its range may have been moved to another pool since (BYOIP-6).
        return next(iter(self.allocations_of_ids([answer.ipam_pool_allocation_id])), answer)

    def known_pools(self, after: str | None) -> Iterator[tuple[str, KnownPool]]:
        key = pools.c.ipam_pool_id
        known_pools = sa.select(key, pools.c.definition_version, pools.c.is_retired)
        query = known_pools.where(key.not_in(SYSTEM_POOL_IDS)).order_by(key)
        last = after or ""
        while chunk := self._chunk(query.where(key > last)):
            for row in chunk:
                known = KnownPool(row.ipam_pool_id, row.definition_version or 0, row.is_retired)
                yield row.ipam_pool_id, known
            last = chunk[-1].ipam_pool_id

    def pools_of_ipam(self, ipam_id: str, after: str | None) -> Iterator[tuple[str, PoolWithCidrs]]:
        return pools_of_ipam_after(self._connection, ipam_id, after)

    def pool_usages(
        self, ipam_id: str, after: str | None, now: datetime
    ) -> Iterator[tuple[str, PoolUsage]]:
        return pool_usages_after(self._connection, self._counted, ipam_id, after, now)

    def allocations_of_ipam(
        self, ipam_id: str, after: str | None
    ) -> Iterator[tuple[str, Allocation]]:
        return allocations_of_ipam_after(self._connection, ipam_id, after)

    def foreign_allocations(self, ipam_pool_ids: Sequence[str], limit: int) -> Sequence[str]:
        query = (
            sa.select(allocations.c.ipam_pool_allocation_id)
            .join(pools, pools.c.number == allocations.c.pool_number)
            .where(
                pools.c.ipam_pool_id.in_(ipam_pool_ids),
                allocations.c.resource_owner != pools.c.owner_id,
                is_allocated,
            )
            .order_by(allocations.c.ipam_pool_allocation_id)
            .limit(limit)
        )
        return self._connection.scalars(query).all()

    def usage(self, ipam_pool_ids: Sequence[str]) -> dict[str, Usage]:
        is_one = pools.c.ipam_pool_id.in_(ipam_pool_ids)
        rows = self._connection.execute(sa.select(pools).where(is_one, ~pools.c.is_retired))
        return {row.ipam_pool_id: usage_from_row(row) for row in rows}

    def _along_addresses(
        self, table: sa.Table, ipam_pool_id: str, after: str | None, *conditions: Any
    ) -> Iterator[tuple[str, Row]]:
        order = sa.tuple_(table.c.first_key, table.c.prefix_length)
        number = sa.select(pools.c.number).where(pools.c.ipam_pool_id == ipam_pool_id)
        query = (
            sa.select(table)
            .where(table.c.pool_number == number.scalar_subquery(), *conditions)
            .order_by(table.c.first_key, table.c.prefix_length)
        )
        last = _position(after) if after else (b"", -1)
        while chunk := self._chunk(query.where(order > sa.tuple_(*map(sa.literal, last)))):
            for row in chunk:
                yield address_key(cidr_of(row)), row
            last = (chunk[-1].first_key, chunk[-1].prefix_length)

    def _chunk(self, query: sa.Select[Any]) -> Sequence[Row]:
        return self._connection.execute(query.limit(_CHUNK_ROWS)).all()


class SqlAnnotator:
    """Changes what is said about allocations, which no decision looks at: no batch is needed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def annotate(
        self,
        caller: Caller,
        ipam_pool_allocation_ids: Sequence[str],
        change: Callable[[Allocation], Allocation],
        *,
        dry_run: bool,
    ) -> Sequence[Allocation]:
        ids = sorted(set(ipam_pool_allocation_ids))
        return await self._database.run(self._annotate, caller, ids, change, dry_run=dry_run)

    def _annotate(
        self,
        caller: Caller,
        ids: Sequence[str],
        change: Callable[[Allocation], Allocation],
        *,
        dry_run: bool,
    ) -> list[Allocation]:
        with self._database.write(dry_run=dry_run) as connection:
            seen = _held_and_seen(connection, caller, ids)
            if missing := [one for one in ids if one not in seen]:
                # One may have moved to another pool with its range while it was waited for.
                seen |= _held_and_seen(connection, caller, missing)
            changed = [change(seen[allocation_id]) for allocation_id in _all_of(ids, seen)]
            for allocation in changed:
                connection.execute(
                    allocations.update()
                    .where(
                        allocations.c.ipam_pool_allocation_id == allocation.ipam_pool_allocation_id
                    )
                    .values(description=allocation.description, tags=dict(allocation.tags))
                )
        return changed


def _held_and_seen(
    connection: sa.Connection, caller: Caller, ids: Sequence[str]
) -> dict[str, Allocation]:
    rows = connection.execute(
        _with_pool()
        .add_columns(pools.c.definition)
        .where(allocations.c.ipam_pool_allocation_id.in_(ids))
        .order_by(allocations.c.ipam_pool_allocation_id)
        .with_for_update(of=allocations)
    )
    seen = {}
    for row in rows:
        definition = definition_from_json(row.definition)
        allocation = allocation_from_row(row, row.ipam_pool_id)
        is_there = definition.is_seen_by(caller.account_id, caller.region)
        if is_there and may_know(definition, caller.account_id, allocation):
            seen[allocation.ipam_pool_allocation_id] = allocation
    return seen


def _all_of(ids: Sequence[str], seen: dict[str, Allocation]) -> Sequence[str]:
    for allocation_id in ids:
        if allocation_id not in seen:
            raise IPAM_POOL_ALLOCATION.unknown(allocation_id)
    return ids


def _with_pool() -> sa.Select[Any]:
    return (
        sa.select(allocations, pools.c.ipam_pool_id)
        .join(pools, pools.c.number == allocations.c.pool_number)
        .where(is_allocated)
    )


def _position(key: str) -> tuple[bytes, int]:
    first_key, _, prefix_length = key.partition("/")
    try:
        return bytes.fromhex(first_key), int(prefix_length)
    except ValueError:
        raise InvalidNextToken from None
