"""`View` in SQL: lists go along an index, in chunks, so that a page costs what it shows."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar

import sqlalchemy as sa

from services.discovery.evaluation.model import ComplianceStatus, ManagementState, OverlapStatus
from services.discovery.resource_cidr import ResourceType
from services.discovery.service.monitoring import (
    DiscoveredAddress,
    DiscoveredCidr,
    HistoryRecord,
    Inventory,
    MonitoredCidr,
    Question,
    View,
    Wanted,
)
from services.discovery.snapshot import IpSource
from services.discovery.sources import FailureCode
from services.discovery.store.public_address_rows import from_row
from services.discovery.tables import inventories, public_addresses, records, resource_cidrs
from shared.cidr import Cidr
from shared.errors import InvalidNextToken
from shared.persistence.database import Database

CHUNK_ROWS = 500

# A resource is told of before what it lies in: the interface before the instance it is attached
# to, the subnet before the VPC.
_HISTORY_ORDER = (
    ResourceType.EIP,
    ResourceType.ENI,
    ResourceType.INSTANCE,
    ResourceType.SUBNET,
    ResourceType.VPC,
)
_RANK = sa.case(
    {kind.value: rank for rank, kind in enumerate(_HISTORY_ORDER)}, value=records.c.resource_type
)
_BY_ADDRESS = (records.c.first_address, records.c.prefix_length, records.c.record_id)
_BY_START = (records.c.started_at, _RANK, records.c.record_id)

MONITORED: sa.Select[Any] = sa.select(
    *(column for column in records.c if column.name != "is_monitored"),
    resource_cidrs.c.tags,
    resource_cidrs.c.ip_usage,
    resource_cidrs.c.availability_zone_id,
).select_from(
    # What was monitored may be gone already, until the next evaluation.
    records.outerjoin(resource_cidrs, resource_cidrs.c.row_id == records.c.row_id)
)
"""Records with what is known of the resources; to be narrowed."""

T = TypeVar("T")
Key = tuple[Any, ...]


class SqlReader:
    """Answers each question from one snapshot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, question: Callable[[View], T]) -> T:
        return await self._database.run(self._answer, question)

    def _answer(self, question: Callable[[View], T]) -> T:
        with self._database.read() as connection:
            return question(SqlView(connection))


