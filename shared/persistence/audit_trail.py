"""An audit trail in a context's own database."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from shared.audit import AuditEvent, AuditQuery
from shared.errors import CadastreError
from shared.persistence.database import Database

_GATHERED_SECONDS = 0.2
"""How long an event may wait for others to be written with."""
_RETRY_SECONDS = 1.0
_PRUNED_SECONDS = 3600.0
_HELD_AT_MOST = 100_000
"""Events that wait for a database that is away; after that, the oldest go."""
_CHUNK_ROWS = 200
_DATABASE_FAILURES = (CadastreError, SQLAlchemyError, OSError)

_log = structlog.get_logger()

EventsAfter: TypeAlias = Callable[[str | None], Iterator[tuple[str, AuditEvent]]]
"""Events, each with its key for paging, after a key."""
T = TypeVar("T")


def audit_table(metadata: sa.MetaData) -> sa.Table:
    """The table, for a context's ``tables``."""
    return sa.Table("audit_events", metadata, *_definition(), sqlite_autoincrement=True)


def create_audit_table(op: Any) -> None:
    """The table, for a context's migration; ``op`` is alembic's.

    Databases in use have it as it is here: a change is a new migration, not an edit.
    """
    op.create_table("audit_events", *_definition(), sqlite_autoincrement=True)


class AuditTrail:
    """Events are taken at once and written a moment later, many together.

    So a call never waits for its event. What a process was told in its last moments before it is
    killed may be missing; what it was told before it was asked to stop is not.
    """

    def __init__(self, database: Database, table: sa.Table, *, retention_days: float) -> None:
        self._database, self._table = database, table
        self._retention = timedelta(days=retention_days)
        self._waiting: list[AuditEvent] = []
        self._is_waiting = asyncio.Event()

    def record(self, event: AuditEvent) -> None:
        self._waiting.append(event)
        self._is_waiting.set()

    async def run(self) -> None:
        """Write what is recorded, until cancelled; then the rest."""
        pruning = asyncio.create_task(self._prune_now_and_then())
        try:
            while True:
                await self._is_waiting.wait()
                await asyncio.sleep(_GATHERED_SECONDS)
                await self._write_out()
        finally:
            pruning.cancel()
            await asyncio.gather(pruning, return_exceptions=True)
            await self._write_out()

    async def ask(self, query: AuditQuery, question: Callable[[EventsAfter], T]) -> T:
        """The answer to a question about the events that match, newest first, as of one moment."""
        return await self._database.run(self._answer, query, question)

    async def _write_out(self) -> None:
        self._is_waiting.clear()
        events, self._waiting = self._waiting, []
        if not events:
            return
        try:
            await self._database.run(self._write, events)
        except _DATABASE_FAILURES as error:
            self._keep(events, error)

    def _keep(self, events: list[AuditEvent], error: Exception) -> None:
        kept = [*events, *self._waiting]
        self._waiting = kept[-_HELD_AT_MOST:]
        lost = len(kept) - len(self._waiting)
        _log.error(
            "audit events not written", error=repr(error), kept=len(self._waiting), lost=lost
        )
        with suppress(RuntimeError):
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._is_waiting.set)

    def _write(self, events: Sequence[AuditEvent]) -> None:
        with self._database.write() as connection:
            connection.execute(self._table.insert(), [_row_of(event) for event in events])

    async def _prune_now_and_then(self) -> None:
        while True:
            with suppress(*_DATABASE_FAILURES):
                await self._database.run(self._prune, datetime.now(UTC) - self._retention)
            await asyncio.sleep(_PRUNED_SECONDS)

    def _prune(self, before: datetime) -> None:
        with self._database.write() as connection:
            connection.execute(self._table.delete().where(self._table.c.event_time < before))

    def _answer(self, query: AuditQuery, question: Callable[[EventsAfter], T]) -> T:
        with self._database.read() as connection:
            return question(partial(self._newest_first, connection, query))

    def _newest_first(
        self, connection: sa.Connection, query: AuditQuery, after: str | None
    ) -> Iterator[tuple[str, AuditEvent]]:
        columns, before = self._table.c, int(after) if after else None
        wanted = sa.select(self._table).where(
            columns.account_id == query.account_id, columns.region == query.region
        )
        if query.start_time:
            wanted = wanted.where(columns.event_time >= query.start_time)
        if query.end_time:
            wanted = wanted.where(columns.event_time <= query.end_time)
        wanted = wanted.order_by(columns.sequence.desc()).limit(_CHUNK_ROWS)
        while True:
            chunk = wanted if before is None else wanted.where(columns.sequence < before)
            rows = connection.execute(chunk).mappings().all()
            for row in rows:
                before = row["sequence"]
                event = _event_of(row)
                if query.matches(event):
                    yield str(before), event
            if len(rows) < _CHUNK_ROWS:
                return


def _row_of(event: AuditEvent) -> dict[str, Any]:
    return {**event._asdict(), "resource_names": list(event.resource_names)}


def _event_of(row: sa.RowMapping) -> AuditEvent:
    values = {name: value for name, value in row.items() if name != "sequence"}
    # SQLite keeps no time zone.
    moment = values["event_time"].replace(tzinfo=UTC)
    return AuditEvent(
        **{**values, "event_time": moment, "resource_names": tuple(values["resource_names"])}
    )


def _definition() -> list[sa.schema.SchemaItem]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return [
        sa.Column("sequence", number, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.String(64), nullable=False),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_source", sa.String(128), nullable=False),
        sa.Column("event_name", sa.String(128), nullable=False),
        sa.Column("account_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("principal", sa.String(2048), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("error_code", sa.String(128), nullable=False),
        sa.Column("error_message", sa.Text, nullable=False),
        sa.Column("resource_names", sa.JSON, nullable=False),
        sa.Index("audit_events_of_account", "account_id", "region", "sequence"),
        sa.Index("audit_events_by_time", "event_time"),
    ]
