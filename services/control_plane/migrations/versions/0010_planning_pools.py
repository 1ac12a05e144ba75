"""Pools that plan a VPC, and what accounts may have of Amazon's space."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ipams", sa.Column("amazon_block_quotas", sa.JSON))
    for name in ("resource_id", "resource_region", "resource_owner"):
        op.add_column("ipam_pools", sa.Column(name, sa.String(64)))
