"""What the ledger as a whole is: which one, and whether changes of it were lost."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    ledger = op.create_table(
        "ipam_ledger",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("ledger_id", sa.String(64), nullable=False),
        sa.Column("lost_up_to", _COUNT),
    )
    op.bulk_insert(ledger, [{"number": 1, "ledger_id": str(uuid.uuid4()), "lost_up_to": None}])
