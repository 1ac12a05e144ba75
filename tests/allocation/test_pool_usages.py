"""How full an IPAM's pools are, and how their free space lies (MET-1, BEY-11)."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import pytest
import sqlalchemy as sa

from services.allocation import tables
from services.allocation.free_figures import FreeFigures
from services.allocation.service.allocating import Reservation
from services.allocation.service.ledger import Ledger
from services.allocation.service.placing import PlacementChange
from services.allocation.store import pool_loader
from services.allocation.store.reader import SqlReader
from services.allocation.wanted_block import WantedBlock
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.settings import Settings
from tests.allocation.damage import harming
from tests.allocation.test_check_ledger import check
from tests.allocation.test_guards import (
    NOW,
    OWNER,
    POOL,
    define_pools,
    definition,
    insert_allocation,
    with_ledger,
)
from tests.allocation.world import IPAM, STRANGER, WEST, World, serving
from tests.postgres import DIALECTS

Lie: TypeAlias = tuple[int, int | None, str]
NOTHING: Lie = (0, None, "0")


async def usages(world: World) -> dict[str, Any]:
    answer = await world.discovery("ListPoolUsages", ipam_id=IPAM)
    return {found.definition.ipam_pool_id: found for found in answer.pool_usages}


async def free(world: World, pool: str) -> Lie:
    """Number of blocks, netmask length of the largest, addresses."""
    found = (await usages(world))[pool]
    has_any = found.HasField("largest_free_netmask_length")
    largest = found.largest_free_netmask_length if has_any else None
    return found.free_block_count, largest, found.free_addresses


async def test_a_pools_usage_is_told_with_how_it_is(world: World) -> None:  # MET-1
    pool = await world.pool("10.0.0.0/16", locale=WEST, shared_with=[STRANGER])
    child = await world.define(source_ipam_pool_id=pool)
    await world.provision(child, cidr="10.0.128.0/17")
    await world.allocate(pool, cidr="10.0.0.0/24")
    found = await usages(world)
    for one in (pool, child):
        assert found[one].usage == await world.usage(one)
    [listed, _] = (await world.discovery("ListPools", ipam_id=IPAM)).pools
    assert found[pool].definition == listed.definition


async def test_free_is_what_is_neither_allocated_nor_set_aside(world: World) -> None:  # BEY-11
    pool = await world.define()
    assert await free(world, pool) == NOTHING
    for cidr in ("10.0.0.0/24", "10.0.1.0/24"):
        await world.provision(pool, cidr=cidr)
    assert await free(world, pool) == (2, 24, "512")
    made = await world.allocate(pool, cidr="10.0.0.0/26")
    assert await free(world, pool) == (3, 24, "448")
    await world.hold(pool, cidr="10.0.1.0/24")
    assert await free(world, pool) == (2, 25, "192")
    await world.place(pool, cool_down_seconds=3600)
    await world.release(pool, made)
    assert await free(world, pool) == (2, 25, "192")
    await world.allocate(pool, cidr="10.0.0.64/26")
    await world.allocate(pool, cidr="10.0.0.128/25")
    assert await free(world, pool) == NOTHING


async def test_what_is_excluded_or_observed_is_not_looked_at(world: World) -> None:
    pool = await world.pool("10.0.0.0/24")
    await world.place(pool, add_excluded_cidrs=["10.0.0.0/26"])
    await world.observe("10.0.0.128/26")
    await world.allocate(pool, netmask_length=28)
    assert await free(world, pool) == (4, 25, "240")


async def test_ipv6_counts_overflow_nothing(world: World) -> None:
    pool = await world.pool("fd80:0:1::/48")
    assert await free(world, pool) == (1, 48, str(1 << 80))


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
async def test_either_replica_tells_what_the_other_did(settings: Settings) -> None:  # BEY-2
    async with serving(settings) as one, serving(settings) as other:
        pool = await one.pool("10.0.0.0/24")
        addresses = 256
        for number in range(6):
            writer, reader = (one, other) if number % 2 else (other, one)
            await writer.allocate(pool, netmask_length=28)
            addresses -= 16
            assert (await free(reader, pool))[2] == str(addresses)
            assert await usages(one) == await usages(other)


async def test_a_repair_is_seen_in_the_figures(world: World, settings: Settings) -> None:  # BEY-10
    pool, other = await world.pool("10.0.0.0/24"), await world.pool("10.0.1.0/24")
    await world.allocate(pool, cidr="10.0.0.0/25")
    with harming(settings) as harm:
        made = harm.add_allocation(pool, "10.0.0.128/25", resource_type="ipam-pool")
    report = await check(world, repair=True)
    assert {found.is_repaired for found in report.findings} == {True}
    assert made not in [a.ipam_pool_allocation_id for a in await world.allocations(pool)]
    assert await free(world, pool) == (1, 25, "128")
    assert await free(world, other) == (1, 24, "256")


async def test_one_damaged_pool_keeps_no_other_from_being_told(
    world: World, settings: Settings
) -> None:
    pool, other = await world.pool("10.0.0.0/24"), await world.pool("10.0.1.0/24")
    with harming(settings) as harm:
        harm.add_allocation(pool, "10.0.9.0/24")
        is_it = tables.pools.c.ipam_pool_id == pool
        harm.change(tables.pools, is_it, version=tables.pools.c.version + 1)
    assert await free(world, pool) == NOTHING
    assert await free(world, other) == (1, 24, "256")


# What is counted, where nobody noted it


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    upgrade(database, "services.allocation")
    yield database
    database.close()


async def told(reader: SqlReader, now: datetime = NOW) -> FreeFigures:
    ipam_id = definition(POOL).ipam_id
    found = await reader.read(lambda view: dict(view.pool_usages(ipam_id, None, now)))
    return found[POOL].free


def forget_figures(database: Database) -> int:
    """As a pool is that has not changed since there are figures; its number."""
    is_it = tables.pools.c.ipam_pool_id == POOL
    with database.write() as connection:
        connection.execute(tables.pools.update().where(is_it).values(free_version=None))
        number: int = connection.scalar(sa.select(tables.pools.c.number).where(is_it)) or 0
    return number


async def reserve(ledger: Ledger, cidr: str) -> Any:
    reservation = Reservation(POOL, WantedBlock.parse(cidr=cidr, netmask_length=None), None, {})
    return await ledger.reserve(OWNER, reservation, once=None, dry_run=False)


@pytest.mark.parametrize("few", [0, 1000], ids=["with snapshots", "without"])
def test_what_was_not_noted_is_counted_once(
    database: Database, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(pool_loader, "_FEW_ALLOCATIONS", few)

    async def fill(ledger: Ledger) -> None:
        await define_pools(ledger)
        await reserve(ledger, "10.0.0.0/9")

    async def use(ledger: Ledger) -> None:
        # It reads the pool, which leaves a snapshot of a large one.
        await reserve(ledger, "10.128.0.0/10")
        with database.read() as connection:
            assert len(connection.execute(sa.select(tables.snapshots)).all()) == (few == 0)
        reader = SqlReader(database)
        noted = await told(reader)
        number = forget_figures(database)
        assert await told(reader) == noted == FreeFigures(1, 10, 1 << 22)
        # Nobody would notice this, unless he looked at the allocations.
        unnoticed = insert_allocation(database, number, "10.192.0.0/11")
        assert await told(reader) == noted
        with database.write() as connection:
            is_it = tables.allocations.c.ipam_pool_allocation_id == unnoticed
            connection.execute(tables.allocations.delete().where(is_it))
        await reserve(ledger, "10.224.0.0/11")
        assert await told(reader) == FreeFigures(1, 11, 1 << 21)
        # What was counted is not of this version.
        forget_figures(database)
        assert await told(reader) == FreeFigures(1, 11, 1 << 21)

    for go in (fill, use):
        asyncio.run(with_ledger(database, go))


def test_what_has_rested_is_free_though_nobody_used_the_pool(database: Database) -> None:  # IPAM-6
    async def use(ledger: Ledger) -> None:
        await define_pools(ledger)
        made = [await reserve(ledger, cidr) for cidr in ("10.0.0.0/9", "10.128.0.0/10")]
        for hours, found in enumerate(made, 1):
            change = PlacementChange(cool_down=timedelta(hours=hours))
            await ledger.change_placement(OWNER, POOL, change, dry_run=False)
            await ledger.release(
                OWNER, POOL, found.cidr, found.ipam_pool_allocation_id, dry_run=False
            )
        reader, hour = SqlReader(database), timedelta(hours=1)
        before = FreeFigures(1, 10, 1 << 22, NOW + hour)
        assert await told(reader, NOW + hour - timedelta(microseconds=1)) == before
        between = FreeFigures(2, 9, 3 << 22, NOW + 2 * hour)
        assert await told(reader, NOW + hour) == between
        assert await told(reader, NOW + 2 * hour) == FreeFigures(1, 8, 1 << 24)
        # A clock may go back; what is told is as of the time that is asked for.
        assert await told(reader) == before

    asyncio.run(with_ledger(database, use))
