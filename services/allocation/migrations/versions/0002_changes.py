"""What was done to pools, and what was left of them at times."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ipam_ledger_changes",
        sa.Column("sequence", _COUNT, primary_key=True, autoincrement=True),
        sa.Column("pool_number", _COUNT, sa.ForeignKey("ipam_pools.number"), nullable=False),
        sa.Column("pool_version", _COUNT, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("pool_number", "pool_version", name="one_change_per_version"),
    )
    op.create_table(
        "ipam_pool_snapshots",
        sa.Column("pool_number", _COUNT, sa.ForeignKey("ipam_pools.number"), primary_key=True),
        sa.Column("pool_version", _COUNT, nullable=False),
        sa.Column("free_blocks", sa.LargeBinary, nullable=False),
    )
