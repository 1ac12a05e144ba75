"""What is there, by source, account and region."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError

from services.discovery.errors import LaterSnapshot
from services.discovery.inventory import (
    Difference,
    Fingerprinted,
    difference,
    digest_of,
    fingerprint_of,
)
from services.discovery.public_address import PublicAddress, public_addresses
from services.discovery.resource_cidr import (
    ContradictorySnapshot,
    ResourceCidr,
    ResourceKey,
    ResourceType,
    resource_cidrs,
)
from services.discovery.service.taking_in import Taken
from services.discovery.snapshot import Snapshot
from services.discovery.sources import AccountRegion, SnapshotFailed
from services.discovery.store.batches import batches_of, insert_rows, update_rows
from services.discovery.store.public_address_rows import fingerprint, to_row
from services.discovery.tables import inventories
from services.discovery.tables import public_addresses as address_rows
from services.discovery.tables import resource_cidrs as cidr_rows
from shared.cidr import Cidr
from shared.persistence.database import Database

_LONGEST_MESSAGE = 2048
_KEY = (
    cidr_rows.c.resource_type,
    cidr_rows.c.anchor_id,
    cidr_rows.c.first_address,
    cidr_rows.c.prefix_length,
)
_MEMBERS = (
    cidr_rows.c.fingerprint,
    cidr_rows.c.resource_id,
    cidr_rows.c.owner_id,
    cidr_rows.c.tags,
    cidr_rows.c.name,
    cidr_rows.c.vpc_id,
    cidr_rows.c.subnet_id,
    cidr_rows.c.availability_zone_id,
    cidr_rows.c.container_id,
    cidr_rows.c.ip_source,
    cidr_rows.c.ip_usage,
    cidr_rows.c.is_attached,
)
_TYPES = {resource_type.value: resource_type for resource_type in ResourceType}
_KINDS = {kind: (kind.is_monitored, kind.value) for kind in ResourceType}

_UNTOLD = {
    "digest": None,
    "last_successful_at": None,
    "failure_code": None,
    "failure_message": None,
    "active_ip_count": 0,
}
"""What an inventory is whose source has told nothing yet."""


class SqlInventories:
    """`Inventories`: each snapshot in one transaction, those of one place one after the other."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_in(self, source: str, snapshot: Snapshot) -> Taken:
        try:
            return await self._database.run(self._take_in, source, snapshot)
        except (DataError, OverflowError, UnicodeError) as error:
            # Databases and their drivers differ in what they keep; sources need not know.
            why = str(error.orig if isinstance(error, DataError) else error).partition("\n")[0]
            raise ContradictorySnapshot(f"the database can't keep a value of it: {why}") from error

    async def sources(self, place: AccountRegion) -> AbstractSet[str]:
        return await self._database.run(self._sources, place)

    async def note_failure(
        self, source: str, place: AccountRegion, failure: SnapshotFailed, attempted_at: datetime
    ) -> None:
        await self._database.run(self._note_failure, source, place, failure, attempted_at)

    async def failing_places(self) -> int:
        return await self._database.run(self._count_failing_places)

    async def keep_only(self, places: Collection[AccountRegion], asked: Collection[str]) -> None:
        await self._database.run(self._keep_only, frozenset(places), frozenset(asked))

    def _take_in(self, source: str, snapshot: Snapshot) -> Taken:
        digest, place = digest_of(snapshot), AccountRegion(snapshot.account_id, snapshot.region)
        # What it tells is worked out outside the transaction, and only when it is not known.
        told = None if self._knows(source, place, digest) else _Told(snapshot)
        with self._database.write() as connection:
            inventory = _locked(connection, source, place, snapshot.sampled_at)
            known_at = inventory.last_successful_at
            if known_at and snapshot.sampled_at < known_at:
                raise LaterSnapshot(*place, snapshot.sampled_at, known_at)
            values: dict[str, Any] = {
                "last_attempted_at": max(snapshot.sampled_at, inventory.last_attempted_at),
                "last_successful_at": snapshot.sampled_at,
                "failure_code": None,
                "failure_message": None,
            }
            changes: Difference[ResourceCidr] = Difference([], [], [])
            if inventory.digest != digest:
                told = told or _Told(snapshot)
                changes = _bring_up_to_date(connection, inventory.inventory_id, told.cidrs)
                addresses = _replace_addresses(connection, inventory.inventory_id, told.addresses)
                is_new = not (inventory.digest and changes.is_nothing and addresses.is_nothing)
                values |= {
                    "digest": digest,
                    "active_ip_count": told.active_ip_count,
                    "version": inventory.version + is_new,
                }
            _update(connection, inventory.inventory_id, values)
        return Taken(len(changes.added), len(changes.changed), len(changes.removed))

    def _knows(self, source: str, place: AccountRegion, digest: bytes) -> bool:
        with self._database.read() as connection:
            query = sa.select(inventories.c.digest).where(_is_of(source, place))
            return connection.scalar(query) == digest

    def _sources(self, place: AccountRegion) -> AbstractSet[str]:
        with self._database.read() as connection:
            is_there = sa.and_(
                inventories.c.account_id == place.account_id, inventories.c.region == place.region
            )
            return set(connection.scalars(sa.select(inventories.c.source).where(is_there)))

    def _note_failure(
        self, source: str, place: AccountRegion, failure: SnapshotFailed, attempted_at: datetime
    ) -> None:
        with self._database.write() as connection:
            inventory = _locked(connection, source, place, attempted_at)
            if inventory.last_successful_at and attempted_at < inventory.last_successful_at:
                return
            values = {
                "last_attempted_at": attempted_at,
                "failure_code": failure.code.value,
                "failure_message": _storable(failure.message)[:_LONGEST_MESSAGE],
            }
            _update(connection, inventory.inventory_id, values)

    def _count_failing_places(self) -> int:
        places = sa.select(inventories.c.account_id, inventories.c.region).distinct()
        failing = places.where(inventories.c.failure_code.is_not(None)).subquery()
        query = sa.select(sa.func.count()).select_from(failing)
        with self._database.read() as connection:
            return connection.execute(query).scalar_one()

    def _keep_only(self, places: frozenset[AccountRegion], asked: frozenset[str]) -> None:
        with self._database.write() as connection:
            gone = list(_locked_elsewhere(connection, places))
            ids = [row.inventory_id for row in gone]
            for table in (address_rows, cidr_rows):
                for some in batches_of(ids):
                    connection.execute(table.delete().where(table.c.inventory_id.in_(some)))
            for row in gone:
                if row.source in asked:
                    is_it = inventories.c.inventory_id == row.inventory_id
                    connection.execute(inventories.delete().where(is_it))
                elif row.digest is not None:
                    _update(connection, row.inventory_id, _UNTOLD)


