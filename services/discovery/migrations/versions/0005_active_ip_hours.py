"""What active addresses are charged for, and up to when that was metered."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.column_types import Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WORD = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "meters",
        sa.Column("ipam_id", _WORD, primary_key=True),
        sa.Column("metered_at", Moment, nullable=False),
        sa.Column("reading", sa.JSON, nullable=False),
        sa.Column("milliseconds", _NUMBER, nullable=False),
    )
    op.create_table(
        "active_ip_usage",
        sa.Column("ipam_id", _WORD, primary_key=True),
        sa.Column("started_at", Moment, primary_key=True),
        sa.Column("is_whole_day", sa.Boolean, primary_key=True),
        sa.Column("resource_owner_id", _WORD, primary_key=True),
        sa.Column("payer_id", _WORD, primary_key=True),
        sa.Column("ipam_owner_id", _WORD, nullable=False),
        sa.Column("ipam_region", _WORD, nullable=False),
        sa.Column("milliseconds", _NUMBER, nullable=False),
    )
    op.create_index("ix_active_ip_usage_payer", "active_ip_usage", ["payer_id", "started_at"])
    op.create_index("ix_active_ip_usage_owner", "active_ip_usage", ["ipam_owner_id", "started_at"])
    op.create_index("ix_active_ip_usage_age", "active_ip_usage", ["is_whole_day", "started_at"])
