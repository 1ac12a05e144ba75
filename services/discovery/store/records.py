"""What resource CIDRs are to IPAMs, and were."""

import json
from collections import defaultdict
from collections.abc import Collection, ItemsView, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from services.discovery.evaluation.model import Candidate, Finding, MarkedCidr, Marking
from services.discovery.record import (
    CurrentRecord,
    RecordState,
    ScopesOfVpcs,
    Sighting,
    Turn,
    moved_in,
    turn,
)
from services.discovery.resource_cidr import ResourceType
from services.discovery.service.evaluating import Held, Seen, ShownInventory, View
from services.discovery.sources import AccountRegion
from services.discovery.store.batches import batches_of, insert_rows, stored_as
from services.discovery.store.discrepancies import replace_discrepancies
from services.discovery.tables import (
    discrepancies,
    evaluations,
    inventories,
    markings,
    records,
    remembered,
    resource_cidrs,
)
from shared.cidr import Cidr
from shared.persistence.database import Database

_STATE = (
    records.c.ipam_scope_id,
    records.c.management_state,
    records.c.compliance_status,
    records.c.overlap_status,
    records.c.ipam_pool_id,
    records.c.broken_rules,
    records.c.name,
)
"""What a `RecordState` tells, in its order."""
_GIVEN = (records.c.ipam_id, records.c.is_monitored, records.c.started_at)
_MEMBERS = (
    records.c.inventory_id,
    records.c.row_id,
    records.c.resource_type,
    records.c.resource_id,
    records.c.owner_id,
    records.c.region,
    records.c.first_address,
    records.c.prefix_length,
    records.c.vpc_id,
)
_TYPES = {resource_type.value: resource_type for resource_type in ResourceType}
_WORDS = {resource_type: resource_type.value for resource_type in ResourceType}
_READ_AT_ONCE = 5000
"""Rows: a million of the driver's and of ours would be in memory together."""
_HAS_NOT_ENDED = records.c.ended_at.is_(None)


