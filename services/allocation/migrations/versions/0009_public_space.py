"""Public space: spaces beside scopes, what waits for proof of control, what keeps CIDRs in pools.

A top-level pool of Amazon's space becomes a child of the pool that has it, and public pools' CIDRs
become unique among all accounts. There are none yet, as such pools could not get any until now.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.regions import region_of

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.String(64)
_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = sa.LargeBinary(16)
_CHUNK_ROWS = 500


def upgrade() -> None:
    _add_columns()
    _create_pending_cidrs()
    _create_vpc_cidrs()
    op.execute("INSERT INTO ipam_scopes (ipam_scope_id) VALUES ('public')")
    op.execute("UPDATE ipam_pools SET space_number = scope_number")
    _settle_public_pools()


def _add_columns() -> None:
    op.add_column(
        "ipam_scopes", sa.Column("waiting_sequence", _COUNT, nullable=False, server_default="0")
    )
    # By hand, for SQLite takes a foreign key in a new column only.
    number = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"ALTER TABLE ipam_pools ADD COLUMN space_number {number} REFERENCES ipam_scopes (number)"
    )
    op.add_column("ipam_pools", sa.Column("public_region", _ID))
    is_public = sa.text("public_region IS NOT NULL")
    op.create_index(
        "ix_ipam_pools_public_region",
        "ipam_pools",
        ["public_region"],
        sqlite_where=is_public,
        postgresql_where=is_public,
    )
    op.add_column("ipam_pool_cidrs", sa.Column("brought_by", _ID))
    op.add_column("ipam_pool_cidrs", sa.Column("brought_to", _ID))
    op.add_column("ipam_pool_cidrs", sa.Column("pinned_for", sa.String(255)))


def _create_pending_cidrs() -> None:
    op.create_table(
        "ipam_pending_cidrs",
        sa.Column("ipam_pool_cidr_id", _ID, primary_key=True),
        sa.Column("pool_number", _COUNT, sa.ForeignKey("ipam_pools.number"), nullable=False),
        sa.Column("first_key", _KEY, nullable=False),
        sa.Column("last_key", _KEY, nullable=False),
        sa.Column("prefix_length", sa.Integer, nullable=False),
        sa.Column("sequence", _COUNT, unique=True),
        sa.Column("verification_method", _ID, nullable=False),
        sa.Column("message", sa.String(1024)),
        sa.Column("signature", sa.String(1024)),
        sa.Column("token_id", sa.String(1024)),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failure_code", _ID),
        sa.Column("failure_message", sa.Text),
        sa.UniqueConstraint(
            "pool_number", "first_key", "prefix_length", name="one_request_per_cidr"
        ),
    )


def _create_vpc_cidrs() -> None:
    op.create_table(
        "ipam_vpc_cidrs",
        sa.Column("vpc_id", _ID, primary_key=True),
        sa.Column("first_key", _KEY, primary_key=True),
        sa.Column("prefix_length", sa.Integer, primary_key=True),
        sa.Column("owner_id", _ID, nullable=False),
        sa.Column("region", _ID, nullable=False),
    )


def _settle_public_pools() -> None:
    connection = op.get_bind()
    after = 0
    query = sa.text(
        "SELECT number, definition FROM ipam_pools"
        " WHERE number > :after AND definition IS NOT NULL ORDER BY number LIMIT :limit"
    )
    while rows := connection.execute(query, {"after": after, "limit": _CHUNK_ROWS}).all():
        for number, stored in rows:
            # SQLite keeps JSON as text.
            definition = json.loads(stored) if isinstance(stored, str) else stored
            if definition and definition["scope_type"] == "public":
                _settle(connection, number, definition)
        after = rows[-1][0]


def _settle(connection: sa.Connection, number: int, definition: dict[str, Any]) -> None:
    source_id = definition["source_ipam_pool_id"]
    if source_id is None and definition["public_ip_source"] == "amazon":
        source_id = f"amazon-{definition['address_family']}"
    connection.execute(
        sa.text(
            "UPDATE ipam_pools SET definition = :definition, source_ipam_pool_id = :source,"
            " public_region = :region, space_number ="
            " (SELECT number FROM ipam_scopes WHERE ipam_scope_id = 'public')"
            " WHERE number = :number"
        ).bindparams(sa.bindparam("definition", type_=sa.JSON)),
        {
            "definition": {**definition, "source_ipam_pool_id": source_id},
            "source": source_id,
            "region": region_of(definition["locale"]),
            "number": number,
        },
    )
