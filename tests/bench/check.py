"""How long a check of the ledger takes, on both databases: `python -m tests.bench.check`.

The pool is filled past the ledger, so a check tells of the gap that this makes in the change feed,
and of nothing else.
"""

import argparse
import asyncio
import platform
import tempfile
from pathlib import Path
from time import perf_counter

from services.allocation.system_pools import SYSTEM_POOL_IDS
from shared.settings import Settings
from tests.allocation.world import World, serving, settings_for
from tests.bench.allocate import POOL, SQLITE, fill
from tests.faults.database_server import database_server

HELD = 1_000_000


async def measure(settings: Settings, held: int) -> None:
    async with serving(settings) as world:
        pool_id = await world.pool(str(POOL))
    await asyncio.to_thread(fill, settings, pool_id, held)
    async with serving(settings) as world:
        print(f"  allocations alone           {await seconds_to_check(world):6.1f} s")
        # This has the ledger read the pool, and keep its free blocks.
        await world.allocate(pool_id, netmask_length=29)
        print(f"  with free blocks kept, too  {await seconds_to_check(world):6.1f} s")


async def seconds_to_check(world: World) -> float:
    began = perf_counter()
    auditor = world.caller("", "", "local")
    told = [part async for part in auditor.stream("CheckLedger")]
    seconds = perf_counter() - began
    [gap], summary = told[:-1], told[-1].summary
    assert "change feed lacks" in gap.finding.message
    # Besides there are the ledger's own.
    assert summary.pools_checked == 1 + len(SYSTEM_POOL_IDS)
    return seconds


def report(name: str, url: str, held: int) -> None:
    print(name)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(settings_for(Path(folder), url), held))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--held", type=int, default=HELD, help="allocations in the pool")
    held = parser.parse_args().held
    print(f"{platform.platform()}, Python {platform.python_version()}; {held:,} allocations")
    report("SQLite", SQLITE, held)
    with database_server() as server:
        server.create_database("bench")
        report("PostgreSQL", server.url_of("bench"), held)


if __name__ == "__main__":
    main()
