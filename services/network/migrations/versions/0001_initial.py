"""VPCs, their CIDR blocks, blocks that are being allocated, and the change feed."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_vpcs()
    _create_cidr_associations()
    _create_pending_cidr_associations()
    _create_changes()


def _sequence() -> sa.Column[int]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("sequence", number, primary_key=True, autoincrement=True)


def _create_vpcs() -> None:
    op.create_table(
        "vpcs",
        _sequence(),
        sa.Column("vpc_id", sa.String(64), nullable=False, unique=True),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("instance_tenancy", sa.String(64), nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("enable_dns_support", sa.Boolean, nullable=False),
        sa.Column("enable_dns_hostnames", sa.Boolean, nullable=False),
        sa.Column("enable_network_address_usage_metrics", sa.Boolean, nullable=False),
        sa.Index("ix_vpcs_owner_id_region_sequence", "owner_id", "region", "sequence"),
    )


def _create_cidr_associations() -> None:
    op.create_table(
        "cidr_associations",
        _sequence(),
        sa.Column("association_id", sa.String(64), nullable=False, unique=True),
        sa.Column(
            "vpc_id", sa.String(64), sa.ForeignKey("vpcs.vpc_id"), nullable=False, index=True
        ),
        sa.Column("cidr", sa.String(64), nullable=False),
        sa.Column("ipam_pool_id", sa.String(64)),
        sa.Column("ipam_pool_allocation_id", sa.String(64)),
    )


def _create_pending_cidr_associations() -> None:
    op.create_table(
        "pending_cidr_associations",
        sa.Column("association_id", sa.String(64), primary_key=True),
        sa.Column("resource_id", sa.String(64), nullable=False),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_abandoned", sa.Boolean, nullable=False),
    )


def _create_changes() -> None:
    op.create_table(
        "changes",
        _sequence(),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("association_id", sa.String(64), nullable=False),
        sa.Column("resource_id", sa.String(64), nullable=False),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("cidr", sa.String(64), nullable=False),
        sa.Column("ipam_pool_allocation_id", sa.String(64)),
        sqlite_autoincrement=True,
    )
