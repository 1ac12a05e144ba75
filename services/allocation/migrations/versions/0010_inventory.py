"""Which IPAM a pool is of, to find an IPAM's pools and what is allocated of them.

Only the pools' own rows are written: their allocations are found by pool and address as they are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ipam_pools", sa.Column("ipam_id", sa.String(64)))
    op.execute("UPDATE ipam_pools SET ipam_id = definition ->> 'ipam_id'")
    is_retired = sa.column("is_retired", sa.Boolean)
    op.create_index(
        "ix_ipam_pools_ipam_id_ipam_pool_id",
        "ipam_pools",
        ["ipam_id", "ipam_pool_id"],
        unique=True,
        sqlite_where=~is_retired,
        postgresql_where=~is_retired,
    )
