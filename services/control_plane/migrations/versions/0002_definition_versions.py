"""Which of an IPAM's and a pool's versions the ledger is to know."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("ipams", "ipam_pools"):
        column = sa.Column("definition_version", sa.BigInteger, nullable=False, server_default="1")
        op.add_column(table, column)
        # Not less than what the ledger was told of so far.
        rows = sa.table(table, sa.column("version"), sa.column("definition_version"))
        op.execute(rows.update().values(definition_version=rows.c.version))
