"""An audit trail in a context's own database."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from shared.audit import AuditEvent, AuditQuery
from shared.errors import CadastreError, InvalidNextToken
from shared.persistence.database import Database

_GATHERED_SECONDS = 0.2
"""How long an event may wait for others to be written with."""
_RETRY_SECONDS = 1.0
_PRUNED_SECONDS = 3600.0
_HELD_AT_MOST = 100_000
"""Events that wait for a database that is away; after that, the oldest go."""
_CHUNK_ROWS = 200
_PRUNED_ROWS = 5000
"""In one transaction."""
_USERNAME_LENGTH = 256
_ASKED_FOR = ("account_id", "region", "event_id", "event_name", "event_source", "username")

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
    killed may be missing; what it was told before it was asked to stop is not, if the database is
    there. One question is answered at a time, so that they leave the database's threads to others.
    """

    def __init__(self, database: Database, table: sa.Table, *, retention_days: float) -> None:
        self._database, self._table = database, table
        self._retention = timedelta(days=retention_days)
        self._waiting: list[AuditEvent] = []
        self._is_waiting = asyncio.Event()
        self._lengths = {column.name: getattr(column.type, "length", None) for column in table.c}
        self._asking = asyncio.Lock()

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
        async with self._asking:
            # To its end, also when nobody waits for it any more: its thread is busy until then.
            return await _uninterrupted(self._database.run(self._answer, query, question))

    async def _write_out(self) -> None:
        self._is_waiting.clear()
        events, self._waiting = self._waiting, []
        if not events:
            return
        try:
            await _uninterrupted(self._database.run(self._write, events))
        except CadastreError as error:
            self._keep(events, error)

    def _keep(self, events: list[AuditEvent], error: CadastreError) -> None:
        """For when the database is back."""
        kept = [*events, *self._waiting]
        self._waiting = kept[-_HELD_AT_MOST:]
        lost = len(kept) - len(self._waiting)
        _log.error(
            "audit events not written", error=repr(error), kept=len(self._waiting), lost=lost
        )
        with suppress(RuntimeError):
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._is_waiting.set)

    def _write(self, events: Sequence[AuditEvent]) -> None:
        rows = [self._row_of(event) for event in events]
        try:
            with self._database.write() as connection:
                connection.execute(self._table.insert(), rows)
        except SQLAlchemyError:
            # It is there, and does not take one of them: it keeps no other from being written.
            for row in rows:
                self._write_alone(row)

    def _write_alone(self, row: dict[str, Any]) -> None:
        try:
            with self._database.write() as connection:
                connection.execute(self._table.insert(), row)
        except SQLAlchemyError as error:
            _log.error(
                "an audit event can't be written", event_id=row["event_id"], error=str(error)
            )

    def _row_of(self, event: AuditEvent) -> dict[str, Any]:
        texts = {
            name: _storable(value, self._lengths[name])
            for name, value in event._asdict().items()
            if isinstance(value, str)
        }
        return {
            **texts,
            "event_time": event.event_time,
            "username": _storable(event.username, _USERNAME_LENGTH),
            "resource_names": json.dumps(event.resource_names),
        }

    async def _prune_now_and_then(self) -> None:
        while True:
            try:
                before, is_more = datetime.now(UTC) - self._retention, True
                # In blocks, so that writers wait for none of them for long.
                while is_more:
                    is_more = await self._database.run(self._prune, before)
            except (CadastreError, SQLAlchemyError) as error:
                _log.warning("audit events not pruned, it is tried again", error=str(error))
            await asyncio.sleep(_PRUNED_SECONDS)

    def _prune(self, before: datetime) -> bool:
        """Forget some of the oldest; whether there may be more."""
        columns = self._table.c
        oldest = (
            sa.select(columns.sequence)
            .where(columns.event_time < before)
            .order_by(columns.event_time)
            .limit(_PRUNED_ROWS)
        )
        with self._database.write() as connection:
            numbers = connection.scalars(oldest).all()
            connection.execute(self._table.delete().where(columns.sequence.in_(numbers)))
        return len(numbers) == _PRUNED_ROWS

    def _answer(self, query: AuditQuery, question: Callable[[EventsAfter], T]) -> T:
        with self._database.read() as connection:
            return question(partial(self._newest_first, connection, query))

    def _newest_first(
        self, connection: sa.Connection, query: AuditQuery, after: str | None
    ) -> Iterator[tuple[str, AuditEvent]]:
        columns, before = self._table.c, _number(after) if after else None
        wanted = (
            sa.select(self._table)
            .where(*self._conditions(query))
            .order_by(columns.sequence.desc())
            .limit(_CHUNK_ROWS)
        )
        while True:
            chunk = wanted if before is None else wanted.where(columns.sequence < before)
            rows = connection.execute(chunk).mappings().all()
            for row in rows:
                before = row["sequence"]
                yield str(before), _event_of(row)
            if len(rows) < _CHUNK_ROWS:
                return

    def _conditions(self, query: AuditQuery) -> Iterator[sa.ColumnElement[bool]]:
        columns = self._table.c
        for name in _ASKED_FOR:
            wanted = getattr(query, name)
            if wanted is not None:
                yield columns[name] == wanted
        if query.start_time:
            yield columns.event_time >= query.start_time
        if query.end_time:
            yield columns.event_time <= query.end_time
        if query.resource_name is not None:
            # As JSON has it among others.
            yield columns.resource_names.contains(json.dumps(query.resource_name), autoescape=True)


async def _uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` comes to, also when the wait for it is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _number(key: str) -> int:
    if not key.isdecimal():
        raise InvalidNextToken
    return int(key)


def _storable(text: str, length: int | None) -> str:
    """As much of it as every database takes: no NUL, and nothing that UTF-8 can't say."""
    clean = text.replace("\0", "").encode(errors="replace").decode()
    return clean[:length]


def _event_of(row: sa.RowMapping) -> AuditEvent:
    values = {name: row[name] for name in AuditEvent._fields}
    moment: datetime = values["event_time"]
    # SQLite keeps no time zone, PostgreSQL tells the time in its own.
    in_utc = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    names = tuple(json.loads(values["resource_names"]))
    return AuditEvent(**{**values, "event_time": in_utc, "resource_names": names})


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
        sa.Column("username", sa.String(_USERNAME_LENGTH), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("error_code", sa.String(128), nullable=False),
        sa.Column("error_message", sa.Text, nullable=False),
        # JSON.
        sa.Column("resource_names", sa.Text, nullable=False),
        sa.Index("audit_events_of_account", "account_id", "region", "sequence"),
        sa.Index("audit_events_by_time", "event_time"),
    ]
