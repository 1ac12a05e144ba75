"""Subnets."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from services.network.resource import CidrAssociation
from services.network.store.blocks import SqlBlocks
from services.network.store.reading import all_of, blocks_of, is_callers, is_wanted, lock_rows
from services.network.subnet import HostnameType, Subnet, SubnetAttributes
from services.network.tables import cidr_associations, subnets
from shared.caller import Caller

_columns = subnets.c


class SqlSubnets:
    """`SubnetRows` of one transaction."""

    def __init__(self, connection: sa.Connection, blocks: SqlBlocks) -> None:
        self._connection, self._blocks = connection, blocks

    def get(self, caller: Caller, subnet_id: str, *, lock: bool) -> Subnet | None:
        is_it = (_columns.subnet_id == subnet_id, *is_callers(subnets, caller))
        if lock:
            lock_rows(self._connection, _columns.subnet_id, *is_it)
        found = self._read(sa.select(subnets).where(*is_it))
        return found[0] if found else None

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[Sequence[tuple[str, Subnet]]]:
        wanted = is_wanted(_columns.subnet_id, ids)
        query = sa.select(subnets).where(wanted, *is_callers(subnets, caller))
        for rows in blocks_of(self._connection, query, _columns.sequence, after):
            found = self._with_blocks(rows)
            yield [(str(row.sequence), subnet) for row, subnet in zip(rows, found, strict=True)]

    def in_vpc(self, vpc_id: str) -> Sequence[Subnet]:
        is_there = _columns.vpc_id == vpc_id
        return self._read(sa.select(subnets).where(is_there).order_by(_columns.sequence))

    def ids_in(self, vpc_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        query = sa.select(_columns.vpc_id, _columns.subnet_id).order_by(_columns.subnet_id)
        for row in all_of(self._connection, query.where(_columns.vpc_id.in_(vpc_ids))):
            found[row.vpc_id].append(row.subnet_id)
        return found

    def with_association(self, caller: Caller, association_id: str) -> str | None:
        query = (
            sa.select(_columns.subnet_id)
            .join(cidr_associations, cidr_associations.c.resource_id == _columns.subnet_id)
            .where(
                cidr_associations.c.association_id == association_id, *is_callers(subnets, caller)
            )
        )
        return self._connection.execute(query).scalar()

    def add(self, subnet: Subnet) -> None:
        self._connection.execute(
            subnets.insert().values(
                subnet_id=subnet.subnet_id,
                vpc_id=subnet.vpc_id,
                owner_id=subnet.owner_id,
                region=subnet.region,
                availability_zone=subnet.availability_zone,
                **_changeable(subnet),
            )
        )
        for association in subnet.associations:
            self._blocks.add(subnet.holder, association)

    def save(self, subnet: Subnet) -> None:
        is_it = _columns.subnet_id == subnet.subnet_id
        self._connection.execute(subnets.update().where(is_it).values(**_changeable(subnet)))

    def remove(self, subnet: Subnet) -> None:
        self._blocks.remove([association.association_id for association in subnet.associations])
        is_it = _columns.subnet_id == subnet.subnet_id
        self._connection.execute(subnets.delete().where(is_it))

    def _read(self, query: sa.Select[Any]) -> list[Subnet]:
        return self._with_blocks(all_of(self._connection, query))

    def _with_blocks(self, rows: Sequence[sa.Row[Any]]) -> list[Subnet]:
        blocks = self._blocks.of([row.subnet_id for row in rows])
        return [_subnet(row, blocks[row.subnet_id]) for row in rows]


def _changeable(subnet: Subnet) -> dict[str, Any]:
    return {"tags": dict(subnet.tags), **asdict(subnet.attributes)}


def _subnet(row: sa.Row[Any], associations: Sequence[CidrAssociation]) -> Subnet:
    return Subnet(
        subnet_id=row.subnet_id,
        vpc_id=row.vpc_id,
        owner_id=row.owner_id,
        region=row.region,
        availability_zone=row.availability_zone,
        tags=row.tags,
        associations=tuple(associations),
        attributes=SubnetAttributes(
            assign_ipv6_address_on_creation=row.assign_ipv6_address_on_creation,
            map_public_ip_on_launch=row.map_public_ip_on_launch,
            enable_dns64=row.enable_dns64,
            private_dns_hostname_type_on_launch=HostnameType(
                row.private_dns_hostname_type_on_launch
            ),
            enable_resource_name_dns_a_record_on_launch=(
                row.enable_resource_name_dns_a_record_on_launch
            ),
            enable_resource_name_dns_aaaa_record_on_launch=(
                row.enable_resource_name_dns_aaaa_record_on_launch
            ),
        ),
    )
