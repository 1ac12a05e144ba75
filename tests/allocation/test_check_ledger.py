"""Checking a running ledger: what was harmed is found and put right, what was not is not."""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.allocation import tables
from services.allocation.free_space import FreeSpace
from services.allocation.store import pool_loader
from services.allocation.store.audit.books import SqlBooks
from shared.cidr import AddressFamily, Cidr
from shared.errors import CadastreError
from shared.persistence.database import Database
from shared.settings import Settings
from tests.allocation.damage import Harm, harming
from tests.allocation.test_watch import watching
from tests.allocation.world import UNKNOWN_POOL, WEST, World, serving, word
from tests.postgres import DIALECTS

CIDR_OF_CHILD = "10.0.0.0/24"


@dataclass
class Report:
    """What a check told."""

    findings: list[Any]
    summary: Any

    @property
    def kinds(self) -> set[str]:
        return {word(finding, "kind") for finding in self.findings}

    def of(self, kind: str) -> Any:
        """The one finding of this kind."""
        [found] = [finding for finding in self.findings if word(finding, "kind") == kind]
        return found


async def check(
    world: World, *pool_ids: str, repair: bool = False, accept_loss: bool = False
) -> Report:
    auditor = world.caller("", "", "local")
    told = [
        part
        async for part in auditor.stream(
            "CheckLedger", ipam_pool_ids=pool_ids, repair=repair, accept_loss=accept_loss
        )
    ]
    report = Report([part.finding for part in told[:-1]], told[-1].summary)
    assert report.summary.findings == len(report.findings)
    assert report.summary.repaired == sum(found.is_repaired for found in report.findings)
    return report


@dataclass
class Pools:
    """A pool with a child, another top-level pool, and allocations in each; all of them cached."""

    top: str
    child: str
    other: str
    held: dict[str, Any]

    @classmethod
    async def made(cls, world: World) -> "Pools":
        top, other = await world.pool("10.0.0.0/16"), await world.pool("11.0.0.0/16")
        child = await world.define(source_ipam_pool_id=top, locale=WEST)
        await world.provision(child, cidr=CIDR_OF_CHILD)
        held = {pool: await world.allocate(pool, netmask_length=26) for pool in (top, child, other)}
        for pool in (top, child, other):
            await world.allocate(pool, netmask_length=28)
        return cls(top, child, other, held)


def is_pool(pool_id: str) -> sa.ColumnElement[bool]:
    return tables.pools.c.ipam_pool_id == pool_id


def overlap(harm: Harm, pools: Pools) -> None:
    harm.add_allocation(pools.top, "10.0.1.32/27")


def overlapping_cidrs(harm: Harm, pools: Pools) -> None:
    harm.add_cidr(pools.other, "10.0.128.0/24")


def outside(harm: Harm, pools: Pools) -> None:
    harm.add_allocation(pools.top, "192.168.0.0/24")


def malformed(harm: Harm, pools: Pools) -> None:
    held = pools.held[pools.top].ipam_pool_allocation_id
    is_it = tables.allocations.c.ipam_pool_allocation_id == held
    harm.change(tables.allocations, is_it, prefix_length=27)


def without_child_cidr(harm: Harm, pools: Pools) -> None:
    number = harm.number_of(pools.child)
    harm.remove(tables.allocations, tables.allocations.c.pool_number == number)
    harm.remove(tables.pool_cidrs, tables.pool_cidrs.c.pool_number == number)


def without_parent(harm: Harm, pools: Pools) -> None:
    harm.remove(tables.allocations, tables.allocations.c.resource_id == pools.child)


def without_link(harm: Harm, pools: Pools) -> None:
    number = harm.number_of(pools.child)
    is_its = tables.pool_cidrs.c.pool_number == number
    harm.change(tables.pool_cidrs, is_its, parent_allocation_id=None)


def others_space(harm: Harm, pools: Pools) -> None:
    is_its = tables.allocations.c.resource_id == pools.child
    harm.change(tables.allocations, is_its, resource_type="custom", resource_id=None)


def wrong_usage(harm: Harm, pools: Pools) -> None:
    harm.change(tables.pools, is_pool(pools.top), allocation_count=77, assigned_addresses="1")


def wrong_free_blocks(harm: Harm, pools: Pools) -> None:
    _keep(harm, pools, version_of(harm, pools.top))


def free_blocks_to_come(harm: Harm, pools: Pools) -> None:
    _keep(harm, pools, 1_000)


