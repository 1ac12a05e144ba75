"""What can be done to a share."""

import uuid
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

from services.control_plane.service.rows import Rows
from services.control_plane.service.shares_associations import add_to_share
from services.control_plane.service.shares_holding import (
    check_sees,
    hold_own_share,
    hold_owner,
    pools_of,
    unknown_share,
)
from services.control_plane.service.shares_users import telling_users
from services.control_plane.service.steps import Accepted
from services.control_plane.sharing.arns import ResourceType, share_arn
from services.control_plane.sharing.permissions import Permission
from services.control_plane.sharing.share import (
    AssociationStatus,
    NewShare,
    Share,
    ShareStatus,
    check_none_external,
    check_room_for_share,
    with_permission,
    without_permission,
)
from shared.caller import Caller
from shared.tags import Tags


def create_share(rows: Rows, caller: Caller, wanted: NewShare, now: datetime) -> Accepted[Share]:
    """Share resources of the caller with principals (ORG-4)."""
    owner = hold_owner(rows, caller.account_id, caller.region)
    count = rows.shares.share_count(caller.account_id, caller.region)
    check_room_for_share(caller.account_id, caller.region, count)
    share = Share(
        resource_share_arn=share_arn(caller.region, caller.account_id, str(uuid.uuid4())),
        name=wanted.name,
        owner_id=caller.account_id,
        region=caller.region,
        allow_external_principals=wanted.allow_external_principals,
        permissions=wanted.permissions,
        tags=wanted.tags,
        created_at=now,
        updated_at=now,
    )

    def create() -> Share:
        rows.shares.add(share)
        add_to_share(rows, share, owner, wanted.resources, wanted.principals, now)
        return share

    return telling_users(rows, _pool_ids(wanted), create)


def update_share(
    rows: Rows,
    caller: Caller,
    resource_share_arn: str,
    *,
    name: str | None,
    allow_external_principals: bool | None,
    now: datetime,
) -> Accepted[Share]:
    """Change a share's own members; None leaves one as it is."""
    share, _ = hold_own_share(rows, caller, resource_share_arn)
    if allow_external_principals is False:
        present = rows.shares.principals(resource_share_arn).values()
        check_none_external(resource_share_arn, [one for one in present if one.is_in_at(now)])
    after = replace(
        share,
        name=share.name if name is None else name,
        allow_external_principals=(
            share.allow_external_principals
            if allow_external_principals is None
            else allow_external_principals
        ),
        updated_at=now,
    )
    return _saving(rows, after)


def delete_share(
    rows: Rows, caller: Caller, resource_share_arn: str, now: datetime
) -> Accepted[Share]:
    """End a share: its principals keep what they have, and get nothing new."""
    share, _ = hold_own_share(rows, caller, resource_share_arn)
    after = replace(share, status=ShareStatus.DELETED, updated_at=now)

    def delete() -> Share:
        rows.shares.save(after)
        rows.shares.end(resource_share_arn, now)
        return after

    return telling_users(rows, pools_of(rows, resource_share_arn), delete)


def associate_permission(
    rows: Rows,
    caller: Caller,
    resource_share_arn: str,
    permission: Permission,
    *,
    may_replace: bool,
    now: datetime,
) -> Accepted[Share]:
    """Have a permission hold for a share's resources of its type."""
    share, _ = hold_own_share(rows, caller, resource_share_arn)
    after = with_permission(share, permission, may_replace=may_replace)
    return _saving(rows, replace(after, updated_at=now))


def disassociate_permission(
    rows: Rows, caller: Caller, resource_share_arn: str, permission: Permission, now: datetime
) -> Accepted[Share]:
    """Take a permission that no resource needs out of a share."""
    share, _ = hold_own_share(rows, caller, resource_share_arn)
    in_use = {
        resource.resource_type
        for resource in rows.shares.resources(resource_share_arn).values()
        if resource.status is AssociationStatus.ASSOCIATED
    }
    after = without_permission(share, permission, is_used=permission.resource_type in in_use)
    return _saving(rows, replace(after, updated_at=now))


def change_share_tags(
    rows: Rows, caller: Caller, resource_share_arn: str, change: Callable[[Tags], Tags]
) -> None:
    """Apply ``change`` to the tags of one of the caller's shares."""
    share, _ = hold_own_share(rows, caller, resource_share_arn)
    rows.shares.save(replace(share, tags=change(share.tags)))


def permissions_of(rows: Rows, caller: Caller, resource_share_arn: str) -> Collection[Permission]:
    """What a share lets its principals do, for them or the owner, in the order of their names.

    Raises:
        UnknownResource: the caller is neither.
    """
    share = rows.shares.share(resource_share_arn, lock=False)
    if share is None or share.region != caller.region:
        raise unknown_share(resource_share_arn)
    if share.owner_id != caller.account_id:
        check_sees(rows, caller, resource_share_arn)
    return sorted(share.permissions.values(), key=lambda permission: permission.name)


def _saving(rows: Rows, share: Share) -> Accepted[Share]:
    def save() -> Share:
        rows.shares.save(share)
        return share

    return telling_users(rows, pools_of(rows, share.resource_share_arn), save)


def _pool_ids(wanted: NewShare) -> list[str]:
    return [
        resource.resource_id
        for resource in wanted.resources
        if resource.resource_type is ResourceType.IPAM_POOL
    ]
