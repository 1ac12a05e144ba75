"""What is known survives who is away, who is faster and what can't be, on both databases."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.discovery.v1 import monitoring_service_pb2 as pb
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
from services.discovery.inventory import digest_of
from services.discovery.service.evaluating import (
    Evaluator,
    ImportRefused,
    ObservedCidr,
    Policy,
)
from services.discovery.service.passes import Passes
from services.discovery.snapshot import Address, IpSource, Snapshot, SourcedCidr, Vpc
from services.discovery.sources import AccountRegion
from services.discovery.store.inventories import SqlInventories
from services.discovery.store.records import SqlRecords
from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterValue
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.discovery.monitored import HOME, IPAM, NOW, PRIVATE, PUBLIC, VPC, serving
from tests.waiting import eventually

ACCOUNT = "123456789012"
PLACE = AccountRegion(ACCOUNT, HOME)
BLOCK = Cidr.parse("10.0.0.0/16")
EVERYTHING_ELSE: Any = None


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

    name, attempts_at_once = "network", 1

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

    def __init__(self) -> None:
        cidrs = (Cidr.parse("10.0.0.0/8"),)
        pool = Pool(
            "pool", PRIVATE, AddressFamily.IPV4, HOME, None, False, None, None, {}, cidrs
        )
        held = Allocation(
            "alloc", "pool", BLOCK, AllocationType.VPC, VPC, HOME, ACCOUNT, "discovery"
        )
        self._books = Books({"pool": pool}, [held])
        self.released: list[str] = []

    async def books(self, ipam_id: str) -> Books:
        return self._books

    async def take_in(self, imports: Sequence[Import]) -> Sequence[ImportRefused]:
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
    marking = {
        "ipam_id": IPAM,
        "region": HOME,
        "resource_id": VPC,
        "first_address": BLOCK.first_key,
        "prefix_length": BLOCK.prefix_length,
        "is_ignored": True,
    }
    with database.write() as connection:
        connection.execute(tables.markings.insert().values(marking))
    source.may_answer.set()
    await long_pass
    with database.read() as connection:
        assert connection.execute(sa.select(tables.markings)).all()


@pytest.mark.parametrize("told", ["vpc-" + "a" * 300, "vpc-\0"], ids=["too long", "a NUL"])
async def test_what_the_database_cannot_keep_fails_the_account_alone(
    database: Database, told: str
) -> None:  # DISC-4, DISC-6
    source = FakeSource(vpc(told))
    passes = passes_of(database, FakeControlPlane(coverage(ipam())), source, FakeLedger())
    report = await passes.run()
    assert report.failures or report.added


async def test_places_are_dropped_while_somebody_pushes_there(database: Database) -> None:
    inventories = SqlInventories(database)
    await inventories.take_in("dc", snapshot())
    if database.dialect == "sqlite":
        pytest.skip("one writer at a time")

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
        dropping = thread.submit(asyncio.run, inventories.keep_only([]))
        await eventually(waits)
        connection.commit()
    dropping.result()


async def test_a_digest_tells_who_provided_an_address() -> None:  # DISC-4
    def told(ip_source: IpSource) -> Snapshot:
        address = Cidr.parse("203.0.113.5/32")
        eip = Address("eipalloc-1", address, "ipam-pool-1", HOME, {}, ip_source=ip_source)
        return Snapshot(ACCOUNT, HOME, NOW, addresses=[eip])

    assert digest_of(told(IpSource.AMAZON)) != digest_of(told(IpSource.BYOIP))


async def test_no_record_ends_before_it_starts(database_url: str, tmp_path: Path) -> None:
    """Pushers' clocks may be fast, by minutes."""  # HIST-1
    async with serving(database_url, tmp_path) as it:
        it.evaluated()
        inventory_id = it.inventory(source="dc")
        row_id = it.there(inventory_id, "vpc", VPC, str(BLOCK))
        start = NOW + timedelta(minutes=4)
        it.record("vpc", VPC, str(BLOCK), row_id, inventory_id=inventory_id, started_at=start)
        await it.ask(
            pb.ModifyIpamResourceCidrRequest(
                resource_id=VPC,
                resource_cidr=str(BLOCK),
                resource_region=HOME,
                current_ipam_scope_id=PRIVATE,
                monitored=False,
            )
        )
        first, second = it.rows(tables.records)
        assert first.started_at <= first.ended_at <= second.started_at


async def test_a_time_that_cannot_be_is_refused(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as it:
        with pytest.raises(InvalidParameterValue):
            await it.ask(
                pb.GetIpamAddressHistoryRequest(
                    cidr=str(BLOCK),
                    ipam_scope_id=PRIVATE,
                    start_time=Timestamp(seconds=10**12),
                )
            )


_ = UTC