class _Told:
    """What a snapshot tells, with fingerprints."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Raises ContradictorySnapshot."""
        self.cidrs = {
            one.key: Fingerprinted(one, fingerprint_of(one)) for one in resource_cidrs(snapshot)
        }
        self.addresses = {
            address.address.first: Fingerprinted(address, fingerprint(address))
            for address in public_addresses(snapshot)
        }

    @property
    def active_ip_count(self) -> int:
        """Addresses and prefixes on attached interfaces (ACC-3)."""
        return sum(bool(one.told.is_attached) for one in self.cidrs.values())


def _is_of(source: str, place: AccountRegion) -> sa.ColumnElement[bool]:
    return sa.and_(
        inventories.c.source == source,
        inventories.c.account_id == place.account_id,
        inventories.c.region == place.region,
    )


def _locked(
    connection: sa.Connection, source: str, place: AccountRegion, attempted_at: datetime
) -> sa.Row[Any]:
    """The inventory's row, made when there is none; others wait for it until the end."""
    found = sa.select(inventories).where(_is_of(source, place)).with_for_update()
    if row := connection.execute(found).first():
        return row
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {
        "source": source,
        "account_id": place.account_id,
        "region": place.region,
        "last_attempted_at": attempted_at,
        "active_ip_count": 0,
        "version": 0,
    }
    connection.execute(dialect.insert(inventories).values(values).on_conflict_do_nothing())
    return connection.execute(found).one()


