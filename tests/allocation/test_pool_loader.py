"""However a pool comes into memory, it is what its allocations leave (ALLOC-3)."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import sqlalchemy as sa

from services.allocation import tables
from services.allocation.allocation import Allocation
from services.allocation.service.allocating import Reservation
from services.allocation.service.ledger import Ledger
from services.allocation.store import open_pools, pool_loader
from services.allocation.store.cache import CachedPool
from services.allocation.store.pool_loader import load_pool
from services.allocation.store.reader import SqlReader
from services.allocation.store.writer import SqlWriter
from services.allocation.wanted_block import WantedBlock
from shared.cidr import Cidr
from shared.errors import CadastreError
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.rpc.server import background
from tests.allocation.test_guards import NOW, OWNER, POOL, define_pools

Use = Callable[[list[Ledger]], Awaitable[Any]]
EXTRA = Cidr.parse("192.168.0.0/24")


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    # So that a few dozen changes make use of snapshots and of what came after them.
    monkeypatch.setattr(pool_loader, "CHANGES_UNTIL_SNAPSHOT", 20)
    monkeypatch.setattr(pool_loader, "_FEW_ALLOCATIONS", 5)
    monkeypatch.setattr(open_pools, "_FEWER_THAN_A_SNAPSHOT", 30)
    database = Database(database_url)
    upgrade(database, "services.allocation")
    yield database
    database.close()


def with_replicas(database: Database, use: Use, *, replicas: int = 2) -> Any:
    """Two ledgers on one database, as two processes have: what one does, the other has to find."""

    async def run() -> Any:
        async with AsyncExitStack() as stack:
            writers = [SqlWriter(database, lambda: NOW) for _ in range(replicas)]
            for writer in writers:
                await stack.enter_async_context(background(writer.run()))
            return await use([Ledger(writer, SqlReader(database)) for writer in writers])

    return asyncio.run(run())


async def reserve(ledger: Ledger, netmask_length: int) -> Allocation:
    wanted = WantedBlock(netmask_length=netmask_length)
    reservation = Reservation(POOL, wanted, None, {})
    return await ledger.reserve(OWNER, reservation, once=None, dry_run=False)


async def release(ledger: Ledger, allocation: Allocation) -> None:
    allocation_id = allocation.ipam_pool_allocation_id
    await ledger.release(OWNER, POOL, allocation.cidr, allocation_id, dry_run=False)


async def provision(ledger: Ledger, cidr: Cidr) -> None:
    wanted = WantedBlock(cidr)
    await ledger.provision(OWNER, POOL, wanted, once=None, dry_run=False)


def loaded(database: Database) -> CachedPool:
    with database.write() as connection:
        is_it = tables.pools.c.ipam_pool_id == POOL
        return load_pool(connection, connection.execute(sa.select(tables.pools).where(is_it)).one())


def without_snapshots(database: Database) -> CachedPool:
    with database.write() as connection:
        connection.execute(tables.snapshots.delete())
    return loaded(database)


def is_same(one: CachedPool, other: CachedPool) -> bool:
    return (
        list(one.pool.space) == list(other.pool.space)
        and one.pool.usage == other.pool.usage
        and one.pool.pool_cidrs == other.pool.pool_cidrs
        and one.version == other.version
    )


@pytest.mark.parametrize("seed", range(3))
def test_replicas_and_snapshots_agree_with_the_allocations(database: Database, seed: int) -> None:
    # ALLOC-3, BEY-2
    rng = random.Random(seed)
    held: list[Allocation] = []

    async def use(ledgers: list[Ledger]) -> None:
        await define_pools(ledgers[0])
        for number in range(150):
            # One replica is left behind for a while, now and then.
            ledger = rng.choice(ledgers) if number // 40 % 2 else ledgers[0]
            if held and rng.random() < 0.4:
                await release(ledger, held.pop(rng.randrange(len(held))))
            else:
                held.append(await reserve(ledger, rng.choice((24, 26, 28, 32))))
            if number in {50, 100}:
                await provision(ledger, EXTRA)
            if number == 50:
                await ledgers[0].deprovision(OWNER, POOL, EXTRA, dry_run=False)
            if number % 30 == 0:
                assert is_same(loaded(database), without_snapshots(database))

    with_replicas(database, use)
    snapshotted = loaded(database)
    assert is_same(snapshotted, without_snapshots(database))
    assert snapshotted.pool.usage.allocation_count == len(held)


@pytest.mark.parametrize(
    "harm",
    [
        tables.snapshots.update().values(free_blocks=b"damaged"),
        tables.snapshots.update().values(pool_version=1),
        tables.snapshots.update().values(pool_version=10_000),
        tables.changes.delete(),
    ],
    ids=["damaged", "older than it says", "newer than the pool", "changes lost"],
)
def test_what_does_not_lead_to_the_pool_is_not_used(database: Database, harm: Any) -> None:
    async def fill(ledgers: list[Ledger]) -> None:
        await define_pools(ledgers[0])
        for _ in range(25):
            await reserve(ledgers[0], 24)

    with_replicas(database, fill)
    loaded(database)
    for _ in range(3):
        with_replicas(database, lambda ledgers: reserve(ledgers[0], 28))
    with database.write() as connection:
        connection.execute(harm)
    assert is_same(loaded(database), without_snapshots(database))


def test_a_pool_changed_behind_everybodys_back_is_read_anew(database: Database) -> None:
    # BEY-10: the version has grown, and what was done is noted nowhere.
    async def use(ledgers: list[Ledger]) -> None:
        await define_pools(ledgers[0])
        first = await reserve(ledgers[0], 24)
        await reserve(ledgers[0], 24)
        with database.write() as connection:
            found = tables.allocations.c
            gone = found.ipam_pool_allocation_id == first.ipam_pool_allocation_id
            connection.execute(tables.allocations.delete().where(gone))
            pools = tables.pools.c
            connection.execute(
                tables.pools.update()
                .where(pools.ipam_pool_id == POOL)
                .values(
                    version=pools.version + 1,
                    allocation_count=1,
                    assigned_addresses=str(256),
                )
            )
        assert (await reserve(ledgers[0], 24)).cidr == first.cidr

    with_replicas(database, use)


def test_a_late_replica_refuses_what_another_gave_away(database: Database) -> None:  # ALLOC-3
    async def use(ledgers: list[Ledger]) -> None:
        await define_pools(ledgers[0])
        await reserve(ledgers[1], 24)
        taken = await reserve(ledgers[0], 24)
        wanted = Reservation(POOL, WantedBlock(taken.cidr), None, {})
        with pytest.raises(CadastreError) as refusal:
            await ledgers[1].reserve(OWNER, wanted, once=None, dry_run=False)
        assert taken.ipam_pool_allocation_id in refusal.value.message
        await release(ledgers[0], taken)
        again = await ledgers[1].reserve(OWNER, wanted, once=None, dry_run=False)
        assert again.cidr == taken.cidr

    with_replicas(database, use)
