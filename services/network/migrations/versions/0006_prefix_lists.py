"""Customer-managed prefix lists and their versions."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "prefix_lists",
        sa.Column("sequence", number, primary_key=True, autoincrement=True),
        sa.Column("prefix_list_id", sa.String(64), nullable=False, unique=True),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("address_family", sa.String(64), nullable=False),
        sa.Column("max_entries", sa.Integer, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("state_message", sa.String(1024)),
        sa.Column("resolver_target_id", sa.String(64)),
        sa.Column("is_synchronised", sa.Boolean, nullable=False),
        sa.Index("ix_prefix_lists_owner_id_region_sequence", "owner_id", "region", "sequence"),
    )
    op.create_table(
        "prefix_list_versions",
        sa.Column(
            "prefix_list_id",
            sa.String(64),
            sa.ForeignKey("prefix_lists.prefix_list_id"),
            primary_key=True,
        ),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("entries", sa.JSON, nullable=False),
    )
