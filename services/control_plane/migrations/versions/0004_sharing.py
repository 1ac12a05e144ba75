"""Shares, and what and whom they have."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_shares()
    _create_resources()
    _create_principals()
    _create_invitations()


def _sequence() -> sa.Column[int]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("sequence", number, primary_key=True, autoincrement=True)


def _share() -> sa.Column[str]:
    share = sa.ForeignKey("resource_shares.resource_share_arn")
    return sa.Column("resource_share_arn", sa.String(128), share, nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _create_shares() -> None:
    op.create_table(
        "resource_shares",
        _sequence(),
        sa.Column("resource_share_arn", sa.String(128), nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("allow_external_principals", sa.Boolean, nullable=False),
        sa.Column("pool_permission_arn", sa.String(128)),
        sa.Column("resource_discovery_permission_arn", sa.String(128)),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        _time("created_at"),
        _time("updated_at"),
    )
    op.create_index(
        "ix_resource_shares_owner_id_region_sequence",
        "resource_shares",
        ["owner_id", "region", "sequence"],
    )


def _create_resources() -> None:
    table = "resource_share_resources"
    op.create_table(
        table,
        _sequence(),
        _share(),
        sa.Column("resource_arn", sa.String(128), nullable=False),
        sa.Column("resource_type", sa.String(64), nullable=False),
        sa.Column("resource_id", sa.String(64), nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        _time("created_at"),
        _time("updated_at"),
        sa.UniqueConstraint("resource_share_arn", "resource_arn", name="a_resource_once_per_share"),
    )
    op.create_index(f"ix_{table}_resource_id", table, ["resource_id"])


def _create_principals() -> None:
    table = "resource_share_principals"
    op.create_table(
        table,
        _sequence(),
        _share(),
        sa.Column("principal", sa.String(256), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("holder_id", sa.String(128), nullable=False),
        sa.Column("organization_id", sa.String(64)),
        _time("invitation_expires_at", nullable=True),
        sa.Column("status", sa.String(64), nullable=False),
        _time("created_at"),
        _time("updated_at"),
        sa.UniqueConstraint("resource_share_arn", "principal", name="a_principal_once_per_share"),
    )
    op.create_index(f"ix_{table}_holder_id", table, ["holder_id"])
    op.create_index(f"ix_{table}_organization_id", table, ["organization_id"])


def _create_invitations() -> None:
    table = "resource_share_invitations"
    op.create_table(
        table,
        _sequence(),
        sa.Column("invitation_arn", sa.String(128), nullable=False, unique=True),
        _share(),
        sa.Column("sender_id", sa.String(64), nullable=False),
        sa.Column("receiver_id", sa.String(64), nullable=False),
        _time("sent_at"),
        sa.Column("status", sa.String(64), nullable=False),
    )
    for column in ("resource_share_arn", "sender_id", "receiver_id"):
        op.create_index(f"ix_{table}_{column}", table, [column])
