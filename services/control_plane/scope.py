"""What a scope is, and the rules of having one (SCP-1 to SCP-3)."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from services.control_plane.errors import IpamScopeLimitExceeded, StillInUse
from services.control_plane.lifecycle import State
from shared.errors import OperationNotPermitted


class ScopeType(enum.StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One network's address space and, read with it, how many pools it has."""

    ipam_scope_id: str
    ipam_id: str
    owner_id: str
    ipam_region: str
    scope_type: ScopeType
    is_default: bool
    description: str | None
    tags: Mapping[str, str]
    state: State = State.CREATE_IN_PROGRESS
    version: int = 1
    """Grows with every change."""
    pool_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewScope:
    """What a caller may say about a scope to be made."""

    ipam_id: str
    description: str | None = None
    tags: Mapping[str, str]


def check_room_for_scope(ipam_id: str, scope_count: int, quota: int) -> None:
    """One more scope is allowed (SCP-2).

    Raises:
        IpamScopeLimitExceeded: the quota is reached.
    """
    if scope_count >= quota:
        raise IpamScopeLimitExceeded(ipam_id, scope_count, quota)


def check_deletable(scope: Scope, pool_ids: list[str]) -> None:
    """``scope`` may go (SCP-3).

    Raises:
        OperationNotPermitted: it was made with its IPAM and goes with it.
        StillInUse: it holds pools.
    """
    if scope.is_default:
        raise OperationNotPermitted(
            f"'{scope.ipam_scope_id}' is a default scope of '{scope.ipam_id}'; it is deleted with"
            " its IPAM only",
            ipam_scope_id=scope.ipam_scope_id,
            ipam_id=scope.ipam_id,
        )
    if pool_ids:
        raise StillInUse(
            f"'{scope.ipam_scope_id}' can't be deleted while it holds pools",
            scope.ipam_scope_id,
            pool_ids,
        )
