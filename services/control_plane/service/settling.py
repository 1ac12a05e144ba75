"""How steps end: what their success or refusal does to the rows (design.md section 5)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from services.control_plane.ipam import Ipam
from services.control_plane.lifecycle import State, completed, failed, is_in_progress
from services.control_plane.pool import Pool
from services.control_plane.resource_discoveries import association as associations
from services.control_plane.resource_discoveries.association import (
    AssociationState,
    ResourceDiscoveryAssociation,
)
from services.control_plane.service.internet_registries.associations import remove_associations
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import NextStep, StepKind


def settle_ipam(rows: Rows, ipam_id: str, version: int, refusals: Mapping[str, str]) -> None:
    """Move an IPAM on, unless it has changed again: then a later step does.

    Of ``refusals``, why the ledger refused a pool's definition, by pool, those of pools that were
    deleted meanwhile are no failure.
    """
    ipam = rows.ipam(ipam_id, lock=True)
    if ipam and ipam.version == version:
        refusal = _standing(refusals, rows.pools(ipam_id)) if refusals else None
        state = failed(ipam.state) if refusal else completed(ipam.state)
        rows.save_ipam(replace(ipam, state=state, state_message=refusal))


def settle_scope(rows: Rows, ipam_scope_id: str, version: int) -> None:
    """Move a scope on, unless it has changed again: then a later step does."""
    found = rows.scope(ipam_scope_id)
    if found and rows.ipam(found.ipam_id, lock=True):
        scope = rows.scope(ipam_scope_id)
        if scope and scope.version == version:
            rows.save_scope(replace(scope, state=completed(scope.state)))


def settle_pool(rows: Rows, ipam_pool_id: str, version: int, refusal: str | None) -> None:
    """Move a pool on, unless it has changed again: then a later step does."""
    pool = _held_pool(rows, ipam_pool_id)
    if pool and pool.version == version:
        rows.save_pool(_settled(pool, refusal))


def remove_scope(rows: Rows, ipam_scope_id: str) -> None:
    """The end of a scope's deletion."""
    found = rows.scope(ipam_scope_id)
    if found and rows.ipam(found.ipam_id, lock=True):
        scope = rows.scope(ipam_scope_id)
        if scope and scope.state is State.DELETE_IN_PROGRESS:
            rows.remove_scope(ipam_scope_id)


def settle_resource_discovery(rows: Rows, ipam_resource_discovery_id: str, version: int) -> None:
    """Move a resource discovery on, unless it has changed again: then a later step does."""
    discovery = rows.discoveries.discovery(ipam_resource_discovery_id, lock=True)
    if discovery and discovery.version == version:
        rows.discoveries.save_discovery(replace(discovery, state=completed(discovery.state)))


def remove_resource_discovery(rows: Rows, ipam_resource_discovery_id: str) -> None:
    """The end of a resource discovery's deletion."""
    discovery = rows.discoveries.discovery(ipam_resource_discovery_id, lock=True)
    if discovery and discovery.state is State.DELETE_IN_PROGRESS:
        rows.shares.forget([ipam_resource_discovery_id])
        rows.discoveries.remove_discovery(ipam_resource_discovery_id)


def settle_policy(rows: Rows, ipam_policy_id: str, version: int, refusal: str | None) -> None:
    """Move a policy on, unless it has changed again: then a later step does."""
    for policy in rows.ipam_policies.hold([ipam_policy_id]):
        if policy.version == version:
            state = failed(policy.state) if refusal else completed(policy.state)
            message = refusal if refusal or is_in_progress(policy.state) else policy.state_message
            rows.ipam_policies.save(replace(policy, state=state, state_message=message))


def end_policy_deletion(rows: Rows, ipam_policy_id: str, version: int, refusal: str | None) -> None:
    """Remove a policy that the ledger knows to apply to nobody."""
    if refusal:
        settle_policy(rows, ipam_policy_id, version, refusal)
        return
    for policy in rows.ipam_policies.hold([ipam_policy_id]):
        if policy.state is State.DELETE_IN_PROGRESS:
            rows.ipam_policies.remove(ipam_policy_id)


