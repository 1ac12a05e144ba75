"""Scopes, pools, allocations, pool CIDRs, client tokens, and what no writer can get past."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.persistence.client_tokens import create_client_token_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.String(64)
_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ADDRESSES = sa.String(39)
_KEY = sa.LargeBinary(16)


def upgrade() -> None:
    _create_scopes()
    _create_pools()
    _create_allocations()
    _create_pool_cidrs()
    create_client_token_table(op)
    if op.get_bind().dialect.name == "postgresql":
        _guard_in_postgresql()
    else:
        _guard_in_sqlite()


def _create_scopes() -> None:
    op.create_table(
        "ipam_scopes",
        sa.Column("number", _COUNT, primary_key=True, autoincrement=True),
        sa.Column("ipam_scope_id", _ID, nullable=False, unique=True),
    )


def _create_pools() -> None:
    op.create_table(
        "ipam_pools",
        sa.Column("number", _COUNT, primary_key=True, autoincrement=True),
        sa.Column("ipam_pool_id", _ID, nullable=False, unique=True),
        sa.Column("version", _COUNT, nullable=False),
        sa.Column("is_retired", sa.Boolean, nullable=False),
        sa.Column("definition", sa.JSON),
        sa.Column("definition_version", _COUNT),
        sa.Column("owner_id", _ID),
        sa.Column("ipam_region", _ID),
        sa.Column("source_ipam_pool_id", _ID, index=True),
        sa.Column("scope_number", _COUNT, sa.ForeignKey("ipam_scopes.number")),
        sa.Column("total_addresses", _ADDRESSES, nullable=False),
        sa.Column("allocated_addresses", _ADDRESSES, nullable=False),
        sa.Column("assigned_addresses", _ADDRESSES, nullable=False),
        sa.Column("cidr_count", _COUNT, nullable=False),
        sa.Column("allocation_count", _COUNT, nullable=False),
    )
    op.create_index(
        "ix_ipam_pools_owner_id_ipam_region_number",
        "ipam_pools",
        ["owner_id", "ipam_region", "number"],
    )


def _create_allocations() -> None:
    op.create_table(
        "ipam_pool_allocations",
        sa.Column("ipam_pool_allocation_id", _ID, primary_key=True),
        sa.Column("pool_number", _COUNT, sa.ForeignKey("ipam_pools.number"), nullable=False),
        *_keys(),
        sa.Column("resource_type", _ID, nullable=False),
        sa.Column("resource_id", sa.String(1024)),
        sa.Column("resource_region", _ID),
        sa.Column("resource_owner", _ID, nullable=False),
        sa.Column("description", sa.String(255)),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("allocated_by", _ID),
        sa.Column("client_token", sa.String(128)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("pool_number", "first_key", name="one_allocation_per_address"),
        sa.CheckConstraint("first_key <= last_key", name="allocation_has_addresses"),
    )
    op.create_index(
        "ix_ipam_pool_allocations_allocated_by",
        "ipam_pool_allocations",
        ["allocated_by", "ipam_pool_allocation_id"],
        **_only_where("allocated_by IS NOT NULL"),
    )


def _create_pool_cidrs() -> None:
    op.create_table(
        "ipam_pool_cidrs",
        sa.Column("ipam_pool_cidr_id", _ID, primary_key=True),
        sa.Column("pool_number", _COUNT, sa.ForeignKey("ipam_pools.number"), nullable=False),
        sa.Column("scope_number", _COUNT, sa.ForeignKey("ipam_scopes.number"), nullable=False),
        *_keys(),
        sa.Column("state", _ID, nullable=False),
        sa.Column(
            "parent_allocation_id",
            _ID,
            sa.ForeignKey("ipam_pool_allocations.ipam_pool_allocation_id"),
            unique=True,
        ),
        sa.UniqueConstraint("pool_number", "first_key", "prefix_length", name="one_row_per_cidr"),
        sa.CheckConstraint("first_key <= last_key", name="pool_cidr_has_addresses"),
    )
    op.create_index(
        "ix_ipam_pool_cidrs_top_level",
        "ipam_pool_cidrs",
        ["scope_number", "first_key"],
        **_only_where("state = 'provisioned' AND parent_allocation_id IS NULL"),
    )


def _keys() -> list[sa.Column[Any]]:
    return [
        sa.Column("first_key", _KEY, nullable=False),
        sa.Column("last_key", _KEY, nullable=False),
        sa.Column("prefix_length", sa.Integer, nullable=False),
    ]


def _only_where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


# A range of addresses with the number of its pool or scope before them: ranges of different pools
# never overlap, so one GiST index without extensions does for all.
_POSTGRESQL_GUARDS = (
    "CREATE TYPE address_range AS RANGE (subtype = bytea)",
    """
    ALTER TABLE ipam_pool_allocations ADD CONSTRAINT allocations_never_overlap
    EXCLUDE USING gist (
        address_range(int8send(pool_number) || first_key, int8send(pool_number) || last_key, '[]')
        WITH &&
    )
    """,
    """
    ALTER TABLE ipam_pool_cidrs ADD CONSTRAINT top_level_cidrs_never_overlap
    EXCLUDE USING gist (
        address_range(int8send(scope_number) || first_key, int8send(scope_number) || last_key, '[]')
        WITH &&
    ) WHERE (state = 'provisioned' AND parent_allocation_id IS NULL)
    """,
)

# The rows that are there don't overlap, so the one with the last beginning decides: the one before
# it ends before that. One step down an index each.
_SQLITE_GUARDS = (
    """
    CREATE TRIGGER allocations_never_overlap BEFORE INSERT ON ipam_pool_allocations
    WHEN (
        SELECT last_key FROM ipam_pool_allocations
        WHERE pool_number = NEW.pool_number AND first_key <= NEW.last_key
        ORDER BY first_key DESC LIMIT 1
    ) >= NEW.first_key
    BEGIN SELECT RAISE(ABORT, 'allocations of a pool never overlap'); END
    """,
    """
    CREATE TRIGGER allocations_never_move
    BEFORE UPDATE OF pool_number, first_key, last_key ON ipam_pool_allocations
    BEGIN SELECT RAISE(ABORT, 'allocations never move'); END
    """,
    """
    CREATE TRIGGER top_level_cidrs_never_overlap BEFORE INSERT ON ipam_pool_cidrs
    WHEN NEW.state = 'provisioned' AND NEW.parent_allocation_id IS NULL AND (
        SELECT last_key FROM ipam_pool_cidrs
        WHERE state = 'provisioned' AND parent_allocation_id IS NULL
            AND scope_number = NEW.scope_number AND first_key <= NEW.last_key
        ORDER BY first_key DESC LIMIT 1
    ) >= NEW.first_key
    BEGIN SELECT RAISE(ABORT, 'top-level CIDRs of a scope never overlap'); END
    """,
    """
    CREATE TRIGGER pool_cidrs_never_move
    BEFORE UPDATE OF pool_number, scope_number, first_key, last_key, state, parent_allocation_id
    ON ipam_pool_cidrs
    WHEN NEW.state = 'provisioned'
    BEGIN SELECT RAISE(ABORT, 'CIDRs never move or come back'); END
    """,
)


def _guard_in_postgresql() -> None:
    for statement in _POSTGRESQL_GUARDS:
        op.execute(statement)


def _guard_in_sqlite() -> None:
    for statement in _SQLITE_GUARDS:
        op.execute(statement)
