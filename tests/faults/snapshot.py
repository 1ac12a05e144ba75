"""What is really there, read from the tables and not from a service."""

import json
import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from services.allocation.set_aside import SetAside
from services.allocation.store.records import record_from_json, set_aside_from_row
from services.allocation.system_pools import SYSTEM_POOL_IDS
from services.allocation.tables import allocations, client_tokens, pool_cidrs, pools
from shared.cidr import Cidr
from shared.persistence.database import Database
from tests.faults.clock import moment_of
from tests.faults.history import Found, FoundAllocation, FoundAnswer, FoundCidr, FoundPool, Made

_IS_OF_POOL = "ipam-pool"
# Nobody can ask through a service for what the system's own pools have.
_IS_ASKED_FOR = pools.c.ipam_pool_id.not_in(SYSTEM_POOL_IDS)
_HOLD_ANSWERS = sa.select(client_tokens.c.token, client_tokens.c.answer).where(
    client_tokens.c.operation == "HoldIpamPoolCidr"
)


def snapshot(url: str) -> Found:
    """As of one moment; on SQLite no service may be running."""
    database = Database(url)
    try:
        with database.read() as connection:
            answers = tuple(map(_hold_answer, connection.execute(_HOLD_ANSWERS)))
            tokens = {answer.made.id: answer.token for answer in answers}
            rows = connection.execute(_of_pools(allocations)).all()
            return Found(
                tuple(map(_pool, connection.execute(sa.select(pools).where(_IS_ASKED_FOR)))),
                tuple(map(_pool_cidr, connection.execute(_of_pools(pool_cidrs, _provisioned())))),
                tuple(_allocation_or_hold(row, tokens) for row in rows),
                answers,
                at=time.monotonic(),
            )
    finally:
        database.close()


def _of_pools(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    joined = sa.select(table, pools.c.ipam_pool_id).join(
        pools, pools.c.number == table.c.pool_number
    )
    return joined.where(_IS_ASKED_FOR, *conditions)


def _provisioned() -> sa.ColumnElement[bool]:
    return pool_cidrs.c.state == "provisioned"


def _pool(row: Any) -> FoundPool:
    return FoundPool(
        row.ipam_pool_id,
        row.source_ipam_pool_id,
        row.scope_number,
        row.cidr_count,
        row.allocation_count,
        int(row.total_addresses),
        int(row.allocated_addresses) + int(row.assigned_addresses),
    )


def _pool_cidr(row: Any) -> FoundCidr:
    cidr = Cidr.from_key(row.first_key, row.prefix_length)
    return FoundCidr(row.ipam_pool_cidr_id, row.ipam_pool_id, cidr, row.parent_allocation_id)


def _allocation_or_hold(row: Any, tokens: Mapping[str, str]) -> FoundAllocation:
    """``tokens`` are those of holds by id, which no description tells."""
    if row.expires_at is not None:
        hold = _made(set_aside_from_row(row, row.ipam_pool_id))
        return FoundAllocation(
            hold.id,
            row.ipam_pool_id,
            hold.cidr,
            token=tokens.get(hold.id),
            expires_at=hold.expires_at,
        )
    return FoundAllocation(
        row.ipam_pool_allocation_id,
        row.ipam_pool_id,
        Cidr.from_key(row.first_key, row.prefix_length),
        token=row.description,
        child_pool_id=row.resource_id if row.resource_type == _IS_OF_POOL else None,
    )


def _hold_answer(row: Any) -> FoundAnswer:
    hold = record_from_json(json.loads(bytes(row.answer)))
    assert isinstance(hold, SetAside)
    return FoundAnswer(row.token, hold.ipam_pool_id, _made(hold))


def _made(hold: SetAside) -> Made:
    return Made(hold.set_aside_id, hold.cidr, moment_of(hold.until))
