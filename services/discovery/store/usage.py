"""`View` of figures in SQL: counts are the database's to make."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from services.discovery.evaluation.model import (
    ComplianceStatus,
    Discrepancy,
    Finding,
    ManagementState,
    OverlapStatus,
)
from services.discovery.public_address import AddressType, AssociationStatus
from services.discovery.resource_cidr import ResourceType
from services.discovery.service.usage import (
    BlockState,
    Group,
    Limits,
    MappedCidr,
    PublicAddressCount,
    PublicAddressKind,
    Resource,
    ResourceCidrCount,
    UsedCidr,
    View,
)
from services.discovery.sources import AccountRegion
from services.discovery.store.batches import batches_of
from services.discovery.store.metering import active_ip_milliseconds
from services.discovery.store.reading import (
    along,
    int_of_32_bits,
    int_of_64_bits,
    parsed_key,
)
from services.discovery.tables import (
    discrepancies,
    inventories,
    public_addresses,
    records,
    resource_cidrs,
)
from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidNextToken
from shared.persistence.database import Database

_ALL_IPV4 = Cidr(AddressFamily.IPV4, 0, 0)
_MAPPED = _ALL_IPV4.first_key[: -_ALL_IPV4.family.bits // 8]
"""What keys of IPv4 addresses begin with."""
_IS_IPV4 = records.c.first_address.between(_ALL_IPV4.first_key, _ALL_IPV4.last_key)
_IS_MONITORED_NOW = sa.and_(records.c.is_monitored, records.c.ended_at.is_(None))
_BY_SCOPE_AND_ADDRESS = (
    discrepancies.c.ipam_scope_id,
    discrepancies.c.first_address,
    discrepancies.c.prefix_length,
    discrepancies.c.discrepancy_id,
)
_BLOCK_STATE = sa.case(
    (records.c.management_state.is_(None), 0),
    (records.c.overlap_status == OverlapStatus.OVERLAPPING.value, BlockState.OVERLAPPING.value),
    (
        records.c.compliance_status == ComplianceStatus.NONCOMPLIANT.value,
        BlockState.NONCOMPLIANT.value,
    ),
    (records.c.compliance_status == ComplianceStatus.COMPLIANT.value, BlockState.COMPLIANT.value),
    else_=BlockState.OCCUPIED.value,
)
_STATES = {0: None, **{state.value: state for state in BlockState}}
_BY_IDENTITY = (
    records.c.resource_id,
    records.c.owner_id,
    records.c.region,
    records.c.record_id,
)
_IDENTITY = sa.tuple_(records.c.resource_id, records.c.owner_id, records.c.region)
_USED = records.join(resource_cidrs, resource_cidrs.c.row_id == records.c.row_id)

T = TypeVar("T")


class SqlUsage:
    """Answers each question from one snapshot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, question: Callable[[View], T]) -> T:
        return await self._database.run(self._answer, question)

    def _answer(self, question: Callable[[View], T]) -> T:
        with self._database.read() as connection:
            return question(SqlUsageView(connection))


