"""Who changed what."""

from alembic import op

from shared.persistence.audit_trail import create_audit_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_audit_table(op)
