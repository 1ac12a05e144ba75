"""What is known survives who is away, who is faster and what can't be, on both databases."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from services.discovery import tables
from services.discovery.coverage import Coverage, Ipam
from services.discovery.evaluation.model import (
    Allocation,
    AllocationType,
    Books,
    Import,
    Pool,
    Scopes,
)
from services.discovery.service.evaluating import (
    Evaluator,
    ImportRefused,
    ObservedCidr,
    Policy,
    Seen,
)
from services.discovery.service.passes import Passes
from services.discovery.snapshot import Snapshot, SourcedCidr, Vpc
from services.discovery.sources import AccountRegion
from services.discovery.store.inventories import SqlInventories
from services.discovery.store.records import SqlRecords
from shared.cidr import AddressFamily, Cidr
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.discovery.monitored import HOME, IPAM, NOW, PRIVATE, PUBLIC, VPC
from tests.waiting import eventually

ACCOUNT = "123456789012"
PLACE = AccountRegion(ACCOUNT, HOME)
BLOCK = Cidr.parse("10.0.0.0/16")


def ipam(ipam_id: str = IPAM) -> Ipam:
    scopes = Scopes(ipam_id, PRIVATE, PUBLIC, frozenset({PRIVATE}))
    return Ipam(scopes, ACCOUNT, HOME, is_free_tier=False)


def coverage(*ipams: Ipam, places: Iterable[AccountRegion] = (PLACE,)) -> Coverage:
    seen = frozenset(places)
    ids = frozenset(one.ipam_id for one in ipams)
    return Coverage(list(ipams), ids, seen, dict.fromkeys(ids, seen))


def snapshot(*vpcs: Vpc, at: datetime = NOW) -> Snapshot:
    return Snapshot(ACCOUNT, HOME, at, vpcs=list(vpcs))


def vpc(vpc_id: str = VPC) -> Vpc:
    return Vpc(vpc_id, (SourcedCidr(BLOCK),), {})


class FakeControlPlane:
    def __init__(self, told: Coverage) -> None:
        self.told = told

    async def coverage(self) -> Coverage:
        return self.told

    async def pools(self) -> AbstractSet[Any]:
        return set()


class FakeSource:
    """An asked one; a second later each time."""

    name, attempts_at_once, is_asked_between_passes = "network", 1, True

    def __init__(self, *vpcs: Vpc) -> None:
        self.vpcs, self.asked = vpcs, 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def serves(self, wanted: Collection[AccountRegion]) -> Collection[AccountRegion]:
        return wanted

    async def snapshot(self, place: AccountRegion) -> Snapshot:
        await self.may_answer.wait()
        self.asked += 1
        return snapshot(*self.vpcs, at=NOW + timedelta(seconds=self.asked))


class FakeLedger:
    """Has imported `VPC`'s CIDR."""

    def __init__(self, *, auto_import: bool = False) -> None:
        cidrs = (Cidr.parse("10.0.0.0/8"),)
        pool = Pool(
            "pool", PRIVATE, AddressFamily.IPV4, HOME, None, auto_import, None, None, {}, cidrs
        )
        held = Allocation(
            "alloc", "pool", BLOCK, AllocationType.VPC, VPC, HOME, ACCOUNT, "discovery"
        )
        self._books = Books({"pool": pool}, [held])
        self.released: list[str] = []
        self.imported: list[Import] = []

    def forget_allocations(self) -> None:
        self._books = replace(self._books, allocations=[])

    async def books(self, ipam_id: str) -> Books:
        return self._books

    async def take_in(self, imports: Sequence[Import]) -> Sequence[ImportRefused]:
        self.imported += imports
        return []

    async def release(self, ipam_pool_allocation_ids: Sequence[str]) -> Sequence[str]:
        self.released += ipam_pool_allocation_ids
        return ipam_pool_allocation_ids

    async def observed(self, scope_id: str) -> AbstractSet[ObservedCidr]:
        return set()

    async def report_observed(self, *told: Any) -> None: ...


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = Database(database_url)
    await found.run(upgrade, found, "services.discovery")
    yield found
    found.close()


