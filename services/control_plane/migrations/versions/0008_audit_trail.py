"""Who changed what."""

from alembic import op

from shared.persistence.audit_trail import create_audit_table

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_audit_table(op)