class SqlRecords:
    """`Records`: each method in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def view(self, ipam_id: str, seen: Seen) -> View:
        return await self._database.run(self._view, ipam_id, seen)

    async def save(
        self,
        ipam_id: str,
        version: int,
        changes: Turn,
        findings: Sequence[Finding],
        now: datetime,
    ) -> bool:
        return await self._database.run(self._save, ipam_id, version, changes, findings, now)

    async def remember(
        self,
        ipam_id: str,
        evaluation: int,
        shown: ShownInventory,
        scopes: ScopesOfVpcs,
        now: datetime,
    ) -> None:
        await self._database.run(self._remember, ipam_id, evaluation, shown, scopes, now)

    async def forget(self, ipam_id: str, evaluation: int, inventory_id: int, now: datetime) -> None:
        await self._database.run(self._forget, ipam_id, evaluation, inventory_id, now)

    async def version(self, ipam_id: str) -> int:
        return await self._database.run(self._version_of, ipam_id)

    async def ever_had(self, ipam_id: str, held: Sequence[Held]) -> AbstractSet[Held]:
        return await self._database.run(self._ever_had, ipam_id, held)

    async def keep_only(self, ipam_ids: Collection[str]) -> None:
        await self._database.run(self._keep_only, ipam_ids)

    async def prune(self, ended_before: datetime) -> None:
        await self._database.run(self._prune, ended_before)

    def _view(self, ipam_id: str, seen: Seen) -> View:
        with self._database.read() as connection:
            found = _inventories_of(connection, seen.places)
            shown = {row.inventory_id: row for row in found if row.last_successful_at}
            known = _remembered(connection, ipam_id)
            return View(
                version=_version(connection, ipam_id),
                sightings=list(_sightings(connection, shown)),
                markings=_markings(connection, ipam_id),
                current=_current(connection, ipam_id, is_monitored=True),
                sampled_at=_sampled_at(connection, ipam_id, shown, known),
                complete=_complete(found, seen),
                versions={id_: row.version for id_, row in shown.items()},
                unremembered={id_ for id_, row in shown.items() if known.get(id_) != row.version},
                forgotten=known.keys() - shown.keys(),
            )

    def _save(
        self,
        ipam_id: str,
        version: int,
        changes: Turn,
        findings: Sequence[Finding],
        now: datetime,
    ) -> bool:
        with self._database.write() as connection:
            if not _claimed(connection, ipam_id, version, now):
                return False
            _carry_out(connection, ipam_id, changes, is_monitored=True)
            replace_discrepancies(connection, ipam_id, findings, now)
            for some in batches_of(list(moved_in(changes))):
                is_stale = sa.and_(
                    remembered.c.ipam_id == ipam_id, remembered.c.inventory_id.in_(some)
                )
                # No version is 0: it will be remembered anew, also after a crash before that.
                connection.execute(remembered.update().where(is_stale).values(version=0))
        return True

    def _remember(
        self,
        ipam_id: str,
        evaluation: int,
        shown: ShownInventory,
        scopes: ScopesOfVpcs,
        now: datetime,
    ) -> None:
        inventory_id, version = shown
        with self._database.write() as connection:
            if _lock(connection, ipam_id) != evaluation:
                return
            query = sa.select(inventories).where(inventories.c.inventory_id == inventory_id)
            row = connection.execute(query.with_for_update()).first()
            if row is None or row.version != version:
                return
            found = [
                (
                    one,
                    RecordState(
                        scopes.scope_of(one.candidate.cidr, _place(row), one.candidate.vpc_id),
                        name=one.name,
                    ),
                )
                for one in _sightings(connection, {inventory_id: row}, is_monitored=False)
            ]
            current = _current(connection, ipam_id, is_monitored=False, inventory_id=inventory_id)
            known = _remembered(connection, ipam_id)
            sampled_at = _sampled_at(connection, ipam_id, {inventory_id: row}, known)
            changes = turn(current, found, sampled_at, now)
            _carry_out(connection, ipam_id, changes, is_monitored=False)
            _note_remembered(connection, ipam_id, inventory_id, version)

    def _version_of(self, ipam_id: str) -> int:
        with self._database.read() as connection:
            return _version(connection, ipam_id)

    def _ever_had(self, ipam_id: str, held: Sequence[Held]) -> AbstractSet[Held]:
        with self._database.read() as connection:
            return {one for one in held if _has_record(connection, ipam_id, one)}

    def _forget(self, ipam_id: str, evaluation: int, inventory_id: int, now: datetime) -> None:
        is_it = sa.and_(records.c.ipam_id == ipam_id, records.c.inventory_id == inventory_id)
        with self._database.write() as connection:
            if _lock(connection, ipam_id) != evaluation:
                return
            connection.execute(
                records.update().where(is_it, _HAS_NOT_ENDED).values(ended_at=not_before_start(now))
            )
            connection.execute(
                remembered.delete().where(
                    remembered.c.ipam_id == ipam_id, remembered.c.inventory_id == inventory_id
                )
            )

    def _keep_only(self, ipam_ids: Collection[str]) -> None:
        with self._database.write() as connection:
            known = connection.scalars(sa.select(evaluations.c.ipam_id)).all()
            for ipam_id in set(known) - set(ipam_ids):
                for table in (records, remembered, discrepancies, markings, evaluations):
                    connection.execute(table.delete().where(table.c.ipam_id == ipam_id))

    def _prune(self, ended_before: datetime) -> None:
        with self._database.write() as connection:
            connection.execute(records.delete().where(records.c.ended_at < ended_before))


def _place(row: sa.Row[Any]) -> AccountRegion:
    return AccountRegion(row.account_id, row.region)


def _inventories_of(
    connection: sa.Connection, places: AbstractSet[AccountRegion]
) -> list[sa.Row[Any]]:
    return [row for row in connection.execute(sa.select(inventories)) if _place(row) in places]


def _complete(found: Iterable[sa.Row[Any]], seen: Seen) -> set[AccountRegion]:
    told = {(row.source, _place(row)) for row in found if row.digest and not row.failure_code}
    known = {(row.source, _place(row)) for row in found} | {
        (source, place) for source, place in seen.asked if place in seen.places
    }
    incomplete = {place for _, place in known - told}
    return {place for _, place in told} - incomplete


def _remembered(connection: sa.Connection, ipam_id: str) -> dict[int, int]:
    query = sa.select(remembered.c.inventory_id, remembered.c.version)
    rows = connection.execute(query.where(remembered.c.ipam_id == ipam_id))
    return {row.inventory_id: row.version for row in rows}


def _sampled_at(
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


def _has_record(connection: sa.Connection, ipam_id: str, held: Held) -> bool:
    query = sa.select(records.c.record_id).where(
        records.c.ipam_scope_id == held.scope_id,
        records.c.first_address == held.cidr.first_key,
        records.c.prefix_length == held.cidr.prefix_length,
        records.c.resource_id == held.resource_id,
        records.c.ipam_id == ipam_id,
    )
    return connection.execute(query.limit(1)).first() is not None


def _version(connection: sa.Connection, ipam_id: str) -> int:
    query = sa.select(evaluations.c.version).where(evaluations.c.ipam_id == ipam_id)
    return connection.scalar(query) or 0


def _markings(connection: sa.Connection, ipam_id: str) -> dict[MarkedCidr, Marking]:
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


def _sightings(
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


def _current(
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
        *_STATE,
    ).where(records.c.ipam_id == ipam_id, records.c.is_monitored.is_(is_monitored), _HAS_NOT_ENDED)
    if inventory_id is not None:
        query = query.where(records.c.inventory_id == inventory_id)
    rows = connection.execute(query.execution_options(yield_per=_READ_AT_ONCE))
    return {
        row_id: CurrentRecord(record_id, of_inventory, started_at, RecordState(*state))
        for row_id, record_id, of_inventory, started_at, *state in rows
    }


def _claimed(connection: sa.Connection, ipam_id: str, version: int, now: datetime) -> bool:
    """Whether nothing came between; others wait for this transaction's end from here on."""
    if _lock(connection, ipam_id) != version:
        return False
    is_it = evaluations.c.ipam_id == ipam_id
    values = {"version": version + 1, "evaluated_at": now}
    connection.execute(evaluations.update().where(is_it).values(values))
    return True


