"""VPCs."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from services.network.resource import CidrAssociation
from services.network.store.blocks import SqlBlocks
from services.network.store.reading import all_of, block_of
from services.network.tables import cidr_associations, vpcs
from services.network.vpc import Attributes, Tenancy, Vpc
from shared.caller import Caller


class SqlVpcs:
    """`VpcRows` of one transaction."""

    def __init__(self, connection: sa.Connection, blocks: SqlBlocks) -> None:
        self._connection, self._blocks = connection, blocks

    def get(self, caller: Caller, vpc_id: str, *, lock: bool) -> Vpc | None:
        is_it = (vpcs.c.vpc_id == vpc_id, *_is_callers(caller))
        if lock:
            # A statement of its own: what is read next is as it was when the lock was got.
            all_of(self._connection, sa.select(vpcs.c.sequence).where(*is_it).with_for_update())
        rows = all_of(self._connection, sa.select(vpcs).where(*is_it))
        found = [vpc for _, vpc in self._with_blocks(rows)]
        return found[0] if found else None

    def with_association(self, caller: Caller, association_id: str) -> str | None:
        query = (
            sa.select(vpcs.c.vpc_id)
            .join(cidr_associations, cidr_associations.c.resource_id == vpcs.c.vpc_id)
            .where(cidr_associations.c.association_id == association_id, *_is_callers(caller))
        )
        return self._connection.execute(query).scalar()

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, Vpc]]:
        is_wanted = vpcs.c.vpc_id.in_(ids) if ids else sa.true()
        query = sa.select(vpcs).where(is_wanted, *_is_callers(caller))
        last = int(after) if after else 0
        while block := block_of(self._connection, query, vpcs.c.sequence, last):
            yield from self._with_blocks(block)
            last = block[-1].sequence

    def count(self, owner_id: str, region: str) -> int:
        query = sa.select(sa.func.count()).where(
            vpcs.c.owner_id == owner_id, vpcs.c.region == region
        )
        return self._connection.execute(query).scalar_one()

    def add(self, vpc: Vpc) -> None:
        self._connection.execute(
            vpcs.insert().values(
                vpc_id=vpc.vpc_id,
                owner_id=vpc.owner_id,
                region=vpc.region,
                instance_tenancy=vpc.instance_tenancy,
                **_changeable(vpc),
            )
        )
        for association in vpc.associations:
            self._blocks.add(vpc.holder, association)

    def save(self, vpc: Vpc) -> None:
        self._connection.execute(
            vpcs.update().where(vpcs.c.vpc_id == vpc.vpc_id).values(**_changeable(vpc))
        )

    def remove(self, vpc: Vpc) -> None:
        self._blocks.remove([association.association_id for association in vpc.associations])
        self._connection.execute(vpcs.delete().where(vpcs.c.vpc_id == vpc.vpc_id))

    def _with_blocks(self, rows: Sequence[sa.Row[Any]]) -> Iterator[tuple[str, Vpc]]:
        blocks = self._blocks.of([row.vpc_id for row in rows])
        for row in rows:
            yield str(row.sequence), _vpc(row, blocks[row.vpc_id])


def _is_callers(caller: Caller) -> tuple[sa.ColumnElement[bool], ...]:
    return vpcs.c.owner_id == caller.account_id, vpcs.c.region == caller.region


def _changeable(vpc: Vpc) -> dict[str, Any]:
    return {"tags": dict(vpc.tags), **asdict(vpc.attributes)}


def _vpc(row: sa.Row[Any], associations: Sequence[CidrAssociation]) -> Vpc:
    return Vpc(
        vpc_id=row.vpc_id,
        owner_id=row.owner_id,
        region=row.region,
        instance_tenancy=Tenancy(row.instance_tenancy),
        tags=row.tags,
        associations=tuple(associations),
        attributes=Attributes(
            enable_dns_support=row.enable_dns_support,
            enable_dns_hostnames=row.enable_dns_hostnames,
            enable_network_address_usage_metrics=row.enable_network_address_usage_metrics,
        ),
    )
