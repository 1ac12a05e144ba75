"""What the ledger tells Prometheus (MET-5)."""

import asyncio
import threading
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from cadastre.allocation.v1 import allocation_service_pb2
from cadastre.common.v1 import telemetry_service_pb2, telemetry_service_pb2_grpc
from services.allocation.allocation import Allocation
from services.allocation.errors import PartRefused
from services.allocation.service.allocating import Reservation
from services.allocation.service.ledger import Ledger
from services.allocation.store.reader import SqlReader
from services.allocation.store.writer import SqlWriter
from services.allocation.telemetry import KINDS, LedgerTelemetry
from services.allocation.wanted_block import WantedBlock
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import CadastreError
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.rpc.server import background
from shared.settings import Settings
from tests.allocation.damage import harming
from tests.allocation.test_check_ledger import check
from tests.allocation.test_guards import NOW, OWNER, POOL, define_pools, definition
from tests.allocation.world import World
from tests.waiting import eventually

SERVICE = Caller("", "", "tester", service="metrics")
CHANGES = "cadastre_ledger_changes_total"
WAITING = "cadastre_ledger_waiting_commands"
BATCHES = "cadastre_ledger_batch_commands_count"
COMMANDS = "cadastre_ledger_batch_commands_sum"
COMMITS = "cadastre_ledger_commit_duration_seconds_count"


async def told(world: World) -> Counter[str]:
    """What the service tells of the ledger: changes by kind, the rest by name."""
    stub = telemetry_service_pb2_grpc.TelemetryServiceStub(world.remote.channel)
    request = telemetry_service_pb2.GetMetricsRequest()
    answer = await world.remote.call(stub.GetMetrics, request, caller=SERVICE)
    return Counter(
        {
            sample.labels.get("kind", sample.name): int(sample.value)
            for family in text_string_to_metric_families(answer.exposition.decode())
            for sample in family.samples
            if sample.name in {CHANGES, WAITING, BATCHES, COMMANDS, COMMITS}
        }
    )


def test_changes_are_named_as_the_feed_names_them() -> None:  # MET-5
    members = allocation_service_pb2.IpamPoolChange.DESCRIPTOR.fields_by_name
    assert set(KINDS.values()) == {*members, "repaired"}


async def test_every_series_is_there_before_anything_happens(world: World) -> None:
    expected = {*KINDS.values(), WAITING, BATCHES, COMMANDS, COMMITS}
    assert (await told(world)).keys() == expected


async def test_what_was_done_to_pools_is_counted_by_kind(world: World) -> None:  # MET-5
    before = await told(world)
    pool = await world.pool("10.0.0.0/24", "10.0.1.0/24")
    made = [await world.allocate(pool, netmask_length=28) for _ in range(3)]
    await world.release(pool, made[0])
    await world.place(pool, cool_down_seconds=3600)
    await world.release(pool, made[1])
    held = await world.hold(pool, netmask_length=28)
    await world.allocate(pool, cidr=held.cidr)
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool, cidr="10.0.1.0/24")
    await world.control_plane("RetireIpamPool", ipam_pool_id=pool, cascade=True)
    done = await told(world) - before
    assert {kind: done[kind] for kind in KINDS.values()} == {
        "allocated": 4,
        "released": 2,
        "set_aside": 2,
        "available": 1,
        "placement": 1,
        "provisioned": 2,
        "deprovisioned": 1,
        "retired": 1,
        "repaired": 0,
    }
    # A definition is a batch as well.
    assert done[BATCHES] == done[COMMITS] == done[COMMANDS] == 13


async def test_what_was_refused_or_undone_is_no_change(world: World) -> None:
    pool = await world.pool("10.0.0.0/24")
    before = await told(world)
    for members in ({"netmask_length": 23}, {"netmask_length": 28, "dry_run": True}):
        with pytest.raises(CadastreError):
            await world.allocate(pool, **members)
    # The second part looks at what the first one wrote, which is undone then.
    parts = [{"ipam_pool_id": pool, "cidr": "10.0.0.0/28"}] * 2
    with pytest.raises(CadastreError, match="overlaps"):
        await world.owner("BatchAllocateIpamPoolCidrs", requests=parts, all_or_nothing=True)
    done = await told(world) - before
    assert not done.keys() & set(KINDS.values())
    assert (done[BATCHES], done[COMMANDS]) == (3, 4)


async def test_a_repair_is_counted_with_what_it_did(world: World, settings: Settings) -> None:
    # BEY-10
    pool = await world.pool("10.0.0.0/24")
    with harming(settings) as harm:
        harm.add_allocation(pool, "10.0.0.0/25", resource_type="ipam-pool")
    before = await told(world)
    await check(world, repair=True)
    done = await told(world) - before
    assert (done["repaired"], done["released"]) == (1, 1)


async def test_what_is_undone_takes_no_count_from_what_goes_beside_it(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    upgrade(database, "services.allocation")
    registry = CollectorRegistry()
    writer = SqlWriter(database, lambda: NOW, telemetry=LedgerTelemetry(registry))
    ledger = Ledger(writer, SqlReader(database))
    one, same = [
        Reservation(POOL, WantedBlock(Cidr.parse(cidr)), None, {})
        for cidr in ("10.0.0.0/24", "10.0.1.0/24")
    ]
    async with background(writer.run()):
        await define_pools(ledger)
        batches = registry.get_sample_value(BATCHES) or 0
        made, refused = await asyncio.gather(
            ledger.reserve(OWNER, one, once=None, dry_run=False),
            ledger.reserve_all(OWNER, [(same, None)] * 2, all_or_nothing=True, dry_run=False),
            return_exceptions=True,
        )
    database.close()
    assert (type(made), type(refused)) == (Allocation, PartRefused)
    assert registry.get_sample_value(BATCHES) == batches + 1
    assert registry.get_sample_value(CHANGES, {"kind": "allocated"}) == 1


async def test_commands_in_line_are_told_while_they_wait(tmp_path: Path) -> None:
    begun, may_go_on = threading.Event(), threading.Event()

    def clock() -> datetime:
        begun.set()
        assert may_go_on.wait(20)
        return NOW

    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    upgrade(database, "services.allocation")
    registry = CollectorRegistry()
    writer = SqlWriter(database, clock, telemetry=LedgerTelemetry(registry))
    ledger = Ledger(writer, SqlReader(database))

    async def is_under_way() -> bool:
        return begun.is_set()

    async def are_waiting(count: int) -> bool:
        return registry.get_sample_value(WAITING) == count

    def define(name: str) -> asyncio.Task[None]:
        return asyncio.create_task(ledger.define(definition(f"ipam-pool-{name}")))

    async with background(writer.run()):
        first = define("a")
        await eventually(is_under_way)
        others = [define(name) for name in "bc"]
        await eventually(lambda: are_waiting(2))
        may_go_on.set()
        await asyncio.gather(first, *others)
        assert await are_waiting(0)
    database.close()
