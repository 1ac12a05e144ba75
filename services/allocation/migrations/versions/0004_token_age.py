"""An index to find client tokens by that nobody repeats any more."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    of_accounts = sa.text("operation <> 'AllocateResourceCidr'")
    op.create_index(
        "ix_client_token_created_at",
        "client_token",
        ["created_at"],
        sqlite_where=of_accounts,
        postgresql_where=of_accounts,
    )
