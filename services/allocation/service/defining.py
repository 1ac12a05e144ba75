"""What the control plane makes known: that a pool is there, how it is, that it is gone."""

from services.allocation.changes import Decision, Defined, Retired
from services.allocation.definition import PoolDefinition
from services.allocation.errors import PoolInUse, PoolRetired
from services.allocation.pool import Pool
from services.allocation.service.provisioning import freed_in_source
from services.allocation.service.rows import Rows
from shared.errors import InvalidParameterValue


def define(rows: Rows, definition: PoolDefinition) -> Decision[None]:
    """Make a pool known, or replace what is known by what is newer."""
    if rows.is_retired(definition.ipam_pool_id):
        raise PoolRetired(definition.ipam_pool_id)
    pool = rows.pool(definition.ipam_pool_id)
    if pool is None:
        return Decision(None, (Defined(definition),))
    if pool.definition.identity != definition.identity:
        raise InvalidParameterValue(
            f"The definition of '{definition.ipam_pool_id}' changes a member that is immutable;"
            " make another pool",
            parameter="definition",
            value=definition.ipam_pool_id,
        )
    is_newer = definition.version > pool.definition.version
    return Decision(None, (Defined(definition),) if is_newer else ())


def retire(rows: Rows, ipam_pool_id: str, *, cascade: bool) -> Decision[None]:
    """Forget a pool for good; with cascade what it has is given back first, as one act."""
    if rows.is_retired(ipam_pool_id):
        return Decision(None)
    pool = rows.pool(ipam_pool_id)
    if pool is None:
        # So that a definition that was under way all the time doesn't make it known.
        return Decision(None, (Retired(ipam_pool_id),))
    _check_retirable(rows, pool, cascade=cascade)
    freed = [change for found in pool.pool_cidrs for change in freed_in_source(rows, found)]
    return Decision(None, (Retired(ipam_pool_id), *freed))


def _check_retirable(rows: Rows, pool: Pool, *, cascade: bool) -> None:
    # The children's CIDRs are blocks of this pool, so they hold it even with cascade.
    children = rows.child_pool_ids(pool.ipam_pool_id, with_cidrs=cascade)
    if children:
        with_cidrs = " with CIDRs" if cascade else ""
        raise PoolInUse(pool.ipam_pool_id, f"child pools{with_cidrs}, such as '{children[0]}'")
    usage = pool.usage
    if cascade:
        return
    if usage.allocation_count:
        raise PoolInUse(pool.ipam_pool_id, f"{usage.allocation_count} allocations; release them")
    if usage.cidr_count:
        cidrs = ", ".join(str(found.cidr) for found in pool.pool_cidrs)
        raise PoolInUse(pool.ipam_pool_id, f"CIDRs provisioned: {cidrs}; deprovision them")
    waiting = [known for known in rows.pending_cidrs(pool.ipam_pool_id) if not known.failure]
    if waiting:
        cidrs = ", ".join(str(known.cidr) for known in waiting)
        raise PoolInUse(pool.ipam_pool_id, f"CIDRs that wait for proof: {cidrs}; deprovision them")
