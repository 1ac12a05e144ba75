"""How long it takes to find which of many CIDRs overlap: in memory, and with the database."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from time import perf_counter, process_time
from typing import Any, NamedTuple, TypeVar

import numpy as np
import sqlalchemy as sa

from services.discovery.evaluation.overlap import overlapping, positions
from services.discovery.service.evaluating import Evaluator, Policy, Seen
from services.discovery.store.batches import insert_rows
from services.discovery.store.records import SqlRecords
from services.discovery.tables import inventories, records, resource_cidrs
from shared.cidr import AddressFamily, Cidr
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.bench.discovery_world import IPAM, MemoryLedger, StaticControlPlane, places

CIDRS = 1_000_000
SAMPLES, ROUNDS = 20, 5
LENGTHS = (24, *[28] * 99, *[32] * 900)
ADDRESSES_PER_CIDR = 16
"""So that some overlap, and most do not."""
SPACE = Cidr.parse("10.0.0.0/8").first
NOW = datetime(2026, 1, 1, tzinfo=UTC)

T = TypeVar("T")

_COLUMNS = (
    *(resource_cidrs.c[name] for name in ("inventory_id", "is_monitored", "resource_type")),
    *(resource_cidrs.c[name] for name in ("anchor_id", "first_address", "prefix_length")),
    *(resource_cidrs.c[name] for name in ("fingerprint", "resource_id", "owner_id", "tags")),
    *(resource_cidrs.c[name] for name in ("vpc_id", "ip_source")),
)


def report_in_memory(count: int) -> None:
    """Blocks of /24 to /32, of half as many owners."""
    cidrs, owners = _cidrs(count), [number // 2 for number in range(count)]
    codes = np.array(owners)
    converting, (first, last) = _timed(lambda: positions(cidrs, AddressFamily.IPV4))
    finding, found = _timed(lambda: overlapping(first, last, codes))
    for at in random.Random(1).sample(range(count), min(SAMPLES, count)):
        assert found[at] == _overlaps(cidrs, owners, at), cidrs[at]
    print(
        f"  {count:,} CIDRs in memory: {finding}, {found.mean():.0%} of them overlap;"
        f" {converting} to make arrays of them"
    )


def report_with(name: str, url: str, count: int) -> None:
    """As many VPCs of one account, evaluated as a pass does: read, judged, and written."""
    database = Database(url)
    try:
        upgrade(database, "services.discovery")
        cidrs = _cidrs(count)
        _fill(database, cidrs)
        first, again = (asyncio.run(_evaluated(database)) for _ in range(2))
        _check(database, cidrs)
    finally:
        database.close()
    print(
        f"  {count:,} CIDRs evaluated with {name}: {first} with a record of each,"
        f" {again} when nothing changed"
    )


class Spent(NamedTuple):
    """Time that something took."""

    seconds: float
    cpu_seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s ({self.cpu_seconds:.2f} s of a CPU)"


async def _evaluated(database: Database) -> Spent:
    control = StaticControlPlane(places(1))
    coverage = await control.coverage()
    evaluator = Evaluator(MemoryLedger(0), SqlRecords(database), _now, Policy())
    began, cpu_began = perf_counter(), process_time()
    await evaluator.evaluate(coverage.ipams[0], Seen(coverage.places, frozenset()))
    return Spent(perf_counter() - began, process_time() - cpu_began)


def _now() -> datetime:
    return datetime.now(UTC)


def _timed(call: Callable[[], T]) -> tuple[Spent, T]:
    """The best of a few rounds: the machine's noise only ever adds."""
    spent = []
    for _ in range(ROUNDS):
        began, cpu_began = perf_counter(), process_time()
        answer = call()
        spent.append(Spent(perf_counter() - began, process_time() - cpu_began))
    return min(spent), answer


def _cidrs(count: int) -> list[Cidr]:
    rng = random.Random(count)
    found = []
    for _ in range(count):
        length = rng.choice(LENGTHS)
        address = SPACE + rng.randrange(count * ADDRESSES_PER_CIDR)
        found.append(Cidr(AddressFamily.IPV4, address, 32).supernet(length))
    return found


def _overlaps(cidrs: Sequence[Cidr], owners: Sequence[int], at: int) -> bool:
    """By comparing it with all others."""
    first, last, owner = cidrs[at].first, cidrs[at].last, owners[at]
    return any(
        other != owner and cidr.first <= last and first <= cidr.last
        for cidr, other in zip(cidrs, owners, strict=True)
    )


def _fill(database: Database, cidrs: Sequence[Cidr]) -> None:
    [place] = places(1)
    with database.write() as connection:
        values = {
            "source": "network",
            "account_id": place.account_id,
            "region": place.region,
            "last_attempted_at": NOW,
            "last_successful_at": NOW,
            "digest": b"",
            "active_ip_count": 0,
            "version": 1,
        }
        [inventory_id] = connection.execute(
            inventories.insert().values(values)
        ).inserted_primary_key  # type: ignore[misc]
        insert_rows(connection, resource_cidrs, _COLUMNS, _rows(inventory_id, cidrs))


def _rows(inventory_id: int, cidrs: Sequence[Cidr]) -> Iterator[tuple[Any, ...]]:
    [place] = places(1)
    for number, cidr in enumerate(cidrs):
        vpc_id = f"vpc-{number // 2:017x}"
        # The same CIDR twice of a VPC can't be: each has an anchor of its own.
        yield (
            *(inventory_id, True, "vpc", f"{vpc_id}/{number}", cidr.first_key, cidr.prefix_length),
            *(b"", vpc_id, place.account_id, '{"Name": "vpc"}', vpc_id, "none"),
        )


def _check(database: Database, cidrs: Sequence[Cidr]) -> None:
    """What was written is what comparing each with all others says."""
    owners = [number // 2 for number in range(len(cidrs))]
    ats = random.Random(2).sample(range(len(cidrs)), min(SAMPLES, len(cidrs)))
    with database.read() as connection:
        first_row = connection.scalar(sa.select(sa.func.min(resource_cidrs.c.row_id)))
        for at in ats:
            query = sa.select(records.c.overlap_status).where(
                records.c.ipam_id == IPAM,
                records.c.is_monitored,
                records.c.inventory_id == sa.select(inventories.c.inventory_id).scalar_subquery(),
                records.c.row_id == (first_row or 0) + at,
                records.c.ended_at.is_(None),
            )
            expected = "overlapping" if _overlaps(cidrs, owners, at) else "nonoverlapping"
            assert connection.scalar(query) == expected, cidrs[at]
