"""AllocateIpamPoolCidr through gRPC beside a call that does nothing, on both databases.

That call is answered by one process, and by one behind a front, as the ledger is: two figures.

All are real processes on loopback, as configured by default: every acknowledged allocation is on
disk. Each client sends its next call, with a client token of its own, when the last is answered.
What is compared was measured in turns, since a machine has its moods; the median of the pairs
counts.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import count
from operator import attrgetter
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import psutil
import sqlalchemy as sa
from sqlalchemy import make_url

from services.allocation import tables
from services.allocation.allocation import Allocation, ResourceType
from services.allocation.store.bulk import BulkInsert
from services.allocation.store.records import allocation_to_row
from shared.caller import Caller
from shared.cidr import AddressFamily, Cidr
from shared.identity import TokenSigner, create_secret
from shared.ids import IPAM_POOL_ALLOCATION
from shared.persistence.database import Database
from shared.rpc.client import Remote
from shared.settings import Settings
from tests.acceptance.installation import free_base_port
from tests.allocation.world import ACCOUNT, HOME, World
from tests.bench.load import Load, Result
from tests.faults.database_server import database_server
from tests.service_process import REPOSITORY, ServiceProcess

OWNER = Caller(ACCOUNT, HOME, "bench")
NOOP = "tests.bench.noop"
SQLITE = "sqlite:///{data}/{context}.db"
POOL = Cidr.parse("10.0.0.0/8")
NETMASK_LENGTH = 29
START_SECONDS = 60
CLIENTS = (1, 64, 256)
BATCHES_UNDER_WAY = 4
FILL_ROWS = 10_000
# One in so many blocks is left free, so that free space is as scattered as in a busy pool.
HOLE_EVERY = 6

Kind = Literal["allocate", "allocate and release", "batch"]
Questions = Callable[[World], Coroutine[Any, Any, list[str]]]


@dataclass(frozen=True)
class Server:
    """A service that can be started again and again on the same data."""

    process: ServiceProcess
    settings: Settings
    numbers: Iterator[int] = field(default_factory=count)

    def measure(
        self, kind: Kind, clients: int, seconds: float, pools: Sequence[str], **members: int
    ) -> Result:
        """Put a load on it, from another process."""
        secret = self.settings.identity_secret_path.read_bytes()
        load = Load(
            port=self.settings.port_of("allocation"),
            token=TokenSigner(secret).token_for(OWNER),
            # Of this run and server, for client tokens are made of it.
            name=f"{os.getpid()}-{self.settings.port}-{next(self.numbers)}",
            pools=list(pools),
            kind=kind,
            clients=clients,
            seconds=seconds,
            netmask_length=NETMASK_LENGTH,
            **members,
        )
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.load"],
            input=json.dumps(asdict(load)),
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
            text=True,
            check=True,
            timeout=seconds + START_SECONDS,
        )
        result = Result(**json.loads(done.stdout))
        if result.refused:
            raise RuntimeError(f"{result.refused} calls were refused: {load}")
        return result

    def ask(self, questions: Questions) -> list[str]:
        """Have the ledger do something first."""
        return asyncio.run(self._ask(questions))

    async def _ask(self, questions: Questions) -> list[str]:
        signer = TokenSigner(self.settings.identity_secret_path.read_bytes())
        async with Remote(self.process.address, signer=signer) as remote:
            await asyncio.wait_for(remote.channel.channel_ready(), START_SECONDS)
            return await questions(World(remote))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--pairs", type=int, default=5, help="of measurements that are compared")
    parser.add_argument("--held", type=int, default=100_000, help="allocations in the full pool")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    options = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.platform()}, {os.cpu_count()} CPUs,")
    print(
        f"Python {platform.python_version()}; {options.pairs} pairs of {options.seconds:g} s each"
    )
    if options.database != "postgresql":
        report("SQLite", SQLITE, options)
    if options.database != "sqlite":
        with database_server() as server:
            server.create_database("bench")
            report("PostgreSQL", server.url_of("bench"), options)


def report(name: str, database_url: str, options: argparse.Namespace) -> None:
    """Measure one database, and print."""
    with tempfile.TemporaryDirectory() as folder:
        alone = server_in(Path(folder) / "alone", database_url, module=NOOP, fronts=0)
        fronted = server_in(Path(folder) / "fronted", database_url, module=NOOP)
        ledger = server_in(Path(folder) / "ledger", database_url)
        with alone.process.running(), fronted.process.running(), ledger.process.running():
            pools = ledger.ask(new_pools)
            for noop in (alone, fronted):
                noop.ask(nothing)
            print(
                f"\n{name:31}{'calls/s':>9}{'of no-op':>14}"
                f"{'p50 ms':>8}{'p99 ms':>8}{'of no-op':>14}"
            )
            for clients in CLIENTS:
                compare(
                    f"AllocateIpamPoolCidr, {clients} clients",
                    [
                        tuple(
                            server.measure("allocate", clients, options.seconds, pools[:1])
                            for server in (alone, fronted, ledger)
                        )
                        for _ in range(options.pairs)
                    ],
                )
            compare_batches(alone, ledger, pools, options)
        if make_url(database_url).get_backend_name() == "postgresql":
            compare_replicas(
                ledger, server_in(Path(folder) / "other", database_url), pools, options
            )
        grow(ledger, pools, options)


def compare(name: str, rounds: list[tuple[Result, ...]]) -> None:
    """Beside a no-op in one process, and beside one behind a front as the ledger is."""
    rates, p99s = (
        "/".join(
            f"{statistics.median(figure(found[-1]) / figure(found[noop]) for found in rounds):.2f}"
            for noop in (0, 1)
        )
        for figure in (attrgetter("per_second"), attrgetter("p99"))
    )
    middle = sorted((found[-1] for found in rounds), key=attrgetter("per_second"))[len(rounds) // 2]
    print(
        f"{name:31}{middle.per_second:9,.0f}{rates:>14}"
        f"{middle.p50 * 1000:8.1f}{middle.p99 * 1000:8.1f}{p99s:>14}"
        f"   load: {middle.cpu_share:.0%} of a CPU"
    )


def compare_batches(
    noop: Server, ledger: Server, pools: Sequence[str], options: argparse.Namespace
) -> None:
    size = Load.batch_size
    ratios, rates = [], []
    for _ in range(options.pairs):
        nothing_done = noop.measure("allocate", CLIENTS[-1], options.seconds, pools[:1])
        done = ledger.measure("batch", BATCHES_UNDER_WAY, options.seconds, pools[4:])
        rates.append(done.per_second * size)
        ratios.append(rates[-1] / nothing_done.per_second)
    name = f"batches of {size}, {BATCHES_UNDER_WAY} clients"
    print(
        f"{name:31}{statistics.median(rates):9,.0f}{statistics.median(ratios):>14.2f}"
        "   allocations/s"
    )


def compare_replicas(
    one: Server, other: Server, pools: Sequence[str], options: argparse.Namespace
) -> None:
    """Two processes on one database beside one, with as many clients each."""
    ratios: dict[str, list[float]] = {"different pools": [], "one hot pool": []}
    with one.process.running(), other.process.running(), ThreadPoolExecutor(2) as threads:
        one.ask(nothing)
        other.ask(nothing)
        for _ in range(options.pairs):
            alone = one.measure("allocate", CLIENTS[1], options.seconds, [pools[5]])
            for name, second in (("different pools", pools[6]), ("one hot pool", pools[5])):
                together = [
                    threads.submit(server.measure, "allocate", CLIENTS[1], options.seconds, [pool])
                    for server, pool in ((one, pools[5]), (other, second))
                ]
                rate = sum(done.result().per_second for done in together)
                ratios[name].append(rate / alone.per_second)
    for name, found in ratios.items():
        print(f"two processes, {name}: {statistics.median(found):.2f} of the rate of one")


def grow(ledger: Server, pools: Sequence[str], options: argparse.Namespace) -> None:
    """A pool that holds much beside one that holds little, and how the first comes into memory."""
    few, many = pools[2:4]
    fill(ledger.settings, many, options.held)
    for attempt in ("its allocations", "a snapshot"):
        with ledger.process.running():
            ledger.ask(nothing)
            began = perf_counter()
            ledger.ask(lambda world: allocate_one(world, many))
            seconds = perf_counter() - began
            core = psutil.Process(ledger.process.pid)
            core_mb, front_mb = (p.memory_info().rss / 1e6 for p in (core, *core.children()))
            print(
                f"first allocation of {options.held:,} held, from {attempt}: {seconds:.2f} s;"
                f" then {core_mb:.0f} MB in memory, and {front_mb:.0f} MB in the front"
            )
    with ledger.process.running():
        ledger.ask(lambda world: allocate_one(world, many))
        ratios: dict[Kind, list[float]] = {"allocate": [], "allocate and release": []}
        for _ in range(options.pairs):
            for kind, found in ratios.items():
                with_few = ledger.measure(kind, CLIENTS[1], options.seconds, [few])
                with_many = ledger.measure(kind, CLIENTS[1], options.seconds, [many])
                found.append(with_many.per_second / with_few.per_second)
        for kind, found in ratios.items():
            print(f"{kind}: {statistics.median(found):.2f} of the rate of a pool that holds little")


def server_in(folder: Path, database_url: str, *, module: str = "", fronts: int = 1) -> Server:
    settings = Settings(
        data=folder,
        port=free_base_port(),
        database_url=database_url,
        fronts={"allocation": fronts},
    )
    create_secret(settings.identity_secret_path)
    process = ServiceProcess("allocation", settings, module=module, log_level="info")
    return Server(process, settings)


async def nothing(_world: World) -> list[str]:
    return []


async def new_pools(world: World) -> list[str]:
    """With a /8 each, in scopes of their own."""
    return [
        await world.pool(str(POOL), ipam_scope_id=f"ipam-scope-{number:017x}")
        for number in range(1, 9)
    ]


async def allocate_one(world: World, pool_id: str) -> list[str]:
    return [(await world.allocate(pool_id, netmask_length=NETMASK_LENGTH)).cidr]


def fill(settings: Settings, pool_id: str, held: int) -> None:
    """Put many allocations in a pool, past the ledger; the next process finds them there."""
    database, insert = (
        Database(settings.database_url_of("allocation")),
        BulkInsert(tables.allocations),
    )
    now, blocks = datetime.now(UTC), scattered(held)
    with database.write() as connection:
        is_it = tables.pools.c.ipam_pool_id == pool_id
        number = connection.execute(sa.select(tables.pools.c.number).where(is_it)).scalar_one()
        while rows := [
            allocation_to_row(
                Allocation(
                    IPAM_POOL_ALLOCATION.new(), pool_id, cidr, ResourceType.CUSTOM, ACCOUNT, now
                ),
                number,
            )
            for _, cidr in zip(range(FILL_ROWS), blocks, strict=False)
        ]:
            insert.execute(connection, rows)
        figures = {
            "version": tables.pools.c.version + 1,
            "allocation_count": held,
            "assigned_addresses": str(held << (32 - NETMASK_LENGTH)),
        }
        connection.execute(tables.pools.update().where(is_it).values(**figures))
    database.close()


def scattered(held: int) -> Iterator[Cidr]:
    size, made = 1 << (32 - NETMASK_LENGTH), 0
    for position in count():
        if made == held:
            return
        if position % HOLE_EVERY:
            made += 1
            yield Cidr(AddressFamily.IPV4, POOL.first + position * size, NETMASK_LENGTH)
