"""Where pools place nothing: what is set aside, what owners say, what resources are seen to occupy.

A block that is set aside has a row among the allocations, so that the same guards hold for both.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = sa.LargeBinary(16)


def upgrade() -> None:
    op.add_column("ipam_pool_allocations", sa.Column("expires_at", sa.DateTime(timezone=True)))
    is_set_aside = sa.text("expires_at IS NOT NULL")
    op.create_index(
        "ix_ipam_pool_allocations_set_aside",
        "ipam_pool_allocations",
        ["pool_number", "first_key"],
        sqlite_where=is_set_aside,
        postgresql_where=is_set_aside,
    )
    op.add_column("ipam_pools", sa.Column("placement", sa.JSON))
    op.add_column(
        "ipam_scopes", sa.Column("observed_version", _COUNT, nullable=False, server_default="0")
    )
    op.create_table(
        "ipam_observed_cidrs",
        sa.Column("scope_number", _COUNT, sa.ForeignKey("ipam_scopes.number"), primary_key=True),
        sa.Column("resource_id", sa.String(1024), primary_key=True),
        sa.Column("first_key", _KEY, primary_key=True),
        sa.Column("prefix_length", sa.Integer, primary_key=True),
    )
