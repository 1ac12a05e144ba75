"""Blocks of resources of all kinds, not of VPCs alone."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("pending_cidr_associations", "changes"):
        kind = sa.Column("resource_type", sa.String(64), nullable=False, server_default="vpc")
        op.add_column(table, kind)
    _create("resource_cidr_associations")
    op.execute(
        "INSERT INTO resource_cidr_associations (sequence, association_id, resource_id,"
        " resource_type, owner_id, region, cidr, ipam_pool_id, ipam_pool_allocation_id)"
        " SELECT b.sequence, b.association_id, b.vpc_id, 'vpc', vpcs.owner_id, vpcs.region, b.cidr,"
        " b.ipam_pool_id, b.ipam_pool_allocation_id"
        " FROM cidr_associations AS b JOIN vpcs ON vpcs.vpc_id = b.vpc_id"
    )
    op.drop_table("cidr_associations")
    op.rename_table("resource_cidr_associations", "cidr_associations")
    op.create_index("ix_cidr_associations_resource_id", "cidr_associations", ["resource_id"])
    if op.get_bind().dialect.name == "postgresql":
        _finish_on_postgresql()


def _finish_on_postgresql() -> None:
    """What SQLite does by itself, or could not do without copying the tables."""
    for kind, name in (
        ("INDEX", "cidr_associations_pkey"),
        ("INDEX", "cidr_associations_association_id_key"),
        ("SEQUENCE", "cidr_associations_sequence_seq"),
    ):
        op.execute(f"ALTER {kind} resource_{name} RENAME TO {name}")
    op.execute(
        "SELECT setval('cidr_associations_sequence_seq',"
        " (SELECT coalesce(max(sequence), 0) + 1 FROM cidr_associations), false)"
    )
    for table in ("pending_cidr_associations", "changes"):
        op.alter_column(table, "resource_type", server_default=None)


def _create(name: str) -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        name,
        sa.Column("sequence", number, primary_key=True, autoincrement=True),
        sa.Column("association_id", sa.String(64), nullable=False, unique=True),
        sa.Column("resource_id", sa.String(64), nullable=False),
        sa.Column("resource_type", sa.String(64), nullable=False),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("cidr", sa.String(64), nullable=False),
        sa.Column("ipam_pool_id", sa.String(64)),
        sa.Column("ipam_pool_allocation_id", sa.String(64)),
        sa.Column("source_pool", sa.JSON),
    )
