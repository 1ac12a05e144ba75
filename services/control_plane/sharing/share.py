"""What a share is and what it has (ORG-4)."""

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.control_plane.sharing.arns import ResourceArn, ResourceType
from services.control_plane.sharing.errors import (
    ResourceShareLimitExceeded,
    SharingNotPermitted,
    UnknownResource,
)
from services.control_plane.sharing.permissions import Permission, Permissions
from services.control_plane.sharing.principals import Principal, PrincipalKind
from shared.tags import Tags

SHARES_PER_ACCOUNT = 5000
"""Active ones that an account may have in a region."""


class ShareStatus(enum.StrEnum):
    ACTIVE = "ACTIVE"
    DELETED = "DELETED"


class AssociationStatus(enum.StrEnum):
    ASSOCIATING = "ASSOCIATING"
    """An invitation is open."""
    ASSOCIATED = "ASSOCIATED"
    FAILED = "FAILED"
    """The invitation was rejected, or ran out."""
    DISASSOCIATED = "DISASSOCIATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Resources that principals outside the owner's account may use."""

    resource_share_arn: str
    name: str
    owner_id: str
    region: str
    """The home region of all its resources."""
    allow_external_principals: bool
    permissions: Permissions
    tags: Tags
    created_at: datetime
    updated_at: datetime
    status: ShareStatus = ShareStatus.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShare:
    """What a caller may say about a share to be made."""

    name: str
    allow_external_principals: bool
    permissions: Permissions
    resources: Sequence[ResourceArn] = ()
    principals: Sequence[Principal] = ()
    tags: Tags = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedResource:
    """That a share has a resource; ``share_name`` is read with it."""

    resource_share_arn: str
    share_name: str
    resource_arn: str
    resource_type: ResourceType
    resource_id: str
    status: AssociationStatus
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SharePrincipal:
    """That a share has a principal; ``share_name`` is read with it."""

    resource_share_arn: str
    share_name: str
    principal: str
    kind: PrincipalKind
    holder_id: str
    organization_id: str | None
    """The organization that it shared with the owner when it was associated."""
    invitation_expires_at: datetime | None
    """Of the invitation that it was sent; None: it needed none."""
    status: AssociationStatus
    created_at: datetime
    updated_at: datetime

    @property
    def is_external(self) -> bool:
        """It was outside the owner's organization."""
        return self.organization_id is None

    def status_at(self, now: datetime) -> AssociationStatus:
        """The status, which the mere passing of an invitation's time may change."""
        is_open = self.status is AssociationStatus.ASSOCIATING
        if is_open and self.invitation_expires_at and self.invitation_expires_at <= now:
            return AssociationStatus.FAILED
        return self.status

    def is_in_at(self, now: datetime) -> bool:
        """It has the share, or has been invited to it and may still accept."""
        return self.status_at(now) in (AssociationStatus.ASSOCIATED, AssociationStatus.ASSOCIATING)


def check_room_for_share(account_id: str, region: str, share_count: int) -> None:
    """One more active share is allowed.

    Raises:
        ResourceShareLimitExceeded: the quota is reached.
    """
    if share_count >= SHARES_PER_ACCOUNT:
        raise ResourceShareLimitExceeded(account_id, region, SHARES_PER_ACCOUNT)


def check_none_external(share_arn: str, principals: Collection[SharePrincipal]) -> None:
    """All ``principals``, those that are in the share, are of the owner's organization.

    Raises:
        SharingNotPermitted: some are not, so external principals can't be forbidden.
    """
    external = sorted(one.principal for one in principals if one.is_external)
    if external:
        raise SharingNotPermitted(
            f"'{share_arn}' can't be kept within the organization while it has principals outside"
            f" of it: {', '.join(external[:10])}; disassociate them first",
            resource_share_arn=share_arn,
        )


def with_permission(share: Share, wanted: Permission, *, may_replace: bool) -> Share:
    """``share`` with a permission for its type of resources.

    Raises:
        SharingNotPermitted: it has another one for that type already.
    """
    present = share.permissions.get(wanted.resource_type)
    if present and present != wanted and not may_replace:
        raise SharingNotPermitted(
            f"'{share.resource_share_arn}' has {present.arn} for {wanted.resource_type}; to have"
            f" {wanted.arn} in its place, say replace",
            resource_share_arn=share.resource_share_arn,
            permission_arn=present.arn,
        )
    return replace(share, permissions={**share.permissions, wanted.resource_type: wanted})


def without_permission(share: Share, unwanted: Permission, *, is_used: bool) -> Share:
    """``share`` without a permission that it has; ``is_used`` by resources of its type.

    Raises:
        UnknownResource: it hasn't.
        SharingNotPermitted: resources of its type are in the share.
    """
    if share.permissions.get(unwanted.resource_type) != unwanted:
        raise UnknownResource(
            f"'{share.resource_share_arn}' does not have {unwanted.arn}",
            resource_share_arn=share.resource_share_arn,
            permission_arn=unwanted.arn,
        )
    if is_used:
        raise SharingNotPermitted(
            f"'{share.resource_share_arn}' can't lose {unwanted.arn} while it has resources of type"
            f" {unwanted.resource_type}; disassociate them first",
            resource_share_arn=share.resource_share_arn,
            permission_arn=unwanted.arn,
        )
    kept = {kind: one for kind, one in share.permissions.items() if one != unwanted}
    return replace(share, permissions=kept)
