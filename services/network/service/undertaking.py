"""Takes blocks from pools for a resource so that either the resource has them or nobody does.

Two databases take part, so there is no common transaction. Instead:

1. The blocks' association ids are noted as pending, with a time by which it must be over.
2. The ledger allocates each block under its association id as client token.
3. One transaction makes the blocks the resource's and removes the notes, provided none was
   abandoned.

Whoever undoes it - this call when something is refused, any process once the time is up - abandons
the notes first, in a transaction, then cancels the tokens at the ledger, then deletes the notes.
From the first of these on, step 3 can't happen, and from the second on, neither can step 2, however
late a request arrives. So no clock decides what is right, only how soon it is put right.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from services.network.changes import CidrRecord
from services.network.cidr_blocks import BlockSource, FromPool, Given
from services.network.errors import UndertakingAbandoned
from services.network.resource import CidrAssociation, Holder, SourcePool
from services.network.service.rows import Rows, Store
from shared.cidr import Cidr
from shared.errors import DryRunOperation

T = TypeVar("T")

ALLOCATION_SECONDS = 6.0
"""The ledger's time to allocate; a restart of the ledger fits in."""
CANCELLATION_SECONDS = 2.0
LEASE = timedelta(seconds=10)
"""Longer than the two together, so nobody undoes what is going well."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block that a resource is to have."""

    association_id: str
    source: BlockSource
    check: Callable[[Cidr], Cidr]
    """The CIDR itself, when the resource can have it; otherwise it raises.

    What is allocated is known only then: a pool's default length may be none for the resource.
    """


@dataclass(frozen=True, slots=True)
class Order:
    """What to ask the ledger for, and for whom."""

    pending: CidrRecord
    source: FromPool
    holder: Holder


@dataclass(frozen=True, slots=True)
class Allocation:
    """What the ledger answered."""

    cidr: Cidr
    ipam_pool_id: str
    """The pool that it is of: a policy may have chosen another than was asked for."""
    ipam_pool_allocation_id: str
    source_pool: SourcePool


class Ledger(Protocol):
    """Every call may be repeated."""

    async def allocate(self, order: Order) -> Allocation: ...

    async def check(self, order: Order) -> None:
        """Raise what `allocate` would be refused with; allocate nothing."""

    async def cancel(self, pending: CidrRecord) -> None:
        """Nothing is, or ever will be, allocated under this association id."""


class Undertakings:
    """Carries out what needs blocks."""

    def __init__(self, store: Store, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self._store, self._ledger, self._clock = store, ledger, clock

    async def carry_out(
        self,
        holder: Holder,
        blocks: Sequence[Block],
        conclude: Callable[[Rows, tuple[CidrAssociation, ...]], T],
        *,
        dry_run: bool = False,
    ) -> T:
        """The result of ``conclude``, which makes ``blocks`` the resource's, in its transaction.

        When it raises, whoever cancels it, the blocks go back to their pools.
        """
        orders = orders_for(holder, blocks)
        if dry_run:
            await self._check(orders)
        association_ids = [order.pending.association_id for order in orders]
        async with AsyncExitStack() as undo:
            if orders:
                undo.push_async_callback(self._roll_back, association_ids)
                await self._begin(orders)
            allocations = await self._allocate(orders)
            associations = tuple(associate(block, allocations) for block in blocks)
            result = await self._store.write(
                lambda rows: _conclude(rows, association_ids, associations, conclude)
            )
            undo.pop_all()
        return result

    async def undo_abandoned(self) -> Sequence[BaseException]:
        """Undo what a process left that died, or could not undo itself; what failed again."""
        now = self._clock()
        return await self._cancel(
            await self._store.write(lambda rows: rows.blocks.abandon_expired(now))
        )

    async def pending(self) -> int:
        """How many blocks are being allocated or undone, by whoever."""
        return await self._store.read(lambda rows: rows.blocks.count_pending())

    async def _check(self, orders: Sequence[Order]) -> None:
        for order in orders:
            await self._ledger.check(order)
        raise DryRunOperation

    async def _begin(self, orders: Sequence[Order]) -> None:
        pending, expires_at = [order.pending for order in orders], self._clock() + LEASE
        await self._store.write(lambda rows: rows.blocks.begin(pending, expires_at=expires_at))

    async def _allocate(self, orders: Sequence[Order]) -> dict[str, Allocation]:
        outcomes = await asyncio.gather(
            *(self._ledger.allocate(order) for order in orders), return_exceptions=True
        )
        allocations = {}
        for order, outcome in zip(orders, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                raise outcome
            allocations[order.pending.association_id] = outcome
        return allocations

    async def _roll_back(self, association_ids: Sequence[str]) -> None:
        """As far as the ledger answers; the rest is left to `undo_abandoned`.

        What was refused is cancelled as well: an earlier attempt of the same request, whose answer
        did not come, may still be on its way.
        """
        await self._cancel(
            await self._store.write(lambda rows: rows.blocks.abandon(association_ids))
        )

    async def _cancel(self, abandoned: Sequence[CidrRecord]) -> Sequence[BaseException]:
        outcomes = await asyncio.gather(
            *(self._ledger.cancel(pending) for pending in abandoned), return_exceptions=True
        )
        done = [
            pending.association_id
            for pending, outcome in zip(abandoned, outcomes, strict=True)
            if outcome is None
        ]
        if done:
            await self._store.write(lambda rows: rows.blocks.forget(done))
        return [outcome for outcome in outcomes if outcome is not None]


def orders_for(holder: Holder, blocks: Sequence[Block]) -> list[Order]:
    """What the ledger is asked for, so that the resource can have ``blocks``."""
    return [
        Order(
            CidrRecord(
                association_id=block.association_id,
                resource_id=holder.resource_id,
                resource_type=holder.resource_type,
                owner_id=holder.owner_id,
                region=holder.region,
            ),
            block.source,
            holder,
        )
        for block in blocks
        if isinstance(block.source, FromPool)
    ]


def associate(block: Block, allocations: dict[str, Allocation]) -> CidrAssociation:
    """``block`` as the resource will have it.

    Raises:
        CadastreError: what was allocated is nothing that the resource can have.
    """
    if isinstance(block.source, Given):
        return CidrAssociation(block.association_id, block.source.cidr)
    allocation = allocations[block.association_id]
    return CidrAssociation(
        block.association_id,
        block.check(allocation.cidr),
        allocation.ipam_pool_id,
        allocation.ipam_pool_allocation_id,
        allocation.source_pool,
    )


def _conclude(
    rows: Rows,
    association_ids: Sequence[str],
    associations: tuple[CidrAssociation, ...],
    conclude: Callable[[Rows, tuple[CidrAssociation, ...]], T],
) -> T:
    if not rows.blocks.conclude(association_ids):
        raise UndertakingAbandoned
    return conclude(rows, associations)
