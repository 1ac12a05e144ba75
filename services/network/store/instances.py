"""Instances."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.network.instance import Instance
from services.network.store.reading import (
    BLOCK_ROWS,
    all_of,
    blocks_of,
    in_utc,
    is_callers,
    is_wanted,
    lock_rows,
)
from services.network.tables import instances
from shared.caller import Caller

_columns = instances.c


class SqlInstances:
    """`InstanceRows` of one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, caller: Caller, instance_id: str, *, lock: bool) -> Instance | None:
        is_it = (_columns.instance_id == instance_id, *is_callers(instances, caller))
        if lock:
            lock_rows(self._connection, _columns.instance_id, *is_it)
        rows = all_of(self._connection, sa.select(instances).where(*is_it))
        return _instance(rows[0]) if rows else None

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[Sequence[tuple[str, Instance]]]:
        wanted = is_wanted(_columns.instance_id, ids)
        query = sa.select(instances).where(wanted, *is_callers(instances, caller))
        for rows in blocks_of(self._connection, query, _columns.sequence, after):
            yield [(str(row.sequence), _instance(row)) for row in rows]

    def add(self, added: Sequence[Instance]) -> None:
        self._connection.execute(
            instances.insert(),
            [
                {
                    "instance_id": instance.instance_id,
                    "reservation_id": instance.reservation_id,
                    "owner_id": instance.owner_id,
                    "region": instance.region,
                    "availability_zone": instance.availability_zone,
                    "image_id": instance.image_id,
                    "instance_type": instance.instance_type,
                    "key_name": instance.key_name,
                    "launch_index": instance.launch_index,
                    "launched_at": instance.launched_at,
                    "client_token": instance.client_token,
                    **_changeable(instance),
                }
                for instance in added
            ],
        )

    def save(self, instance: Instance) -> None:
        is_it = _columns.instance_id == instance.instance_id
        self._connection.execute(instances.update().where(is_it).values(**_changeable(instance)))

    def forget_terminated(self, before: datetime) -> None:
        is_old = _columns.terminated_at < before
        old = sa.select(_columns.sequence).where(is_old).limit(BLOCK_ROWS)
        # Others may be about to forget the same ones: nobody waits for nobody.
        found = all_of(self._connection, old.with_for_update(skip_locked=True))
        is_found = _columns.sequence.in_([row.sequence for row in found])
        self._connection.execute(instances.delete().where(is_found))


def _changeable(instance: Instance) -> dict[str, Any]:
    return {"terminated_at": instance.terminated_at, "tags": dict(instance.tags)}


def _instance(row: sa.Row[Any]) -> Instance:
    return Instance(
        instance_id=row.instance_id,
        reservation_id=row.reservation_id,
        owner_id=row.owner_id,
        region=row.region,
        availability_zone=row.availability_zone,
        image_id=row.image_id,
        instance_type=row.instance_type,
        key_name=row.key_name,
        launch_index=row.launch_index,
        launched_at=in_utc(row.launched_at),
        client_token=row.client_token,
        terminated_at=in_utc(row.terminated_at) if row.terminated_at else None,
        tags=row.tags,
    )
