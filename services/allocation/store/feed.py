"""The change log as a feed without gaps, also while other replicas commit."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from services.allocation.changes import CommittedChanges
from services.allocation.store.change_log import changes_from_text
from services.allocation.store.journal import Entry
from services.allocation.store.records import Row, definition_from_json
from services.allocation.tables import changes, pools
from shared.persistence.database import Database

_CHUNK_ROWS = 200
_SETTLING_SECONDS = 0.005
_LATEST = sa.text("SELECT last_value FROM ipam_ledger_changes_sequence_seq")
_BEGUN = sa.text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
_ENDED = sa.text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


class SqlFeed:
    """Reads the change log in order of sequence."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(self, sequence: int) -> Sequence[CommittedChanges]:
        """The next ones, as far as it is settled what they are."""
        return [_committed(row) for row in await self._rows_after(sequence)]

    async def entries_after(self, sequence: int) -> Sequence[Entry]:
        """The same as they are kept."""
        return [_entry(row) for row in await self._rows_after(sequence)]

    async def _rows_after(self, sequence: int) -> Sequence[Row]:
        latest = None
        if self._database.dialect == "postgresql":
            latest = await self._settled()
            if latest <= sequence:
                return []
        return await self._database.run(self._read, sequence, latest)

    async def _settled(self) -> int:
        """A number such that all changes up to it are there to be read.

        Numbers are given before the commit, so a later one may be committed first. Whoever got
        one of these has begun by now; when all who had begun have ended, nothing more can come.
        """
        latest = await self._database.run(self._number, _LATEST)
        begun = await self._database.run(self._number, _BEGUN)
        while await self._database.run(self._number, _ENDED) < begun:  # noqa: ASYNC110 - asks another process
            await asyncio.sleep(_SETTLING_SECONDS)
        return latest

    def _number(self, query: sa.TextClause) -> int:
        with self._database.read() as connection:
            number: int = connection.execute(query).scalar_one()
            return number

    def _read(self, sequence: int, latest: int | None) -> Sequence[Row]:
        query = (
            sa.select(changes, pools.c.ipam_pool_id, pools.c.definition)
            .join(pools, pools.c.number == changes.c.pool_number)
            .where(changes.c.sequence > sequence)
            .order_by(changes.c.sequence)
            .limit(_CHUNK_ROWS)
        )
        if latest is not None:
            query = query.where(changes.c.sequence <= latest)
        with self._database.read() as connection:
            return connection.execute(query).all()


def _committed(row: Row) -> CommittedChanges:
    return CommittedChanges(
        row.sequence,
        definition_from_json(row.definition),
        _in_utc(row.committed_at),
        changes_from_text(row.content),
    )


def _entry(row: Row) -> Entry:
    return Entry(
        sequence=row.sequence,
        ipam_pool_id=row.ipam_pool_id,
        pool_version=row.pool_version,
        committed_at=_in_utc(row.committed_at).isoformat(),
        content=row.content,
        definition=row.definition,
    )


def _in_utc(stored: datetime) -> datetime:
    # SQLite keeps no time zone.
    return stored.replace(tzinfo=stored.tzinfo or UTC)
