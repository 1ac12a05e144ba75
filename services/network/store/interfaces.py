"""Network interfaces and their addresses."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import sqlalchemy as sa

from services.network.interface import Attachment, NetworkInterface
from services.network.store.reading import (
    BLOCK_ROWS,
    all_of,
    blocks_of,
    in_utc,
    is_callers,
    is_wanted,
    lock_rows,
)
from services.network.tables import interface_addresses, network_interfaces
from shared.caller import Caller

_columns = network_interfaces.c
_addresses = interface_addresses.c


class SqlInterfaces:
    """`InterfaceRows` of one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(
        self, caller: Caller, network_interface_id: str, *, lock: bool
    ) -> NetworkInterface | None:
        is_it = _columns.network_interface_id == network_interface_id
        return self._one(is_it, *is_callers(network_interfaces, caller), lock=lock)

    def with_attachment(self, caller: Caller, attachment_id: str) -> NetworkInterface | None:
        is_it = _columns.attachment_id == attachment_id
        return self._one(is_it, *is_callers(network_interfaces, caller), lock=True)

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[Sequence[tuple[str, NetworkInterface]]]:
        wanted = is_wanted(_columns.network_interface_id, ids)
        is_one = (wanted, *is_callers(network_interfaces, caller))
        query = sa.select(network_interfaces).where(*is_one)
        for rows in blocks_of(self._connection, query, _columns.sequence, after):
            found = self._with_addresses(rows)
            yield [(str(row.sequence), known) for row, known in zip(rows, found, strict=True)]

    def of_instance(self, instance_id: str, *, lock: bool) -> Sequence[NetworkInterface]:
        return self.of_instances([instance_id], lock=lock).get(instance_id, [])

    def of_instances(
        self, instance_ids: Collection[str], *, lock: bool
    ) -> Mapping[str, Sequence[NetworkInterface]]:
        found: defaultdict[str, list[NetworkInterface]] = defaultdict(list)
        is_theirs = _columns.instance_id.in_(instance_ids)
        if lock:
            lock_rows(self._connection, _columns.network_interface_id, is_theirs)
        query = sa.select(network_interfaces).where(is_theirs).order_by(_columns.device_index)
        for interface in self._read(query):
            if interface.attachment:
                found[interface.attachment.instance_id].append(interface)
        return found

    def any_in(self, subnet_id: str) -> bool:
        query = sa.select(_columns.sequence).where(_columns.subnet_id == subnet_id).limit(1)
        return bool(all_of(self._connection, query))

    def any_ipv6_in(self, subnet_id: str) -> bool:
        is_it = (_addresses.subnet_id == subnet_id, _addresses.number.is_(None))
        query = sa.select(_addresses.address).where(*is_it).limit(1)
        return bool(all_of(self._connection, query))

    def counts(self, subnet_ids: Collection[str]) -> Mapping[str, int]:
        query = (
            sa.select(_addresses.subnet_id, sa.func.count(_addresses.number).label("used"))
            .where(_addresses.subnet_id.in_(subnet_ids))
            .group_by(_addresses.subnet_id)
        )
        return {row.subnet_id: row.used for row in all_of(self._connection, query)}

    def used(
        self, subnet_id: str, addresses: Collection[IPv4Address | IPv6Address]
    ) -> Collection[IPv4Address | IPv6Address]:
        query = sa.select(_addresses.address).where(
            _addresses.subnet_id == subnet_id, _addresses.address.in_(map(str, addresses))
        )
        return {ip_address(row.address) for row in all_of(self._connection, query)}

    def free_runs(self, subnet_id: str, first: int, last: int) -> Iterator[range]:
        lowest = sa.select(sa.func.min(_addresses.number)).where(_addresses.subnet_id == subnet_id)
        start = self._connection.execute(lowest).scalar()
        yield range(first, last + 1 if start is None else start)
        while start is not None:
            rows = all_of(self._connection, _ends_of_used_runs(subnet_id, start))
            for row in rows:
                yield range(row.number + 1, row.next_used or last + 1)
            start = rows[-1].next_used if rows else None

    def add(self, interfaces: Sequence[NetworkInterface]) -> None:
        self._connection.execute(
            network_interfaces.insert(),
            [
                {
                    "network_interface_id": interface.network_interface_id,
                    "subnet_id": interface.subnet_id,
                    "vpc_id": interface.vpc_id,
                    "owner_id": interface.owner_id,
                    "region": interface.region,
                    "availability_zone": interface.availability_zone,
                    "description": interface.description,
                    "groups": list(interface.groups),
                    **_changeable(interface),
                }
                for interface in interfaces
            ],
        )
        added = [row for interface in interfaces for row in _address_rows(interface)]
        self._connection.execute(interface_addresses.insert(), added)

    def save(self, interface: NetworkInterface) -> None:
        is_it = _columns.network_interface_id == interface.network_interface_id
        self._connection.execute(
            network_interfaces.update().where(is_it).values(**_changeable(interface))
        )

    def remove(self, network_interface_ids: Sequence[str]) -> None:
        for table in (interface_addresses, network_interfaces):
            is_theirs = table.c.network_interface_id.in_(network_interface_ids)
            self._connection.execute(table.delete().where(is_theirs))

    def _one(self, *is_it: sa.ColumnElement[bool], lock: bool) -> NetworkInterface | None:
        if lock:
            lock_rows(self._connection, _columns.network_interface_id, *is_it)
        found = self._read(sa.select(network_interfaces).where(*is_it))
        return found[0] if found else None

    def _read(self, query: sa.Select[Any]) -> list[NetworkInterface]:
        return self._with_addresses(all_of(self._connection, query))

    def _with_addresses(self, rows: Sequence[sa.Row[Any]]) -> list[NetworkInterface]:
        addresses: defaultdict[str, list[IPv4Address | IPv6Address]] = defaultdict(list)
        is_theirs = _addresses.network_interface_id.in_([row.network_interface_id for row in rows])
        query = sa.select(interface_addresses).where(is_theirs).order_by(_addresses.position)
        for row in all_of(self._connection, query):
            addresses[row.network_interface_id].append(ip_address(row.address))
        return [_interface(row, addresses[row.network_interface_id]) for row in rows]