class SqlView:
    """Everything from one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def monitored_cidrs(
        self, scope_id: str, wanted: Wanted, after: str | None
    ) -> Iterator[tuple[str, MonitoredCidr]]:
        narrowed = {
            records.c.ipam_pool_id: wanted.pool_id,
            records.c.resource_id: wanted.resource_id,
            records.c.resource_type: wanted.resource_type,
            records.c.owner_id: wanted.owner_id,
        }
        query = MONITORED.where(
            records.c.ipam_scope_id == scope_id,
            records.c.is_monitored,
            records.c.ended_at.is_(None),
            *(column == value for column, value in narrowed.items() if value is not None),
        )
        start = parsed_key(after, bytes.fromhex, int_of_32_bits, int_of_64_bits)
        for row in self._along(query, _BY_ADDRESS, start):
            key = f"{row.first_address.hex()}/{row.prefix_length}/{row.record_id}"
            yield key, monitored_from_row(row)

    def history(self, question: Question, after: str | None) -> Iterator[tuple[str, HistoryRecord]]:
        query = sa.select(records, _RANK.label("rank")).where(
            records.c.ipam_scope_id == question.scope_id,
            records.c.first_address == question.cidr.first_key,
            records.c.prefix_length == question.cidr.prefix_length,
            records.c.resource_type.in_([kind.value for kind in _HISTORY_ORDER]),
        )
        if question.vpc_id is not None:
            query = query.where(records.c.vpc_id == question.vpc_id)
        if question.span is None:
            query = query.where(records.c.ended_at.is_(None))
        else:
            query = query.where(records.c.started_at <= question.span.end)
            if question.span.start is not None:
                has_not_ended = records.c.ended_at.is_(None)
                lasted = records.c.ended_at >= question.span.start
                query = query.where(sa.or_(has_not_ended, lasted))
        start = parsed_key(after, datetime.fromisoformat, int_of_32_bits, int_of_64_bits)
        for row in self._along(query, _BY_START, start):
            key = f"{row.started_at.isoformat()}/{row.rank}/{row.record_id}"
            yield key, _history_from_row(row)

    def inventories(self, region: str, account_ids: Collection[str]) -> Sequence[Inventory]:
        query = sa.select(inventories).where(inventories.c.region == region)
        rows = self._connection.execute(query.order_by(inventories.c.inventory_id))
        return [_inventory_from_row(row) for row in rows if row.account_id in account_ids]

    def discovered_cidrs(
        self, inventories: Sequence[Inventory], after: str | None
    ) -> Iterator[tuple[str, DiscoveredCidr]]:
        position = parsed_key(after, int_of_64_bits, int_of_32_bits, int_of_64_bits)
        first, first_part, last_row_id = position or (0, 0, 0)
        for inventory in inventories:
            if inventory.inventory_id < first:
                continue
            is_first = inventory.inventory_id == first
            # Each part is a range of the index by what is monitored.
            for part, is_monitored in enumerate((True, False)):
                if is_first and part < first_part:
                    continue
                start = (last_row_id,) if is_first and part == first_part else None
                for row in self._along(
                    _there(inventory.inventory_id, is_monitored=is_monitored),
                    (resource_cidrs.c.row_id,),
                    start,
                ):
                    key = f"{inventory.inventory_id}/{part}/{row.row_id}"
                    yield key, _discovered_from_row(row, inventory)

    def discovered_addresses(
        self, inventories: Sequence[Inventory], after: str | None
    ) -> Iterator[tuple[str, DiscoveredAddress]]:
        start = parsed_key(after, str, int_of_64_bits, int_of_64_bits)
        first_account, *position = start or ("",)
        ordered = sorted(inventories, key=lambda one: one.account_id)
        for account_id, group in groupby(ordered, key=lambda one: one.account_id):
            if account_id < first_account:
                continue
            sampled = {one.inventory_id: one.last_successful_at for one in group}
            for row in self._along(
                sa.select(public_addresses, sa.literal(account_id).label("account_id")).where(
                    public_addresses.c.inventory_id.in_(sampled)
                ),
                (public_addresses.c.address, public_addresses.c.inventory_id),
                tuple(position) if account_id == first_account else None,
            ):
                key = f"{account_id}/{row.address}/{row.inventory_id}"
                yield key, DiscoveredAddress(from_row(row), sampled[row.inventory_id])

    def _along(
        self, query: sa.Select[Any], order: Sequence[sa.ColumnElement[Any]], start: Key | None
    ) -> Iterator[sa.Row[Any]]:
        return along(self._connection, query, order, start)


def along(
    connection: sa.Connection,
    query: sa.Select[Any],
    order: Sequence[sa.ColumnElement[Any]],
    start: Key | None,
) -> Iterator[sa.Row[Any]]:
    """The rows of ``query`` in an order that tells all of them apart, after the key ``start``."""
    # By position, for their names may be others' too.
    keyed = query.add_columns(*order).order_by(*order).limit(CHUNK_ROWS)
    while True:
        chunk = connection.execute(keyed if start is None else _after(keyed, order, start)).all()
        yield from chunk
        if len(chunk) < CHUNK_ROWS:
            return
        start = tuple(chunk[-1][-len(order) :])


def monitored_from_row(row: sa.Row[Any]) -> MonitoredCidr:
    """Of a row of `MONITORED`."""
    return MonitoredCidr(
        record_id=row.record_id,
        ipam_id=row.ipam_id,
        scope_id=row.ipam_scope_id,
        resource_type=ResourceType(row.resource_type),
        resource_id=row.resource_id,
        owner_id=row.owner_id,
        region=row.region,
        cidr=Cidr.from_key(row.first_address, row.prefix_length),
        name=row.name,
        vpc_id=row.vpc_id,
        management_state=ManagementState(row.management_state) if row.management_state else None,
        compliance_status=_compliance(row),
        overlap_status=_overlap(row),
        pool_id=row.ipam_pool_id,
        broken_rules=row.broken_rules.split(",") if row.broken_rules else [],
        tags=row.tags or {},
        ip_usage=row.ip_usage,
        availability_zone_id=row.availability_zone_id,
    )


def _after(
    query: sa.Select[Any], order: Sequence[sa.ColumnElement[Any]], start: Key
) -> sa.Select[Any]:
    values = [sa.literal(value, column.type) for column, value in zip(order, start, strict=True)]
    return query.where(sa.tuple_(*order) > sa.tuple_(*values))


def parsed_key(after: str | None, *kinds: Callable[[str], Any]) -> Key | None:
    """The parts of a key, None for none.

    Raises:
        InvalidNextToken: it has others.
    """
    if after is None:
        return None
    parts = after.split("/")
    if len(parts) != len(kinds):
        raise InvalidNextToken
    try:
        return tuple(kind(part) for kind, part in zip(kinds, parts, strict=True))
    except ValueError:
        raise InvalidNextToken from None


def int_of_32_bits(text: str) -> int:
    """Raises ValueError for what a column of `Integer` can't have."""
    return _int_of(text, 32)