def _lock(connection: sa.Connection, ipam_id: str) -> int:
    """The version of what was evaluated last; others wait for this transaction's end."""
    _insert_unless_there(connection, evaluations, {"ipam_id": ipam_id, "version": 0})
    query = sa.select(evaluations.c.version).where(evaluations.c.ipam_id == ipam_id)
    version: int = connection.execute(query.with_for_update()).scalar_one()
    return version


def _insert_unless_there(
    connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]
) -> None:
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).values(values).on_conflict_do_nothing())


def _note_remembered(
    connection: sa.Connection, ipam_id: str, inventory_id: int, version: int
) -> None:
    key = {"ipam_id": ipam_id, "inventory_id": inventory_id}
    _insert_unless_there(connection, remembered, {**key, "version": version})
    is_it = sa.and_(remembered.c.ipam_id == ipam_id, remembered.c.inventory_id == inventory_id)
    connection.execute(remembered.update().where(is_it).values(version=version))


def not_before_start(at: sa.ColumnElement[Any] | datetime) -> sa.ColumnElement[Any]:
    """A snapshot may be older than what an evaluation changed meanwhile, a source's clock fast."""
    moment = sa.bindparam(None, at, records.c.ended_at.type) if isinstance(at, datetime) else at
    return sa.case((records.c.started_at > moment, records.c.started_at), else_=moment)


def _carry_out(
    connection: sa.Connection, ipam_id: str, changes: Turn, *, is_monitored: bool
) -> None:
    by_time: defaultdict[datetime, list[int]] = defaultdict(list)
    for record_id, at in changes.ended:
        by_time[at].append(record_id)
    for at, record_ids in by_time.items():
        for some in batches_of(record_ids):
            connection.execute(
                records.update()
                .where(records.c.record_id.in_(some))
                .values(ended_at=not_before_start(at))
            )
    moment = stored_as(connection, records.c.started_at)
    rows = (
        (ipam_id, is_monitored, moment(started_at), *_members(sighting), *state)
        for sighting, state, started_at in changes.begun
    )
    insert_rows(connection, records, (*_GIVEN, *_MEMBERS, *_STATE), rows)


def _members(sighting: Sighting) -> tuple[Any, ...]:
    """Values of `_MEMBERS`, as both drivers take them."""
    candidate = sighting.candidate
    return (
        sighting.inventory_id,
        candidate.row_id,
        _WORDS[candidate.resource_type],
        candidate.resource_id,
        candidate.owner_id,
        candidate.region,
        candidate.cidr.first_key,
        candidate.cidr.prefix_length,
        candidate.vpc_id,
    )
