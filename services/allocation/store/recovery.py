"""A ledger that was restored from a backup, and how it becomes the present one again (BEY-14)."""

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from services.allocation.audit.finding import Finding, FindingKind
from services.allocation.changes import Repaired
from services.allocation.store.change_log import changes_to_text
from services.allocation.store.journal import Gap, Journal
from services.allocation.store.journal_keeper import latest_change
from services.allocation.store.redoing import Redoing
from services.allocation.tables import changes, ledger, pools
from shared.persistence.database import Database

REDONE = "the lost changes are redone from the journal"
GIVEN_UP = "the lost changes are given up"


class SqlRecovery:
    """`Recovery` over one database and the journal beside it."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        clock: Callable[[], datetime],
        *,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_commit`` is called, in the event loop, when changes were redone."""
        self._database, self._journal = database, journal
        self._clock, self._on_commit = clock, on_commit

    def detect(self) -> None:
        """Have nothing decided if the journal knows more than the database."""
        known = self._journal.last_sequence or 0
        with self._database.read() as connection:
            if known <= latest_change(connection):
                return
        with self._database.write() as connection:
            lost_up_to = max(known, _lost_up_to(connection, lock=True) or 0)
            connection.execute(ledger.update().values(lost_up_to=lost_up_to))

    async def look(self) -> Finding | None:
        return await self._database.run(self._look)

    async def repair(self, *, accept_loss: bool) -> Finding | None:
        found = await self._database.run(self._repair, accept_loss=accept_loss)
        self._on_commit()
        return found

    def _look(self) -> Finding | None:
        with self._database.read() as connection:
            lost_up_to = _lost_up_to(connection)
            if lost_up_to is None:
                return None
            return _finding(latest_change(connection), lost_up_to, self._obstacle(connection))

    def _obstacle(self, connection: sa.Connection) -> str:
        """Why the journal can't redo what is lost; empty if it can."""
        reached, lost_up_to = latest_change(connection), _lost_up_to(connection) or 0
        known = self._journal.last_sequence or 0
        if known < lost_up_to:
            return f"this process's journal ends at {known}; ask the replica that has the rest"
        try:
            next(self._journal.after(reached), None)
        except Gap:
            return f"this process's journal does not go back to {reached}"
        return ""

    def _repair(self, *, accept_loss: bool) -> Finding | None:
        try:
            with self._database.write() as connection:
                return self._redo(connection, accept_loss=accept_loss)
        except IntegrityError as error:
            # What is in the way came from elsewhere; whose the space is, is for people to say.
            with self._database.read() as connection:
                lost_up_to = _lost_up_to(connection) or 0
                why = f"the database refuses them: {error.orig}"
                return _finding(latest_change(connection), lost_up_to, why)

    def _redo(self, connection: sa.Connection, *, accept_loss: bool) -> Finding | None:
        lost_up_to, reached = _lost_up_to(connection, lock=True), latest_change(connection)
        if lost_up_to is None:
            return None
        obstacle = self._obstacle(connection)
        if obstacle and not accept_loss:
            return _finding(reached, lost_up_to, obstacle)
        if obstacle:
            _give_up(connection, self._clock(), lost_up_to)
        else:
            Redoing(connection).redo(self._journal.after(reached))
        connection.execute(ledger.update().values(lost_up_to=None))
        _number_later_changes(connection, after=lost_up_to)
        found = _finding(reached, lost_up_to, "")
        if obstacle:
            return Finding(
                found.kind, "", f"{found.message}; {obstacle}", repair=GIVEN_UP, is_repaired=True
            )
        return Finding(found.kind, "", found.message, repair=REDONE, is_repaired=True)


def _lost_up_to(connection: sa.Connection, *, lock: bool = False) -> int | None:
    query = sa.select(ledger.c.lost_up_to)
    found: int | None = connection.execute(query.with_for_update() if lock else query).scalar_one()
    return found


def _give_up(connection: sa.Connection, now: datetime, lost_up_to: int) -> None:
    """Take the last lost number, so that nobody who followed until then misses what comes."""
    row = connection.execute(sa.select(pools).order_by(pools.c.number).limit(1)).one_or_none()
    if row is None:
        return
    is_it = pools.c.number == row.number
    connection.execute(pools.update().where(is_it).values(version=row.version + 1))
    note = {
        "sequence": lost_up_to,
        "pool_number": row.number,
        "pool_version": row.version + 1,
        "content": changes_to_text([Repaired((FindingKind.LOST_CHANGES,))]),
        "committed_at": now,
    }
    connection.execute(changes.insert().values(note))


def _number_later_changes(connection: sa.Connection, *, after: int) -> None:
    """Give no number twice: followers have seen changes up to this one."""
    if connection.dialect.name == "postgresql":
        name = "ipam_ledger_changes_sequence_seq"
        reached = sa.select(
            sa.func.setval(name, sa.func.greatest(after, sa.text("last_value")))
        ).select_from(sa.text(name))
        connection.execute(reached)


def _finding(reached: int, lost_up_to: int, obstacle: str) -> Finding:
    message = (
        f"the database was restored from a backup: it ends with change {reached}, and changes up to"
        f" {lost_up_to} were made"
    )
    if obstacle:
        return Finding(FindingKind.LOST_CHANGES, "", f"{message}; {obstacle}")
    return Finding(FindingKind.LOST_CHANGES, "", message, repair=REDONE)
