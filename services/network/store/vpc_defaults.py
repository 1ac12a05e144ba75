"""The default network ACL, main route table and default security group of each VPC."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from services.network.store.reading import all_of, blocks_of, is_callers, is_wanted, lock_rows
from services.network.tables import vpc_defaults
from services.network.vpc_defaults import DefaultKind, VpcDefault
from shared.caller import Caller

_columns = vpc_defaults.c


class SqlVpcDefaults:
    """`VpcDefaultRows` of one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, caller: Caller, resource_id: str, *, lock: bool) -> VpcDefault | None:
        is_it = (_columns.resource_id == resource_id, *is_callers(vpc_defaults, caller))
        if lock:
            lock_rows(self._connection, _columns.resource_id, *is_it)
        rows = all_of(self._connection, sa.select(vpc_defaults).where(*is_it))
        return _default(rows[0]) if rows else None

    def all(
        self,
        caller: Caller,
        kind: DefaultKind,
        *,
        ids: Collection[str],
        vpc_ids: Collection[str],
        after: str | None,
    ) -> Iterator[Sequence[tuple[str, VpcDefault]]]:
        query = sa.select(vpc_defaults).where(
            _columns.resource_type == kind,
            is_wanted(_columns.resource_id, ids),
            is_wanted(_columns.vpc_id, vpc_ids),
            *is_callers(vpc_defaults, caller),
        )
        for rows in blocks_of(self._connection, query, _columns.sequence, after):
            yield [(str(row.sequence), _default(row)) for row in rows]

    def group_of(self, vpc_id: str) -> str:
        query = sa.select(_columns.resource_id).where(
            _columns.vpc_id == vpc_id, _columns.resource_type == DefaultKind.SECURITY_GROUP
        )
        group_id: str = self._connection.execute(query).scalar_one()
        return group_id

    def add(self, defaults: Sequence[VpcDefault]) -> None:
        self._connection.execute(
            vpc_defaults.insert(),
            [
                {
                    "resource_id": default.resource_id,
                    "resource_type": default.kind,
                    "vpc_id": default.vpc_id,
                    "owner_id": default.owner_id,
                    "region": default.region,
                    "tags": dict(default.tags),
                }
                for default in defaults
            ],
        )

    def save(self, default: VpcDefault) -> None:
        is_it = _columns.resource_id == default.resource_id
        self._connection.execute(vpc_defaults.update().where(is_it).values(tags=dict(default.tags)))

    def remove(self, vpc_id: str) -> None:
        self._connection.execute(vpc_defaults.delete().where(_columns.vpc_id == vpc_id))


def _default(row: sa.Row[Any]) -> VpcDefault:
    return VpcDefault(
        resource_id=row.resource_id,
        kind=DefaultKind(row.resource_type),
        vpc_id=row.vpc_id,
        owner_id=row.owner_id,
        region=row.region,
        tags=row.tags,
    )
