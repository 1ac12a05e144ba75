"""Public IPv4 pools, elastic IP addresses and their transfers."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_public_ipv4_pools()
    _create_public_ipv4_pool_ranges()
    _create_public_ipv4_pool_ipam_regions()
    _create_addresses()
    _create_address_transfers()


def _sequence() -> sa.Column[int]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("sequence", number, primary_key=True, autoincrement=True)


def _create_public_ipv4_pools() -> None:
    op.create_table(
        "public_ipv4_pools",
        _sequence(),
        sa.Column("pool_id", sa.String(64), nullable=False, unique=True),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("description", sa.String(1024), nullable=False),
        sa.Column("network_border_group", sa.String(64), nullable=False),
        sa.Column("is_byoip", sa.Boolean, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Index("ix_public_ipv4_pools_owner_id_sequence", "owner_id", "sequence"),
    )


def _create_public_ipv4_pool_ranges() -> None:
    op.create_table(
        "public_ipv4_pool_ranges",
        sa.Column(
            "association_id",
            sa.String(64),
            sa.ForeignKey("cidr_associations.association_id"),
            primary_key=True,
        ),
        sa.Column(
            "pool_id",
            sa.String(64),
            sa.ForeignKey("public_ipv4_pools.pool_id"),
            nullable=False,
            index=True,
        ),
        sa.Column("first_address", sa.BigInteger, nullable=False, unique=True),
        sa.Column("last_address", sa.BigInteger, nullable=False),
    )


def _create_public_ipv4_pool_ipam_regions() -> None:
    op.create_table(
        "public_ipv4_pool_ipam_regions",
        sa.Column(
            "pool_id", sa.String(64), sa.ForeignKey("public_ipv4_pools.pool_id"), primary_key=True
        ),
        sa.Column("region", sa.String(64), primary_key=True),
    )


def _create_addresses() -> None:
    op.create_table(
        "addresses",
        _sequence(),
        sa.Column("allocation_id", sa.String(64), nullable=False, unique=True),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("public_ip", sa.BigInteger, nullable=False, unique=True),
        sa.Column("public_ipv4_pool", sa.String(64), nullable=False),
        sa.Column("network_border_group", sa.String(64), nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("association_id", sa.String(64), unique=True),
        sa.Column(
            "network_interface_id",
            sa.String(64),
            sa.ForeignKey("network_interfaces.network_interface_id"),
        ),
        sa.Column("private_address", sa.String(64)),
        sa.UniqueConstraint("network_interface_id", "private_address"),
        sa.Index("ix_addresses_owner_id_region_sequence", "owner_id", "region", "sequence"),
        sa.Index("ix_addresses_public_ipv4_pool_public_ip", "public_ipv4_pool", "public_ip"),
    )


def _create_address_transfers() -> None:
    op.create_table(
        "address_transfers",
        _sequence(),
        sa.Column("allocation_id", sa.String(64), nullable=False, index=True),
        sa.Column("public_ip", sa.BigInteger, nullable=False, index=True),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("transfer_account_id", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True)),
        sa.Index("ix_address_transfers_owner_id_region_sequence", "owner_id", "region", "sequence"),
    )