def _keep(harm: Harm, pools: Pools, version: int) -> None:
    space = FreeSpace(AddressFamily.IPV4)
    space.add_root(Cidr.parse("10.0.0.0/16"))
    harm.connection.execute(
        tables.snapshots.insert().values(
            pool_number=harm.number_of(pools.top), pool_version=version, free_blocks=space.dump()
        )
    )


def version_of(harm: Harm, pool_id: str) -> int:
    version: int = harm.connection.execute(
        sa.select(tables.pools.c.version).where(is_pool(pool_id))
    ).scalar_one()
    return version


def feed_gap(harm: Harm, pools: Pools) -> None:
    noted = tables.changes.c
    is_it = sa.and_(noted.pool_number == harm.number_of(pools.top), noted.pool_version == 2)
    harm.remove(tables.changes, is_it)


def feed_ahead(harm: Harm, pools: Pools) -> None:
    noted, number = tables.changes.c, harm.number_of(pools.top)
    last = sa.and_(noted.pool_number == number, noted.pool_version == version_of(harm, pools.top))
    harm.change(tables.changes, last, pool_version=40)


def retired(harm: Harm, pools: Pools) -> None:
    harm.change(tables.pools, is_pool(pools.other), is_retired=True)


def nobodys(harm: Harm, pools: Pools) -> None:
    harm.add_allocation(9_999, "10.0.0.0/24")


REPAIRED = {
    "orphaned-parent-allocation": (without_child_cidr, {"wrong-usage"}),
    "cidr-without-parent-allocation": (without_parent, {"wrong-usage"}),
    "wrong-usage": (wrong_usage, set()),
    "wrong-free-blocks": (wrong_free_blocks, set()),
    "change-feed-gap": (feed_gap, set()),
    "records-of-retired-pool": (retired, set()),
}
ALSO_REPAIRED = {
    "not named": ("cidr-without-parent-allocation", without_link),
    "ahead of the pool": ("change-feed-gap", feed_ahead),
    "ahead, too": ("wrong-free-blocks", free_blocks_to_come),
    "of no pool": ("records-of-retired-pool", nobodys),
}
LEFT = {
    "overlapping-allocations": (overlap, {"wrong-usage"}),
    "overlapping-cidrs": (overlapping_cidrs, {"wrong-usage"}),
    "allocation-outside-cidrs": (outside, {"wrong-usage"}),
    "malformed-block": (malformed, set()),
    "cidr-without-parent-allocation": (others_space, {"wrong-usage"}),
}
Plant = Callable[[Harm, Pools], None]


@pytest.mark.parametrize(
    ("kind", "plant", "also"),
    [
        *(pytest.param(kind, *case, id=kind) for kind, case in REPAIRED.items()),
        *(pytest.param(*case, set(), id=name) for name, case in ALSO_REPAIRED.items()),
    ],
)
async def test_what_has_one_right_answer_is_found_and_put_right(
    world: World, settings: Settings, kind: str, plant: Plant, also: set[str]
) -> None:  # BEY-10, POOL-8
    pools = await Pools.made(world)
    assert (await check(world)).findings == []
    with harming(settings) as harm:
        plant(harm, pools)
    found = await check(world)
    assert found.kinds == {kind} | also
    assert found.of(kind).repair
    assert not any(finding.is_repaired for finding in found.findings)
    repaired = await check(world, repair=True)
    assert kind in repaired.kinds
    assert repaired.summary.repaired == repaired.summary.findings
    assert (await check(world)).findings == []
    await allocates_rightly(world, pools.top)
    await allocates_rightly(world, pools.child)


@pytest.mark.parametrize(
    ("kind", "plant", "also"), [pytest.param(k, *case, id=k) for k, case in LEFT.items()]
)
async def test_what_is_for_people_to_decide_is_left_as_it_is(
    world: World, settings: Settings, kind: str, plant: Plant, also: set[str]
) -> None:  # BEY-10, ALLOC-3
    pools = await Pools.made(world)
    with harming(settings) as harm:
        plant(harm, pools)
    for repair in (False, True):
        report = await check(world, repair=repair)
        assert kind in report.kinds <= {kind} | also
        assert not report.of(kind).is_repaired
        assert not report.of(kind).repair


