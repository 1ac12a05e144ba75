"""IPAMs, and what lies under them."""

import sqlalchemy as sa

from services.control_plane.ipam import Tier
from services.control_plane.lifecycle import State
from services.control_plane.metering import MeteredAccount
from services.control_plane.pool import AwsService, PublicIpSource
from services.control_plane.scope import ScopeType
from services.control_plane.tables.base import AmazonBlockQuotas, OneOf, metadata, sequence
from shared.cidr import AddressFamily
from shared.persistence.column_types import Moment

ipams = sa.Table(
    "ipams",
    metadata,
    sequence(),
    sa.Column("ipam_id", sa.String(64), nullable=False, unique=True),
    sa.Column("owner_id", sa.String(64), nullable=False),
    sa.Column("region", sa.String(64), nullable=False),
    sa.Column("description", sa.String(255)),
    sa.Column("operating_regions", sa.JSON, nullable=False),
    sa.Column("tier", OneOf(Tier), nullable=False),
    sa.Column("enable_private_gua", sa.Boolean, nullable=False),
    sa.Column("metered_account", OneOf(MeteredAccount), nullable=False),
    # Null while the owner pays for all.
    sa.Column("costs_distributed_since", Moment),
    sa.Column("public_default_scope_id", sa.String(64), nullable=False),
    sa.Column("private_default_scope_id", sa.String(64), nullable=False),
    sa.Column("default_resource_discovery_id", sa.String(64), nullable=False),
    sa.Column("default_resource_discovery_association_id", sa.String(64), nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("cidr_quota", sa.Integer, nullable=False),
    sa.Column("amazon_block_quotas", AmazonBlockQuotas),
    sa.Column("state", OneOf(State), nullable=False),
    sa.Column("state_message", sa.Text),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("definition_version", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("owner_id", "region", name="one_ipam_per_account_and_region"),
)

scopes = sa.Table(
    "ipam_scopes",
    metadata,
    sequence(),
    sa.Column("ipam_scope_id", sa.String(64), nullable=False, unique=True),
    sa.Column("ipam_id", sa.ForeignKey("ipams.ipam_id"), nullable=False, index=True),
    sa.Column("owner_id", sa.String(64), nullable=False),
    sa.Column("ipam_region", sa.String(64), nullable=False),
    sa.Column("scope_type", OneOf(ScopeType), nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("description", sa.String(255)),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("state", OneOf(State), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Index("ix_ipam_scopes_owner_id_sequence", "owner_id", "sequence"),
)

pools = sa.Table(
    "ipam_pools",
    metadata,
    sequence(),
    sa.Column("ipam_pool_id", sa.String(64), nullable=False, unique=True),
    sa.Column("ipam_id", sa.ForeignKey("ipams.ipam_id"), nullable=False, index=True),
    sa.Column(
        "ipam_scope_id", sa.ForeignKey("ipam_scopes.ipam_scope_id"), nullable=False, index=True
    ),
    sa.Column("scope_type", OneOf(ScopeType), nullable=False),
    sa.Column("owner_id", sa.String(64), nullable=False),
    sa.Column("ipam_region", sa.String(64), nullable=False),
    sa.Column("source_ipam_pool_id", sa.ForeignKey("ipam_pools.ipam_pool_id"), index=True),
    sa.Column("depth", sa.Integer, nullable=False),
    sa.Column("address_family", OneOf(AddressFamily), nullable=False),
    sa.Column("locale", sa.String(64), nullable=False),
    sa.Column("description", sa.String(255)),
    sa.Column("publicly_advertisable", sa.Boolean),
    sa.Column("aws_service", OneOf(AwsService)),
    sa.Column("public_ip_source", OneOf(PublicIpSource)),
    # The three go together; null for pools that plan no VPC.
    sa.Column("resource_id", sa.String(64)),
    sa.Column("resource_region", sa.String(64)),
    sa.Column("resource_owner", sa.String(64)),
    sa.Column("min_netmask_length", sa.Integer),
    sa.Column("max_netmask_length", sa.Integer),
    sa.Column("default_netmask_length", sa.Integer),
    sa.Column("resource_tags", sa.JSON, nullable=False),
    sa.Column("auto_import", sa.Boolean, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("state", OneOf(State), nullable=False),
    sa.Column("state_message", sa.Text),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("definition_version", sa.BigInteger, nullable=False),
    sa.Index("ix_ipam_pools_owner_id_sequence", "owner_id", "sequence"),
)
