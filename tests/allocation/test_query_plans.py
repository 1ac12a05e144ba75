"""No statement's cost grows with what the ledger holds: SQLite tells how it would find the rows."""

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cadastre.allocation.v1 import allocation_service_pb2 as pb
from services.allocation.allocation import ResourceType
from services.allocation.changes import TokenKey
from services.allocation.service.allocating import Reservation, ResourceBlock
from services.allocation.service.command import Once
from services.allocation.service.ledger import Ledger
from services.allocation.service.placing import PlacementChange
from services.allocation.service.unavailable import unavailable
from services.allocation.service.view import Observed, View
from services.allocation.store.observed import SqlObservations
from services.allocation.store.reader import SqlAnnotator, SqlReader
from services.allocation.wanted_block import WantedBlock
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import CadastreError
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.allocation.test_guards import (
    NOW,
    OWNER,
    POOL,
    define_pools,
    definition,
    with_ledger,
)

NETWORK = Caller(OWNER.account_id, OWNER.region, "tester", service="network")
KEY = TokenKey("service/network", "AllocateResourceCidr", "t")
LENGTH = WantedBlock(netmask_length=24)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    upgrade(database, "services.allocation")
    yield database
    database.close()


def test_no_statement_searches_a_whole_table(database: Database) -> None:  # BEY-7
    statements: dict[str, Any] = {}

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements[statement] = parameters

    asyncio.run(with_ledger(database, lambda ledger: use_everything(ledger, database)))
    sa.event.remove(database.engine, "before_cursor_execute", note)
    searching = {}
    with database.read() as connection:
        for statement, parameters in statements.items():
            if not re.match(r"\s*(SELECT|UPDATE|DELETE)", statement):
                continue
            one = parameters[0] if isinstance(parameters, list) else parameters
            explained = f"EXPLAIN QUERY PLAN {statement}"
            plan = [row.detail for row in connection.exec_driver_sql(explained, one)]
            # A virtual table is the list that the statement was given.
            if any(step.startswith("SCAN ") and "VIRTUAL" not in step for step in plan):
                searching[statement] = plan
    assert len(statements) > 30
    assert searching == {}


async def use_everything(ledger: Ledger, database: Database) -> None:
    reader, annotator = SqlReader(database), SqlAnnotator(database)
    await define_pools(ledger)
    once = Once(TokenKey("a", "b", "c"), pb.AllocateIpamPoolCidrRequest())
    held = await ledger.reserve(
        OWNER, Reservation(POOL, LENGTH, None, {}), once=once, dry_run=False
    )
    taken = Reservation(POOL, WantedBlock(held.cidr), None, {})
    block = ResourceBlock(POOL, LENGTH, ResourceType.VPC, "vpc-1", {}, "t")
    for asked in (
        ledger.reserve(OWNER, taken, once=None, dry_run=False),
        ledger.deprovision(OWNER, POOL, None, dry_run=False),
        ledger.retire(POOL, cascade=False, dry_run=False),
        ledger.allocate_to_resource(
            NETWORK, block, once=Once(KEY, pb.AllocateIpamPoolCidrRequest()), dry_run=False
        ),
    ):
        with pytest.raises(CadastreError):
            await asked
    await ledger.cancel(KEY)
    await ledger.cancel(KEY)
    await hold_and_observe(ledger, SqlObservations(database))
    held_id = held.ipam_pool_allocation_id
    await ledger.release_of_resources([held_id])
    await annotator.annotate(OWNER, [held_id], lambda allocation: allocation, dry_run=False)
    await reader.read(read_everything)
    await ledger.release(OWNER, POOL, held.cidr, held_id, dry_run=False)
    await ledger.deprovision(OWNER, POOL, None, dry_run=False)
    await ledger.provision(
        OWNER, POOL, WantedBlock(held.cidr), proof=None, once=None, dry_run=False
    )
    await ledger.retire(POOL, cascade=True, dry_run=False)


async def hold_and_observe(ledger: Ledger, observations: SqlObservations) -> None:
    seen = [Observed(Cidr.parse("10.255.0.0/24"), "vpc-1")]
    await observations.report(definition(POOL).ipam_scope_id, seen, [])
    await observations.report(definition(POOL).ipam_scope_id, [], seen)
    change = PlacementChange(cool_down=timedelta(hours=1))
    await ledger.change_placement(OWNER, POOL, change, dry_run=False)
    hold = await ledger.hold(OWNER, POOL, LENGTH, timedelta(hours=1), once=None, dry_run=False)
    await ledger.release_hold(OWNER, POOL, hold.set_aside_id, dry_run=False)


def read_everything(view: View) -> None:
    after = f"{'0' * 32}/000"
    view.owned_pools(OWNER)
    view.usage([POOL])
    view.allocations_of_ids(["ipam-pool-alloc-1"])
    for _ in (
        *view.pool_cidrs(POOL, after),
        *view.allocations(POOL, after),
        *view.resource_allocations("network", after),
        *view.observed_in_scope(definition(POOL).ipam_scope_id, f"{'0' * 32}/0/vpc-0"),
        *unavailable(view, POOL, NOW, f"{after}.0"),
    ):
        pass
