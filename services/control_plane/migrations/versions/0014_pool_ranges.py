"""CIDRs that were brought to pools of IPAMs with internet registries."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "byoip_pool_ranges",
        sa.Column("ipam_pool_cidr_id", sa.String(64), primary_key=True),
        sa.Column(
            "ipam_id", sa.String(64), sa.ForeignKey("ipams.ipam_id"), nullable=False, index=True
        ),
        sa.Column("cidr", sa.String(64), nullable=False),
    )
