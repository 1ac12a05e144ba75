"""The tables of this context. Ids are random, so a sequence says what is older."""

import sqlalchemy as sa

from shared.persistence.audit_trail import audit_table
from shared.persistence.client_tokens import client_token_table

metadata = sa.MetaData()


def _sequence() -> sa.Column[int]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("sequence", number, primary_key=True, autoincrement=True)


def _owner() -> tuple[sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
    )


def _listed_by_owner(table: str) -> sa.Index:
    return sa.Index(f"ix_{table}_owner_id_region_sequence", "owner_id", "region", "sequence")


def _holder(*, is_indexed: bool = False) -> tuple[sa.Column[str], ...]:
    """The resource that has a block, and whose it is."""
    return (
        sa.Column("resource_id", sa.String(64), nullable=False, index=is_indexed),
        sa.Column("resource_type", sa.String(64), nullable=False),
        *_owner(),
    )


vpcs = sa.Table(
    "vpcs",
    metadata,
    _sequence(),
    sa.Column("vpc_id", sa.String(64), nullable=False, unique=True),
    *_owner(),
    sa.Column("instance_tenancy", sa.String(64), nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("enable_dns_support", sa.Boolean, nullable=False),
    sa.Column("enable_dns_hostnames", sa.Boolean, nullable=False),
    sa.Column("enable_network_address_usage_metrics", sa.Boolean, nullable=False),
    _listed_by_owner("vpcs"),
)

# The default network ACL, main route table and default security group of each VPC.
vpc_defaults = sa.Table(
    "vpc_defaults",
    metadata,
    _sequence(),
    sa.Column("resource_id", sa.String(64), nullable=False, unique=True),
    sa.Column("resource_type", sa.String(64), nullable=False),
    sa.Column("vpc_id", sa.String(64), sa.ForeignKey("vpcs.vpc_id"), nullable=False),
    *_owner(),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.UniqueConstraint("vpc_id", "resource_type"),
    _listed_by_owner("vpc_defaults"),
)

subnets = sa.Table(
    "subnets",
    metadata,
    _sequence(),
    sa.Column("subnet_id", sa.String(64), nullable=False, unique=True),
    sa.Column("vpc_id", sa.String(64), sa.ForeignKey("vpcs.vpc_id"), nullable=False, index=True),
    *_owner(),
    sa.Column("availability_zone", sa.String(64), nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("assign_ipv6_address_on_creation", sa.Boolean, nullable=False),
    sa.Column("map_public_ip_on_launch", sa.Boolean, nullable=False),
    sa.Column("enable_dns64", sa.Boolean, nullable=False),
    sa.Column("private_dns_hostname_type_on_launch", sa.String(64), nullable=False),
    sa.Column("enable_resource_name_dns_a_record_on_launch", sa.Boolean, nullable=False),
    sa.Column("enable_resource_name_dns_aaaa_record_on_launch", sa.Boolean, nullable=False),
    _listed_by_owner("subnets"),
)

instances = sa.Table(
    "instances",
    metadata,
    _sequence(),
    sa.Column("instance_id", sa.String(64), nullable=False, unique=True),
    sa.Column("reservation_id", sa.String(64), nullable=False),
    *_owner(),
    sa.Column("availability_zone", sa.String(64), nullable=False),
    sa.Column("image_id", sa.String(1024)),
    sa.Column("instance_type", sa.String(1024)),
    sa.Column("key_name", sa.String(1024)),
    sa.Column("launch_index", sa.Integer, nullable=False),
    sa.Column("launched_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("client_token", sa.String(128), nullable=False),
    sa.Column("terminated_at", sa.DateTime(timezone=True), index=True),
    sa.Column("tags", sa.JSON, nullable=False),
    _listed_by_owner("instances"),
)

network_interfaces = sa.Table(
    "network_interfaces",
    metadata,
    _sequence(),
    sa.Column("network_interface_id", sa.String(64), nullable=False, unique=True),
    sa.Column(
        "subnet_id", sa.String(64), sa.ForeignKey("subnets.subnet_id"), nullable=False, index=True
    ),
    sa.Column("vpc_id", sa.String(64), nullable=False),
    *_owner(),
    sa.Column("availability_zone", sa.String(64), nullable=False),
    sa.Column("description", sa.String(255), nullable=False),
    sa.Column("groups", sa.JSON, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    # The attachment; null when there is none.
    sa.Column("attachment_id", sa.String(64), unique=True),
    sa.Column("instance_id", sa.String(64), sa.ForeignKey("instances.instance_id")),
    sa.Column("device_index", sa.Integer),
    sa.Column("delete_on_termination", sa.Boolean),
    sa.Column("attached_at", sa.DateTime(timezone=True)),
    sa.UniqueConstraint("instance_id", "device_index"),
    _listed_by_owner("network_interfaces"),
)

interface_addresses = sa.Table(
    "interface_addresses",
    metadata,
    sa.Column("subnet_id", sa.String(64), primary_key=True),
    sa.Column("address", sa.String(64), primary_key=True),
    sa.Column(
        "network_interface_id",
        sa.String(64),
        sa.ForeignKey("network_interfaces.network_interface_id"),
        nullable=False,
        index=True,
    ),
    # Its place among the interface's addresses of its family; 0 is the primary one.
    sa.Column("position", sa.Integer, nullable=False),
    # The IPv4 address as a number, to find those that are free; null for IPv6.
    sa.Column("number", sa.BigInteger),
    sa.Index("ix_interface_addresses_subnet_id_number", "subnet_id", "number"),
)

# Public addresses are numbers here, to be found by range.
public_ipv4_pools = sa.Table(
    "public_ipv4_pools",
    metadata,
    _sequence(),
    sa.Column("pool_id", sa.String(64), nullable=False, unique=True),
    *_owner(),
    sa.Column("description", sa.String(1024), nullable=False),
    sa.Column("network_border_group", sa.String(64), nullable=False),
    sa.Column("is_byoip", sa.Boolean, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Index("ix_public_ipv4_pools_owner_id_sequence", "owner_id", "sequence"),
)

# What is left of the blocks of public IPv4 pools.
public_ipv4_pool_ranges = sa.Table(
    "public_ipv4_pool_ranges",
    metadata,
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

# Home regions of the IPAMs that pools have, or had, space of.
public_ipv4_pool_ipam_regions = sa.Table(
    "public_ipv4_pool_ipam_regions",
    metadata,
    sa.Column(
        "pool_id", sa.String(64), sa.ForeignKey("public_ipv4_pools.pool_id"), primary_key=True
    ),
    sa.Column("region", sa.String(64), primary_key=True),
)

addresses = sa.Table(
    "addresses",
    metadata,
    _sequence(),
    sa.Column("allocation_id", sa.String(64), nullable=False, unique=True),
    *_owner(),
    # No address is there twice, whoever asks for it at once.
    sa.Column("public_ip", sa.BigInteger, nullable=False, unique=True),
    sa.Column("public_ipv4_pool", sa.String(64), nullable=False),
    sa.Column("network_border_group", sa.String(64), nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    # The association; null when there is none.
    sa.Column("association_id", sa.String(64), unique=True),
    sa.Column(
        "network_interface_id",
        sa.String(64),
        sa.ForeignKey("network_interfaces.network_interface_id"),
    ),
    sa.Column("private_address", sa.String(64)),
    sa.UniqueConstraint("network_interface_id", "private_address"),
    _listed_by_owner("addresses"),
    sa.Index("ix_addresses_public_ipv4_pool_public_ip", "public_ipv4_pool", "public_ip"),
)

address_transfers = sa.Table(
    "address_transfers",
    metadata,
    _sequence(),
    # No foreign key: what was accepted is told for a while, also when the address is gone.
    sa.Column("allocation_id", sa.String(64), nullable=False, index=True),
    sa.Column("public_ip", sa.BigInteger, nullable=False, index=True),
    *_owner(),
    sa.Column("transfer_account_id", sa.String(64), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("accepted_at", sa.DateTime(timezone=True)),
    _listed_by_owner("address_transfers"),
)

prefix_lists = sa.Table(
    "prefix_lists",
    metadata,
    _sequence(),
    sa.Column("prefix_list_id", sa.String(64), nullable=False, unique=True),
    *_owner(),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("address_family", sa.String(64), nullable=False),
    sa.Column("max_entries", sa.Integer, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(64), nullable=False),
    sa.Column("state_message", sa.String(1024)),
    sa.Column("resolver_target_id", sa.String(64)),
    sa.Column("is_synchronised", sa.Boolean, nullable=False),
    _listed_by_owner("prefix_lists"),
)

# A version's entries are read and written as one: each is a CIDR, and a description or null.
prefix_list_versions = sa.Table(
    "prefix_list_versions",
    metadata,
    sa.Column(
        "prefix_list_id",
        sa.String(64),
        sa.ForeignKey("prefix_lists.prefix_list_id"),
        primary_key=True,
    ),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("entries", sa.JSON, nullable=False),
)

# The blocks of resources of all kinds.
cidr_associations = sa.Table(
    "cidr_associations",
    metadata,
    _sequence(),
    sa.Column("association_id", sa.String(64), nullable=False, unique=True),
    *_holder(is_indexed=True),
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
    *_holder(),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("is_abandoned", sa.Boolean, nullable=False),
)

changes = sa.Table(
    "changes",
    metadata,
    _sequence(),
    sa.Column("kind", sa.Integer, nullable=False),
    sa.Column("association_id", sa.String(64), nullable=False),
    *_holder(),
    sa.Column("cidr", sa.String(64), nullable=False),
    sa.Column("ipam_pool_allocation_id", sa.String(64)),
    # Numbers of the feed are never given twice, also not after the newest rows were deleted.
    sqlite_autoincrement=True,
)

client_tokens = client_token_table(metadata)

audit_events = audit_table(metadata)
