"""`Store` in SQL."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from services.discovery.service.following import Progress
from services.discovery.tables import progress
from shared.persistence.database import Database


class SqlStore:
    """One row per source."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def progress(self, source: str) -> Progress:
        return await self._database.run(self._progress, source)

    async def save_sequence(self, source: str, sequence: int) -> None:
        is_news = progress.c.sequence < sequence
        await self._database.run(self._save, source, {"sequence": sequence}, is_news)

    async def save_pass_time(self, source: str, time: datetime) -> None:
        known = progress.c.last_successful_pass_time
        is_news = sa.or_(known.is_(None), known < time)
        await self._database.run(self._save, source, {"last_successful_pass_time": time}, is_news)

    def add_source(self, source: str) -> None:
        """Make its row, unless another replica was faster."""
        with self._database.write() as connection:
            known = connection.execute(_row_of(source)).first()
            if known is None:
                connection.execute(progress.insert().values(source=source, sequence=0))

    def _progress(self, source: str) -> Progress:
        with self._database.read() as connection:
            row = connection.execute(_row_of(source)).one()
        time = row.last_successful_pass_time
        # SQLite keeps no time zones; everything that was written is UTC.
        return Progress(row.sequence, time.replace(tzinfo=time.tzinfo or UTC) if time else None)

    def _save(self, source: str, values: dict[str, Any], is_news: sa.ColumnElement[bool]) -> None:
        with self._database.write() as connection:
            connection.execute(
                progress.update().where(progress.c.source == source, is_news).values(**values)
            )


def _row_of(source: str) -> sa.Select[Any]:
    return sa.select(progress).where(progress.c.source == source)
