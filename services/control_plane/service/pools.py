"""What can be done to a pool."""

from dataclasses import replace

from services.control_plane import allocation_rules
from services.control_plane.errors import IpamPoolLimitExceeded
from services.control_plane.ipam import Ipam
from services.control_plane.lifecycle import State, check_usable
from services.control_plane.new_pool import NewPool, pool_to_create
from services.control_plane.pool import (
    Pool,
    PoolChange,
    begins_plan,
    check_cascade_allowed,
    check_childless,
    with_descendants,
)
from services.control_plane.quotas import Quotas
from services.control_plane.regions import NO_LOCALE
from services.control_plane.service.coverage import sees
from services.control_plane.service.holding import hold_pool, hold_scope
from services.control_plane.service.ipam_policies import check_pool_unnamed
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from services.control_plane.source_resource import SeenVpc, SourceResource, check_seen
from shared.caller import Caller
from shared.errors import InvalidParameterValue
from shared.ids import IPAM_POOL


def create_pool(
    rows: Rows, caller: Caller, wanted: NewPool, quotas: Quotas, seen: SeenVpc | None = None
) -> Accepted[Pool]:
    """Make a pool without CIDRs (POOL-1); nothing above it may be on its way out.

    ``seen`` is the VPC that it is to plan, if none above it does, as discovery has seen it (VPC-3).
    """
    ipam, scope = hold_scope(rows, caller, wanted.ipam_scope_id)
    source = None
    if wanted.source_ipam_pool_id:
        source = hold_pool(rows, caller, wanted.source_ipam_pool_id)
        check_usable(source.ipam_pool_id, source.state)
    check_usable(ipam.ipam_id, ipam.state)
    check_usable(scope.ipam_scope_id, scope.state)
    if wanted.source_resource and begins_plan(wanted.source_resource, source):
        _check_overseen(rows, ipam, wanted.source_resource)
        check_seen(wanted.source_resource, seen, wanted.address_family)
    pool = pool_to_create(
        wanted,
        ipam=ipam,
        scope=scope,
        source=source,
        ipam_pool_id=IPAM_POOL.new(),
        depth_quota=quotas.pool_depth.of(ipam.owner_id),
    )
    quota = quotas.pools_per_scope.of(ipam.owner_id)
    if scope.pool_count >= quota:
        raise IpamPoolLimitExceeded(scope.ipam_scope_id, scope.pool_count, quota)
    rows.add_pool(pool)
    return _pushing(pool)


def _check_overseen(rows: Rows, ipam: Ipam, resource: SourceResource) -> None:
    """The IPAM sees the resources of the account whose VPC it is to plan, where the VPC is.

    Raises:
        InvalidParameterValue: it doesn't.
    """
    owner, region = resource.resource_owner, resource.resource_region
    if not sees(rows, ipam.ipam_id, owner, region):
        raise InvalidParameterValue(
            f"Value ({owner}) for parameter sourceResource.resourceOwner is invalid;"
            f" '{ipam.ipam_id}' sees no resources of that account in {region}; use one that its"
            " resource discoveries cover",
            parameter="sourceResource.resourceOwner",
            value=owner,
        )


def modify_pool(
    rows: Rows, caller: Caller, ipam_pool_id: str, change: PoolChange
) -> Accepted[Pool]:
    """Change a pool's description and allocation rules (POOL-4)."""
    pool = hold_pool(rows, caller, ipam_pool_id)
    check_usable(ipam_pool_id, pool.state)
    rules = allocation_rules.checked(
        allocation_rules.changed(pool.rules, change.rules),
        pool.address_family,
        has_locale=pool.locale != NO_LOCALE,
    )
    pool = replace(
        pool,
        description=pool.description if change.description is None else change.description,
        rules=rules,
        state=State.MODIFY_IN_PROGRESS,
        version=pool.version + 1,
        definition_version=pool.version + 1,
    )
    rows.save_pool(pool)
    return _pushing(pool)


def deletable_pool(rows: Rows, caller: Caller, ipam_pool_id: str) -> Pool:
    """A pool that may go as far as this context knows; its CIDRs are for the ledger to say.

    Raises:
        UnknownId: the caller has no such pool.
        StillInUse: it has child pools, or policies have rules for it.
    """
    pool = hold_pool(rows, caller, ipam_pool_id, lock=False)
    _check_deletable(rows, pool, cascade=False)
    return pool


def delete_pool(rows: Rows, caller: Caller, ipam_pool_id: str, *, cascade: bool) -> Accepted[Pool]:
    """Take a pool, with cascade all pools under it too, out of use, then remove it."""
    pool = hold_pool(rows, caller, ipam_pool_id)
    _check_deletable(rows, pool, cascade=cascade)
    for member in with_descendants(ipam_pool_id, rows.pools(pool.ipam_id)):
        rows.save_pool(_deleting(member))
    deleting = _deleting(pool)
    step = NextStep(StepKind.REMOVE_POOL, ipam_pool_id, deleting.version, cascade=cascade)
    return Accepted(deleting, (step,))


def _check_deletable(rows: Rows, pool: Pool, *, cascade: bool) -> None:
    if cascade:
        check_cascade_allowed(pool)
    else:
        check_childless(pool.ipam_pool_id, rows.child_ids(pool.ipam_pool_id))
        check_pool_unnamed(rows, pool)


def _deleting(pool: Pool) -> Pool:
    return replace(pool, state=State.DELETE_IN_PROGRESS, version=pool.version + 1)


def _pushing(pool: Pool) -> Accepted[Pool]:
    return Accepted(pool, (NextStep(StepKind.PUSH_POOL, pool.ipam_pool_id, pool.version),))
