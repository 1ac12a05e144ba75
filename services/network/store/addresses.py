"""Elastic IP addresses, and their offers to other accounts."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from ipaddress import IPv4Address
from typing import Any

import sqlalchemy as sa

from services.network.address import Address, AddressAssociation, AddressName
from services.network.address_transfer import AddressTransfer
from services.network.resource import CidrAssociation
from services.network.store.blocks import SqlBlocks
from services.network.store.reading import (
    all_of,
    blocks_of,
    in_utc,
    is_callers,
    is_wanted,
    lock_rows,
)
from services.network.tables import address_transfers, addresses
from shared.caller import Caller

_columns = addresses.c
_offers = address_transfers.c


class SqlAddresses:
    """`AddressRows` of one transaction."""

    def __init__(self, connection: sa.Connection, blocks: SqlBlocks) -> None:
        self._connection, self._blocks = connection, blocks

    def get(self, caller: Caller, name: AddressName, *, lock: bool) -> Address | None:
        is_it = (_is_one_of([name]), *is_callers(addresses, caller))
        if lock:
            lock_rows(self._connection, _columns.allocation_id, *is_it)
        found = self._read(sa.select(addresses).where(*is_it))
        return found[0] if found else None

    def with_association(self, caller: Caller, association_id: str) -> str | None:
        is_it = _columns.association_id == association_id
        query = sa.select(_columns.allocation_id).where(is_it, *is_callers(addresses, caller))
        return self._connection.execute(query).scalar()

    def all(
        self, caller: Caller, *, names: Collection[AddressName], after: str | None
    ) -> Iterator[Sequence[tuple[str, Address]]]:
        is_one = _is_one_of(names) if names else sa.true()
        query = sa.select(addresses).where(is_one, *is_callers(addresses, caller))
        for rows in blocks_of(self._connection, query, _columns.sequence, after):
            found = self._with_blocks(rows)
            yield [(str(row.sequence), known) for row, known in zip(rows, found, strict=True)]

    def of_interfaces(
        self, network_interface_ids: Collection[str]
    ) -> Mapping[str, Sequence[Address]]:
        found: defaultdict[str, list[Address]] = defaultdict(list)
        is_theirs = _columns.network_interface_id.in_(network_interface_ids)
        for address in self._read(sa.select(addresses).where(is_theirs)):
            if address.association:
                found[address.association.network_interface_id].append(address)
        return found

    def end_associations(self, network_interface_ids: Collection[str]) -> None:
        is_theirs = _columns.network_interface_id.in_(network_interface_ids)
        lock_rows(self._connection, _columns.allocation_id, is_theirs)
        self._connection.execute(addresses.update().where(is_theirs).values(**_NO_ASSOCIATION))

    def is_taken(self, pool_id: str, address: IPv4Address) -> bool:
        is_it = (_columns.public_ipv4_pool == pool_id, _columns.public_ip == int(address))
        return bool(all_of(self._connection, sa.select(_columns.sequence).where(*is_it)))

    def lowest_free(self, pool_id: str, first: IPv4Address) -> IPv4Address:
        if not self.is_taken(pool_id, first):
            return first
        end = self._connection.execute(_end_of_taken_run(pool_id, first)).scalar_one()
        return IPv4Address(end + 1)

    def count(self, owner_id: str, region: str, public_ipv4_pool: str) -> int:
        query = sa.select(sa.func.count()).where(
            _columns.owner_id == owner_id,
            _columns.region == region,
            _columns.public_ipv4_pool == public_ipv4_pool,
        )
        return self._connection.execute(query).scalar_one()

    def add(self, address: Address) -> None:
        self._connection.execute(
            addresses.insert().values(
                allocation_id=address.allocation_id,
                owner_id=address.owner_id,
                region=address.region,
                public_ip=int(address.public_ip),
                public_ipv4_pool=address.public_ipv4_pool,
                network_border_group=address.network_border_group,
                **_changeable(address),
            )
        )
        if address.block:
            self._blocks.add(address.holder, address.block)

    def save(self, address: Address) -> None:
        is_it = _columns.allocation_id == address.allocation_id
        self._connection.execute(addresses.update().where(is_it).values(**_changeable(address)))

    def change_owner(self, address: Address) -> None:
        is_it = _columns.allocation_id == address.allocation_id
        self._connection.execute(addresses.update().where(is_it).values(owner_id=address.owner_id))
        if address.block:
            self._blocks.change_owner(address.block.association_id, address.owner_id)

    def remove(self, address: Address) -> None:
        is_it = _columns.allocation_id == address.allocation_id
        self._connection.execute(addresses.delete().where(is_it))
        if address.block:
            self._blocks.remove([address.block.association_id])

    def _read(self, query: sa.Select[Any]) -> list[Address]:
        return self._with_blocks(all_of(self._connection, query))

    def _with_blocks(self, rows: Sequence[sa.Row[Any]]) -> list[Address]:
        blocks = self._blocks.of([row.allocation_id for row in rows])
        return [_address(row, blocks.get(row.allocation_id, ())) for row in rows]


class SqlAddressTransfers:
    """`AddressTransferRows` of one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def pending(self, allocation_id: str) -> AddressTransfer | None:
        return self._one(_offers.allocation_id == allocation_id)

    def offered_to(self, caller: Caller, public_ip: IPv4Address) -> AddressTransfer | None:
        return self._one(
            _offers.public_ip == int(public_ip),
            _offers.region == caller.region,
            _offers.transfer_account_id == caller.account_id,
        )

    def of_owner(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, AddressTransfer]]:
        is_one = (is_wanted(_offers.allocation_id, ids), *is_callers(address_transfers, caller))
        query = sa.select(address_transfers).where(*is_one)
        for rows in blocks_of(self._connection, query, _offers.sequence, after):
            for row in rows:
                yield str(row.sequence), _transfer(row)

    def put(self, offer: AddressTransfer) -> None:
        self.remove_pending(offer.allocation_id)
        self._connection.execute(
            address_transfers.insert().values(
                allocation_id=offer.allocation_id,
                public_ip=int(offer.public_ip),
                owner_id=offer.owner_id,
                region=offer.region,
                transfer_account_id=offer.transfer_account_id,
                expires_at=offer.expires_at,
                accepted_at=offer.accepted_at,
            )
        )

    def remove_pending(self, allocation_id: str) -> None:
        is_it = _offers.allocation_id == allocation_id
        self._connection.execute(
            address_transfers.delete().where(is_it, _offers.accepted_at.is_(None))
        )

    def forget_accepted(self, before: datetime) -> None:
        self._connection.execute(address_transfers.delete().where(_offers.accepted_at < before))

    def _one(self, *is_it: sa.ColumnElement[bool]) -> AddressTransfer | None:
        query = sa.select(address_transfers).where(*is_it, _offers.accepted_at.is_(None))
        found = all_of(self._connection, query)
        return _transfer(found[0]) if found else None


