"""Space that goes back to its pool."""

from datetime import timedelta

from services.allocation.allocation import Allocation
from services.allocation.changes import Change, Freed, PutAside
from services.allocation.pool import Pool
from services.allocation.service.rows import Rows
from services.allocation.set_aside import SetAside, SetAsideReason
from shared.ids import IPAM_POOL_HOLD


def given_back(rows: Rows, allocation: Allocation) -> tuple[Change, ...]:
    """An allocation ends; its space is to be had again after the pool's cool-down (IPAM-6)."""
    pool = rows.pool(allocation.ipam_pool_id)
    rest = cool_down_of(rows, pool) if pool else timedelta()
    if not rest:
        return (Freed(allocation),)
    cooling_down = SetAside(
        # Never told to anybody, and one of its own: the allocation's may be asked for still.
        set_aside_id=IPAM_POOL_HOLD.new(),
        ipam_pool_id=allocation.ipam_pool_id,
        cidr=allocation.cidr,
        reason=SetAsideReason.COOL_DOWN,
        owner=allocation.resource_owner,
        until=rows.now + rest,
        created_at=rows.now,
    )
    return Freed(allocation), PutAside(cooling_down)


def cool_down_of(rows: Rows, pool: Pool) -> timedelta:
    """How long what a pool gets back rests."""
    own = pool.placement.cool_down
    return rows.cool_down if own is None else own