def _ends_of_used_runs(subnet_id: str, start: int) -> sa.Select[Any]:
    """The used addresses from ``start`` on without a used one right after, each with the next."""
    used, after = interface_addresses.alias(), interface_addresses.alias()
    next_used = sa.select(sa.func.min(after.c.number)).where(
        after.c.subnet_id == subnet_id, after.c.number > used.c.number
    )
    has_neighbour = sa.exists().where(
        after.c.subnet_id == subnet_id, after.c.number == used.c.number + 1
    )
    return (
        sa.select(used.c.number, next_used.scalar_subquery().label("next_used"))
        .where(used.c.subnet_id == subnet_id, used.c.number >= start, ~has_neighbour)
        .order_by(used.c.number)
        .limit(BLOCK_ROWS)
    )


def _changeable(interface: NetworkInterface) -> dict[str, Any]:
    attachment = interface.attachment
    return {
        "tags": dict(interface.tags),
        "attachment_id": attachment and attachment.attachment_id,
        "instance_id": attachment and attachment.instance_id,
        "device_index": attachment and attachment.device_index,
        "delete_on_termination": attachment and attachment.delete_on_termination,
        "attached_at": attachment and attachment.attached_at,
    }


def _address_rows(interface: NetworkInterface) -> Iterator[dict[str, Any]]:
    for family in (interface.private_addresses, interface.ipv6_addresses):
        for position, address in enumerate(family):
            yield {
                "subnet_id": interface.subnet_id,
                "address": str(address),
                "network_interface_id": interface.network_interface_id,
                "position": position,
                "number": int(address) if isinstance(address, IPv4Address) else None,
            }


def _interface(
    row: sa.Row[Any], addresses: Sequence[IPv4Address | IPv6Address]
) -> NetworkInterface:
    return NetworkInterface(
        network_interface_id=row.network_interface_id,
        subnet_id=row.subnet_id,
        vpc_id=row.vpc_id,
        owner_id=row.owner_id,
        region=row.region,
        availability_zone=row.availability_zone,
        description=row.description,
        groups=tuple(row.groups),
        private_addresses=tuple(a for a in addresses if isinstance(a, IPv4Address)),
        ipv6_addresses=tuple(a for a in addresses if isinstance(a, IPv6Address)),
        attachment=_attachment(row),
        tags=row.tags,
    )


def _attachment(row: sa.Row[Any]) -> Attachment | None:
    if row.attachment_id is None:
        return None
    return Attachment(
        attachment_id=row.attachment_id,
        instance_id=row.instance_id,
        device_index=row.device_index,
        delete_on_termination=row.delete_on_termination,
        attached_at=in_utc(row.attached_at),
    )
