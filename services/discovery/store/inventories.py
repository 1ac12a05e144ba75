"""What is there, by source, account and region."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

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
    ResourceCidr,
    ResourceKey,
    ResourceType,
    resource_cidrs,
)
from services.discovery.service.taking_in import Taken
from services.discovery.snapshot import Snapshot
from services.discovery.sources import AccountRegion, SnapshotFailed
from services.discovery.store.batches import batches_of
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
_TYPES = {resource_type.value: resource_type for resource_type in ResourceType}


class SqlInventories:
    """`Inventories`: each snapshot in one transaction, those of one place one after the other."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_in(self, source: str, snapshot: Snapshot) -> Taken:
        return await self._database.run(self._take_in, source, snapshot)

    async def note_failure(
        self, source: str, place: AccountRegion, failure: SnapshotFailed, attempted_at: datetime
    ) -> None:
        await self._database.run(self._note_failure, source, place, failure, attempted_at)

    async def keep_only(self, places: Collection[AccountRegion]) -> int:
        return await self._database.run(self._keep_only, frozenset(places))

    def _take_in(self, source: str, snapshot: Snapshot) -> Taken:
        told = _fingerprinted(resource_cidrs(snapshot))
        addresses = {one.told.address.first: one for one in _fingerprinted_addresses(snapshot)}
        digest = digest_of(one.fingerprint for some in (told, addresses) for one in some.values())
        place = AccountRegion(snapshot.account_id, snapshot.region)
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
                changes = _bring_up_to_date(connection, inventory.inventory_id, told)
                _replace_addresses(connection, inventory.inventory_id, addresses)
                values |= {
                    "digest": digest,
                    "active_ip_count": _active_ip_count(told),
                    "version": inventory.version + 1,
                }
            _update(connection, inventory.inventory_id, values)
        return Taken(len(changes.added), len(changes.changed), len(changes.removed))

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
                "failure_message": failure.message[:_LONGEST_MESSAGE],
            }
            _update(connection, inventory.inventory_id, values)

    def _keep_only(self, places: frozenset[AccountRegion]) -> int:
        with self._database.write() as connection:
            rows = connection.execute(
                sa.select(
                    inventories.c.inventory_id, inventories.c.account_id, inventories.c.region
                )
            )
            ids = [row[0] for row in rows if AccountRegion(row[1], row[2]) not in places]
            for table in (address_rows, cidr_rows, inventories):
                for some in batches_of(ids):
                    connection.execute(table.delete().where(table.c.inventory_id.in_(some)))
        return len(ids)


def _locked(
    connection: sa.Connection, source: str, place: AccountRegion, attempted_at: datetime
) -> sa.Row[Any]:
    """The inventory's row, made when there is none; others wait for it until the end."""
    is_it = sa.and_(
        inventories.c.source == source,
        inventories.c.account_id == place.account_id,
        inventories.c.region == place.region,
    )
    found = sa.select(inventories).where(is_it).with_for_update()
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


def _update(connection: sa.Connection, inventory_id: int, values: Mapping[str, Any]) -> None:
    is_it = inventories.c.inventory_id == inventory_id
    connection.execute(inventories.update().where(is_it).values(values))


def _fingerprinted(
    told: Iterator[ResourceCidr],
) -> dict[ResourceKey, Fingerprinted[ResourceCidr]]:
    return {one.key: Fingerprinted(one, fingerprint_of(one)) for one in told}


def _fingerprinted_addresses(snapshot: Snapshot) -> Iterator[Fingerprinted[PublicAddress]]:
    for address in public_addresses(snapshot):
        yield Fingerprinted(address, fingerprint(address))


def _active_ip_count(told: Mapping[ResourceKey, Fingerprinted[ResourceCidr]]) -> int:
    return sum(
        bool(one.told.is_attached)
        for key, one in told.items()
        if key.resource_type is ResourceType.ENI
    )


def _bring_up_to_date(
    connection: sa.Connection,
    inventory_id: int,
    told: Mapping[ResourceKey, Fingerprinted[ResourceCidr]],
) -> Difference[ResourceCidr]:
    changes = difference(_known(connection, inventory_id), told)
    for some in batches_of(changes.removed):
        connection.execute(cidr_rows.delete().where(cidr_rows.c.row_id.in_(some)))
    if changes.changed:
        connection.execute(
            cidr_rows.update()
            .where(cidr_rows.c.row_id == sa.bindparam("of_row"))
            .values({name: sa.bindparam(name) for name in _members(changes.changed[0][1])}),
            [{"of_row": row_id, **_members(one)} for row_id, one in changes.changed],
        )
    for added in batches_of(changes.added):
        connection.execute(
            cidr_rows.insert(),
            [
                {"inventory_id": inventory_id, **_key(one.told.key), **_members(one)}
                for one in added
            ],
        )
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


def _key(key: ResourceKey) -> dict[str, Any]:
    return {
        "is_monitored": key.resource_type.is_monitored,
        "resource_type": key.resource_type.value,
        "anchor_id": key.anchor_id,
        "first_address": key.cidr.first_key,
        "prefix_length": key.cidr.prefix_length,
    }


def _members(one: Fingerprinted[ResourceCidr]) -> dict[str, Any]:
    told = one.told
    return {
        "fingerprint": one.fingerprint,
        "resource_id": told.resource_id,
        "owner_id": told.owner_id,
        "tags": dict(told.tags),
        "name": told.name,
        "vpc_id": told.vpc_id,
        "subnet_id": told.subnet_id,
        "availability_zone_id": told.availability_zone_id,
        "container_id": told.container_id,
        "ip_source": told.ip_source.value,
        "ip_usage": told.ip_usage,
        "is_attached": told.is_attached,
    }


def _replace_addresses(
    connection: sa.Connection,
    inventory_id: int,
    told: Mapping[int, Fingerprinted[PublicAddress]],
) -> None:
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
