"""The tables of this context. Ids are random, so a sequence says what is older."""

import sqlalchemy as sa

from shared.persistence.audit_trail import audit_table

metadata = sa.MetaData()


def _sequence() -> sa.Column[int]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("sequence", number, primary_key=True, autoincrement=True)


vpcs = sa.Table(
    "vpcs",
    metadata,
    _sequence(),
    sa.Column("vpc_id", sa.String(64), nullable=False, unique=True),
    sa.Column("owner_id", sa.String(64), nullable=False),
    sa.Column("region", sa.String(64), nullable=False),
    sa.Column("instance_tenancy", sa.String(64), nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("enable_dns_support", sa.Boolean, nullable=False),
    sa.Column("enable_dns_hostnames", sa.Boolean, nullable=False),
    sa.Column("enable_network_address_usage_metrics", sa.Boolean, nullable=False),
    sa.Index("ix_vpcs_owner_id_region_sequence", "owner_id", "region", "sequence"),
)

# The blocks of resources of all kinds.
cidr_associations = sa.Table(
    "cidr_associations",
    metadata,
    _sequence(),
    sa.Column("association_id", sa.String(64), nullable=False, unique=True),
    sa.Column("resource_id", sa.String(64), nullable=False, index=True),
    sa.Column("resource_type", sa.String(64), nullable=False),
    sa.Column("owner_id", sa.String(64), nullable=False),
    sa.Column("region", sa.String(64), nullable=False),
    sa.Column("cidr", sa.String(64), nullable=False),
    sa.Column("ipam_pool_id", sa.String(64)),
    sa.Column("ipam_pool_allocation_id", sa.String(64)),
    sa.Column("source_pool", sa.JSON),
)

# What may be allocated at the ledger and belongs to nobody yet; see service/undertaking.py.
pending_cidr_associations = sa.Table(
    "pending_cidr_associations",
    metadata,
    sa.Column("association_id", sa.String(64), primary_key=True),
    sa.Column("resource_id", sa.String(64), nullable=False),
    sa.Column("resource_type", sa.String(64), nullable=False),
    sa.Column("owner_id", sa.String(64), nullable=False),
    sa.Column("region", sa.String(64), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("is_abandoned", sa.Boolean, nullable=False),
)

changes = sa.Table(
    "changes",
    metadata,
    _sequence(),
    sa.Column("kind", sa.Integer, nullable=False),
    sa.Column("association_id", sa.String(64), nullable=False),
    sa.Column("resource_id", sa.String(64), nullable=False),
    sa.Column("resource_type", sa.String(64), nullable=False),
    sa.Column("owner_id", sa.String(64), nullable=False),
    sa.Column("region", sa.String(64), nullable=False),
    sa.Column("cidr", sa.String(64), nullable=False),
    sa.Column("ipam_pool_allocation_id", sa.String(64)),
    # Numbers of the feed are never given twice, also not after the newest rows were deleted.
    sqlite_autoincrement=True,
)

audit_events = audit_table(metadata)
