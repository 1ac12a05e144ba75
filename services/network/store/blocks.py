"""The blocks that resources have, and those that are being allocated."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.network.changes import CidrRecord
from services.network.resource import (
    CidrAssociation,
    Holder,
    PublicIpSource,
    ResourceType,
    SourcePool,
)
from services.network.store.reading import BLOCK_ROWS, all_of
from services.network.tables import cidr_associations, pending_cidr_associations
from shared.cidr import Cidr

_there = cidr_associations
_pending = pending_cidr_associations


class SqlBlocks:
    """`BlockRows` of one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, holder: Holder, association: CidrAssociation) -> None:
        pool = association.source_pool
        self._connection.execute(
            _there.insert().values(
                association_id=association.association_id,
                resource_id=holder.resource_id,
                resource_type=holder.resource_type,
                owner_id=holder.owner_id,
                region=holder.region,
                cidr=str(association.cidr),
                ipam_pool_id=association.ipam_pool_id,
                ipam_pool_allocation_id=association.ipam_pool_allocation_id,
                source_pool=asdict(pool) if pool else None,
            )
        )

    def remove(self, association_ids: Sequence[str]) -> None:
        is_one = _there.c.association_id.in_(association_ids)
        self._connection.execute(_there.delete().where(is_one))

    def change_owner(self, association_id: str, owner_id: str) -> None:
        is_it = _there.c.association_id == association_id
        self._connection.execute(_there.update().where(is_it).values(owner_id=owner_id))

    def of(self, resource_ids: Collection[str]) -> Mapping[str, Sequence[CidrAssociation]]:
        found: defaultdict[str, list[CidrAssociation]] = defaultdict(list)
        is_theirs = _there.c.resource_id.in_(resource_ids)
        query = sa.select(_there).where(is_theirs).order_by(_there.c.sequence)
        for row in all_of(self._connection, query):
            found[row.resource_id].append(_association(row))
        return found

    def begin(self, pending: Sequence[CidrRecord], *, expires_at: datetime) -> None:
        self._connection.execute(
            _pending.insert(),
            [
                {
                    "association_id": record.association_id,
                    "resource_id": record.resource_id,
                    "resource_type": record.resource_type,
                    "owner_id": record.owner_id,
                    "region": record.region,
                    "expires_at": expires_at,
                    "is_abandoned": False,
                }
                for record in pending
            ],
        )

    def is_pending(self, resource_id: str) -> bool:
        query = sa.select(_pending.c.association_id).where(_pending.c.resource_id == resource_id)
        return bool(all_of(self._connection, query.limit(1)))

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

    def count_pending(self) -> int:
        query = sa.select(sa.func.count()).select_from(_pending)
        return self._connection.execute(query).scalar_one()

    def forget(self, association_ids: Sequence[str]) -> None:
        self._connection.execute(
            _pending.delete().where(_pending.c.association_id.in_(association_ids))
        )

    def records(self, *, after: str | None) -> Iterator[tuple[str, CidrRecord]]:
        last = after or ""
        while block := all_of(self._connection, _records(after=last)):
            for row in block:
                yield row.association_id, record_from_row(row)
            last = block[-1].association_id

    def _abandon(self, which: sa.ColumnElement[bool]) -> list[CidrRecord]:
        held = self._hold(which)
        if held:
            is_held = _pending.c.association_id.in_([row.association_id for row in held])
            self._connection.execute(_pending.update().where(is_held).values(is_abandoned=True))
        return [record_from_row(row) for row in held]

    def _hold(self, which: sa.ColumnElement[bool]) -> Sequence[sa.Row[Any]]:
        """Lock pending rows, in one order, so that two processes never wait for each other."""
        query = sa.select(_pending).where(which).order_by(_pending.c.association_id)
        return all_of(self._connection, query.limit(BLOCK_ROWS).with_for_update())


def record_from_row(row: sa.Row[Any]) -> CidrRecord:
    """Of a row of any table here that has its members."""
    found = row._asdict()
    return CidrRecord(
        association_id=row.association_id,
        resource_id=row.resource_id,
        resource_type=ResourceType(row.resource_type),
        owner_id=row.owner_id,
        region=row.region,
        cidr=found.get("cidr"),
        ipam_pool_allocation_id=found.get("ipam_pool_allocation_id"),
    )


def _records(*, after: str) -> sa.CompoundSelect[Any]:
    common = ("association_id", "resource_id", "resource_type", "owner_id", "region")
    there = sa.select(
        *(_there.c[name] for name in common), _there.c.cidr, _there.c.ipam_pool_allocation_id
    )
    pending = sa.select(
        *(_pending.c[name] for name in common),
        sa.literal(None, sa.String),
        sa.literal(None, sa.String),
    )
    both = sa.union_all(
        there.where(_there.c.association_id > after),
        pending.where(_pending.c.association_id > after),
    )
    return both.order_by("association_id").limit(BLOCK_ROWS)


def _association(row: sa.Row[Any]) -> CidrAssociation:
    return CidrAssociation(
        row.association_id,
        Cidr.parse(row.cidr),
        row.ipam_pool_id,
        row.ipam_pool_allocation_id,
        _source_pool(row.source_pool),
    )


def _source_pool(stored: Mapping[str, Any] | None) -> SourcePool | None:
    if stored is None:
        return None
    source = stored["public_ip_source"]
    members = {**stored, "public_ip_source": PublicIpSource(source) if source else None}
    return SourcePool(**members)
