"""Copies the change log into the journal, a little behind it."""

import asyncio
from pathlib import Path

import sqlalchemy as sa

from services.allocation.store.feed import SqlFeed
from services.allocation.store.journal import Journal
from services.allocation.tables import changes, ledger
from shared.errors import Unavailable
from shared.persistence.database import Database
from shared.telemetry import logger

BEHIND_SECONDS = 0.25
"""The journal may lack what was done in the last moment before the process was killed."""

_log = logger("allocation")


def journal_of(database: Database, data: Path) -> Journal:
    """The journal of this database's ledger, in the data folder."""
    with database.read() as connection:
        ledger_id: str = connection.execute(sa.select(ledger.c.ledger_id)).scalar_one()
    return Journal(data / "journal" / ledger_id)


class JournalKeeper:
    """Of processes that share a data folder, one copies; each of them copies all replicas' work."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database, self._journal, self._feed = database, journal, SqlFeed(database)
        # What is copied; None while another process copies, or nobody.
        self._reached: int | None = None

    async def run(self) -> None:
        """Copy what is done; never ends by itself."""
        try:
            while True:
                await self._try_to_copy()
                await asyncio.sleep(BEHIND_SECONDS)
        finally:
            # A process that is stopped leaves nothing out.
            await self._try_to_copy()
            self._journal.close()

    async def _try_to_copy(self) -> None:
        try:
            await self._copy()
        except (Unavailable, OSError) as error:
            # Such as a full disk. What was written in part is cut off before more is written.
            self._journal.close()
            self._reached = None
            _log.warning("changes not copied", error=str(error))

    async def _copy(self) -> None:
        if self._reached is None:
            if not self._journal.own():
                return
            self._reached = await self._beginning()
        while entries := await self._feed.entries_after(self._reached):
            self._journal.append(entries)
            self._reached = entries[-1].sequence

    async def _beginning(self) -> int:
        known = self._journal.last_sequence
        if known is None:
            known = await self._database.run(self._latest)
            self._journal.begin(known)
        return known

    def _latest(self) -> int:
        with self._database.read() as connection:
            return latest_change(connection)


def latest_change(connection: sa.Connection) -> int:
    """The sequence number of the last change there is, 0 before any."""
    return connection.scalar(sa.select(sa.func.max(changes.c.sequence))) or 0
