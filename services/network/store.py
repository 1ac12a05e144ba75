"""`Store` and `Rows` in SQL."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from services.network.changes import Change, ChangeKind, CidrRecord, NumberedChange
from services.network.service.rows import Rows
from services.network.tables import changes, cidr_associations, pending_cidr_associations, vpcs
from services.network.vpc import Attributes, CidrAssociation, Tenancy, Vpc
from shared.caller import Caller
from shared.cidr import Cidr
from shared.persistence.database import Database

T = TypeVar("T")

_BLOCK_ROWS = 1000
_FEED_LOCK = 0x6361_6461_7374_7265
"""PostgreSQL's advisory locks are named by a number; this one spells "cadastre"."""

_pending = pending_cidr_associations


class SqlStore:
    """Runs use cases in a database's threads."""

    def __init__(self, database: Database, *, on_change: Callable[[], None]) -> None:
        """``on_change`` is called, in the event loop, when something was added to the feed."""
        self._database, self._on_change = database, on_change

    async def read(self, use_case: Callable[[Rows], T]) -> T:
        return await self._database.run(self._read, use_case)

    async def write(self, use_case: Callable[[Rows], T], *, dry_run: bool = False) -> T:
        result, has_appended = await self._database.run(self._write, use_case, dry_run)
        if has_appended:
            self._on_change()
        return result

    def _read(self, use_case: Callable[[Rows], T]) -> T:
        with self._database.read() as connection:
            return use_case(SqlRows(connection))

    def _write(self, use_case: Callable[[Rows], T], dry_run: bool) -> tuple[T, bool]:
        with self._database.write(dry_run=dry_run) as connection:
            rows = SqlRows(connection)
            result = use_case(rows)
        return result, rows.has_appended


