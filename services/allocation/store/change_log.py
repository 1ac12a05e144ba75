"""What was done to each pool, batch by batch: for who follows it, and for replicas to catch up."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.allocation.changes import (
    Deprovisioned,
    Freed,
    Held,
    MadeAvailable,
    PlacementChanged,
    PoolChange,
    Provisioned,
    PutAside,
    Repaired,
    Retired,
)
from services.allocation.store.bulk import BulkInsert
from services.allocation.store.records import (
    RecordTexts,
    Row,
    placement_from_json,
    placement_to_json,
    record_from_json,
)
from services.allocation.tables import changes

_INSERT = BulkInsert(changes, without=["sequence"])
_KINDS: dict[str, type[PoolChange]] = {
    "allocated": Held,
    "released": Freed,
    "set-aside": PutAside,
    "available": MadeAvailable,
    "placement": PlacementChanged,
    "provisioned": Provisioned,
    "deprovisioned": Deprovisioned,
    "retired": Retired,
    "repaired": Repaired,
}
_WORDS = {kind: word for word, kind in _KINDS.items()}
_CHUNK_ROWS = 100


class ChangeLog:
    """The changes of one batch on their way into the database."""

    def __init__(self, connection: sa.Connection, now: datetime, texts: RecordTexts) -> None:
        self._connection, self._now, self._texts = connection, now, texts
        self._texts_by_pool: defaultdict[str, list[str]] = defaultdict(list)
        self._counts: defaultdict[type[PoolChange], int] = defaultdict(int)
        self._counts_at_mark: Mapping[type[PoolChange], int] = {}

    @property
    def counts(self) -> Mapping[type[PoolChange], int]:
        """How much of each kind was noted, written or not."""
        return self._counts

    @property
    def has_more(self) -> bool:
        """Something was done since the last `write`."""
        return bool(self._texts_by_pool)

    def note(self, ipam_pool_id: str, change: PoolChange) -> None:
        """Remember what was done to a pool since the last `write`."""
        self._texts_by_pool[ipam_pool_id].append(_text_of(change, self._texts))
        self._counts[type(change)] += 1

    def mark(self) -> None:
        """What is noted from now on, when all before is written, may have to be forgotten."""
        self._counts_at_mark = dict(self._counts)

    def forget(self) -> None:
        """What was noted since the mark was not done after all."""
        self._texts_by_pool.clear()
        self._counts = defaultdict(int, self._counts_at_mark)

    def changed_pools(self) -> dict[str, int]:
        """How much was done since the last `write`, by pool."""
        return {pool_id: len(texts) for pool_id, texts in self._texts_by_pool.items()}

    def write(self, numbers_and_versions: dict[str, tuple[int, int]]) -> None:
        """Write it, with each pool's number and the version that it has now."""
        rows = [
            {
                "pool_number": number,
                "pool_version": version,
                "content": _row_text(self._texts_by_pool[pool_id]),
                "committed_at": self._now,
            }
            for pool_id, (number, version) in numbers_and_versions.items()
        ]
        if rows:
            _INSERT.execute(self._connection, rows)
        self._texts_by_pool.clear()


def changes_to_text(done: Iterable[PoolChange]) -> str:
    """What `ChangeLog` writes in one row."""
    return _row_text(_text_of(change, RecordTexts()) for change in done)


def _row_text(texts: Iterable[str]) -> str:
    return f"[{', '.join(texts)}]"


def _text_of(change: PoolChange, texts: RecordTexts) -> str:
    word = _WORDS[type(change)]
    match change:
        case (
            Held(record)
            | Freed(record)
            | PutAside(record)
            | MadeAvailable(record)
            | Provisioned(record)
            | Deprovisioned(record)
        ):
            return f'["{word}", {texts.of(record)}]'
        case PlacementChanged(ipam_pool_id, placement):
            return json.dumps((word, (ipam_pool_id, placement_to_json(placement))))
        case Retired(ipam_pool_id):
            return json.dumps((word, ipam_pool_id))
        case Repaired(kinds):
            return json.dumps((word, kinds))


def changes_from_text(content: str) -> Sequence[PoolChange]:
    """What `ChangeLog` wrote in one row."""
    return [_change_from_json(word, record) for word, record in json.loads(content)]


def changes_between(
    connection: sa.Connection, pool_number: int, after: int, version: int
) -> Iterator[PoolChange]:
    """What brought a pool from one version to another.

    Raises:
        ValueError: a version in between was not noted.
    """
    query = (
        sa.select(changes.c.pool_version, changes.c.content)
        .where(
            changes.c.pool_number == pool_number,
            changes.c.pool_version > sa.bindparam("reached"),
            changes.c.pool_version <= version,
        )
        .order_by(changes.c.pool_version)
        .limit(_CHUNK_ROWS)
    )
    while after < version:
        rows: Sequence[Row] = connection.execute(query, {"reached": after}).all()
        if [row.pool_version for row in rows] != list(range(after + 1, after + 1 + len(rows))):
            raise ValueError(f"changes of pool {pool_number} after version {after} are missing")
        if not rows:
            raise ValueError(f"changes of pool {pool_number} up to version {version} are missing")
        for row in rows:
            yield from changes_from_text(row.content)
        after = rows[-1].pool_version


def _change_from_json(word: str, record: Any) -> PoolChange:
    if word == _WORDS[PlacementChanged]:
        ipam_pool_id, placement = record
        return PlacementChanged(ipam_pool_id, placement_from_json(placement))
    if word == _WORDS[Retired]:
        return Retired(str(record))
    if word == _WORDS[Repaired]:
        return Repaired(tuple(record))
    change: PoolChange = _KINDS[word](record_from_json(record))  # type: ignore[arg-type,call-arg]
    return change
