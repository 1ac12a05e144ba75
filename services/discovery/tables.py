"""The tables of this context."""

import sqlalchemy as sa

metadata = sa.MetaData()

# How far discovery has come with each source.
progress = sa.Table(
    "progress",
    metadata,
    sa.Column("source", sa.String(64), primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("last_successful_pass_time", sa.DateTime(timezone=True)),
)
