"""`RoutingPolicyRows` in SQL."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from services.control_plane.delegated_rpki.publication import Roa
from services.control_plane.internet_registries.delta import Delta, DeltaState, Registrations
from services.control_plane.internet_registries.registration import Registration
from services.control_plane.service.routing_policy_rows import Published, Repository
from services.control_plane.store import routing_policy_records as records
from services.control_plane.tables import routing_policy_deltas as deltas
from services.control_plane.tables import routing_policy_registrations as registrations
from services.control_plane.tables import rpki_publications as publications
from services.control_plane.tables import rpki_repository as repository
from services.control_plane.tables import rpki_roas as roas
from shared.cidr import Cidr
from shared.errors import InvalidNextToken
from shared.persistence.failures import ConcurrentModification

_BLOCK_ROWS = 100
_AT_ONCE = 500
"""Rows that are removed by one statement."""
_LARGEST = 2**63 - 1

T = TypeVar("T")


class SqlRoutingPolicyRows:
    """Registrations, deltas and ROAs, as one connection's transaction sees and changes them."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def registrations(self, association_id: str) -> Registrations:
        query = sa.select(registrations).where(registrations.c.association_id == association_id)
        found = map(records.registration_of, self._all(query))
        return {one.policy.cidr: one for one in found}

    def count(self, association_id: str) -> int:
        query = sa.select(sa.func.count()).select_from(registrations)
        is_of = registrations.c.association_id == association_id
        return self._connection.execute(query.where(is_of)).scalar_one()

    def save(self, association_id: str, before: Registrations, after: Registrations) -> None:
        changed = [one for cidr, one in after.items() if before.get(cidr) != one]
        replaced = [one.policy.cidr for one in changed if one.policy.cidr in before]
        self._remove(association_id, [*replaced, *(before.keys() - after.keys())])
        if changed:
            values = [records.registration_columns(association_id, one) for one in changed]
            self._connection.execute(registrations.insert(), values)

    def listed(
        self, association_id: str, *, cidr: Cidr | None, after: str | None
    ) -> Iterator[tuple[str, Registration]]:
        key = (registrations.c.first_key, registrations.c.prefix_length)
        query = _of(registrations, association_id, cidr)
        yield from self._by_key(query, key, after, records.registration_of)

    def delta(self, association_id: str, delta_id: str) -> Delta | None:
        is_it = (deltas.c.association_id == association_id, deltas.c.delta_id == delta_id)
        row = self._connection.execute(sa.select(deltas).where(*is_it)).mappings().first()
        return records.delta_of(row) if row else None

    def pending_deltas(self, association_id: str) -> Sequence[Delta]:
        query = sa.select(deltas).where(
            deltas.c.association_id == association_id, deltas.c.state == DeltaState.PENDING
        )
        return list(map(records.delta_of, self._all(query.order_by(deltas.c.sequence))))

    def add_delta(self, delta: Delta) -> None:
        self._connection.execute(deltas.insert().values(records.delta_columns(delta)))

    def end_delta(self, delta: Delta) -> None:
        is_it = (deltas.c.delta_id == delta.delta_id, deltas.c.state == DeltaState.PENDING)
        ended = {"state": delta.state, "state_message": delta.state_message}
        if not self._connection.execute(deltas.update().where(*is_it).values(ended)).rowcount:
            raise ConcurrentModification

    def deltas(
        self,
        association_id: str,
        *,
        delta_id: str | None,
        made: tuple[datetime | None, datetime | None],
        newest_first: bool,
        after: str | None,
    ) -> Iterator[tuple[str, Delta]]:
        start, end = made
        query = sa.select(deltas).where(
            deltas.c.association_id == association_id,
            deltas.c.delta_id == delta_id if delta_id else sa.true(),
            deltas.c.made_at >= start if start else sa.true(),
            deltas.c.made_at < end if end else sa.true(),
        )
        number = deltas.c.sequence
        last = _sequence_of(after)
        while True:
            later = query.order_by(number.desc() if newest_first else number)
            if last is not None:
                later = later.where(number < last if newest_first else number > last)
            block = self._all(later.limit(_BLOCK_ROWS))
            for row in block:
                last = row["sequence"]
                yield str(last), records.delta_of(row)
            if len(block) < _BLOCK_ROWS:
                return

    def published(self, association_id: str) -> Mapping[str, Published]:
        signed: defaultdict[str, list[sa.RowMapping]] = defaultdict(list)
        for row in self._all(sa.select(roas).where(roas.c.association_id == association_id)):
            signed[row["class_name"]].append(row)
        query = sa.select(publications).where(publications.c.association_id == association_id)
        return {
            row["class_name"]: records.published_of(row, signed[row["class_name"]])
            for row in self._all(query)
        }

    def save_published(
        self, association_id: str, class_name: str, before: Published | None, after: Published
    ) -> None:
        values = records.published_columns(association_id, class_name, after)
        try:
            if before is None:
                self._connection.execute(publications.insert().values(values))
            elif not self._replace(association_id, class_name, before, values):
                raise ConcurrentModification
        except IntegrityError as error:
            raise ConcurrentModification from error
        self._save_roas(association_id, class_name, before, after)
        self._move_on()

    def remove_published(self, association_id: str, class_name: str) -> None:
        for table in (roas, publications):
            is_it = (table.c.association_id == association_id, table.c.class_name == class_name)
            self._connection.execute(table.delete().where(*is_it))
        self._move_on()

    def roas(self, association_id: str) -> frozenset[Roa]:
        query = sa.select(roas).where(roas.c.association_id == association_id)
        return frozenset(map(records.roa_of, self._all(query)))

    def listed_roas(
        self, association_id: str, *, cidr: Cidr | None, after: str | None
    ) -> Iterator[tuple[str, Roa]]:
        key = (roas.c.first_key, roas.c.prefix_length, roas.c.asn, roas.c.max_length)
        yield from self._by_key(_of(roas, association_id, cidr), key, after, records.roa_of)

    def due(self, now: datetime, until: datetime) -> Collection[str]:
        is_due = publications.c.renew_at <= now
        due = publications.update().where(is_due).values(renew_at=until)
        found = self._connection.execute(due.returning(publications.c.association_id)).scalars()
        return sorted(set(found))

    def remove_of(self, association_id: str) -> None:
        for table in (registrations, deltas, roas):
            is_of = table.c.association_id == association_id
            self._connection.execute(table.delete().where(is_of))
        withdrawn = publications.delete().where(publications.c.association_id == association_id)
        if self._connection.execute(withdrawn).rowcount:
            self._move_on()

    def serial(self) -> int:
        return self._connection.execute(sa.select(repository.c.serial)).scalar() or 0

    def repository(self) -> Repository:
        [row] = self._all(sa.select(repository))
        objects: dict[str, bytes] = {}
        places: dict[tuple[str, str], str] = {}
        for found in self._all(sa.select(publications)):
            uri = places[found["association_id"], found["class_name"]] = found["repository_uri"]
            objects[uri + found["manifest_name"]] = found["manifest"]
            objects[uri + found["crl_name"]] = found["crl"]
        for found in self._all(sa.select(roas)):
            uri = places[found["association_id"], found["class_name"]]
            objects[uri + found["file_name"]] = found["der"]
        return Repository(UUID(row["session_id"]), row["serial"], objects)

    def _replace(
        self, association_id: str, class_name: str, before: Published, values: Mapping[str, Any]
    ) -> bool:
        is_it = (
            publications.c.association_id == association_id,
            publications.c.class_name == class_name,
            publications.c.number == before.publication.number,
        )
        change = publications.update().where(*is_it).values(values)
        return bool(self._connection.execute(change).rowcount)

    def _save_roas(
        self, association_id: str, class_name: str, before: Published | None, after: Published
    ) -> None:
        known = before.publication.roas if before else {}
        wanted = after.publication.roas
        gone = [roa for roa, signed in known.items() if wanted.get(roa) != signed]
        new = [(roa, signed) for roa, signed in wanted.items() if known.get(roa) != signed]
        is_of = (roas.c.association_id == association_id, roas.c.class_name == class_name)
        for start in range(0, len(gone), _AT_ONCE):
            names = [known[roa].file_name for roa in gone[start : start + _AT_ONCE]]
            self._connection.execute(roas.delete().where(*is_of, roas.c.file_name.in_(names)))
        if new:
            values = [records.roa_columns(association_id, class_name, *one) for one in new]
            self._connection.execute(roas.insert(), values)

    def _remove(self, association_id: str, cidrs: Sequence[Cidr]) -> None:
        key = sa.tuple_(registrations.c.first_key, registrations.c.prefix_length)
        for start in range(0, len(cidrs), _AT_ONCE):
            keys = [
                (cidr.first_key, cidr.prefix_length) for cidr in cidrs[start : start + _AT_ONCE]
            ]
            is_one = (registrations.c.association_id == association_id, key.in_(keys))
            self._connection.execute(registrations.delete().where(*is_one))

    def _move_on(self) -> None:
        """Something else is published from now on: whoever mirrors it is to look."""
        dialect: Any = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        first = dialect.insert(repository).values(records.new_session(uuid4()))
        self._connection.execute(
            first.on_conflict_do_update(
                index_elements=[repository.c.id], set_={"serial": repository.c.serial + 1}
            )
        )

    def _by_key(
        self,
        query: sa.Select[Any],
        key: Sequence[sa.Column[Any]],
        after: str | None,
        read: Callable[[Mapping[Any, Any]], T],
    ) -> Iterator[tuple[str, T]]:
        """What ``query`` selects in order of ``key``, in blocks."""
        last = _values_of(after, len(key))
        while True:
            later = query.order_by(*key)
            if last is not None:
                later = later.where(sa.tuple_(*key) > last)
            block = self._all(later.limit(_BLOCK_ROWS))
            for row in block:
                last = tuple(row[column.name] for column in key)
                yield _key_of(last), read(row)
            if len(block) < _BLOCK_ROWS:
                return

    def _all(self, query: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        return self._connection.execute(query).mappings().all()


def _of(table: sa.Table, association_id: str, cidr: Cidr | None) -> sa.Select[Any]:
    query = sa.select(table).where(table.c.association_id == association_id)
    if cidr is None:
        return query
    return query.where(
        table.c.first_key == cidr.first_key, table.c.prefix_length == cidr.prefix_length
    )


def _key_of(values: tuple[Any, ...]) -> str:
    first_key, *numbers = values
    return ".".join([first_key.hex(), *map(str, numbers)])


def _values_of(key: str | None, count: int) -> tuple[Any, ...] | None:
    if key is None:
        return None
    first_key, *digits = key.split(".")
    try:
        first, numbers = bytes.fromhex(first_key), [int(number) for number in digits]
    except ValueError:
        raise InvalidNextToken from None
    if len(numbers) != count - 1 or not all(0 <= number <= _LARGEST for number in numbers):
        raise InvalidNextToken
    return (first, *numbers)


def _sequence_of(key: str | None) -> int | None:
    values = _values_of(f"00.{key}", 2) if key is not None else None
    return values[1] if values else None
