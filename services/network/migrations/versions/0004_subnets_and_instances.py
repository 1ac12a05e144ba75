"""Subnets, instances, network interfaces and their addresses; client tokens."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.client_tokens import create_client_token_table

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_subnets()
    _create_instances()
    _create_network_interfaces()
    _create_interface_addresses()
    create_client_token_table(op)


def _sequence() -> sa.Column[int]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("sequence", number, primary_key=True, autoincrement=True)


def _create_subnets() -> None:
    op.create_table(
        "subnets",
        _sequence(),
        sa.Column("subnet_id", sa.String(64), nullable=False, unique=True),
        sa.Column(
            "vpc_id", sa.String(64), sa.ForeignKey("vpcs.vpc_id"), nullable=False, index=True
        ),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("availability_zone", sa.String(64), nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Index("ix_subnets_owner_id_region_sequence", "owner_id", "region", "sequence"),
    )


def _create_instances() -> None:
    op.create_table(
        "instances",
        _sequence(),
        sa.Column("instance_id", sa.String(64), nullable=False, unique=True),
        sa.Column("reservation_id", sa.String(64), nullable=False),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("availability_zone", sa.String(64), nullable=False),
        sa.Column("image_id", sa.String(1024)),
        sa.Column("instance_type", sa.String(1024)),
        sa.Column("key_name", sa.String(1024)),
        sa.Column("launch_index", sa.Integer, nullable=False),
        sa.Column("launched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client_token", sa.String(128), nullable=False),
        sa.Column("terminated_at", sa.DateTime(timezone=True), index=True),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Index("ix_instances_owner_id_region_sequence", "owner_id", "region", "sequence"),
    )


def _create_network_interfaces() -> None:
    op.create_table(
        "network_interfaces",
        _sequence(),
        sa.Column("network_interface_id", sa.String(64), nullable=False, unique=True),
        sa.Column(
            "subnet_id",
            sa.String(64),
            sa.ForeignKey("subnets.subnet_id"),
            nullable=False,
            index=True,
        ),
        sa.Column("vpc_id", sa.String(64), nullable=False),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("availability_zone", sa.String(64), nullable=False),
        sa.Column("description", sa.String(255), nullable=False),
        sa.Column("groups", sa.JSON, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("attachment_id", sa.String(64), unique=True),
        sa.Column("instance_id", sa.String(64), sa.ForeignKey("instances.instance_id")),
        sa.Column("device_index", sa.Integer),
        sa.Column("delete_on_termination", sa.Boolean),
        sa.Column("attached_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("instance_id", "device_index"),
        sa.Index(
            "ix_network_interfaces_owner_id_region_sequence", "owner_id", "region", "sequence"
        ),
    )


def _create_interface_addresses() -> None:
    op.create_table(
        "interface_addresses",
        sa.Column("subnet_id", sa.String(64), primary_key=True),
        sa.Column("address", sa.String(64), primary_key=True),
        sa.Column(
            "network_interface_id",
            sa.String(64),
            sa.ForeignKey("network_interfaces.network_interface_id"),
            nullable=False,
            index=True,
        ),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("number", sa.BigInteger),
        sa.Index("ix_interface_addresses_subnet_id_number", "subnet_id", "number"),
    )
