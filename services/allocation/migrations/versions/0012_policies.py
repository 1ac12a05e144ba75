"""Out of which pools accounts' resources get addresses when their request names none."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ipam_policies",
        sa.Column("ipam_policy_id", sa.String(64), primary_key=True),
        sa.Column("version", _COUNT, nullable=False),
        sa.Column("rules", sa.JSON, nullable=False),
    )
    op.create_table(
        "ipam_policy_accounts",
        sa.Column("account_id", sa.String(64), primary_key=True),
        sa.Column(
            "ipam_policy_id",
            sa.String(64),
            sa.ForeignKey("ipam_policies.ipam_policy_id"),
            primary_key=True,
            index=True,
        ),
    )
