"""Processes of network that die where a test wants it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from services.network.changes import CidrRecord
from services.network.clients import LedgerClient
from services.network.quotas import Quotas
from services.network.service.addresses import Addresses
from services.network.service.byoip_ranges import ByoipRanges
from services.network.service.public_ipv4_pools import PublicIpv4Pools
from services.network.service.rows import Rows, Store
from services.network.service.subnets import Subnets
from services.network.service.undertaking import LEASE, Allocation, Order, Undertakings
from services.network.service.undertaking import Ledger as LedgerPort
from services.network.service.vpcs import Vpcs
from services.network.store.store import SqlStore
from shared.identity import TokenSigner, load_secret
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.rpc.client import Remote
from shared.settings import Settings

T = TypeVar("T")


def now() -> datetime:
    return datetime.now(UTC)


def long_ago() -> datetime:
    """The clock of a process whose leases have run out by now."""
    return now() - LEASE - timedelta(seconds=1)


class Died(BaseException):
    """kill -9: no handler of the process gets to do anything any more."""


class Life:
    """Lets a process go a number of steps and no further."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def step(self) -> None:
        if self._left <= 0:
            raise Died
        self._left -= 1

    async def around(self, work: Awaitable[T]) -> T:
        """One step before ``work``, one between its effect and anyone's hearing of it."""
        try:
            self.step()
        except Died:
            asyncio.ensure_future(work).cancel()
            raise
        result = await work
        self.step()
        return result


class MortalStore:
    def __init__(self, store: Store, life: Life) -> None:
        self._store, self._life = store, life

    async def read(self, use_case: Callable[[Rows], T]) -> T:
        return await self._life.around(self._store.read(use_case))

    async def write(self, use_case: Callable[[Rows], T], *, dry_run: bool = False) -> T:
        return await self._life.around(self._store.write(use_case, dry_run=dry_run))


class MortalLedger:
    def __init__(self, ledger: LedgerPort, life: Life) -> None:
        self._ledger, self._life = ledger, life

    async def allocate(self, order: Order) -> Allocation:
        return await self._life.around(self._ledger.allocate(order))

    async def check(self, order: Order) -> None:
        await self._life.around(self._ledger.check(order))

    async def cancel(self, pending: CidrRecord) -> None:
        await self._life.around(self._ledger.cancel(pending))


class Process:
    """A network process's use cases, without a server; ``life`` says when it dies."""

    def __init__(self, database: Database, remote: Remote) -> None:
        self.store = SqlStore(database, on_change=lambda _: None)
        self.remote, self.ledger = remote, LedgerClient(remote)

    def vpcs(self, life: Life, clock: Callable[[], datetime]) -> Vpcs:
        return Vpcs(*self._mortal(life, clock), Quotas())

    def subnets(self, life: Life, clock: Callable[[], datetime]) -> Subnets:
        return Subnets(*self._mortal(life, clock), Quotas())

    def addresses(self, life: Life, clock: Callable[[], datetime]) -> Addresses:
        return Addresses(*self._mortal(life, clock), Quotas())

    def public_ipv4_pools(self, life: Life, clock: Callable[[], datetime]) -> PublicIpv4Pools:
        return PublicIpv4Pools(*self._mortal(life, clock))

    def byoip_ranges(self, life: Life, clock: Callable[[], datetime]) -> ByoipRanges:
        return ByoipRanges(*self._mortal(life, clock))

    def undertakings(self, clock: Callable[[], datetime]) -> Undertakings:
        return Undertakings(self.store, self.ledger, clock)

    def _mortal(self, life: Life, clock: Callable[[], datetime]) -> tuple[Store, Undertakings]:
        store, ledger = MortalStore(self.store, life), MortalLedger(self.ledger, life)
        return store, Undertakings(store, ledger, clock)


@asynccontextmanager
async def process(settings: Settings) -> AsyncIterator[Process]:
    database = Database(settings.database_url_of("network"))
    signer = TokenSigner(load_secret(settings.identity_secret_path))
    async with Remote(settings.address_of("allocation"), signer=signer) as remote:
        await database.run(upgrade, database, "services.network")
        try:
            yield Process(database, remote)
        finally:
            database.close()