class SqlRows:
    """The rows that one connection's transaction sees and changes."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.has_appended = False

    def vpc(self, caller: Caller, vpc_id: str, *, lock: bool) -> Vpc | None:
        is_it = (vpcs.c.vpc_id == vpc_id, *_is_callers(caller))
        if lock:
            # A statement of its own: what is read next is as it was when the lock was got.
            self._all(sa.select(vpcs.c.sequence).where(*is_it).with_for_update())
        found = [vpc for _, vpc in self._with_blocks(self._all(sa.select(vpcs).where(*is_it)))]
        return found[0] if found else None

    def vpc_with(self, caller: Caller, association_id: str) -> str | None:
        query = (
            sa.select(vpcs.c.vpc_id)
            .join(cidr_associations, cidr_associations.c.vpc_id == vpcs.c.vpc_id)
            .where(cidr_associations.c.association_id == association_id, *_is_callers(caller))
        )
        return self._connection.execute(query).scalar()

    def vpcs(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, Vpc]]:
        is_wanted = vpcs.c.vpc_id.in_(ids) if ids else sa.true()
        query = sa.select(vpcs).where(is_wanted, *_is_callers(caller))
        last = int(after) if after else 0
        while block := self._block(query, vpcs.c.sequence, last):
            yield from self._with_blocks(block)
            last = block[-1].sequence

    def vpc_count(self, owner_id: str, region: str) -> int:
        query = sa.select(sa.func.count()).where(
            vpcs.c.owner_id == owner_id, vpcs.c.region == region
        )
        return self._connection.execute(query).scalar_one()

    def add_vpc(self, vpc: Vpc) -> None:
        self._connection.execute(
            vpcs.insert().values(
                vpc_id=vpc.vpc_id,
                owner_id=vpc.owner_id,
                region=vpc.region,
                instance_tenancy=vpc.instance_tenancy,
                **_changeable(vpc),
            )
        )
        for association in vpc.associations:
            self.add_association(vpc, association)

    def save_vpc(self, vpc: Vpc) -> None:
        self._connection.execute(
            vpcs.update().where(vpcs.c.vpc_id == vpc.vpc_id).values(**_changeable(vpc))
        )

    def remove_vpc(self, vpc: Vpc) -> None:
        for table in (cidr_associations, vpcs):
            self._connection.execute(table.delete().where(table.c.vpc_id == vpc.vpc_id))

    def add_association(self, vpc: Vpc, association: CidrAssociation) -> None:
        self._connection.execute(
            cidr_associations.insert().values(
                vpc_id=vpc.vpc_id,
                association_id=association.association_id,
                cidr=str(association.cidr),
                ipam_pool_id=association.ipam_pool_id,
                ipam_pool_allocation_id=association.ipam_pool_allocation_id,
            )
        )

    def remove_association(self, association_id: str) -> None:
        is_it = cidr_associations.c.association_id == association_id
        self._connection.execute(cidr_associations.delete().where(is_it))

    def begin(self, pending: Sequence[CidrRecord], *, expires_at: datetime) -> None:
        self._connection.execute(
            _pending.insert(),
            [
                {
                    "association_id": record.association_id,
                    "resource_id": record.resource_id,
                    "owner_id": record.owner_id,
                    "region": record.region,
                    "expires_at": expires_at,
                    "is_abandoned": False,
                }
                for record in pending
            ],
        )

    def conclude(self, association_ids: Sequence[str]) -> bool:
        held = self._hold(_pending.c.association_id.in_(association_ids))
        if len(held) < len(association_ids) or any(row.is_abandoned for row in held):
            return False
        self.forget(association_ids)
        return True

    def abandon(self, association_ids: Sequence[str]) -> list[CidrRecord]:
        return self._abandon(_pending.c.association_id.in_(association_ids))

    def abandon_expired(self, now: datetime) -> list[CidrRecord]:
        return self._abandon(sa.or_(_pending.c.is_abandoned, _pending.c.expires_at < now))

    def forget(self, association_ids: Sequence[str]) -> None:
        self._connection.execute(
            _pending.delete().where(_pending.c.association_id.in_(association_ids))
        )

    def append(self, changes_: Sequence[Change]) -> None:
        if self._connection.dialect.name == "postgresql":
            # SQLite has one writer at a time anyway.
            self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_FEED_LOCK)))
        self._connection.execute(
            changes.insert(),
            [{"kind": change.kind.value, **asdict(change.record)} for change in changes_],
        )
        self.has_appended = True

    def changes(self, *, after: int) -> Sequence[NumberedChange]:
        found = self._block(sa.select(changes), changes.c.sequence, after)
        return [
            NumberedChange(row.sequence, Change(ChangeKind(row.kind), _record(row)))
            for row in found
        ]

    def cidr_records(self, *, after: str | None) -> Iterator[tuple[str, CidrRecord]]:
        last = after or ""
        while block := self._all(_cidr_records(after=last)):
            for row in block:
                yield row.association_id, _record(row)
            last = block[-1].association_id

    def _abandon(self, which: sa.ColumnElement[bool]) -> list[CidrRecord]:
        held = self._hold(which)
        if held:
            is_held = _pending.c.association_id.in_([row.association_id for row in held])
            self._connection.execute(_pending.update().where(is_held).values(is_abandoned=True))
        return [_record(row) for row in held]

    def _hold(self, which: sa.ColumnElement[bool]) -> Sequence[sa.Row[Any]]:
        """Lock pending rows, in one order, so that two processes never wait for each other."""
        query = sa.select(_pending).where(which).order_by(_pending.c.association_id)
        return self._all(query.limit(_BLOCK_ROWS).with_for_update())

    def _with_blocks(self, rows: Sequence[sa.Row[Any]]) -> Iterator[tuple[str, Vpc]]:
        blocks: dict[str, list[CidrAssociation]] = defaultdict(list)
        of_these = cidr_associations.c.vpc_id.in_([row.vpc_id for row in rows])
        query = sa.select(cidr_associations).where(of_these).order_by(cidr_associations.c.sequence)
        for block in self._all(query):
            blocks[block.vpc_id].append(_association(block))
        for row in rows:
            yield str(row.sequence), _vpc(row, blocks[row.vpc_id])

    def _block(
        self, query: sa.Select[Any], key: sa.ColumnElement[Any], last: object
    ) -> Sequence[sa.Row[Any]]:
        """The next rows by ``key``: a page costs what it shows, not what comes after it."""
        return self._all(query.where(key > last).order_by(key).limit(_BLOCK_ROWS))

    def _all(self, query: sa.Select[Any] | sa.CompoundSelect[Any]) -> Sequence[sa.Row[Any]]:
        return self._connection.execute(query).all()


def _cidr_records(*, after: str) -> sa.CompoundSelect[Any]:
    there = sa.select(
        cidr_associations.c.association_id,
        vpcs.c.vpc_id.label("resource_id"),
        vpcs.c.owner_id,
        vpcs.c.region,
        cidr_associations.c.cidr,
        cidr_associations.c.ipam_pool_allocation_id,
    ).join(vpcs, vpcs.c.vpc_id == cidr_associations.c.vpc_id)
    pending = sa.select(
        _pending.c.association_id,
        _pending.c.resource_id,
        _pending.c.owner_id,
        _pending.c.region,
        sa.literal(None, sa.String),
        sa.literal(None, sa.String),
    )
    both = sa.union_all(
        there.where(cidr_associations.c.association_id > after),
        pending.where(_pending.c.association_id > after),
    )
    return both.order_by("association_id").limit(_BLOCK_ROWS)


def _is_callers(caller: Caller) -> tuple[sa.ColumnElement[bool], ...]:
    return vpcs.c.owner_id == caller.account_id, vpcs.c.region == caller.region


def _changeable(vpc: Vpc) -> dict[str, Any]:
    return {"tags": dict(vpc.tags), **asdict(vpc.attributes)}


def _vpc(row: sa.Row[Any], associations: Iterable[CidrAssociation]) -> Vpc:
    return Vpc(
        vpc_id=row.vpc_id,
        owner_id=row.owner_id,
        region=row.region,
        instance_tenancy=Tenancy(row.instance_tenancy),
        tags=row.tags,
        associations=tuple(associations),
        attributes=Attributes(
            enable_dns_support=row.enable_dns_support,
            enable_dns_hostnames=row.enable_dns_hostnames,
            enable_network_address_usage_metrics=row.enable_network_address_usage_metrics,
        ),
    )


def _association(row: sa.Row[Any]) -> CidrAssociation:
    return CidrAssociation(
        row.association_id,
        Cidr.parse(row.cidr),
        row.ipam_pool_id,
        row.ipam_pool_allocation_id,
    )


def _record(row: sa.Row[Any]) -> CidrRecord:
    """Of a row of any table here that has its members."""
    found = row._asdict()
    return CidrRecord(
        association_id=row.association_id,
        resource_id=row.resource_id,
        owner_id=row.owner_id,
        region=row.region,
        cidr=found.get("cidr"),
        ipam_pool_allocation_id=found.get("ipam_pool_allocation_id"),
    )
