"""Which CIDRs VPCs are seen to have: what pools can plan (VPC-3)."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from services.allocation.service.view import VpcCidr
from services.allocation.store.records import cidr_of
from services.allocation.tables import vpc_cidrs
from shared.cidr import Cidr
from shared.errors import InvalidNextToken
from shared.persistence.database import Database

_CHUNK_ROWS = 500
_KEY = (vpc_cidrs.c.vpc_id, vpc_cidrs.c.first_key, vpc_cidrs.c.prefix_length)


class SqlVpcObservations:
    """`VpcObservations` in SQL: no decision is needed, and no pool is locked for it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, seen: Sequence[VpcCidr], gone: Sequence[VpcCidr]) -> None:
        await self._database.run(self._report, seen, gone)

    def _report(self, seen: Sequence[VpcCidr], gone: Sequence[VpcCidr]) -> None:
        with self._database.write() as connection:
            # In one order, so that two reports never wait for each other; what is in both is seen.
            told = {_order(one): (one, False) for one in gone}
            told |= {_order(one): (one, True) for one in seen}
            for _, (one, is_seen) in sorted(told.items()):
                (_put if is_seen else _delete)(connection, one)


def vpc_cidrs_of(connection: sa.Connection, vpc_id: str) -> Sequence[Cidr]:
    """One VPC's, by address."""
    query = sa.select(vpc_cidrs).where(vpc_cidrs.c.vpc_id == vpc_id).order_by(*_KEY)
    return [cidr_of(row) for row in connection.execute(query)]


def vpc_cidrs_after(
    connection: sa.Connection, vpc_ids: Collection[str], after: str | None
) -> Iterator[tuple[str, VpcCidr]]:
    """Of these VPCs, or of all, by VPC and address, each with its key."""
    query = sa.select(vpc_cidrs).order_by(*_KEY).limit(_CHUNK_ROWS)
    if vpc_ids:
        query = query.where(vpc_cidrs.c.vpc_id.in_(vpc_ids))
    last = _position(after) if after else ("", b"", -1)
    while chunk := connection.execute(
        query.where(sa.tuple_(*_KEY) > sa.tuple_(*map(sa.literal, last)))
    ).all():
        for row in chunk:
            key = f"{row.first_key.hex()}/{row.prefix_length}/{row.vpc_id}"
            yield key, VpcCidr(row.vpc_id, cidr_of(row), row.owner_id, row.region)
        last = (chunk[-1].vpc_id, chunk[-1].first_key, chunk[-1].prefix_length)


def _delete(connection: sa.Connection, gone: VpcCidr) -> None:
    is_it = [vpc_cidrs.c[name] == value for name, value in _key_of(gone).items()]
    connection.execute(vpc_cidrs.delete().where(*is_it))


def _put(connection: sa.Connection, seen: VpcCidr) -> None:
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    told = {"owner_id": seen.owner_id, "region": seen.region}
    row = dialect.insert(vpc_cidrs).values({**_key_of(seen), **told})
    connection.execute(row.on_conflict_do_update(index_elements=list(_KEY), set_=told))


def _key_of(one: VpcCidr) -> dict[str, Any]:
    return {
        "vpc_id": one.vpc_id,
        "first_key": one.cidr.first_key,
        "prefix_length": one.cidr.prefix_length,
    }


def _order(one: VpcCidr) -> tuple[str, Cidr]:
    return one.vpc_id, one.cidr


def _position(key: str) -> tuple[str, bytes, int]:
    try:
        first_key, prefix_length, vpc_id = key.split("/", 2)
        return vpc_id, bytes.fromhex(first_key), int(prefix_length)
    except ValueError:
        raise InvalidNextToken from None