class SqlUsageView:
    """Everything from one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def resource_cidr_counts(self, ipam_id: str) -> Sequence[ResourceCidrCount]:
        members = (
            records.c.ipam_scope_id,
            _IS_IPV4.label("is_ipv4"),
            records.c.ipam_pool_id,
            records.c.resource_type,
            records.c.management_state,
            records.c.compliance_status,
            records.c.overlap_status,
        )
        counted = sa.select(*members).where(records.c.ipam_id == ipam_id, _IS_MONITORED_NOW)
        of = counted.subquery().c
        query: sa.Select[Any] = sa.select(*of, sa.func.count().label("number"))
        rows = self._connection.execute(query.group_by(*of).order_by(*of))
        return [_count_from_row(row) for row in rows]

    def active_ip_counts(self) -> Iterator[tuple[AccountRegion, int]]:
        query = sa.select(
            inventories.c.account_id, inventories.c.region, inventories.c.active_ip_count
        )
        for row in self._connection.execute(query.where(inventories.c.active_ip_count > 0)):
            yield AccountRegion(row.account_id, row.region), row.active_ip_count

    def public_address_counts(self) -> Iterator[PublicAddressCount]:
        is_contiguous = public_addresses.c.address_type == AddressType.AMAZON_OWNED_CONTIG.value
        told = sa.select(
            inventories.c.account_id,
            inventories.c.region,
            public_addresses.c.address_type,
            public_addresses.c.association_status,
            sa.case((is_contiguous, public_addresses.c.public_ipv4_pool_id)).label("pool_id"),
        ).join_from(public_addresses, inventories)
        of = told.subquery().c
        for row in self._connection.execute(
            sa.select(*of, sa.func.count().label("number")).group_by(*of).order_by(*of)
        ):
            kind = PublicAddressKind(
                row.region,
                AddressType(row.address_type),
                AssociationStatus(row.association_status),
                row.pool_id,
            )
            yield PublicAddressCount(row.account_id, kind, row.number)

    def active_ip_milliseconds(self, ipam_id: str) -> int:
        return active_ip_milliseconds(self._connection, ipam_id)

    def candidates(self, of: Group, limits: Limits) -> Collection[str]:
        known = _known(of).cte("known")
        id_, total = known.c.resource_id, known.c.total
        # As many of those with space of pools may be among the fullest and the emptiest.
        largest = limits.highest + limits.lowest + limits.allocated
        by_identity = (id_, known.c.owner_id, known.c.region)
        ranked = (
            sa.select(id_).order_by(known.c.ip_usage.desc(), *by_identity).limit(limits.highest),
            sa.select(id_).order_by(known.c.ip_usage, *by_identity).limit(limits.lowest),
            sa.select(id_)
            .where(known.c.is_allocated == 1)
            .order_by(total.desc(), *by_identity)
            .limit(largest),
        )
        query = sa.union(*(sa.select(one.subquery()) for one in ranked))
        return self._connection.scalars(query).all()

    def used_cidrs(self, of: Group, resource_ids: Collection[str]) -> Iterator[UsedCidr]:
        for some in batches_of(list(resource_ids)):
            query = _used(of).where(records.c.resource_id.in_(some))
            for row in self._connection.execute(query):
                yield _used_from_row(row)

    def all_used_cidrs(self, of: Group, after: str | None) -> Iterator[tuple[str, UsedCidr]]:
        query = _used(of)
        if after is not None:
            query = query.where(self._identity_of(after) < _IDENTITY)
        for row in along(self._connection, query, _BY_IDENTITY, None):
            yield str(row.record_id), _used_from_row(row)

    def _identity_of(self, key: str) -> sa.ColumnElement[Any]:
        """Of the resource of a record: that is shorter than an id, and stays when it has ended."""
        [record_id] = parsed_key(key, int_of_64_bits) or ()
        query = sa.select(records).where(records.c.record_id == record_id)
        if (row := self._connection.execute(query).first()) is None:
            raise InvalidNextToken
        values = (row.resource_id, row.owner_id, row.region)
        return sa.tuple_(*(sa.literal(value, sa.String) for value in values))

    def mapped_cidrs(self, scope_id: str, within: Cidr) -> Iterator[MappedCidr]:
        around = [
            (block.first_key, block.prefix_length)
            for block in map(within.supernet, range(within.prefix_length))
        ]
        inside = sa.and_(
            records.c.first_address.between(within.first_key, within.last_key),
            records.c.prefix_length >= within.prefix_length,
        )
        # Keys of IPv4 addresses are those of the IPv6 addresses that they are mapped to.
        base = int.from_bytes(within.first_key) - within.first
        block = sa.tuple_(records.c.first_address, records.c.prefix_length)
        for overlaps in (block.in_(around), inside):
            query = (
                sa.select(records.c.first_address, records.c.prefix_length, _BLOCK_STATE)
                .where(records.c.ipam_scope_id == scope_id, _IS_MONITORED_NOW, overlaps)
                .order_by(records.c.first_address, records.c.prefix_length)
            )
            for first, length, state in self._connection.execute(query):
                yield MappedCidr(int.from_bytes(first) - base, length, _STATES[state])

    def findings(self, ipam_id: str, after: str | None) -> Iterator[tuple[str, Finding]]:
        query = sa.select(discrepancies).where(discrepancies.c.ipam_id == ipam_id)
        start = parsed_key(after, str, bytes.fromhex, int_of_32_bits, int_of_64_bits)
        for row in along(self._connection, query, _BY_SCOPE_AND_ADDRESS, start):
            address = f"{row.first_address.hex()}/{row.prefix_length}"
            key = f"{row.ipam_scope_id}/{address}/{row.discrepancy_id}"
            yield key, _finding_from_row(row)


def _of(group: Group, table: sa.FromClause = records) -> list[sa.ColumnElement[bool]]:
    # Not as a range: SQLite would rather go along all addresses than along one type's resources.
    is_ipv4 = sa.func.substr(table.c.first_address, 1, len(_MAPPED)) == _MAPPED
    return [
        table.c.ipam_scope_id == group.scope_id,
        table.c.is_monitored,
        table.c.ended_at.is_(None),
        table.c.resource_type == group.resource_type.value,
        is_ipv4 if group.family is AddressFamily.IPV4 else sa.not_(is_ipv4),
    ]


def _known(group: Group) -> sa.Select[Any]:
    """Each resource whose usage is known, as `utilizations` has it but for what floats lose."""
    size = _size(group.family)
    total = sa.func.sum(size)
    identity = (records.c.resource_id, records.c.owner_id, records.c.region)
    return (
        sa.select(
            *identity,
            (sa.func.sum(resource_cidrs.c.ip_usage * size) / total).label("ip_usage"),
            total.label("total"),
            sa.func.max(sa.case((_is_allocated(group), 1), else_=0)).label("is_allocated"),
        )
        .select_from(_USED)
        .where(*_of(group), resource_cidrs.c.ip_usage.is_not(None))
        .group_by(*identity)
    )


def _used(group: Group) -> sa.Select[Any]:
    """CIDRs whose usage is known; to be narrowed."""
    members = (
        records.c.record_id,
        records.c.resource_id,
        records.c.owner_id,
        records.c.region,
        records.c.vpc_id,
        records.c.name,
        records.c.prefix_length,
        resource_cidrs.c.ip_usage,
        _is_allocated(group).label("is_allocated"),
    )
    is_known = resource_cidrs.c.ip_usage.is_not(None)
    return sa.select(*members).select_from(_USED).where(*_of(group), is_known)


def _is_allocated(group: Group) -> sa.ColumnElement[bool]:
    """Whether it has space of a pool; of subnets: whether their VPC has, in scope and family."""
    if group.resource_type is not ResourceType.SUBNET:
        return records.c.ipam_pool_id.is_not(None)
    vpcs = records.alias("vpcs")
    are_vpcs = _of(group._replace(resource_type=ResourceType.VPC), vpcs)
    is_its_own = vpcs.c.resource_id == records.c.vpc_id
    return sa.exists().where(*are_vpcs, is_its_own, vpcs.c.ipam_pool_id.is_not(None))


def _size(family: AddressFamily) -> sa.ColumnElement[float]:
    """Of a record's block, as a float: databases' integers are too short for it."""
    sizes = {length: 2.0 ** (family.bits - length) for length in range(family.bits + 1)}
    return sa.case(sizes, value=records.c.prefix_length)


def _used_from_row(row: sa.Row[Any]) -> UsedCidr:
    resource = Resource(row.resource_id, row.owner_id, row.region, row.vpc_id, row.name)
    return UsedCidr(resource, row.prefix_length, row.ip_usage, bool(row.is_allocated))


def _count_from_row(row: sa.Row[Any]) -> ResourceCidrCount:
    management, compliance = row.management_state, row.compliance_status
    return ResourceCidrCount(
        scope_id=row.ipam_scope_id,
        family=AddressFamily.IPV4 if row.is_ipv4 else AddressFamily.IPV6,
        pool_id=row.ipam_pool_id,
        resource_type=ResourceType(row.resource_type),
        management_state=ManagementState(management) if management else None,
        compliance_status=ComplianceStatus(compliance) if compliance else None,
        overlap_status=OverlapStatus(row.overlap_status) if row.overlap_status else None,
        count=row.number,
    )


def _finding_from_row(row: sa.Row[Any]) -> Finding:
    return Finding(
        Discrepancy(row.kind),
        row.ipam_scope_id,
        row.ipam_pool_id,
        Cidr.from_key(row.first_address, row.prefix_length),
        row.resource_id,
        row.owner_id,
        row.region,
        row.ipam_pool_allocation_id,
        row.message,
    )
