"""What resources are seen to occupy, scope by scope (BEY-3)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from services.allocation.observed_cidrs import NOTHING_OBSERVED, ObservedCidrs
from services.allocation.service.view import Observed
from services.allocation.store.records import cidr_of
from services.allocation.tables import observed_cidrs, scopes
from shared.cidr import Cidr
from shared.errors import InvalidNextToken
from shared.persistence.database import Database

_CHUNK_ROWS = 500
_KEY = (observed_cidrs.c.resource_id, observed_cidrs.c.first_key, observed_cidrs.c.prefix_length)


class ObservedCache:
    """What was read last of each scope, for the pools of all batches."""

    def __init__(self) -> None:
        self._by_scope: dict[int, tuple[int, ObservedCidrs]] = {}

    def of(self, connection: sa.Connection, scope_number: int, version: int) -> ObservedCidrs:
        """The scope's as of this version, or a newer one."""
        if not version:
            return NOTHING_OBSERVED
        known_version, known = self._by_scope.get(scope_number, (0, NOTHING_OBSERVED))
        if known_version != version:
            known = ObservedCidrs(observed_in(connection, scope_number))
            self._by_scope[scope_number] = (version, known)
        return known


class SqlObservations:
    """`Observations` in SQL: no decision is needed, and no pool is locked for it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(
        self, ipam_scope_id: str, observed: Sequence[Observed], gone: Sequence[Observed]
    ) -> None:
        await self._database.run(self._report, ipam_scope_id, observed, gone)

    def _report(
        self, ipam_scope_id: str, observed: Sequence[Observed], gone: Sequence[Observed]
    ) -> None:
        with self._database.write() as connection:
            number = _locked_scope(connection, ipam_scope_id)
            removed = sum(_remove(connection, number, one) for one in gone)
            added = sum(_add(connection, number, one) for one in observed)
            if removed or added:
                connection.execute(
                    scopes.update()
                    .where(scopes.c.number == number)
                    .values(observed_version=scopes.c.observed_version + 1)
                )


def observed_in(connection: sa.Connection, scope_number: int) -> Iterator[tuple[Cidr, str]]:
    """All of one scope."""
    query = sa.select(observed_cidrs).where(observed_cidrs.c.scope_number == scope_number)
    return ((cidr_of(row), row.resource_id) for row in connection.execute(query))


def observed_after(
    connection: sa.Connection, ipam_scope_id: str, after: str | None
) -> Iterator[tuple[str, Observed]]:
    """Of one scope, by resource id and address, each with its key."""
    number = sa.select(scopes.c.number).where(scopes.c.ipam_scope_id == ipam_scope_id)
    query = (
        sa.select(observed_cidrs)
        .where(observed_cidrs.c.scope_number == number.scalar_subquery())
        .order_by(*_KEY)
        .limit(_CHUNK_ROWS)
    )
    last = _position(after) if after else ("", b"", -1)
    while chunk := connection.execute(
        query.where(sa.tuple_(*_KEY) > sa.tuple_(*map(sa.literal, last)))
    ).all():
        for row in chunk:
            yield (
                f"{row.first_key.hex()}/{row.prefix_length}/{row.resource_id}",
                Observed(cidr_of(row), row.resource_id),
            )
        last = (chunk[-1].resource_id, chunk[-1].first_key, chunk[-1].prefix_length)


def _locked_scope(connection: sa.Connection, ipam_scope_id: str) -> int:
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    known = dialect.insert(scopes).values(ipam_scope_id=ipam_scope_id).on_conflict_do_nothing()
    connection.execute(known)
    is_it = scopes.c.ipam_scope_id == ipam_scope_id
    locked = sa.select(scopes.c.number).where(is_it).with_for_update(key_share=True)
    number: int = connection.execute(locked).scalar_one()
    return number


def _add(connection: sa.Connection, scope_number: int, observed: Observed) -> int:
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dict(_key_of(scope_number, observed))
    added = dialect.insert(observed_cidrs).values(row).on_conflict_do_nothing()
    return connection.execute(added).rowcount


def _remove(connection: sa.Connection, scope_number: int, gone: Observed) -> int:
    is_it = [observed_cidrs.c[name] == value for name, value in _key_of(scope_number, gone)]
    return connection.execute(observed_cidrs.delete().where(*is_it)).rowcount


def _key_of(scope_number: int, observed: Observed) -> Iterable[tuple[str, Any]]:
    return (
        ("scope_number", scope_number),
        ("resource_id", observed.resource_id),
        ("first_key", observed.cidr.first_key),
        ("prefix_length", observed.cidr.prefix_length),
    )


def _position(key: str) -> tuple[str, bytes, int]:
    try:
        first_key, prefix_length, resource_id = key.split("/", 2)
        return resource_id, bytes.fromhex(first_key), int(prefix_length)
    except ValueError:
        raise InvalidNextToken from None