def _locked_elsewhere(
    connection: sa.Connection, places: frozenset[AccountRegion]
) -> Iterator[sa.Row[Any]]:
    """Inventories of other places; whoever takes a snapshot in there is waited for, and waits."""
    columns = inventories.c
    rows = connection.execute(sa.select(columns.inventory_id, columns.account_id, columns.region))
    ids = [row[0] for row in rows if AccountRegion(row[1], row[2]) not in places]
    for some in batches_of(sorted(ids)):
        query = sa.select(inventories).where(columns.inventory_id.in_(some))
        yield from connection.execute(query.order_by(columns.inventory_id).with_for_update())


def _storable(text: str) -> str:
    """``text`` without what PostgreSQL has no place for; it may quote what a source told."""
    return text.encode(errors="replace").decode().replace("\0", "?")


def _update(connection: sa.Connection, inventory_id: int, values: Mapping[str, Any]) -> None:
    is_it = inventories.c.inventory_id == inventory_id
    connection.execute(inventories.update().where(is_it).values(values))


def _bring_up_to_date(
    connection: sa.Connection,
    inventory_id: int,
    told: Mapping[ResourceKey, Fingerprinted[ResourceCidr]],
) -> Difference[ResourceCidr]:
    changes = difference(_known(connection, inventory_id), told)
    for some in batches_of(changes.removed):
        connection.execute(cidr_rows.delete().where(cidr_rows.c.row_id.in_(some)))
    if changes.changed:
        rows = [(*_members(one), row_id) for row_id, one in changes.changed]
        update_rows(connection, cidr_rows, _MEMBERS, cidr_rows.c.row_id, rows)
    columns = (cidr_rows.c.inventory_id, cidr_rows.c.is_monitored, *_KEY, *_MEMBERS)
    insert_rows(connection, cidr_rows, columns, _rows_of(inventory_id, changes.added))
    return changes


def _known(connection: sa.Connection, inventory_id: int) -> dict[ResourceKey, tuple[int, bytes]]:
    rows = connection.execute(
        sa.select(*_KEY, cidr_rows.c.row_id, cidr_rows.c.fingerprint).where(
            cidr_rows.c.inventory_id == inventory_id
        )
    )
    return {
        ResourceKey(_TYPES[kind], anchor_id, Cidr.from_key(first, length)): (row_id, print_)
        for kind, anchor_id, first, length, row_id, print_ in rows
    }


def _rows_of(
    inventory_id: int, added: Iterable[Fingerprinted[ResourceCidr]]
) -> Iterator[tuple[Any, ...]]:
    for one in added:
        kind, anchor_id, cidr = one.told.key
        is_monitored, word = _KINDS[kind]
        yield (
            inventory_id,
            is_monitored,
            word,
            anchor_id,
            cidr.first_key,
            cidr.prefix_length,
            *_members(one),
        )


def _members(one: Fingerprinted[ResourceCidr]) -> tuple[Any, ...]:
    """Values of `_MEMBERS`, as both drivers take them."""
    told = one.told
    return (
        one.fingerprint,
        told.resource_id,
        told.owner_id,
        json.dumps(dict(told.tags)) if told.tags else "{}",
        told.name,
        told.vpc_id,
        told.subnet_id,
        told.availability_zone_id,
        told.container_id,
        told.ip_source.value,
        told.ip_usage,
        told.is_attached,
    )


def _replace_addresses(
    connection: sa.Connection,
    inventory_id: int,
    told: Mapping[int, Fingerprinted[PublicAddress]],
) -> Difference[PublicAddress]:
    is_here = address_rows.c.inventory_id == inventory_id
    rows = connection.execute(
        sa.select(address_rows.c.address, address_rows.c.fingerprint).where(is_here)
    )
    changes = difference({number: (number, print_) for number, print_ in rows}, told)
    gone: Sequence[int] = [*changes.removed, *(number for number, _ in changes.changed)]
    for some in batches_of(gone):
        connection.execute(address_rows.delete().where(is_here, address_rows.c.address.in_(some)))
    new = [*changes.added, *(one for _, one in changes.changed)]
    for added in batches_of(new):
        connection.execute(
            address_rows.insert(),
            [to_row(inventory_id, one.told) for one in added],
        )
    return changes