def int_of_64_bits(text: str) -> int:
    """Raises ValueError for what a column of `BigInteger` can't have."""
    return _int_of(text, 64)


def _int_of(text: str, bits: int) -> int:
    number = int(text)
    if number >> (bits - 1):
        raise ValueError(text)
    return number


def _there(inventory_id: int, *, is_monitored: bool) -> sa.Select[Any]:
    query = sa.select(resource_cidrs).where(
        resource_cidrs.c.is_monitored == is_monitored,
        resource_cidrs.c.inventory_id == inventory_id,
    )
    if is_monitored:
        return query
    return query.where(resource_cidrs.c.resource_type != ResourceType.INSTANCE.value)


def _compliance(row: sa.Row[Any]) -> ComplianceStatus | None:
    return ComplianceStatus(row.compliance_status) if row.compliance_status else None


def _overlap(row: sa.Row[Any]) -> OverlapStatus | None:
    return OverlapStatus(row.overlap_status) if row.overlap_status else None


def _history_from_row(row: sa.Row[Any]) -> HistoryRecord:
    return HistoryRecord(
        resource_type=ResourceType(row.resource_type),
        resource_id=row.resource_id,
        owner_id=row.owner_id,
        region=row.region,
        cidr=Cidr.from_key(row.first_address, row.prefix_length),
        name=row.name,
        vpc_id=row.vpc_id,
        compliance_status=_compliance(row),
        overlap_status=_overlap(row),
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def _inventory_from_row(row: sa.Row[Any]) -> Inventory:
    return Inventory(
        row.inventory_id,
        row.account_id,
        row.last_attempted_at,
        row.last_successful_at,
        FailureCode(row.failure_code) if row.failure_code else None,
        row.failure_message,
    )


def _discovered_from_row(row: sa.Row[Any], inventory: Inventory) -> DiscoveredCidr:
    return DiscoveredCidr(
        resource_type=ResourceType(row.resource_type),
        resource_id=row.resource_id,
        owner_id=row.owner_id,
        cidr=Cidr.from_key(row.first_address, row.prefix_length),
        ip_source=IpSource(row.ip_source),
        tags=row.tags,
        ip_usage=row.ip_usage,
        vpc_id=row.vpc_id,
        subnet_id=row.subnet_id,
        is_attached=row.is_attached,
        availability_zone_id=row.availability_zone_id,
        sampled_at=inventory.last_successful_at,
    )
