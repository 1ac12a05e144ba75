"""What is monitored, by resource."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_records_resources",
        "records",
        ["ipam_scope_id", "is_monitored", "resource_type", "resource_id", "first_address"],
        sqlite_where=sa.text("ended_at IS NULL AND is_monitored = 1"),
        postgresql_where=sa.text("ended_at IS NULL AND is_monitored"),
    )
