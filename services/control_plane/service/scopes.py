"""What can be done to a scope."""

from dataclasses import replace

from services.control_plane.ipam import check_tier_allows_scopes
from services.control_plane.lifecycle import State, check_usable
from services.control_plane.quotas import Quotas
from services.control_plane.scope import (
    NewScope,
    Scope,
    ScopeType,
    check_deletable,
    check_room_for_scope,
)
from services.control_plane.service.holding import hold_ipam, hold_scope
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from shared.caller import Caller
from shared.ids import IPAM_SCOPE


def create_scope(rows: Rows, caller: Caller, wanted: NewScope, quotas: Quotas) -> Accepted[Scope]:
    """Make a private scope (SCP-2)."""
    ipam = hold_ipam(rows, caller, wanted.ipam_id)
    check_usable(ipam.ipam_id, ipam.state)
    check_tier_allows_scopes(ipam)
    quota = quotas.scopes_per_ipam.of(ipam.owner_id)
    check_room_for_scope(ipam.ipam_id, ipam.scope_count, quota)
    scope = Scope(
        ipam_scope_id=IPAM_SCOPE.new(),
        ipam_id=ipam.ipam_id,
        owner_id=ipam.owner_id,
        ipam_region=ipam.region,
        scope_type=ScopeType.PRIVATE,
        is_default=False,
        description=wanted.description,
        tags=wanted.tags,
    )
    rows.add_scope(scope)
    return _settling(scope)


def modify_scope(
    rows: Rows, caller: Caller, ipam_scope_id: str, description: str | None
) -> Accepted[Scope]:
    """Change a scope's description; None leaves it."""
    _, scope = hold_scope(rows, caller, ipam_scope_id)
    check_usable(ipam_scope_id, scope.state)
    scope = replace(
        scope,
        description=scope.description if description is None else description,
        state=State.MODIFY_IN_PROGRESS,
        version=scope.version + 1,
    )
    rows.save_scope(scope)
    return _settling(scope)


def delete_scope(rows: Rows, caller: Caller, ipam_scope_id: str) -> Accepted[Scope]:
    """Take a scope that nobody needs out of use, then remove it (SCP-3)."""
    _, scope = hold_scope(rows, caller, ipam_scope_id)
    check_deletable(scope, rows.pool_ids_in(ipam_scope_id))
    scope = replace(scope, state=State.DELETE_IN_PROGRESS, version=scope.version + 1)
    rows.save_scope(scope)
    return Accepted(scope, (NextStep(StepKind.REMOVE_SCOPE, ipam_scope_id, scope.version),))


def _settling(scope: Scope) -> Accepted[Scope]:
    step = NextStep(StepKind.SETTLE_SCOPE, scope.ipam_scope_id, scope.version)
    return Accepted(scope, (step,))
