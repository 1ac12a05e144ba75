"""IPAMs, scopes, pools, and the default resource discovery with its association."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.client_tokens import create_client_token_table
from shared.persistence.outbox import create_outbox_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_ipams()
    _create_scopes()
    _create_pools()
    _create_resource_discoveries()
    _create_resource_discovery_associations()
    create_client_token_table(op)
    create_outbox_table(op)


def _sequence() -> sa.Column[int]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("sequence", number, primary_key=True, autoincrement=True)


def _create_ipams() -> None:
    op.create_table(
        "ipams",
        _sequence(),
        sa.Column("ipam_id", sa.String(64), nullable=False, unique=True),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("description", sa.String(255)),
        sa.Column("operating_regions", sa.JSON, nullable=False),
        sa.Column("tier", sa.String(64), nullable=False),
        sa.Column("enable_private_gua", sa.Boolean, nullable=False),
        sa.Column("metered_account", sa.String(64), nullable=False),
        sa.Column("public_default_scope_id", sa.String(64), nullable=False),
        sa.Column("private_default_scope_id", sa.String(64), nullable=False),
        sa.Column("default_resource_discovery_id", sa.String(64), nullable=False),
        sa.Column("default_resource_discovery_association_id", sa.String(64), nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("cidr_quota", sa.Integer, nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("state_message", sa.Text),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("owner_id", "region", name="one_ipam_per_account_and_region"),
    )


def _create_scopes() -> None:
    op.create_table(
        "ipam_scopes",
        _sequence(),
        sa.Column("ipam_scope_id", sa.String(64), nullable=False, unique=True),
        sa.Column(
            "ipam_id", sa.String(64), sa.ForeignKey("ipams.ipam_id"), nullable=False, index=True
        ),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("ipam_region", sa.String(64), nullable=False),
        sa.Column("scope_type", sa.String(64), nullable=False),
        sa.Column("is_default", sa.Boolean, nullable=False),
        sa.Column("description", sa.String(255)),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_ipam_scopes_owner_id_sequence", "ipam_scopes", ["owner_id", "sequence"])


def _create_pools() -> None:
    op.create_table(
        "ipam_pools",
        _sequence(),
        sa.Column("ipam_pool_id", sa.String(64), nullable=False, unique=True),
        sa.Column(
            "ipam_id", sa.String(64), sa.ForeignKey("ipams.ipam_id"), nullable=False, index=True
        ),
        sa.Column(
            "ipam_scope_id",
            sa.String(64),
            sa.ForeignKey("ipam_scopes.ipam_scope_id"),
            nullable=False,
            index=True,
        ),
        sa.Column("scope_type", sa.String(64), nullable=False),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("ipam_region", sa.String(64), nullable=False),
        sa.Column(
            "source_ipam_pool_id",
            sa.String(64),
            sa.ForeignKey("ipam_pools.ipam_pool_id"),
            index=True,
        ),
        sa.Column("depth", sa.Integer, nullable=False),
        sa.Column("address_family", sa.String(64), nullable=False),
        sa.Column("locale", sa.String(64), nullable=False),
        sa.Column("description", sa.String(255)),
        sa.Column("publicly_advertisable", sa.Boolean),
        sa.Column("aws_service", sa.String(64)),
        sa.Column("public_ip_source", sa.String(64)),
        sa.Column("min_netmask_length", sa.Integer),
        sa.Column("max_netmask_length", sa.Integer),
        sa.Column("default_netmask_length", sa.Integer),
        sa.Column("resource_tags", sa.JSON, nullable=False),
        sa.Column("auto_import", sa.Boolean, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("state_message", sa.Text),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_ipam_pools_owner_id_sequence", "ipam_pools", ["owner_id", "sequence"])


def _create_resource_discoveries() -> None:
    op.create_table(
        "ipam_resource_discoveries",
        _sequence(),
        sa.Column("ipam_resource_discovery_id", sa.String(64), nullable=False, unique=True),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("is_default", sa.Boolean, nullable=False),
        sa.Column("operating_regions", sa.JSON, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
    )


def _create_resource_discovery_associations() -> None:
    op.create_table(
        "ipam_resource_discovery_associations",
        _sequence(),
        sa.Column(
            "ipam_resource_discovery_association_id", sa.String(64), nullable=False, unique=True
        ),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column(
            "ipam_id", sa.String(64), sa.ForeignKey("ipams.ipam_id"), nullable=False, index=True
        ),
        sa.Column(
            "ipam_resource_discovery_id",
            sa.String(64),
            sa.ForeignKey("ipam_resource_discoveries.ipam_resource_discovery_id"),
            nullable=False,
        ),
        sa.Column("is_default", sa.Boolean, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
    )
