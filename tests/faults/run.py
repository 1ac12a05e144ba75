"""One fault run: an installation, clients at work, and something that kills what they work with."""

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from shared.errors import CadastreError
from shared.identity import TokenSigner, create_secret
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.rpc.client import Remote
from shared.settings import Settings
from tests.acceptance.installation import free_base_port
from tests.allocation.world import World
from tests.faults import unguarded
from tests.faults.checker import violations
from tests.faults.database_server import DatabaseServer, database_server
from tests.faults.history import Breach, Call, Found, Made, Violation
from tests.faults.holds import Fate, Holds
from tests.faults.snapshot import snapshot
from tests.faults.workload import CIDRS, Worker, look_through_every_replica
from tests.service_process import ServiceProcess

Weakness = Literal["protection", "durability"]
"""What an installation is robbed of, so that the run has to find something."""

_START_SECONDS = 60
_PAUSE_SECONDS = 0.05
_MADE_BETWEEN_KILLS = 40
"""At least, so that there is something to lose at every kill, on however slow a machine."""
_MADE_WITHIN_SECONDS = 60
_LOG_CHARACTERS = 5_000


@dataclass(frozen=True)
class Options:
    """``seed`` decides what is done and when; not how the machine schedules it."""

    seconds: float = 300
    kills: int = 20
    seed: int = field(default_factory=lambda: random.randrange(1 << 32))
    database: Literal["postgresql", "sqlite"] = "postgresql"
    replicas: int = 2
    clients: int = 12
    without: Weakness | None = None


@dataclass(frozen=True)
class Report:
    """What came out."""

    options: Options
    calls: Sequence[Call]
    kills: Counter[str]
    violations: Sequence[Violation]
    logs: Sequence[str]
    """What each replica said at last."""
    fates: Counter[Fate]
    """Of the holds that clients were told of."""

    def count(self, breach: Breach) -> int:
        return sum(found.kind is breach for found in self.violations)


class Victim(Protocol):
    def start(self) -> None: ...

    def kill(self) -> None: ...


@dataclass(frozen=True)
class Installation:
    """Replicas of the ledger over one database, and connections to each."""

    url: str
    server: DatabaseServer | None
    replicas: Sequence[ServiceProcess]
    remotes: Sequence[Remote]

    async def start_replicas(self) -> None:
        for replica in self.replicas:
            replica.start()
        await self.is_up()

    def kill_replicas(self) -> None:
        """Nobody is left who could change anything, when this comes back."""
        self.check_alive()
        for replica in self.replicas:
            replica.kill()
        if self.server:
            self.server.wait_until_alone(self.url)

    def check_alive(self) -> None:
        """Nothing may end that was not killed."""
        for replica in self.replicas:
            assert replica.is_alive, replica.log

    async def is_up(self) -> None:
        """Come back once every replica answers."""
        async with asyncio.timeout(_START_SECONDS):
            for remote in self.remotes:
                while not await _answers(remote):  # noqa: ASYNC110 - it is about a process
                    await asyncio.sleep(_PAUSE_SECONDS)


async def run(options: Options) -> Report:
    """Ends by itself, and takes with it all that it started."""
    rng, calls = random.Random(options.seed), list[Call]()
    async with _installation(options) as installation:
        await installation.start_replicas()
        shared = [await World(installation.remotes[0]).pool(cidr) for cidr in CIDRS]
        kills = await _disturbed_work(options, installation, shared, calls, rng)
        found = await _last_look(installation, calls, rng)
        audited = await _audited(installation.remotes[0])
        logs = [replica.log[-_LOG_CHARACTERS:] for replica in installation.replicas]
    broken = [*violations(calls, found), *audited]
    return Report(options, calls, kills, broken, logs, Holds(calls).fates(by=found.at))


async def _disturbed_work(
    options: Options,
    installation: Installation,
    shared_pools: Sequence[str],
    calls: list[Call],
    rng: random.Random,
) -> Counter[str]:
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(options.clients):
            own = random.Random(rng.getrandbits(64))
            worker = Worker(installation.remotes, calls, shared_pools, own)
            tasks.create_task(worker.work(ended))
        kills = await _disturb(options, installation, calls, rng)
        ended.set()
    return kills


