"""Prefix list resolvers, their versions and targets, and what is to be done for these."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.client_tokens import create_client_token_table
from shared.persistence.column_types import Moment
from shared.persistence.outbox import create_outbox_table

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WORD = sa.String(64)


def upgrade() -> None:
    _create_resolvers()
    op.create_table(
        "prefix_list_resolver_versions",
        sa.Column("resolver_id", _WORD, primary_key=True),
        sa.Column("version", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("cidrs", sa.JSON, nullable=False),
    )
    _create_targets()
    create_client_token_table(op)
    create_outbox_table(op)


def _create_resolvers() -> None:
    op.create_table(
        "prefix_list_resolvers",
        sa.Column("sequence", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("resolver_id", _WORD, nullable=False, unique=True),
        sa.Column("owner_id", _WORD, nullable=False),
        sa.Column("region", _WORD, nullable=False),
        sa.Column("ipam_id", _WORD, nullable=False, index=True),
        sa.Column("address_family", _WORD, nullable=False),
        sa.Column("description", sa.String(255)),
        sa.Column("rules", sa.JSON, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("last_version", _NUMBER, nullable=False),
        sa.Column("status", _WORD, nullable=False),
        sa.Column("status_message", sa.String(1024)),
        sa.Column("revision", _NUMBER, nullable=False),
        sa.Index("ix_prefix_list_resolvers_owner", "owner_id", "region", "sequence"),
    )


def _create_targets() -> None:
    op.create_table(
        "prefix_list_resolver_targets",
        sa.Column("sequence", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("target_id", _WORD, nullable=False, unique=True),
        sa.Column("resolver_id", _WORD, nullable=False, index=True),
        sa.Column("owner_id", _WORD, nullable=False),
        sa.Column("region", _WORD, nullable=False),
        sa.Column("prefix_list_id", _WORD, nullable=False),
        sa.Column("prefix_list_region", _WORD, nullable=False),
        sa.Column("desired_version", _NUMBER),
        sa.Column("last_synced_version", _NUMBER),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("state_message", sa.String(2048)),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Index("ix_prefix_list_resolver_targets_owner", "owner_id", "region", "sequence"),
    )
