"""Forgets client tokens that nobody repeats any more (ALLOC-7)."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa

from services.allocation.tables import client_tokens, is_forgettable
from shared.errors import Unavailable
from shared.persistence.database import Database
from shared.persistence.failures import ConcurrentModification
from shared.telemetry import logger

KEPT = timedelta(days=1)
EVERY = timedelta(minutes=10)
# So few that whoever waits for SQLite's one writer does not notice.
_CHUNK_ROWS = 500

_log = logger("allocation")


class TokenPruning:
    """Of accounts' requests only: a service's token names a block of its resource for ever."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    async def run(self) -> None:
        """Do it now and then; never ends by itself."""
        while True:
            try:
                await self.prune()
            except (Unavailable, ConcurrentModification) as error:
                _log.warning("client tokens not pruned", error=str(error))
            await asyncio.sleep(EVERY.total_seconds())

    async def prune(self) -> None:
        """Forget all that are old enough."""
        before = self._clock() - KEPT
        while await self._database.run(self._prune_some, before):
            pass

    def _prune_some(self, before: datetime) -> int:
        key = (client_tokens.c.account_id, client_tokens.c.operation, client_tokens.c.token)
        old = (
            sa.select(*key)
            .where(is_forgettable, client_tokens.c.created_at < before)
            .limit(_CHUNK_ROWS)
        )
        with self._database.write() as connection:
            pruned = client_tokens.delete().where(sa.tuple_(*key).in_(old))
            return connection.execute(pruned).rowcount