_NO_ASSOCIATION: Mapping[str, None] = {
    "association_id": None,
    "network_interface_id": None,
    "private_address": None,
}


def _is_one_of(names: Collection[AddressName]) -> sa.ColumnElement[bool]:
    return sa.or_(
        _columns.allocation_id.in_([name for name in names if isinstance(name, str)]),
        _columns.public_ip.in_([int(name) for name in names if isinstance(name, IPv4Address)]),
    )


def _end_of_taken_run(pool_id: str, first: IPv4Address) -> sa.Select[Any]:
    """The lowest taken address from ``first`` on without a taken one right after."""
    taken, after = addresses.alias(), addresses.alias()
    has_neighbour = sa.exists().where(
        after.c.public_ipv4_pool == pool_id, after.c.public_ip == taken.c.public_ip + 1
    )
    is_end = (taken.c.public_ipv4_pool == pool_id, taken.c.public_ip >= int(first), ~has_neighbour)
    return sa.select(taken.c.public_ip).where(*is_end).order_by(taken.c.public_ip).limit(1)


def _changeable(address: Address) -> dict[str, Any]:
    association = address.association
    return {
        "tags": dict(address.tags),
        "association_id": association and association.association_id,
        "network_interface_id": association and association.network_interface_id,
        "private_address": association and str(association.private_address),
    }


def _address(row: sa.Row[Any], blocks: Sequence[CidrAssociation]) -> Address:
    return Address(
        allocation_id=row.allocation_id,
        owner_id=row.owner_id,
        region=row.region,
        public_ip=IPv4Address(row.public_ip),
        public_ipv4_pool=row.public_ipv4_pool,
        network_border_group=row.network_border_group,
        tags=row.tags,
        association=_association(row),
        block=blocks[0] if blocks else None,
    )


def _association(row: sa.Row[Any]) -> AddressAssociation | None:
    if row.association_id is None:
        return None
    return AddressAssociation(
        row.association_id, row.network_interface_id, IPv4Address(row.private_address)
    )


def _transfer(row: sa.Row[Any]) -> AddressTransfer:
    return AddressTransfer(
        allocation_id=row.allocation_id,
        public_ip=IPv4Address(row.public_ip),
        owner_id=row.owner_id,
        region=row.region,
        transfer_account_id=row.transfer_account_id,
        expires_at=in_utc(row.expires_at),
        accepted_at=in_utc(row.accepted_at) if row.accepted_at else None,
    )