async def allocates_rightly(world: World, pool_id: str) -> None:
    """From what is cached, what is free and nothing else."""
    if not await world.cidrs(pool_id):
        return
    held = [Cidr.parse(found.cidr) for found in await world.allocations(pool_id)]
    for _ in range(3):
        made = Cidr.parse((await world.allocate(pool_id, netmask_length=28)).cidr)
        assert not any(made.overlaps(other) for other in held)
        held.append(made)
    assert (await check(world, pool_id)).findings == []


async def test_a_repaired_child_can_give_its_cidr_back(
    world: World, settings: Settings
) -> None:  # POOL-8
    for plant in (without_parent, without_link):
        top = await world.pool(f"10.{plant is without_link:d}.0.0/16")
        child = await world.define(source_ipam_pool_id=top)
        await world.provision(child, netmask_length=24)
        with harming(settings) as harm:
            plant(harm, Pools(top, child, "", {}))
        await check(world, repair=True)
        [in_parent] = await world.allocations(top)
        assert (word(in_parent, "resource_type"), in_parent.resource_id) == ("ipam-pool", child)
        await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=child)
        assert await world.allocations(top) == []
        assert (await check(world)).findings == []


async def test_a_pool_that_can_not_be_read_stays_in_service(
    world: World, settings: Settings
) -> None:  # BEY-10
    pools = await Pools.made(world)
    with harming(settings) as harm:
        overlap(harm, pools)
        wrong_free_blocks(harm, pools)
    report = await check(world, repair=True)
    assert {"overlapping-allocations", "wrong-usage"} <= report.kinds
    assert report.summary.repaired == 0
    assert "not repaired while" in report.of("wrong-usage").message
    await world.allocate(pools.top, netmask_length=28)


async def test_followers_are_told_of_repaired_records_and_go_on(
    world: World, settings: Settings
) -> None:  # MET-5
    pools = await Pools.made(world)
    with harming(settings) as harm:
        feed_gap(harm, pools)
        without_child_cidr(harm, pools)
    async with watching(world.owner) as watch:
        await check(world, repair=True)
        last = await world.allocate(pools.top, netmask_length=28)
        told = ("allocated", last.cidr, pools.top)
        await watch.until(lambda watch: told in watch.told)
    assert ("released", CIDR_OF_CHILD, pools.top) in watch.told
    with harming(settings) as harm:
        feed_gap_later(harm, pools)
    assert (await check(world)).kinds == {"change-feed-gap"}


