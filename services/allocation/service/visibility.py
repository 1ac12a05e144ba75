"""Finding what a caller means; another account's is as unknown as nobody's (BEY-12)."""

from services.allocation.allocation import Allocation
from services.allocation.definition import PoolDefinition
from services.allocation.pool import Pool
from services.allocation.service.rows import Rows
from shared.caller import Caller
from shared.ids import IPAM_POOL, IPAM_POOL_ALLOCATION


def seen_pool(rows: Rows, caller: Caller, ipam_pool_id: str) -> Pool:
    """A pool that the caller owns or that is shared with it, in its home region or its locale.

    Raises:
        UnknownId: the caller has no such pool there.
    """
    pool = rows.pool(ipam_pool_id)
    if pool is None or not pool.definition.is_seen_by(caller.account_id, caller.region):
        raise IPAM_POOL.unknown(ipam_pool_id)
    return pool


def managed_pool(rows: Rows, caller: Caller, ipam_pool_id: str) -> Pool:
    """The caller's pool, in its home region.

    Raises:
        UnknownId: the caller has no such pool there.
    """
    pool = rows.pool(ipam_pool_id)
    if pool is None or not pool.definition.is_managed_by(caller.account_id, caller.region):
        raise IPAM_POOL.unknown(ipam_pool_id)
    return pool


def allocation_in(
    rows: Rows, caller: Caller, pool: Pool, ipam_pool_allocation_id: str
) -> Allocation:
    """A live allocation of this pool.

    Raises:
        UnknownId: the pool has no such allocation that is the caller's to know.
    """
    allocation = rows.allocation(ipam_pool_allocation_id)
    if (
        allocation is None
        or allocation.ipam_pool_id != pool.ipam_pool_id
        or not may_know(pool.definition, caller.account_id, allocation)
    ):
        raise IPAM_POOL_ALLOCATION.unknown(ipam_pool_allocation_id)
    return allocation


def may_know(definition: PoolDefinition, account_id: str, allocation: Allocation) -> bool:
    """What is allocated is its pool's owner's to know, and of whoever has it (BEY-12)."""
    return account_id in (definition.owner_id, allocation.resource_owner)
