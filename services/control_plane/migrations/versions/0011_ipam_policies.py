"""IPAM policies, and what they are enabled for."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "ipam_policies",
        sa.Column("sequence", number, primary_key=True, autoincrement=True),
        sa.Column("ipam_policy_id", sa.String(64), nullable=False, unique=True),
        sa.Column(
            "ipam_id", sa.String(64), sa.ForeignKey("ipams.ipam_id"), nullable=False, index=True
        ),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("ipam_region", sa.String(64), nullable=False),
        sa.Column("documents", sa.JSON, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("state_message", sa.Text),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Index("ix_ipam_policies_owner_id_sequence", "owner_id", "sequence"),
    )
    op.create_table(
        "ipam_policy_targets",
        sa.Column("organization_id", sa.String(64), primary_key=True),
        sa.Column("target_id", sa.String(128), primary_key=True),
        sa.Column(
            "ipam_policy_id",
            sa.String(64),
            sa.ForeignKey("ipam_policies.ipam_policy_id"),
            index=True,
        ),
    )
