"""`Books` in SQL."""

import threading
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from itertools import islice

from services.allocation.audit.finding import Checked, Finding
from services.allocation.changes import PoolChange
from services.allocation.store.audit import queries
from services.allocation.store.audit.pool_check import PoolCheck, findings_across_pools
from services.allocation.store.audit.repairs import repaired_pool, repaired_strays
from services.allocation.store.change_log import ChangeLog
from services.allocation.store.records import RecordTexts
from shared.ids import IPAM_POOL
from shared.persistence.database import Database

_CHUNK = 100

Findings = Generator[Finding | Checked, None, None]


class SqlBooks:
    """Reads along an index from one snapshot per pool, and holds one thread while it reads."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        on_commit: Callable[[], None] = lambda: None,
        on_repair: Callable[[Mapping[type[PoolChange], int]], None] = lambda _: None,
    ) -> None:
        """``on_commit`` is called, in the event loop, when something was repaired.

        ``on_repair`` is told how much of each kind that did to pools.
        """
        self._database, self._clock = database, clock
        self._on_commit, self._on_repair = on_commit, on_repair

    async def pool_ids(self, ipam_pool_ids: Sequence[str]) -> Sequence[str]:
        return await self._database.run(self._pool_ids, ipam_pool_ids)

    async def check(self, ipam_pool_id: str) -> AsyncGenerator[Finding | Checked, None]:
        async with aclosing(self._pulled(self._check(ipam_pool_id))) as found:
            async for one in found:
                yield one

    async def check_across(self, ipam_pool_ids: Sequence[str]) -> AsyncGenerator[Finding, None]:
        async with aclosing(self._pulled(self._check_across(ipam_pool_ids))) as found:
            async for one in found:
                if isinstance(one, Finding):
                    yield one

    async def repair(self, ipam_pool_id: str) -> Sequence[Finding]:
        found = await self._database.run(self._repair, ipam_pool_id)
        self._on_commit()
        return found

    async def repair_strays(self) -> Sequence[Finding]:
        return await self._database.run(self._repair_strays)

    def _pool_ids(self, ipam_pool_ids: Sequence[str]) -> Sequence[str]:
        with self._database.read() as connection:
            known = queries.all_pool_ids(connection)
        unknown = sorted(set(ipam_pool_ids).difference(known))
        if unknown:
            raise IPAM_POOL.unknown(unknown[0])
        return sorted(set(ipam_pool_ids)) or known

    def _check(self, ipam_pool_id: str) -> Findings:
        with self._database.read() as connection:
            pool = queries.pool_record(connection, ipam_pool_id)
            if pool:
                check = PoolCheck(connection, pool)
                yield from check.findings()
                yield check.checked

    def _check_across(self, ipam_pool_ids: Sequence[str]) -> Findings:
        with self._database.read() as connection:
            yield from findings_across_pools(connection, ipam_pool_ids)

    def _repair(self, ipam_pool_id: str) -> Sequence[Finding]:
        with self._database.write() as connection:
            now = self._clock()
            log = ChangeLog(connection, now, RecordTexts())
            found = repaired_pool(connection, now, ipam_pool_id, log)
        self._on_repair(log.counts)
        return found

    def _repair_strays(self) -> Sequence[Finding]:
        with self._database.write() as connection:
            return list(repaired_strays(connection))

    async def _pulled(self, findings: Findings) -> AsyncGenerator[Finding | Checked, None]:
        """What a transaction in a thread finds, a few at a time; it ends with the iteration."""
        # Who stops listening while a thread looks for more has to wait for it before closing.
        turn = threading.Lock()

        def some() -> Sequence[Finding | Checked]:
            with turn:
                return list(islice(findings, _CHUNK))

        def close() -> None:
            with turn:
                findings.close()

        try:
            while found := await self._database.run(some):
                for one in found:
                    yield one
        finally:
            await self._database.run(close)
