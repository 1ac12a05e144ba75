"""`Store` of what owners say about CIDRs, in SQL."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from services.discovery.evaluation.model import MarkedCidr, Marking
from services.discovery.resource_cidr import ResourceType
from services.discovery.service.marking import Rows, States
from services.discovery.service.monitoring import MonitoredCidr
from services.discovery.store.reading import MONITORED, monitored_from_row
from services.discovery.store.records import not_before_start
from services.discovery.tables import evaluations, markings, records, remembered
from shared.persistence.database import Database

_IS_MONITORED_NOW = sa.and_(records.c.is_monitored, records.c.ended_at.is_(None))
_NEVER_MARKED = Marking(is_ignored=False, scope_id=None)

T = TypeVar("T")


class SqlMarkings:
    """Each change in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def change(self, use_case: Callable[[Rows], T], *, dry_run: bool) -> T:
        return await self._database.run(self._change, use_case, dry_run)

    def _change(self, use_case: Callable[[Rows], T], dry_run: bool) -> T:
        with self._database.write(dry_run=dry_run) as connection:
            return use_case(_SqlRows(connection))


class _SqlRows:
    """`Rows` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def claim(self, ipam_id: str) -> None:
        self._connection.execute(
            evaluations.update()
            .where(evaluations.c.ipam_id == ipam_id)
            .values(version=evaluations.c.version + 1)
        )

    def current(self, scope_id: str, marked: MarkedCidr) -> Sequence[MonitoredCidr]:
        query = MONITORED.where(
            records.c.ipam_scope_id == scope_id,
            _IS_MONITORED_NOW,
            records.c.first_address == marked.cidr.first_key,
            records.c.prefix_length == marked.cidr.prefix_length,
            records.c.resource_id == marked.resource_id,
            records.c.region == marked.region,
        )
        rows = self._connection.execute(query.order_by(records.c.record_id))
        return [monitored_from_row(row) for row in rows]

    def subnets_of(self, vpc: MonitoredCidr) -> Collection[int]:
        query = sa.select(records.c.record_id).where(
            records.c.ipam_scope_id == vpc.scope_id,
            _IS_MONITORED_NOW,
            records.c.first_address.between(vpc.cidr.first_key, vpc.cidr.last_key),
            records.c.prefix_length >= vpc.cidr.prefix_length,
            records.c.resource_type == ResourceType.SUBNET.value,
            records.c.vpc_id == vpc.vpc_id,
            records.c.region == vpc.region,
            records.c.owner_id == vpc.owner_id,
        )
        return self._connection.scalars(query).all()

    def marking(self, ipam_id: str, marked: MarkedCidr) -> Marking:
        query = sa.select(markings.c.is_ignored, markings.c.ipam_scope_id)
        row = self._connection.execute(query.where(_is_of(ipam_id, marked))).one_or_none()
        return Marking(row.is_ignored, row.ipam_scope_id) if row else _NEVER_MARKED

    def mark(self, ipam_id: str, marked: MarkedCidr, marking: Marking) -> None:
        # Nobody else writes those of this IPAM until the end of the transaction.
        self._connection.execute(markings.delete().where(_is_of(ipam_id, marked)))
        self._connection.execute(
            markings.insert().values(
                ipam_id=ipam_id,
                region=marked.region,
                resource_id=marked.resource_id,
                first_address=marked.cidr.first_key,
                prefix_length=marked.cidr.prefix_length,
                is_ignored=marking.is_ignored,
                ipam_scope_id=marking.scope_id,
            )
        )

    def begin_anew(
        self, record_ids: Collection[int], now: datetime, scope_id: str, states: States | None
    ) -> None:
        are_these = records.c.record_id.in_(record_ids)
        at = not_before_start(now)
        changed: dict[str, Any] = {"ipam_scope_id": scope_id, "started_at": at, "ended_at": None}
        if states:
            words = {name: state.value for name, state in states._asdict().items()}
            changed |= {**words, "ipam_pool_id": None, "broken_rules": ""}
        self._forget_what_lies_in(are_these, scope_id)
        # Of what is there one record has not ended, at any moment.
        self._connection.execute(records.update().where(are_these).values(ended_at=at))
        columns = [column for column in records.c if column is not records.c.record_id]
        begun = [
            _expression(changed[column.name], column).label(column.name)
            if column.name in changed
            else column
            for column in columns
        ]
        self._connection.execute(
            records.insert().from_select(columns, sa.select(*begun).where(are_these))
        )

    def _forget_what_lies_in(self, are_these: sa.ColumnElement[bool], scope_id: str) -> None:
        """Have the evaluation bring interfaces and instances along, where VPCs move."""
        moved = sa.select(records.c.inventory_id).where(
            are_these,
            records.c.ipam_scope_id != scope_id,
            records.c.resource_type == ResourceType.VPC.value,
        )
        ipam_ids = sa.select(records.c.ipam_id).where(are_these)
        self._connection.execute(
            remembered.update()
            .where(remembered.c.ipam_id.in_(ipam_ids), remembered.c.inventory_id.in_(moved))
            # No version is 0.
            .values(version=0)
        )


def _expression(value: Any, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return value if isinstance(value, sa.ColumnElement) else sa.literal(value, column.type)


def _is_of(ipam_id: str, marked: MarkedCidr) -> sa.ColumnElement[bool]:
    return sa.and_(
        markings.c.ipam_id == ipam_id,
        markings.c.region == marked.region,
        markings.c.resource_id == marked.resource_id,
        markings.c.first_address == marked.cidr.first_key,
        markings.c.prefix_length == marked.cidr.prefix_length,
    )
