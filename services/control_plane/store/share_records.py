"""Rows as what shares are and have, and back."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from services.control_plane.sharing.arns import ResourceType
from services.control_plane.sharing.invitation import Invitation
from services.control_plane.sharing.permissions import permission
from services.control_plane.sharing.share import Share, SharedResource, SharePrincipal

Row = Mapping[Any, Any]

_PERMISSION_COLUMNS = {
    ResourceType.IPAM_POOL: "pool_permission_arn",
    ResourceType.IPAM_RESOURCE_DISCOVERY: "resource_discovery_permission_arn",
}


def share_of(row: Row) -> Share:
    values = dict(row)
    arns = {kind: values.pop(column) for kind, column in _PERMISSION_COLUMNS.items()}
    return Share(permissions={kind: permission(arn) for kind, arn in arns.items() if arn}, **values)


def share_columns(share: Share) -> dict[str, Any]:
    permissions = {
        column: share.permissions[kind].arn if kind in share.permissions else None
        for kind, column in _PERMISSION_COLUMNS.items()
    }
    return {
        "resource_share_arn": share.resource_share_arn,
        "name": share.name,
        "owner_id": share.owner_id,
        "region": share.region,
        "allow_external_principals": share.allow_external_principals,
        "tags": share.tags,
        "status": share.status,
        "created_at": share.created_at,
        "updated_at": share.updated_at,
        **permissions,
    }


def resource_of(row: Row) -> SharedResource:
    return SharedResource(**row)


def principal_of(row: Row) -> SharePrincipal:
    return SharePrincipal(**row)


def invitation_of(row: Row) -> Invitation:
    return Invitation(**row)


def columns_of(
    record: SharedResource | SharePrincipal | Invitation, table: sa.Table
) -> dict[str, Any]:
    """A record's own members; the share's name, which it was read with, is no column of it."""
    return {c.name: getattr(record, c.name) for c in table.columns if c.name != "sequence"}
