"""What an evaluation reads of the database, within one transaction."""

import json
from collections import Counter
from collections.abc import Collection, ItemsView, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.discovery.evaluation.model import Candidate, MarkedCidr, Marking
from services.discovery.record import CurrentRecord, RecordState, Sighting
from services.discovery.resource_cidr import ResourceType
from services.discovery.service.evaluating import Held, Seen
from services.discovery.sources import AccountRegion
from services.discovery.store.batches import batches_of
from services.discovery.tables import (
    evaluations,
    inventories,
    markings,
    records,
    remembered,
    resource_cidrs,
)
from shared.cidr import Cidr

STATE = (
    records.c.ipam_scope_id,
    records.c.management_state,
    records.c.compliance_status,
    records.c.overlap_status,
    records.c.ipam_pool_id,
    records.c.broken_rules,
    records.c.name,
)
"""What a `RecordState` tells, in its order."""
HAS_NOT_ENDED = records.c.ended_at.is_(None)

_TYPES = {resource_type.value: resource_type for resource_type in ResourceType}
_READ_AT_ONCE = 5000
"""Rows: a million of the driver's and of ours would be in memory together."""


def place_of(row: sa.Row[Any]) -> AccountRegion:
    return AccountRegion(row.account_id, row.region)


def inventories_of(
    connection: sa.Connection, places: AbstractSet[AccountRegion]
) -> list[sa.Row[Any]]:
    return [row for row in connection.execute(sa.select(inventories)) if place_of(row) in places]


def complete_places(found: Iterable[sa.Row[Any]], seen: Seen) -> set[AccountRegion]:
    told = {(row.source, place_of(row)) for row in found if row.digest and not row.failure_code}
    known = {(row.source, place_of(row)) for row in found} | {
        (source, place) for source, place in seen.asked if place in seen.places
    }
    incomplete = {place for _, place in known - told}
    return {place for _, place in told} - incomplete


def active_ips_of(found: Iterable[sa.Row[Any]]) -> Mapping[str, int]:
    """Of inventories' rows, by account."""
    counted: Counter[str] = Counter()
    for row in found:
        counted[row.account_id] += row.active_ip_count
    return counted


def remembered_versions(connection: sa.Connection, ipam_id: str) -> dict[int, int]:
    query = sa.select(remembered.c.inventory_id, remembered.c.version)
    rows = connection.execute(query.where(remembered.c.ipam_id == ipam_id))
    return {row.inventory_id: row.version for row in rows}


def sampled_at_of(
    connection: sa.Connection,
    ipam_id: str,
    shown: Mapping[int, sa.Row[Any]],
    known: Collection[int],
) -> dict[int, datetime]:
    """When the snapshots of inventories were taken.

    One that is not ``known`` to the IPAM may have been: when records of it ended after its
    snapshot, it is left out, as the IPAM does not see since then what that shows.
    """
    sampled_at = {id_: row.last_successful_at for id_, row in shown.items()}
    new = {id_: at for id_, at in sampled_at.items() if id_ not in known}
    for some in batches_of(new):
        query = sa.select(records.c.inventory_id, sa.func.max(records.c.ended_at)).where(
            records.c.ipam_id == ipam_id,
            records.c.inventory_id.in_(some),
            records.c.ended_at > min(new.values()),
        )
        for id_, ended_at in connection.execute(query.group_by(records.c.inventory_id)):
            if ended_at > sampled_at[id_]:
                del sampled_at[id_]
    return sampled_at


def has_record(connection: sa.Connection, ipam_id: str, held: Held) -> bool:
    query = sa.select(records.c.record_id).where(
        records.c.ipam_scope_id == held.scope_id,
        records.c.first_address == held.cidr.first_key,
        records.c.prefix_length == held.cidr.prefix_length,
        records.c.resource_id == held.resource_id,
        records.c.ipam_id == ipam_id,
    )
    return connection.execute(query.limit(1)).first() is not None


def version_of(connection: sa.Connection, ipam_id: str) -> int:
    query = sa.select(evaluations.c.version).where(evaluations.c.ipam_id == ipam_id)
    return connection.scalar(query) or 0


def markings_of(connection: sa.Connection, ipam_id: str) -> dict[MarkedCidr, Marking]:
    rows = connection.execute(sa.select(markings).where(markings.c.ipam_id == ipam_id))
    return {
        MarkedCidr(
            row.region, row.resource_id, Cidr.from_key(row.first_address, row.prefix_length)
        ): Marking(row.is_ignored, row.ipam_scope_id)
        for row in rows
    }


class _StoredTags(Mapping[str, str]):
    """Few tags are looked at, and to read them all takes as long as everything else."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __getitem__(self, key: str) -> str:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def items(self) -> ItemsView[str, str]:
        return self._read().items()

    def _read(self) -> dict[str, str]:
        read: dict[str, str] = json.loads(self._text)
        return read


def sightings_of(
    connection: sa.Connection, shown: Mapping[int, sa.Row[Any]], *, is_monitored: bool = True
) -> Iterator[Sighting]:
    columns, regions = resource_cidrs.c, {id_: row.region for id_, row in shown.items()}
    for some in batches_of(shown):
        rows = connection.execute(
            sa.select(
                columns.row_id,
                columns.inventory_id,
                columns.resource_type,
                columns.resource_id,
                columns.first_address,
                columns.prefix_length,
                columns.owner_id,
                columns.vpc_id,
                columns.container_id,
                sa.cast(columns.tags, sa.Text),
                columns.name,
            )
            .where(columns.is_monitored.is_(is_monitored), columns.inventory_id.in_(some))
            .execution_options(yield_per=_READ_AT_ONCE)
        )
        for row_id, inventory_id, kind, resource_id, first, length, owner, *rest in rows:
            vpc_id, container_id, tags, name = rest
            yield Sighting(
                Candidate(
                    row_id,
                    _TYPES[kind],
                    resource_id,
                    Cidr.from_key(first, length),
                    owner,
                    regions[inventory_id],
                    vpc_id,
                    container_id,
                    _StoredTags(tags),
                ),
                inventory_id,
                name,
            )


def current_of(
    connection: sa.Connection,
    ipam_id: str,
    *,
    is_monitored: bool,
    inventory_id: int | None = None,
) -> dict[int, CurrentRecord]:
    query = sa.select(
        records.c.row_id,
        records.c.record_id,
        records.c.inventory_id,
        records.c.started_at,
        *STATE,
    ).where(records.c.ipam_id == ipam_id, records.c.is_monitored.is_(is_monitored), HAS_NOT_ENDED)
    if inventory_id is not None:
        query = query.where(records.c.inventory_id == inventory_id)
    rows = connection.execute(query.execution_options(yield_per=_READ_AT_ONCE))
    return {
        row_id: CurrentRecord(record_id, of_inventory, started_at, RecordState(*state))
        for row_id, record_id, of_inventory, started_at, *state in rows
    }
