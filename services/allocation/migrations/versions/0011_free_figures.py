"""How a pool's free space lies, beside its usage.

Of pools that are there already nobody has noted it: it is counted until they next change.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for column in (
        sa.Column("free_version", _COUNT),
        sa.Column("free_block_count", _COUNT),
        sa.Column("largest_free_netmask_length", sa.Integer),
        sa.Column("free_addresses", sa.String(39)),
        sa.Column("free_until", sa.DateTime(timezone=True)),
    ):
        op.add_column("ipam_pools", column)
