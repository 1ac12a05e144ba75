"""With whom pools are shared, and telling the ledger anew (ORG-4, design.md section 4)."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from services.control_plane.ipam import Ipam, Tier
from services.control_plane.lifecycle import State
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import NextStep, StepKind


def users_by_pool(
    rows: Rows, ipam: Ipam, ipam_pool_ids: Collection[str]
) -> Mapping[str, frozenset[str]]:
    """By pool, the accounts besides the owner that the ledger is to let allocate.

    On the free tier nobody else does (IPAM-4), whatever is shared.
    """
    if ipam.tier is Tier.FREE:
        return dict.fromkeys(ipam_pool_ids, frozenset())
    return rows.shares.users_of_pools(ipam_pool_ids)


def may_import(rows: Rows, ipam: Ipam, ipam_pool_id: str, account_id: str) -> bool:
    """A share lets an account move to a pool what it brought along (BYOIP-6).

    On the free tier nobody else does (IPAM-4), whatever is shared.
    """
    is_shared = ipam_pool_id in rows.shares.pools_importable_by(account_id)
    return is_shared and ipam.tier is not Tier.FREE


def push_again(rows: Rows, ipam_pool_ids: Collection[str]) -> tuple[NextStep, ...]:
    """The steps that tell the ledger who may use these pools now; holds their IPAMs.

    Every pool gets a later version, so that what was on its way to the ledger can't come last. Ids
    of pools that are gone, or on their way out, are skipped.
    """
    found = [pool for pool_id in sorted(ipam_pool_ids) if (pool := rows.pool(pool_id))]
    wanted = {pool.ipam_id for pool in found}
    # In the order in which everybody locks several.
    for ipam_id in rows.ipam_ids():
        if ipam_id in wanted:
            rows.ipam(ipam_id, lock=True)
    steps = []
    for pool in (rows.pool(pool.ipam_pool_id) for pool in found):
        if pool and pool.state is not State.DELETE_IN_PROGRESS:
            version = pool.version + 1
            rows.save_pool(replace(pool, version=version, definition_version=version))
            steps.append(NextStep(StepKind.PUSH_POOL, pool.ipam_pool_id, version))
    return tuple(steps)