def settle_association(rows: Rows, association_id: str, version: int) -> None:
    """Move an association on, unless it has changed again: then a later step does."""
    association = _held_association(rows, association_id)
    if association and association.version == version:
        rows.discoveries.save_association(associations.completed(association))


def remove_association(rows: Rows, association_id: str) -> None:
    """The end of a disassociation."""
    association = _held_association(rows, association_id)
    if association and association.state is AssociationState.DISASSOCIATE_IN_PROGRESS:
        rows.discoveries.remove_association(association_id)


def end_pool_deletion(
    rows: Rows,
    ipam_pool_id: str,
    version: int,
    *,
    retired: Sequence[str],
    doomed: Collection[str],
    refusal: str | None,
) -> tuple[NextStep, ...]:
    """Remove the pools the ledger retired; those of ``doomed`` it refused to are usable again."""
    root = _held_pool(rows, ipam_pool_id)
    rows.remove_pools(retired)
    if root is None or root.version != version or refusal is None:
        return ()
    return tuple(
        _revived(rows, pool, refusal)
        for pool in rows.pools(root.ipam_id)
        if pool.ipam_pool_id in doomed and pool.state is State.DELETE_IN_PROGRESS
    )


def end_ipam_deletion(
    rows: Rows, ipam_id: str, version: int, *, retired: Sequence[str], refusal: str | None
) -> tuple[NextStep, ...]:
    """Remove an IPAM with all that lies under it; after a refusal what is left is usable again.

    Its associations with registries go before it: the last of them has this carried out again.
    """
    ipam = rows.ipam(ipam_id, lock=True)
    if ipam is None:
        return ()
    rows.remove_pools(retired)
    if refusal is None:
        if steps := remove_associations(rows, ipam_id):
            return steps
        rows.remove_ipam(ipam)
    elif ipam.version == version:
        return _fail_ipam_deletion(rows, ipam, refusal)
    return ()


def _fail_ipam_deletion(rows: Rows, ipam: Ipam, refusal: str) -> tuple[NextStep, ...]:
    steps = tuple(_revived(rows, pool, refusal) for pool in rows.pools(ipam.ipam_id))
    for scope in rows.scopes(ipam.ipam_id):
        rows.save_scope(replace(scope, state=failed(scope.state)))
    rows.save_ipam(replace(ipam, state=failed(ipam.state), state_message=refusal))
    return steps


def _revived(rows: Rows, pool: Pool, refusal: str) -> NextStep:
    """Have the ledger told of it anew: it was not told of what changed while it was to go."""
    version = pool.version + 1
    revived = replace(_settled(pool, refusal), version=version, definition_version=version)
    rows.save_pool(revived)
    return NextStep(StepKind.PUSH_POOL, pool.ipam_pool_id, version)


def _standing(refusals: Mapping[str, str], pools: Sequence[Pool]) -> str | None:
    """The first refusal of a pool that stays."""
    staying = (pool for pool in pools if pool.state is not State.DELETE_IN_PROGRESS)
    return next((refusals[p.ipam_pool_id] for p in staying if p.ipam_pool_id in refusals), None)


def _held_pool(rows: Rows, ipam_pool_id: str) -> Pool | None:
    """The pool as it is once its IPAM is locked; another transaction may have ended meanwhile."""
    found = rows.pool(ipam_pool_id)
    if found is None or rows.ipam(found.ipam_id, lock=True) is None:
        return None
    return rows.pool(ipam_pool_id)


def _held_association(rows: Rows, association_id: str) -> ResourceDiscoveryAssociation | None:
    """The association as it is once its IPAM is locked."""
    found = rows.discoveries.association(association_id)
    if found is None or rows.ipam(found.ipam_id, lock=True) is None:
        return None
    return rows.discoveries.association(association_id)


def _settled(pool: Pool, refusal: str | None) -> Pool:
    if not is_in_progress(pool.state):
        # The ledger was told anew of a pool that nothing else happens to: what went wrong before
        # stays to be read.
        return replace(pool, state_message=refusal or pool.state_message)
    state = failed(pool.state) if refusal else completed(pool.state)
    return replace(pool, state=state, state_message=refusal)
