"""Throughput and latency of AllocateIpamPoolCidr through gRPC, beside a call that does nothing.

Both are real server processes on loopback, as configured by default: every acknowledged allocation
is on disk (SQLite, synchronous FULL). Each client sends its next request, with a client token of
its own, when the last one is answered. All clients are one process: on two cores, one is theirs.
"""

import asyncio
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from time import perf_counter

import sqlalchemy as sa

from cadastre.allocation.v1 import allocation_service_pb2, allocation_service_pb2_grpc
from services.allocation import tables
from services.allocation.allocation import Allocation, ResourceType
from services.allocation.store.records import allocation_to_row
from shared.caller import Caller
from shared.cidr import Cidr
from shared.identity import TokenSigner, create_secret
from shared.ids import IPAM_POOL_ALLOCATION
from shared.persistence.database import Database
from shared.rpc.client import Remote
from shared.settings import Settings
from tests.acceptance.installation import free_base_port
from tests.allocation.world import ACCOUNT, HOME, World

DATABASE_URL = "sqlite:///{data}/{context}.db"
CLIENTS = (1, 16, 128)
SECONDS = 3.0
START_SECONDS = 30
HELD = 100_000
NETMASK_LENGTH = 29
REPOSITORY = Path(__file__).parents[2]
OWNER = Caller(ACCOUNT, HOME, "bench")


@dataclass(frozen=True)
class Run:
    """What came out of some seconds."""

    calls_per_second: float
    latencies: list[float]

    def percentile(self, percent: int) -> float:
        """In milliseconds."""
        ranked = sorted(self.latencies)
        return ranked[len(ranked) * percent // 100] * 1000


@dataclass(frozen=True)
class Server:
    """A service in its process."""

    settings: Settings
    remote: Remote

    async def measure(self, pool_id: str, clients: int) -> Run:
        """Let ``clients`` allocate from a pool, one call each at a time."""
        stub = allocation_service_pb2_grpc.AllocationServiceStub(self.remote.channel)
        numbers, latencies = count(), list[float]()
        began = perf_counter()

        async def allocate() -> None:
            while (sent := perf_counter()) - began < SECONDS:
                request = allocation_service_pb2.AllocateIpamPoolCidrRequest(
                    ipam_pool_id=pool_id,
                    netmask_length=NETMASK_LENGTH,
                    client_token=f"{pool_id}/{clients}/{next(numbers)}",
                )
                await self.remote.call(stub.AllocateIpamPoolCidr, request, caller=OWNER)
                latencies.append(perf_counter() - sent)

        await asyncio.gather(*(allocate() for _ in range(clients)))
        return Run(len(latencies) / (perf_counter() - began), latencies)


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        noop_settings = settings_in(Path(folder) / "noop")
        async with serving("tests.bench.noop", noop_settings) as server:
            noop = {n: await server.measure("ipam-pool-00000000000000000", n) for n in CLIENTS}
        settings = settings_in(Path(folder) / "ledger")
        async with serving("services.allocation", settings) as server:
            world = World(server.remote)
            pool = await world.pool("10.0.0.0/8")
            full = await world.pool("10.0.0.0/8", ipam_scope_id="ipam-scope-00000000000000002")
            ledger = {n: await server.measure(pool, n) for n in CLIENTS}
            in_pool = int((await world.usage(pool)).allocation_count)
        fill(settings, full)
        async with serving("services.allocation", settings) as server:
            # The first call finds out what is free; later ones know.
            await World(server.remote).allocate(full, netmask_length=NETMASK_LENGTH)
            busiest = await server.measure(full, CLIENTS[-1])
        report(noop, ledger, busiest, in_pool, size_of(settings))


def report(
    noop: dict[int, Run], ledger: dict[int, Run], busiest: Run, in_pool: int, size: int
) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.platform()}, {os.cpu_count()} CPUs,")
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    print(f"{SECONDS:.0f} s each; {in_pool:,} allocations made; {size / 1e6:,.0f} MB on disk\n")
    print(f"{'':44}{'calls/s':>9}{'of no-op':>10}{'p50 ms':>9}{'p99 ms':>9}")
    for clients in CLIENTS:
        row(f"no-op, {clients} clients", noop[clients], None)
        row(f"AllocateIpamPoolCidr, {clients} clients", ledger[clients], noop[clients])
    row(f"AllocateIpamPoolCidr, {CLIENTS[-1]} clients, {HELD:,} held", busiest, noop[CLIENTS[-1]])


def row(name: str, run: Run, noop: Run | None) -> None:
    share = f"{run.calls_per_second / noop.calls_per_second:.0%}" if noop else ""
    print(
        f"{name:44}{run.calls_per_second:9,.0f}{share:>10}"
        f"{run.percentile(50):9.2f}{run.percentile(99):9.2f}"
    )


def settings_in(folder: Path) -> Settings:
    settings = Settings(data=folder, port=free_base_port(), database_url=DATABASE_URL)
    create_secret(settings.identity_secret_path)
    return settings


@asynccontextmanager
async def serving(module: str, settings: Settings) -> AsyncIterator[Server]:
    secret = settings.identity_secret_path.read_bytes()
    address = settings.address_of("allocation")
    with process(module, settings):
        async with Remote(address, signer=TokenSigner(secret)) as remote:
            await asyncio.wait_for(remote.channel.channel_ready(), START_SECONDS)
            yield Server(settings, remote)


@contextmanager
def process(module: str, settings: Settings) -> Iterator[None]:
    environment = {
        **os.environ,
        "CADASTRE_DATA": str(settings.data),
        "CADASTRE_DATABASE_URL": settings.database_url,
        "CADASTRE_PORT": str(settings.port),
    }
    with (
        (settings.data / "log").open("ab") as log,
        subprocess.Popen(
            [sys.executable, "-m", module], env=environment, cwd=REPOSITORY, stdout=log, stderr=log
        ) as started,
    ):
        try:
            yield
        finally:
            started.terminate()


def fill(settings: Settings, pool_id: str) -> None:
    """Put many allocations in a pool, past the ledger; the next process finds them there."""
    size = 1 << (32 - NETMASK_LENGTH)
    first = Cidr.parse("10.0.0.0/8").first
    now = datetime.now(UTC)
    database = Database(settings.database_url_of("allocation"))
    with database.write() as connection:
        is_it = tables.pools.c.ipam_pool_id == pool_id
        number = connection.scalar(sa.select(tables.pools.c.number).where(is_it)) or 0
        connection.execute(
            tables.allocations.insert(),
            [
                allocation_to_row(
                    Allocation(
                        IPAM_POOL_ALLOCATION.new(),
                        pool_id,
                        Cidr(Cidr.parse("10.0.0.0/8").family, first + n * size, NETMASK_LENGTH),
                        ResourceType.CUSTOM,
                        ACCOUNT,
                        now,
                    ),
                    number,
                )
                for n in range(HELD)
            ],
        )
    database.close()


def size_of(settings: Settings) -> int:
    return sum(path.stat().st_size for path in settings.data.glob("allocation.db*"))
