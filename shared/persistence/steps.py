"""The rows of an outbox, and who may work on which."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.schema import SchemaItem

from shared.fail_points import FailPoint, reach
from shared.persistence.database import Database

_RUNNABLE_AT_ONCE = 0.0

Finish = Callable[[Connection], None]
"""The local change a step leads to, made in the transaction that ends the step."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. ``attempts`` counts those that failed before."""

    id: int
    kind: str
    subject: str
    payload: dict[str, Any]
    attempts: int


def outbox_table(metadata: MetaData) -> Table:
    """The table, for a context's ``tables.py``."""
    return Table("outbox", metadata, *_definition(), sqlite_autoincrement=True)


def create_outbox_table(op: Any) -> None:
    """The table, for a context's first migration; ``op`` is alembic's.

    Databases in use have it as it is here: a change is a new migration, not an edit.
    """
    op.create_table("outbox", *_definition(), sqlite_autoincrement=True)


class Steps:
    """Each call is one transaction, except `add`, which is part of its caller's. Times are seconds.

    A claim is a lease, so that a worker that died does not keep its steps.
    """

    def __init__(self, database: Database, table: Table) -> None:
        self._database, self._table = database, table

    def add(
        self, connection: Connection, *, kind: str, subject: str, payload: Mapping[str, Any]
    ) -> int:
        """Add a step in the caller's transaction, and return its id; kick the outbox after that.

        Steps of one subject are done in the order they were added in. On PostgreSQL, transactions
        that add to one subject at the same time have no order, unless they lock its row.
        """
        step = {"kind": kind, "subject": subject, "payload": dict(payload), "attempts": 0}
        times = {"due_at": _RUNNABLE_AT_ONCE, "claimed_until": _RUNNABLE_AT_ONCE}
        key: int = connection.execute(
            insert(self._table).values(**step, **times).returning(self._table.c.id)
        ).scalar_one()
        return key

    def claim(
        self, *, now: float, until: float, renewed: Collection[int], limit: int
    ) -> list[Step]:
        """Lease due steps that nobody has until ``until``, and those of ``renewed`` once more.

        The oldest ``limit``, and of each subject only the first: its steps are done in order.
        """
        columns = self._table.c
        free = self._free(now).where(columns.id.not_in(renewed)).limit(limit).cte("free")
        with self._database.write() as connection:
            if renewed:
                self._renew(connection, renewed, until)
            rows = connection.execute(
                update(self._table)
                .where(columns.id.in_(select(free.c.id)))
                .values(claimed_until=until)
                .returning(self._table)
            ).all()
        steps = [Step(row.id, row.kind, row.subject, row.payload, row.attempts) for row in rows]
        return sorted(steps, key=lambda step: step.id)

    def end(self, step: Step, finish: Finish) -> None:
        """Delete the step together with the change it leads to, unless it was ended before.

        So the change is made once, even when a lease ran out and two workers did the step.
        """
        with self._database.write() as connection:
            own = delete(self._table).where(self._table.c.id == step.id)
            if connection.execute(own).rowcount:
                finish(connection)
                reach(FailPoint.OUTBOX_BEFORE_COMMIT)

    def postpone(self, step: Step, due_at: float) -> None:
        """Count a failed attempt, and let anybody try again from ``due_at`` on."""
        with self._database.write() as connection:
            self._set(
                connection,
                [step.id],
                attempts=step.attempts + 1,
                due_at=due_at,
                claimed_until=_RUNNABLE_AT_ONCE,
            )

    def release(self, ids: Collection[int]) -> None:
        """Give up claims."""
        with self._database.write() as connection:
            self._set(connection, ids, claimed_until=_RUNNABLE_AT_ONCE)

    def release_all(self) -> None:
        """Make every step runnable now: for a process that knows it is the only one."""
        at_once = {"due_at": _RUNNABLE_AT_ONCE, "claimed_until": _RUNNABLE_AT_ONCE}
        with self._database.write() as connection:
            connection.execute(update(self._table).values(**at_once))

    def is_open(self, subject: str) -> bool:
        """A step of ``subject`` is still to be done."""
        found = select(self._table.c.id).where(self._table.c.subject == subject).limit(1)
        with self._database.read() as connection:
            return connection.execute(found).first() is not None

    def _free(self, now: float) -> Select[Any]:
        columns, earlier = self._table.c, self._table.alias("earlier")
        waits = (
            select(earlier.c.id)
            .where(earlier.c.subject == columns.subject, earlier.c.id < columns.id)
            .exists()
        )
        return (
            select(columns.id)
            .where(columns.due_at <= now, columns.claimed_until <= now, ~waits)
            .order_by(columns.id)
            .with_for_update(skip_locked=True)
        )

    def _renew(self, connection: Connection, ids: Collection[int], until: float) -> None:
        columns = self._table.c
        # One that was given up a moment ago stays given up, or nobody would try it again for long.
        is_claimed = columns.claimed_until > _RUNNABLE_AT_ONCE
        connection.execute(
            update(self._table).where(columns.id.in_(ids), is_claimed).values(claimed_until=until)
        )

    def _set(self, connection: Connection, ids: Collection[int], **values: object) -> None:
        connection.execute(update(self._table).where(self._table.c.id.in_(ids)).values(**values))


def _definition() -> list[SchemaItem]:
    return [
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("kind", String, nullable=False),
        Column("subject", String, nullable=False),
        Column("payload", JSON, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("due_at", Float, nullable=False),
        Column("claimed_until", Float, nullable=False),
        Index("outbox_by_subject", "subject", "id"),
    ]
