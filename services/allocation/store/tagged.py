"""Which of this context's resources have tags (`TagService`)."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from services.allocation.tables import allocations, is_allocated, pools
from shared.caller import Caller
from shared.errors import InvalidNextToken
from shared.persistence.tagged import BLOCK_ROWS, Kind, Wanted, number_of
from shared.tags import Tags

Place = tuple[int, bytes]


class TaggedAllocations:
    """Those of all pools that the caller owns in their home region, by pool and address."""

    resource_type = "ipam-pool-allocation"

    def tagged(
        self, connection: sa.Connection, caller: Caller, wanted: Wanted, start: str
    ) -> Iterator[tuple[str, str, Tags]]:
        place = _place(start)
        rows = _rows(connection, caller, wanted, place, with_first=True)
        while rows:
            for row in rows:
                yield f"{row.number}/{row.first_key.hex()}", row.ipam_pool_allocation_id, row.tags
            place = rows[-1].number, rows[-1].first_key
            rows = _rows(connection, caller, wanted, place, with_first=False)


TAGGED: Sequence[Kind] = (TaggedAllocations(),)


def _rows(
    connection: sa.Connection, caller: Caller, wanted: Wanted, place: Place, *, with_first: bool
) -> Sequence[sa.Row[Any]]:
    """The next ones, from a place on or after it."""
    number, first_key = place
    # Where to begin in each pool: an index finds that, which it does not with an OR for the pools.
    begin = sa.case((pools.c.number == number, sa.literal(first_key)), else_=sa.literal(b""))
    key = allocations.c.first_key
    is_wanted = sa.and_(
        allocations.c.pool_number == pools.c.number,
        key >= begin if with_first else key > begin,
        is_allocated,
        *wanted.conditions(allocations.c.ipam_pool_allocation_id, allocations.c.tags),
    )
    found: sa.FromClause = allocations
    if wanted.ids is None and connection.dialect.name == "postgresql":
        # It would sort all that a pool has for each page, though the index has it in order.
        page = sa.select(allocations).where(is_wanted).order_by(key)
        found, is_wanted = page.limit(BLOCK_ROWS).lateral(), sa.true()
    query: sa.Select[Any] = (
        sa.select(pools.c.number, found.c.first_key, found.c.ipam_pool_allocation_id, found.c.tags)
        .select_from(pools.join(found, is_wanted))
        .where(
            pools.c.owner_id == caller.account_id,
            pools.c.ipam_region == caller.region,
            ~pools.c.is_retired,
            pools.c.number >= number,
        )
        .order_by(pools.c.number, found.c.first_key)
        .limit(BLOCK_ROWS)
    )
    return connection.execute(query).all()


def _place(start: str) -> Place:
    number, _, first_key = start.partition("/")
    try:
        return number_of(number), bytes.fromhex(first_key)
    except ValueError:
        raise InvalidNextToken from None
