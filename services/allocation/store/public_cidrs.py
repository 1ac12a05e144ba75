"""CIDRs of the public pools that an account uses in a region."""

from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from services.allocation.definition import PoolDefinition
from services.allocation.pool_cidr import CidrState
from services.allocation.service.view import PublicCidr, address_key
from services.allocation.store.records import definition_from_json, pool_cidr_from_row
from services.allocation.tables import pool_cidrs, pools
from shared.cidr import Cidr
from shared.errors import InvalidNextToken

_CHUNK_ROWS = 500
_KEY = (pool_cidrs.c.first_key, pool_cidrs.c.prefix_length, pool_cidrs.c.pool_number)


def public_cidrs_after(
    connection: sa.Connection, account_id: str, region: str, cidr: Cidr | None, after: str | None
) -> Iterator[tuple[str, PublicCidr]]:
    """By address and pool, each with its key; of ``cidr`` alone, if that is given."""
    used = _used_pools(connection, account_id, region)
    query = (
        sa.select(pool_cidrs)
        .where(
            pool_cidrs.c.pool_number.in_(list(used)),
            pool_cidrs.c.state == CidrState.PROVISIONED.value,
        )
        .order_by(*_KEY)
        .limit(_CHUNK_ROWS)
    )
    if cidr:
        query = query.where(
            pool_cidrs.c.first_key == cidr.first_key,
            pool_cidrs.c.prefix_length == cidr.prefix_length,
        )
    last = _position(after) if after else (b"", -1, -1)
    while chunk := connection.execute(
        query.where(sa.tuple_(*_KEY) > sa.tuple_(*map(sa.literal, last)))
    ).all():
        for row in chunk:
            pool = used[row.pool_number]
            found = pool_cidr_from_row(row, pool.ipam_pool_id)
            key = f"{address_key(found.cidr)}/{row.pool_number}"
            yield key, PublicCidr(found, pool)
        last = (chunk[-1].first_key, chunk[-1].prefix_length, chunk[-1].pool_number)


def _used_pools(
    connection: sa.Connection, account_id: str, region: str
) -> Mapping[int, PoolDefinition]:
    """Of the public pools there, which are few beside all pools, those that the account uses."""
    rows = connection.execute(
        sa.select(pools.c.number, pools.c.definition).where(
            pools.c.public_region == region, ~pools.c.is_retired
        )
    )
    found = {row.number: definition_from_json(row.definition) for row in rows}
    return {number: pool for number, pool in found.items() if pool.is_used_by(account_id)}


def _position(key: str) -> tuple[bytes, int, int]:
    try:
        first_key, prefix_length, number = key.split("/")
        return bytes.fromhex(first_key), int(prefix_length), int(number)
    except ValueError:
        raise InvalidNextToken from None
