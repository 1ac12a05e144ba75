"""What is there, on both databases, when what is told can't be kept (DISC-4, DISC-6)."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from services.discovery import messages, tables
from services.discovery.aws import members
from services.discovery.coverage import Coverage
from services.discovery.service.passes import Passes
from services.discovery.snapshot import Snapshot, SourcedCidr, Vpc
from services.discovery.sources import AccountRegion, FailureCode, SnapshotFailed
from services.discovery.store.inventories import SqlInventories
from shared.cidr import Cidr
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLACE, OTHER = (AccountRegion(f"{n:012}", "us-east-1") for n in (1, 2))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = Database(database_url)
    await found.run(upgrade, found, "services.discovery")
    yield found
    found.close()


def vpc(vpc_id: str, name: str = "") -> Vpc:
    return Vpc(vpc_id, (SourcedCidr(Cidr.parse("10.0.0.0/16")),), {"Name": name})


@dataclass
class FakeSource:
    """Has the same in both accounts, but what one of them has instead."""

    odd: Vpc
    name: str = "network"
    attempts_at_once: int = 1
    is_asked_between_passes: bool = True

    def serves(self, wanted: Collection[AccountRegion]) -> Collection[AccountRegion]:
        return wanted

    async def snapshot(self, place: AccountRegion) -> Snapshot:
        return Snapshot(*place, NOW, vpcs=[self.odd if place == PLACE else vpc("vpc-1")])


@pytest.mark.parametrize(
    "odd",
    [vpc("v" * 256), vpc("vpc-1", "n" * 257), vpc("vpc-\0"), vpc("vpc-\ud800")],
    ids=["a long id", "a long name", "a NUL", "half a character"],
)
async def test_what_the_database_cannot_keep_fails_the_account_alone(
    database: Database, odd: Vpc
) -> None:
    coverage = Coverage([], frozenset(), frozenset({PLACE, OTHER}), {})

    class ControlPlane:
        async def coverage(self) -> Coverage:
            return coverage

        async def pools(self) -> set[Any]:
            return set()

    evaluator: Any = SimpleNamespace()
    passes = Passes(
        ControlPlane(), [FakeSource(odd)], SqlInventories(database), evaluator, lambda: NOW
    )
    report = await passes.refresh({PLACE, OTHER}, frozenset())
    # SQLite knows no lengths and takes NULs.
    failed = [(place, failure.code) for _, place, failure in report.failures]
    assert failed in ([], [(PLACE, FailureCode.OTHER)])
    assert (report.added == 2) == (not failed)
    if database.dialect == "postgresql":
        assert failed
    with database.read() as connection:
        marked = connection.scalars(
            sa.select(tables.inventories.c.account_id).where(
                tables.inventories.c.failure_code.is_not(None)
            )
        ).all()
    assert marked == [place.account_id for place, _ in failed]


async def test_a_failure_may_quote_whatever_was_told(database: Database) -> None:
    failure = SnapshotFailed(FailureCode.OTHER, "'vpc-\0\ud800' is told of twice" + "." * 3000)
    await SqlInventories(database).note_failure("network", PLACE, failure, NOW)
    with database.read() as connection:
        [message] = connection.scalars(sa.select(tables.inventories.c.failure_message))
    assert message.startswith("'vpc-??' is told of twice")


async def test_a_place_fails_until_every_source_told_it(database: Database) -> None:  # DISC-4
    inventories = SqlInventories(database)
    failure = SnapshotFailed(FailureCode.THROTTLING, "not now")
    assert await inventories.failing_places() == 0
    for source, place in (("network", PLACE), ("aws", PLACE), ("aws", OTHER)):
        await inventories.note_failure(source, place, failure, NOW)
    assert await inventories.failing_places() == 2
    for source, failing in (("network", 2), ("aws", 1)):
        await inventories.take_in(source, Snapshot(*PLACE, NOW))
        assert await inventories.failing_places() == failing


@pytest.mark.parametrize("edge", [messages, members])
def test_nothing_is_taken_in_that_columns_have_no_place_for(edge: Any) -> None:
    cidrs: Any = tables.resource_cidrs.c
    of_ids = (cidrs.anchor_id, cidrs.resource_id, cidrs.vpc_id, cidrs.subnet_id, cidrs.container_id)
    assert {column.type.length for column in of_ids} == {edge.ID_LENGTH}
    assert cidrs.availability_zone_id.type.length == edge.WORD_LENGTH
    assert cidrs.name.type.length == edge.TAG_VALUE_LENGTH