def mark(database: Database, vpc_id: str) -> None:
    """As the owner does who ignores the VPC's CIDR."""
    marking = {
        "ipam_id": IPAM,
        "region": HOME,
        "resource_id": vpc_id,
        "first_address": BLOCK.first_key,
        "prefix_length": BLOCK.prefix_length,
        "is_ignored": True,
    }
    with database.write() as connection:
        connection.execute(tables.markings.delete())
        connection.execute(tables.markings.insert().values(marking))
        version = tables.evaluations.c.version
        connection.execute(tables.evaluations.update().values(version=version + 1))


def passes_of(
    database: Database, control: FakeControlPlane, source: FakeSource, ledger: FakeLedger
) -> Passes:
    def clock() -> datetime:
        return NOW + timedelta(hours=1)

    evaluator = Evaluator(ledger, SqlRecords(database), clock, Policy())
    return Passes(control, [source], SqlInventories(database), evaluator, clock)


async def test_what_was_pushed_and_forgotten_is_not_gone(database: Database) -> None:
    """An account that drops out for two passes comes back before its data centre pushes again."""
    # ALLOC-5, DISC-6
    control, ledger = FakeControlPlane(coverage(ipam())), FakeLedger()
    passes = passes_of(database, control, FakeSource(), ledger)
    await SqlInventories(database).take_in("dc-frankfurt", snapshot(vpc()))
    await passes.run()
    assert ledger.released == []
    control.told = coverage(ipam(), places=())
    await passes.run()
    await passes.run()
    control.told = coverage(ipam())
    await passes.run()
    assert ledger.released == []


async def test_a_long_pass_forgets_nothing_of_an_ipam_that_came_meanwhile(
    database: Database,
) -> None:  # IPAM-9, MON-5
    control, source = FakeControlPlane(coverage()), FakeSource(vpc())
    passes = passes_of(database, control, source, FakeLedger())
    source.may_answer.clear()
    long_pass = asyncio.create_task(passes.run())
    await asyncio.sleep(0)
    control.told = coverage(ipam())
    # An errand meanwhile: the owner has already said something about a resource.
    await passes.refresh(frozenset(), None)
    mark(database, VPC)
    source.may_answer.set()
    await long_pass
    with database.read() as connection:
        assert connection.execute(sa.select(tables.markings)).all()


# SQLite has one writer at a time.
@pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
async def test_places_are_dropped_while_somebody_pushes_there(database: Database) -> None:
    inventories = SqlInventories(database)
    await inventories.take_in("dc", snapshot())

    def is_waiting() -> bool:
        query = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        with database.read() as connection:
            return bool(connection.scalar(query))

    async def waits() -> bool:
        return await asyncio.to_thread(is_waiting)

    # The push that is under way, up to its commit.
    with ThreadPoolExecutor(1) as thread, database.write() as connection:
        [inventory_id] = connection.scalars(
            sa.select(tables.inventories.c.inventory_id).with_for_update()
        )
        connection.execute(
            tables.resource_cidrs.insert().values(
                inventory_id=inventory_id,
                is_monitored=True,
                resource_type="vpc",
                anchor_id=VPC,
                first_address=BLOCK.first_key,
                prefix_length=16,
                fingerprint=b"",
                resource_id=VPC,
                owner_id=ACCOUNT,
                tags={},
                ip_source="none",
            )
        )
        dropping = thread.submit(asyncio.run, inventories.keep_only([], []))
        await eventually(waits)
        connection.commit()
    dropping.result()


async def test_what_is_ignored_before_it_is_imported_is_not(database: Database) -> None:
    """Neither is what is moved: it would have to stay where its allocation is."""  # MON-5, MON-6
    await SqlInventories(database).take_in("network", snapshot(vpc("vpc-2")))
    ledger = FakeLedger(auto_import=True)
    ledger.forget_allocations()

    async def judging(judge: Any, *given: Any) -> Any:
        found = judge(*given)
        if not ledger.imported:
            mark(database, "vpc-2")
        return found

    with database.write() as connection:
        connection.execute(tables.evaluations.insert().values(ipam_id=IPAM, version=1))
    evaluator = Evaluator(ledger, SqlRecords(database), lambda: NOW, Policy(), judging)
    await evaluator.evaluate(ipam(), Seen(frozenset({PLACE}), frozenset()))
    assert ledger.imported == []
