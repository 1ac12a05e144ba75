"""CIDRs that wait for proof of control, or failed."""

from collections.abc import Sequence

import sqlalchemy as sa

from services.allocation.definition import PUBLIC_SPACE
from services.allocation.pending_cidr import Failure, PendingCidr, WaitingCidr
from services.allocation.store.pool_rows import delete_pending_namesake
from services.allocation.store.records import pending_cidr_from_row, pending_cidr_to_row
from services.allocation.tables import pending_cidrs, pools, scopes

_CHUNK_ROWS = 500
_WITH_POOL = sa.select(pending_cidrs, pools.c.ipam_pool_id).join(
    pools, pools.c.number == pending_cidrs.c.pool_number
)


def insert_pending_cidr(connection: sa.Connection, pool_number: int, pending: PendingCidr) -> None:
    """Have a CIDR wait; the command holds public space. Its namesake is forgotten."""
    delete_pending_namesake(connection, pool_number, pending.cidr)
    grown = scopes.update().where(scopes.c.ipam_scope_id == PUBLIC_SPACE)
    sequence: int = connection.execute(
        grown.values(waiting_sequence=scopes.c.waiting_sequence + 1).returning(
            scopes.c.waiting_sequence
        )
    ).scalar_one()
    row = {**pending_cidr_to_row(pending, pool_number), "sequence": sequence}
    connection.execute(pending_cidrs.insert().values(row))


def set_failed(connection: sa.Connection, ipam_pool_cidr_id: str, failure: Failure) -> None:
    is_it = pending_cidrs.c.ipam_pool_cidr_id == ipam_pool_cidr_id
    failed = {
        "sequence": None,
        "failure_code": failure.code.value if failure.code else None,
        "failure_message": failure.message,
    }
    connection.execute(pending_cidrs.update().where(is_it).values(failed))


def delete_pending_cidr(connection: sa.Connection, ipam_pool_cidr_id: str) -> None:
    is_it = pending_cidrs.c.ipam_pool_cidr_id == ipam_pool_cidr_id
    connection.execute(pending_cidrs.delete().where(is_it))


def pending_cidr(connection: sa.Connection, ipam_pool_cidr_id: str) -> PendingCidr | None:
    is_it = pending_cidrs.c.ipam_pool_cidr_id == ipam_pool_cidr_id
    row = connection.execute(_WITH_POOL.where(is_it)).one_or_none()
    return pending_cidr_from_row(row, row.ipam_pool_id) if row else None


def pending_cidrs_of(connection: sa.Connection, pool_number: int) -> Sequence[PendingCidr]:
    """By address."""
    rows = connection.execute(
        _WITH_POOL.where(pending_cidrs.c.pool_number == pool_number).order_by(
            pending_cidrs.c.first_key, pending_cidrs.c.prefix_length
        )
    )
    return [pending_cidr_from_row(row, row.ipam_pool_id) for row in rows]


def waiting_after(connection: sa.Connection, sequence: int) -> Sequence[WaitingCidr]:
    """The next ones that wait, in the order in which they came to."""
    rows = connection.execute(
        _WITH_POOL.add_columns(
            pools.c.owner_id, pools.c.definition["ipam_id"].as_string().label("ipam_id")
        )
        .where(pending_cidrs.c.sequence > sequence)
        .order_by(pending_cidrs.c.sequence)
        .limit(_CHUNK_ROWS)
    )
    return [
        WaitingCidr(
            row.sequence, pending_cidr_from_row(row, row.ipam_pool_id), row.ipam_id, row.owner_id
        )
        for row in rows
    ]