async def _disturb(
    options: Options, installation: Installation, calls: Sequence[Call], rng: random.Random
) -> Counter[str]:
    """Kill and start again, at moments spread over the time; over when it and they are.

    A kill comes later than its moment if less than ``_MADE_BETWEEN_KILLS`` was made before it.
    """
    victims: list[tuple[str, Victim]] = [("replica", found) for found in installation.replicas]
    if installation.server:
        victims.append(("database", installation.server))
    began, kills = time.monotonic(), Counter[str]()
    for number in range(options.kills):
        up_since = len(calls)
        await _until(began + (number + rng.random()) * options.seconds / options.kills)
        await _until_made(calls, up_since)
        # Each in its turn, so that even a few kills are of all kinds.
        name, victim = victims[number % len(victims)]
        installation.check_alive()
        await asyncio.to_thread(victim.kill)
        await asyncio.to_thread(victim.start)
        await installation.is_up()
        kills[name] += 1
    await _until(began + options.seconds)
    return kills


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


async def _until_made(calls: Sequence[Call], since: int) -> None:
    def made() -> int:
        return sum(isinstance(call.outcome, Made) for call in calls[since:])

    async with asyncio.timeout(_MADE_WITHIN_SECONDS):
        while made() < _MADE_BETWEEN_KILLS:  # noqa: ASYNC110 - clients need not know of it
            await asyncio.sleep(_PAUSE_SECONDS)


async def _last_look(installation: Installation, calls: list[Call], rng: random.Random) -> Found:
    """At the database, with nobody left who could change it; then through all replicas anew."""
    await asyncio.to_thread(installation.kill_replicas)
    found = await asyncio.to_thread(snapshot, installation.url)
    await installation.start_replicas()
    pool_ids = [pool.pool_id for pool in found.pools]
    await look_through_every_replica(installation.remotes, calls, pool_ids, rng)
    return found


async def _audited(remote: Remote) -> list[Violation]:
    """What an operator's check finds, beside the checker here, which knows nothing of it."""
    auditor = World(remote).caller("", "", "local")
    told = [part async for part in auditor.stream("CheckLedger")]
    assert told[-1].HasField("summary"), "the check was cut off"
    return [Violation(Breach.AUDITED, part.finding.message) for part in told[:-1]]


@asynccontextmanager
async def _installation(options: Options) -> AsyncIterator[Installation]:
    with (
        tempfile.TemporaryDirectory(prefix="cadastre-faults-") as name,
        _database(options, Path(name)) as (url, server),
    ):
        settings = Settings(data=Path(name), database_url=url)
        signer = TokenSigner(create_secret(settings.identity_secret_path))
        replicas = _replicas(options, settings)
        async with AsyncExitStack() as stack:
            for replica in replicas:
                stack.callback(replica.kill)
            remotes = [
                await stack.enter_async_context(Remote(replica.address, signer=signer))
                for replica in replicas
            ]
            yield Installation(url, server, replicas, remotes)


def _replicas(options: Options, settings: Settings) -> list[ServiceProcess]:
    module = unguarded.__name__ if options.without == "protection" else ""
    ports = set[int]()
    while len(ports) < options.replicas:
        ports.add(free_base_port())
    return [
        ServiceProcess("allocation", settings.model_copy(update={"port": port}), module=module)
        for port in sorted(ports)
    ]


@contextmanager
def _database(options: Options, folder: Path) -> Iterator[tuple[str, DatabaseServer | None]]:
    if options.database == "sqlite":
        yield f"sqlite:///{folder / 'ledger.db'}", None
        return
    with database_server() as server:
        server.create_database("ledger")
        url = server.url_of("ledger")
        database = Database(url)
        upgrade(database, "services.allocation")
        if options.without == "protection":
            unguarded.drop_guards(database)
        if options.without == "durability":
            unguarded.answer_before_it_is_on_disk(database)
        database.close()
        yield url, server


async def _answers(remote: Remote) -> bool:
    with suppress(CadastreError):
        nothing = ["ipam-pool-00000000"]
        await World(remote, timeout_seconds=1).control_plane(
            "GetIpamPoolUsage", ipam_pool_ids=nothing
        )
        return True
    return False
