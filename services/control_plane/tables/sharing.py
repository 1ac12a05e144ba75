"""Shares, and what and whom they have."""

import sqlalchemy as sa

from services.control_plane.sharing.arns import ResourceType
from services.control_plane.sharing.invitation import InvitationStatus
from services.control_plane.sharing.principals import PrincipalKind
from services.control_plane.sharing.share import AssociationStatus, ShareStatus
from services.control_plane.tables.base import OneOf, metadata, sequence
from shared.persistence.column_types import Moment

_OF_SHARE = "resource_shares.resource_share_arn"

resource_shares = sa.Table(
    "resource_shares",
    metadata,
    sequence(),
    sa.Column("resource_share_arn", sa.String(128), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("owner_id", sa.String(64), nullable=False),
    sa.Column("region", sa.String(64), nullable=False),
    sa.Column("allow_external_principals", sa.Boolean, nullable=False),
    sa.Column("pool_permission_arn", sa.String(128)),
    sa.Column("resource_discovery_permission_arn", sa.String(128)),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("status", OneOf(ShareStatus), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("ix_resource_shares_owner_id_region_sequence", "owner_id", "region", "sequence"),
)

resource_share_resources = sa.Table(
    "resource_share_resources",
    metadata,
    sequence(),
    sa.Column("resource_share_arn", sa.ForeignKey(_OF_SHARE), nullable=False),
    sa.Column("resource_arn", sa.String(128), nullable=False),
    sa.Column("resource_type", OneOf(ResourceType), nullable=False),
    sa.Column("resource_id", sa.String(64), nullable=False, index=True),
    sa.Column("status", OneOf(AssociationStatus), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("resource_share_arn", "resource_arn", name="a_resource_once_per_share"),
)

resource_share_principals = sa.Table(
    "resource_share_principals",
    metadata,
    sequence(),
    sa.Column("resource_share_arn", sa.ForeignKey(_OF_SHARE), nullable=False),
    sa.Column("principal", sa.String(256), nullable=False),
    sa.Column("kind", OneOf(PrincipalKind), nullable=False),
    sa.Column("holder_id", sa.String(128), nullable=False, index=True),
    sa.Column("organization_id", sa.String(64), index=True),
    sa.Column("invitation_expires_at", Moment),
    sa.Column("status", OneOf(AssociationStatus), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("resource_share_arn", "principal", name="a_principal_once_per_share"),
)

resource_share_invitations = sa.Table(
    "resource_share_invitations",
    metadata,
    sequence(),
    sa.Column("invitation_arn", sa.String(128), nullable=False, unique=True),
    sa.Column("resource_share_arn", sa.ForeignKey(_OF_SHARE), nullable=False, index=True),
    sa.Column("sender_id", sa.String(64), nullable=False, index=True),
    sa.Column("receiver_id", sa.String(64), nullable=False, index=True),
    sa.Column("sent_at", Moment, nullable=False),
    sa.Column("status", OneOf(InvitationStatus), nullable=False),
)