def feed_gap_later(harm: Harm, pools: Pools) -> None:
    noted = tables.changes.c
    is_it = sa.and_(
        noted.pool_number == harm.number_of(pools.top),
        noted.pool_version == version_of(harm, pools.top),
    )
    harm.remove(tables.changes, is_it)


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
async def test_a_repair_reaches_what_other_replicas_have_in_memory(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:  # BEY-2
    monkeypatch.setattr(pool_loader, "_FEW_ALLOCATIONS", 1)
    async with serving(settings) as one, serving(settings) as other:
        pools = await Pools.made(one)
        held = await other.allocate(pools.top, netmask_length=26)
        with harming(settings) as harm:
            is_it = tables.allocations.c.ipam_pool_allocation_id == held.ipam_pool_allocation_id
            harm.remove(tables.allocations, is_it)
        await check(one, repair=True)
        # It is free again for both, though the other one had it in its books.
        assert (await other.allocate(pools.top, netmask_length=26)).cidr == held.cidr
        await allocates_rightly(one, pools.top)


async def test_only_the_pools_asked_for_are_checked(world: World, settings: Settings) -> None:
    pools = await Pools.made(world)
    with harming(settings) as harm:
        wrong_usage(harm, pools)
        nobodys(harm, pools)
    assert (await check(world, pools.child)).findings == []
    report = await check(world, pools.top, pools.child)
    assert report.kinds == {"wrong-usage"}
    assert report.summary.pools_checked == 2
    assert report.summary.allocations_checked == 5
    assert report.summary.cidrs_checked == 2
    with pytest.raises(CadastreError) as refusal:
        await check(world, pools.top, UNKNOWN_POOL)
    assert refusal.value.reason == "InvalidIpamPoolId.NotFound"


async def test_many_findings_come_one_by_one(world: World, settings: Settings) -> None:
    top = await world.pool("10.0.0.0/16")
    with harming(settings) as harm:
        for number in range(250):
            harm.add_allocation(top, f"192.168.{number}.0/24")
    assert len((await check(world)).findings) == 251


async def test_a_check_that_nobody_follows_any_more_lets_go(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    top = await world.pool("10.0.0.0/16")
    with harming(settings) as harm:
        for number in range(120):
            harm.add_allocation(top, f"192.168.{number}.0/24")
    url = settings.database_url
    if "sqlite" in url:
        # A file takes one process's `Database` only, and the ledger has this one.
        shutil.copytree(Path(url.removeprefix("sqlite:///")).parent, tmp_path / "copy")
        url = f"sqlite:///{tmp_path}/copy/cadastre.db"
    database = Database(url)
    books = SqlBooks(database, lambda: datetime.now(UTC))
    try:
        found = books.check(top)
        await anext(found)
        await found.aclose()
        looking = asyncio.ensure_future(anext(books.check(top)))
        await asyncio.sleep(0)
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        assert pool_of(database).checkedout() == 0
    finally:
        database.close()


def pool_of(database: Database) -> sa.QueuePool:
    connections = database.engine.pool
    assert isinstance(connections, sa.QueuePool)
    return connections


async def test_work_under_way_is_no_finding(world: World) -> None:  # BEY-10, ALLOC-3, POOL-8
    top = await world.pool("10.0.0.0/16")
    children = [await world.define(source_ipam_pool_id=top) for _ in range(3)]
    ending = asyncio.Event()

    async def allocate_and_release() -> None:
        while not ending.is_set():
            made = [await world.allocate(top, netmask_length=28) for _ in range(3)]
            for found in made:
                await world.release(top, found)

    async def provision_and_deprovision(child: str) -> None:
        while not ending.is_set():
            await world.provision(child, netmask_length=26)
            held = await world.allocate(child, netmask_length=28)
            await world.release(child, held)
            await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=child)

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(allocate_and_release())
        for child in children:
            group.create_task(provision_and_deprovision(child))
        for number in range(15):
            assert (await check(world, repair=bool(number % 2))).findings == []
        ending.set()


async def test_repairs_beside_allocation_lose_nothing(
    world: World, settings: Settings
) -> None:  # BEY-10, ALLOC-3
    pools = await Pools.made(world)
    acknowledged = {found.cidr for found in await world.allocations(pools.top)}
    ending = asyncio.Event()

    async def allocate() -> None:
        while not ending.is_set():
            released, kept = [await world.allocate(pools.top, netmask_length=28) for _ in range(2)]
            await world.release(pools.top, released)
            assert kept.cidr not in acknowledged
            acknowledged.add(kept.cidr)

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(allocate())
        for _ in range(8):
            await asyncio.to_thread(lose_the_last_note, settings, pools)
            report = await check(world, repair=True)
            assert report.of("change-feed-gap").is_repaired
        ending.set()
    assert {found.cidr for found in await world.allocations(pools.top)} == acknowledged
    assert (await check(world)).findings == []


def lose_the_last_note(settings: Settings, pools: Pools) -> None:
    with harming(settings) as harm:
        feed_gap_later(harm, pools)


async def test_what_is_set_aside_is_no_finding(world: World) -> None:  # BEY-8, BEY-9, BEY-10
    pools = await Pools.made(world)
    await world.place(pools.top, cool_down_seconds=3600, add_excluded_cidrs=["10.0.1.0/24"])
    await world.hold(pools.top, netmask_length=28)
    await world.release(pools.top, pools.held[pools.top])
    await world.observe("10.0.2.0/24")
    report = await check(world)
    assert report.findings == []
    assert report.summary.allocations_checked == 6


async def test_all_pools_are_listed_by_id_in_pages(world: World) -> None:
    pools = [await world.define(version=number) for number in (1, 2, 3)]
    await world.control_plane("RetireIpamPool", ipam_pool_id=pools[1])
    await world.control_plane("RetireIpamPool", ipam_pool_id=UNKNOWN_POOL)
    found: list[Any] = []
    token = ""
    while True:
        page = await world.control_plane("ListIpamPools", max_results=3, next_token=token)
        found += page.ipam_pools
        token = page.next_token
        if not token:
            break
    assert [(p.ipam_pool_id, p.definition_version, p.is_retired) for p in found] == [
        (pools[0], 1, False),
        (pools[1], 2, True),
        (pools[2], 3, False),
        (UNKNOWN_POOL, 0, True),
    ]


async def test_only_services_check_the_ledger(world: World) -> None:
    with pytest.raises(CadastreError) as refusal:
        await anext(aiter(world.owner.stream("CheckLedger")))
    assert refusal.value.reason == "UnauthorizedOperation"
