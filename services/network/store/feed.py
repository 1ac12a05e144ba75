"""The change feed."""

from collections.abc import Sequence
from dataclasses import asdict

import sqlalchemy as sa

from services.network.changes import Change, ChangeKind, NumberedChange
from services.network.store.blocks import record_from_row
from services.network.store.reading import block_of
from services.network.tables import changes

_FEED_LOCK = 0x6361_6461_7374_7265
"""PostgreSQL's advisory locks are named by a number; this one spells "cadastre"."""


class SqlFeed:
    """`FeedRows` of one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.appended: list[Change] = []

    def append(self, changes_: Sequence[Change]) -> None:
        if self._connection.dialect.name == "postgresql":
            # SQLite has one writer at a time anyway.
            self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_FEED_LOCK)))
        if changes_:
            self._connection.execute(
                changes.insert(),
                [{"kind": change.kind.value, **asdict(change.record)} for change in changes_],
            )
            self.appended.extend(changes_)

    def changes(self, *, after: int) -> Sequence[NumberedChange]:
        found = block_of(self._connection, sa.select(changes), changes.c.sequence, after)
        return [
            NumberedChange(row.sequence, Change(ChangeKind(row.kind), record_from_row(row)))
            for row in found
        ]
