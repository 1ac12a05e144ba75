"""What resource CIDRs are to IPAMs, and were."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from services.discovery.coverage import Ipam
from services.discovery.evaluation.model import Finding
from services.discovery.metering import Pace, Reading
from services.discovery.record import (
    RecordState,
    ScopesOfVpcs,
    Sighting,
    Turn,
    moved_in,
    turn,
)
from services.discovery.resource_cidr import ResourceType
from services.discovery.service.evaluating import Held, Seen, ShownInventory, View
from services.discovery.store.batches import batches_of, insert_rows, stored_as
from services.discovery.store.discrepancies import replace_discrepancies
from services.discovery.store.evaluation_view import (
    HAS_NOT_ENDED,
    STATE,
    active_ips_of,
    complete_places,
    current_of,
    has_record,
    inventories_of,
    markings_of,
    place_of,
    remembered_versions,
    sampled_at_of,
    sightings_of,
    version_of,
)
from services.discovery.store.metering import meter
from services.discovery.tables import (
    discrepancies,
    evaluations,
    inventories,
    markings,
    meters,
    records,
    remembered,
)
from shared.persistence.database import Database

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
_WORDS = {resource_type: resource_type.value for resource_type in ResourceType}


class SqlRecords:
    """`Records`: each method in one transaction."""

    def __init__(self, database: Database, pace: Pace | None = None) -> None:
        """``pace`` is how active addresses are metered."""
        self._database, self._pace = database, pace or Pace()

    async def view(self, ipam_id: str, seen: Seen) -> View:
        return await self._database.run(self._view, ipam_id, seen)

    async def save(
        self,
        ipam: Ipam,
        version: int,
        changes: Turn,
        findings: Sequence[Finding],
        reading: Reading,
        now: datetime,
    ) -> bool:
        return await self._database.run(self._save, ipam, version, changes, findings, reading, now)

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
            found = inventories_of(connection, seen.places)
            shown = {row.inventory_id: row for row in found if row.last_successful_at}
            known = remembered_versions(connection, ipam_id)
            return View(
                version=version_of(connection, ipam_id),
                sightings=list(sightings_of(connection, shown)),
                markings=markings_of(connection, ipam_id),
                current=current_of(connection, ipam_id, is_monitored=True),
                sampled_at=sampled_at_of(connection, ipam_id, shown, known),
                complete=complete_places(found, seen),
                versions={id_: row.version for id_, row in shown.items()},
                unremembered={id_ for id_, row in shown.items() if known.get(id_) != row.version},
                forgotten=known.keys() - shown.keys(),
                active_ips=active_ips_of(found),
            )

    def _save(
        self,
        ipam: Ipam,
        version: int,
        changes: Turn,
        findings: Sequence[Finding],
        reading: Reading,
        now: datetime,
    ) -> bool:
        ipam_id = ipam.ipam_id
        with self._database.write() as connection:
            if not _claimed(connection, ipam_id, version, now):
                return False
            # Within the claim: of evaluations side by side, one meters.
            meter(connection, ipam, reading, now, self._pace)
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
                        scopes.scope_of(one.candidate.cidr, place_of(row), one.candidate.vpc_id),
                        name=one.name,
                    ),
                )
                for one in sightings_of(connection, {inventory_id: row}, is_monitored=False)
            ]
            current = current_of(connection, ipam_id, is_monitored=False, inventory_id=inventory_id)
            known = remembered_versions(connection, ipam_id)
            sampled_at = sampled_at_of(connection, ipam_id, {inventory_id: row}, known)
            changes = turn(current, found, sampled_at, now)
            _carry_out(connection, ipam_id, changes, is_monitored=False)
            _note_remembered(connection, ipam_id, inventory_id, version)

    def _version_of(self, ipam_id: str) -> int:
        with self._database.read() as connection:
            return version_of(connection, ipam_id)

    def _ever_had(self, ipam_id: str, held: Sequence[Held]) -> AbstractSet[Held]:
        with self._database.read() as connection:
            return {one for one in held if has_record(connection, ipam_id, one)}

    def _forget(self, ipam_id: str, evaluation: int, inventory_id: int, now: datetime) -> None:
        is_it = sa.and_(records.c.ipam_id == ipam_id, records.c.inventory_id == inventory_id)
        with self._database.write() as connection:
            if _lock(connection, ipam_id) != evaluation:
                return
            connection.execute(
                records.update().where(is_it, HAS_NOT_ENDED).values(ended_at=not_before_start(now))
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
                for table in (records, remembered, discrepancies, markings, meters, evaluations):
                    connection.execute(table.delete().where(table.c.ipam_id == ipam_id))

    def _prune(self, ended_before: datetime) -> None:
        with self._database.write() as connection:
            connection.execute(records.delete().where(records.c.ended_at < ended_before))


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
    insert_rows(connection, records, (*_GIVEN, *_MEMBERS, *STATE), rows)


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
