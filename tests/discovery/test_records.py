"""What records tell of inventories that come and go, on both databases (HIST-1, DISC-6)."""

from collections.abc import AsyncIterator, Collection, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from services.discovery import tables
from services.discovery.coverage import Ipam
from services.discovery.evaluation.model import Books, Import, Scopes
from services.discovery.service.evaluating import (
    Evaluator,
    ImportRefused,
    ObservedCidr,
    Policy,
    Seen,
)
from services.discovery.snapshot import NetworkInterface, Snapshot, SourcedCidr, Vpc
from services.discovery.sources import AccountRegion
from services.discovery.store.inventories import SqlInventories
from services.discovery.store.records import SqlRecords
from shared.cidr import Cidr
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.discovery.monitored import HOME, IPAM, NOW, OWNER, PRIVATE, PUBLIC, VPC

PLACE = AccountRegion(OWNER, HOME)
BLOCK = Cidr.parse("10.0.0.0/16")
MINUTE = timedelta(minutes=1)


class NoLedger:
    """Without pools."""

    async def books(self, ipam_id: str) -> Books:
        return Books({}, [])

    async def take_in(self, imports: Sequence[Import]) -> Sequence[ImportRefused]:
        return []

    async def release(self, ipam_pool_allocation_ids: Sequence[str]) -> Sequence[str]:
        return []

    async def observed(self, scope_id: str) -> AbstractSet[ObservedCidr]:
        return frozenset()

    async def report_observed(self, *told: Any) -> None: ...


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = Database(database_url)
    await found.run(upgrade, found, "services.discovery")
    yield found
    found.close()


def snapshot(at: datetime) -> Snapshot:
    """A VPC, and an interface in it."""
    interface = NetworkInterface("eni-1", VPC, "", (Cidr.parse("10.0.0.4/32"),), {}, "use1-az1")
    vpcs = [Vpc(VPC, (SourcedCidr(BLOCK),), {})]
    return Snapshot(OWNER, HOME, at, vpcs=vpcs, network_interfaces=[interface])


async def evaluate(database: Database, at: datetime, places: Collection[AccountRegion]) -> None:
    ipam = Ipam(
        Scopes(IPAM, PRIVATE, PUBLIC, frozenset({PRIVATE})), OWNER, HOME, is_free_tier=False
    )
    evaluator = Evaluator(NoLedger(), SqlRecords(database), lambda: at, Policy())
    await evaluator.evaluate(ipam, Seen(frozenset(places), frozenset()))


def times(database: Database) -> dict[str, list[tuple[datetime, datetime | None]]]:
    """When records began and ended, by resource."""
    found: dict[str, list[tuple[datetime, datetime | None]]] = {}
    with database.read() as connection:
        for row in connection.execute(sa.select(tables.records).order_by("record_id")):
            found.setdefault(row.resource_id, []).append((row.started_at, row.ended_at))
    return found


async def test_what_an_ipam_left_begins_anew_when_it_sees_it_again(
    database: Database,
) -> None:  # HIST-1
    """Also while there is no later snapshot of it."""
    await SqlInventories(database).take_in("dc", snapshot(NOW))
    left_at, back_at = NOW + MINUTE, NOW + 2 * MINUTE
    for at, places in [(NOW, [PLACE]), (left_at, []), (back_at, [PLACE])]:
        await evaluate(database, at, places)
    told = [(NOW, left_at), (back_at, None)]
    assert times(database) == {VPC: told, "eni-1": told}


async def test_what_an_ipam_sees_first_began_with_the_snapshot(
    database: Database,
) -> None:  # DISC-6
    await evaluate(database, NOW + MINUTE, [PLACE])
    await SqlInventories(database).take_in("dc", snapshot(NOW))
    await evaluate(database, NOW + 2 * MINUTE, [PLACE])
    assert times(database) == {VPC: [(NOW, None)], "eni-1": [(NOW, None)]}
