"""An IPAM's pools and allocations, for whoever compares them with what there is (MON-4)."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

import sqlalchemy as sa

from services.allocation.allocation import Allocation, ResourceType
from services.allocation.pool_cidr import CidrState
from services.allocation.service.view import PoolWithCidrs
from services.allocation.store.records import (
    Row,
    allocation_from_row,
    cidr_of,
    definition_from_json,
)
from services.allocation.tables import allocations, is_allocated, pool_cidrs, pools
from shared.cidr import Cidr
from shared.errors import InvalidNextToken

# The contract's largest pages, and the record by which a page knows that it is not the last.
_POOL_ROWS = 101
_ALLOCATION_ROWS = 1001

_id = pools.c.ipam_pool_id


def pools_of_ipam_after(
    connection: sa.Connection, ipam_id: str, after: str | None
) -> Iterator[tuple[str, PoolWithCidrs]]:
    """By pool id, which is the key."""
    query = (
        sa.select(_id, pools.c.number, pools.c.definition)
        .where(pools.c.ipam_id == ipam_id, ~pools.c.is_retired)
        .order_by(_id)
        .limit(_POOL_ROWS)
    )
    last = after or ""
    while chunk := connection.execute(query.where(_id > last)).all():
        cidrs = _provisioned(connection, [row.number for row in chunk])
        for row in chunk:
            definition = definition_from_json(row.definition)
            yield row.ipam_pool_id, PoolWithCidrs(definition, cidrs[row.number])
        last = chunk[-1].ipam_pool_id


def allocations_of_ipam_after(
    connection: sa.Connection, ipam_id: str, after: str | None
) -> Iterator[tuple[str, Allocation]]:
    """By pool id and address: along the pools, and along the addresses of each."""
    pool_id, first_key = _position(after) if after else ("", b"")
    while chunk := _allocation_rows(connection, ipam_id, pool_id, first_key):
        for row in chunk:
            key = f"{row.ipam_pool_id}/{row.first_key.hex()}"
            yield key, allocation_from_row(row, row.ipam_pool_id)
        pool_id, first_key = chunk[-1].ipam_pool_id, chunk[-1].first_key


def _allocation_rows(
    connection: sa.Connection, ipam_id: str, pool_id: str, first_key: bytes
) -> Sequence[Row]:
    # Where to begin in each pool: an index finds that, which it does not with an OR for the pools.
    begin = sa.case((_id == pool_id, sa.literal(first_key)), else_=sa.literal(b""))
    is_wanted = sa.and_(
        allocations.c.pool_number == pools.c.number,
        allocations.c.first_key > begin,
        allocations.c.resource_type != ResourceType.IPAM_POOL.value,
        is_allocated,
    )
    found: sa.FromClause = allocations
    if connection.dialect.name == "postgresql":
        # It would sort all that a pool has for each page, though the index has it in order.
        page = sa.select(allocations).where(is_wanted).order_by(allocations.c.first_key)
        found, is_wanted = page.limit(_ALLOCATION_ROWS).lateral(), sa.true()
    return connection.execute(
        sa.select(found, _id)
        .select_from(pools.join(found, is_wanted))
        .where(pools.c.ipam_id == ipam_id, ~pools.c.is_retired, _id >= pool_id)
        .order_by(_id, found.c.first_key)
        .limit(_ALLOCATION_ROWS)
    ).all()


def _provisioned(
    connection: sa.Connection, pool_numbers: Collection[int]
) -> Mapping[int, Sequence[Cidr]]:
    """By number of pool, in order of address."""
    rows = connection.execute(
        sa.select(pool_cidrs.c.pool_number, pool_cidrs.c.first_key, pool_cidrs.c.prefix_length)
        .where(
            pool_cidrs.c.pool_number.in_(pool_numbers),
            pool_cidrs.c.state == CidrState.PROVISIONED.value,
        )
        .order_by(pool_cidrs.c.pool_number, pool_cidrs.c.first_key)
    )
    found: defaultdict[int, list[Cidr]] = defaultdict(list)
    for row in rows:
        found[row.pool_number].append(cidr_of(row))
    return found


def _position(key: str) -> tuple[str, bytes]:
    pool_id, _, first_key = key.partition("/")
    try:
        return pool_id, bytes.fromhex(first_key)
    except ValueError:
        raise InvalidNextToken from None
