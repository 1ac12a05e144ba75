"""Since when each account pays for its own active addresses."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ipams", sa.Column("costs_distributed_since", sa.DateTime(timezone=True)))
