"""No statement's cost grows with what the ledger holds: SQLite tells how it would find the rows."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cadastre.allocation.v1 import allocation_service_pb2 as pb
from services.allocation.allocation import ResourceType
from services.allocation.changes import TokenKey
from services.allocation.definition import (
    AmazonBlockQuota,
    AwsService,
    PublicIpSource,
    ScopeType,
)
from services.allocation.pending_cidr import OfferedProof
from services.allocation.public_ranges import PublicRanges
from services.allocation.service.allocating import Reservation, ResourceBlock
from services.allocation.service.byoip_ranges import BroughtRange
from services.allocation.service.command import Once
from services.allocation.service.importing import ResourceImport
from services.allocation.service.ledger import Ledger
from services.allocation.service.placing import PlacementChange
from services.allocation.service.public_space import PublicSpace
from services.allocation.service.ranges_at_start import adjust_system_pools
from services.allocation.service.unavailable import unavailable
from services.allocation.service.view import Observed, View, VpcCidr
from services.allocation.store.observed import SqlObservations
from services.allocation.store.reader import SqlAnnotator, SqlReader
from services.allocation.store.tagged import TAGGED
from services.allocation.store.vpc_cidrs import SqlVpcObservations
from services.allocation.store.writer import SqlWriter
from services.allocation.wanted_block import WantedBlock
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import CadastreError
from shared.feed import Bell
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.persistence.tagged import TaggedTables, TagsAfter, Wanted
from shared.rpc.server import background
from tests.allocation.test_guards import (
    NOW,
    OWNER,
    POOL,
    define_pools,
    definition,
    with_ledger,
)

RANGE, PROOF = Cidr.parse("130.137.245.0/24"), OfferedProof(None, True, "m", "s")
PUBLIC = replace(
    definition("ipam-pool-0000000000000000a"),
    scope_type=ScopeType.PUBLIC,
    locale=OWNER.region,
    aws_service=AwsService.EC2,
)
AMAZON = replace(
    PUBLIC,
    ipam_pool_id="ipam-pool-0000000000000000b",
    public_ip_source=PublicIpSource.AMAZON,
    amazon_block_quota=AmazonBlockQuota(2, 29, 30),
)
PLANNING = replace(definition("ipam-pool-0000000000000000c"), source_resource_id="vpc-1")
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
    vpc = ResourceImport(POOL, held.cidr, ResourceType.VPC, "vpc-1", "a", "b")
    await ledger.import_resources(NETWORK, [vpc])
    await hold_and_observe(ledger, SqlObservations(database))
    held_id = held.ipam_pool_allocation_id
    await ledger.release_of_resources([held_id])
    await annotator.annotate(OWNER, [held_id], lambda allocation: allocation, dry_run=False)
    await reader.read(read_everything)
    await TaggedTables(database, TAGGED).ask(OWNER, list_tags)
    await ledger.release(OWNER, POOL, held.cidr, held_id, dry_run=False)
    await ledger.deprovision(OWNER, POOL, None, dry_run=False)
    await ledger.provision(OWNER, POOL, WantedBlock(held.cidr), once=None, dry_run=False)
    await ledger.retire(POOL, cascade=True, dry_run=False)
    await use_public_space(ledger, database)
    await plan_a_vpc(ledger, database)


async def use_public_space(ledger: Ledger, database: Database) -> None:
    writer, reader = SqlWriter(database, lambda: NOW), SqlReader(database)
    async with background(writer.run()):
        await adjust_system_pools(writer, reader, PublicRanges().amazon)
        public_space = PublicSpace(writer, reader, Bell())
        for pool in (PUBLIC, AMAZON):
            await ledger.define(pool)
        await ledger.provision(
            OWNER, AMAZON.ipam_pool_id, WantedBlock(netmask_length=30), once=None, dry_run=False
        )
        await bring_and_pin(ledger, public_space, reader)
        await bring_without_ipam(ledger, public_space)
        with pytest.raises(CadastreError):
            await ledger.provision(
                OWNER, PUBLIC.ipam_pool_id, WantedBlock(RANGE), PROOF, once=None, dry_run=False
            )
        await ledger.retire(PUBLIC.ipam_pool_id, cascade=True, dry_run=False)


async def bring_and_pin(ledger: Ledger, public_space: PublicSpace, reader: SqlReader) -> None:
    for failure in ("not proven", ""):
        asked = await ledger.provision(
            OWNER, PUBLIC.ipam_pool_id, WantedBlock(RANGE), PROOF, once=None, dry_run=False
        )
        await anext(aiter(public_space.waiting()))
        await public_space.conclude(asked.ipam_pool_cidr_id, failure)
        if not failure:
            await public_space.pin(asked.ipam_pool_cidr_id, "it is advertised")
            await public_space.unpin(asked.ipam_pool_cidr_id)
        await reader.read(read_public_space)
        await ledger.deprovision(OWNER, PUBLIC.ipam_pool_id, None, dry_run=False)


async def bring_without_ipam(ledger: Ledger, public_space: PublicSpace) -> None:
    brought = BroughtRange(RANGE, OWNER.account_id, OWNER.region)
    await public_space.register(brought, dry_run=False)
    kind = ResourceType.EC2_PUBLIC_IPV4_POOL
    block = ResourceBlock("byoip", WantedBlock(RANGE), kind, "pool-1", {}, "u")
    once = Once(KEY._replace(token="u"), pb.AllocateIpamPoolCidrRequest())
    await ledger.allocate_to_resource(NETWORK, block, once=once, dry_run=False)
    await public_space.move(brought, PUBLIC.ipam_pool_id, OWNER.account_id)
    await public_space.unregister(RANGE, OWNER.account_id)


async def plan_a_vpc(ledger: Ledger, database: Database) -> None:
    vpcs, seen = SqlVpcObservations(database), VpcCidr("vpc-1", Cidr.parse("10.0.0.0/16"), "a", "b")
    await vpcs.report([seen], [])
    await ledger.define(PLANNING)
    wanted = WantedBlock(netmask_length=16)
    await ledger.provision(OWNER, PLANNING.ipam_pool_id, wanted, once=None, dry_run=False)
    await vpcs.report([], [seen])


async def hold_and_observe(ledger: Ledger, observations: SqlObservations) -> None:
    seen = [Observed(Cidr.parse("10.255.0.0/24"), "vpc-1")]
    await observations.report(definition(POOL).ipam_scope_id, seen, [])
    await observations.report(definition(POOL).ipam_scope_id, [], seen)
    change = PlacementChange(cool_down=timedelta(hours=1))
    await ledger.change_placement(OWNER, POOL, change, dry_run=False)
    hold = await ledger.hold(OWNER, POOL, LENGTH, timedelta(hours=1), once=None, dry_run=False)
    await ledger.release_hold(OWNER, POOL, hold.set_aside_id, dry_run=False)


def list_tags(tags: TagsAfter) -> None:
    after = f"0 1/{'0' * 32} {b'key'.hex()}"
    for wanted in (Wanted(), Wanted(ids=["ipam-pool-alloc-1"]), Wanted(texts=[[["key"]]])):
        assert not [*tags(None, wanted=wanted), *tags(after, wanted=wanted)]


def read_public_space(view: View) -> None:
    key = f"{'0' * 32}/000"
    for _ in (
        *view.pending_cidrs(PUBLIC.ipam_pool_id, key),
        *view.waiting_cidrs(0),
        *view.public_cidrs(OWNER.account_id, OWNER.region, RANGE, f"{key}/0"),
        *view.vpc_cidrs(["vpc-1"], f"{'0' * 32}/0/vpc-0"),
        *view.vpc_cidrs([], f"{'0' * 32}/0/vpc-0"),
        *view.known_pools("ipam-pool-0"),
    ):
        pass


def read_everything(view: View) -> None:
    after = f"{'0' * 32}/000"
    view.owned_pools(OWNER)
    view.usage([POOL])
    view.allocations_of_ids(["ipam-pool-alloc-1"])
    for _ in (
        *view.pool_cidrs(POOL, after),
        *view.allocations(POOL, after),
        *view.resource_allocations("network", after),
        *view.pools_of_ipam(definition(POOL).ipam_id, "ipam-pool-0"),
        *view.pool_usages(definition(POOL).ipam_id, "ipam-pool-0", NOW),
        # When the rest of what was released has ended, it is counted anew.
        *view.pool_usages(definition(POOL).ipam_id, "ipam-pool-0", NOW + timedelta(days=1)),
        *view.allocations_of_ipam(definition(POOL).ipam_id, f"{POOL}/{'0' * 32}"),
        *view.observed_in_scope(definition(POOL).ipam_scope_id, f"{'0' * 32}/0/vpc-0"),
        *unavailable(view, POOL, NOW, f"{after}.0"),
    ):
        pass
