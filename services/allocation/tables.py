"""The tables of the ledger; the invariants they guard by themselves are in the migration.

Pools and scopes go by a short number in here: it is the prefix of every address in an index.
"""

import sqlalchemy as sa

from shared.cidr import KEY_BYTES
from shared.persistence.audit_trail import audit_table
from shared.persistence.client_tokens import client_token_table

metadata = sa.MetaData()

_ID = sa.String(64)
_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Counts of IPv6 addresses overflow every integer type: decimal digits.
_ADDRESSES = sa.String(39)
_KEY = sa.LargeBinary(KEY_BYTES)

# And the other spaces in which CIDRs of top-level pools never overlap: public space, and VPCs.
scopes = sa.Table(
    "ipam_scopes",
    metadata,
    sa.Column("number", _COUNT, primary_key=True, autoincrement=True),
    sa.Column("ipam_scope_id", _ID, nullable=False, unique=True),
    # Grows with every change of what resources are seen to occupy there.
    sa.Column("observed_version", _COUNT, nullable=False, server_default="0"),
    # Of public space: grows with every CIDR that comes to wait for proof of control.
    sa.Column("waiting_sequence", _COUNT, nullable=False, server_default="0"),
)

pools = sa.Table(
    "ipam_pools",
    metadata,
    sa.Column("number", _COUNT, primary_key=True, autoincrement=True),
    sa.Column("ipam_pool_id", _ID, nullable=False, unique=True),
    # Grows with every change of what the pool holds: tells whether what is cached still holds.
    sa.Column("version", _COUNT, nullable=False),
    # A retired pool stays as a tombstone, so that a late definition can't revive it.
    sa.Column("is_retired", sa.Boolean, nullable=False),
    # Null where a pool was retired before it was defined; so are the members searched for below.
    sa.Column("definition", sa.JSON),
    sa.Column("definition_version", _COUNT),
    # Null where the owner said nothing.
    sa.Column("placement", sa.JSON),
    sa.Column("ipam_id", _ID),
    sa.Column("owner_id", _ID),
    sa.Column("ipam_region", _ID),
    sa.Column("source_ipam_pool_id", _ID, index=True),
    sa.Column("scope_number", sa.ForeignKey("ipam_scopes.number")),
    # Where its CIDRs are unique, if it is a top-level pool.
    sa.Column("space_number", sa.ForeignKey("ipam_scopes.number")),
    # Of public pools: the region that the locale is, or lies in, or that it is none.
    sa.Column("public_region", _ID),
    sa.Column("total_addresses", _ADDRESSES, nullable=False),
    sa.Column("allocated_addresses", _ADDRESSES, nullable=False),
    sa.Column("assigned_addresses", _ADDRESSES, nullable=False),
    sa.Column("cidr_count", _COUNT, nullable=False),
    sa.Column("allocation_count", _COUNT, nullable=False),
    # How the free space lies: of this version of the pool, and until something set aside ends.
    # Whoever changes a pool without noting them leaves them behind, and then they don't count.
    sa.Column("free_version", _COUNT),
    sa.Column("free_block_count", _COUNT),
    sa.Column("largest_free_netmask_length", sa.Integer),
    sa.Column("free_addresses", _ADDRESSES),
    sa.Column("free_until", sa.DateTime(timezone=True)),
    sa.Index("ix_ipam_pools_owner_id_ipam_region_number", "owner_id", "ipam_region", "number"),
)

# Tombstones, which only ever get more, are not in the way of an IPAM's pools.
sa.Index(
    "ix_ipam_pools_ipam_id_ipam_pool_id",
    pools.c.ipam_id,
    pools.c.ipam_pool_id,
    unique=True,
    sqlite_where=~pools.c.is_retired,
    postgresql_where=~pools.c.is_retired,
)
_is_public = pools.c.public_region.is_not(None)
sa.Index(
    "ix_ipam_pools_public_region",
    pools.c.public_region,
    sqlite_where=_is_public,
    postgresql_where=_is_public,
)

# And what is set aside: its rows have the reason as type of resource, and expire.
allocations = sa.Table(
    "ipam_pool_allocations",
    metadata,
    sa.Column("ipam_pool_allocation_id", _ID, primary_key=True),
    sa.Column("pool_number", sa.ForeignKey("ipam_pools.number"), nullable=False),
    sa.Column("first_key", _KEY, nullable=False),
    sa.Column("last_key", _KEY, nullable=False),
    sa.Column("prefix_length", sa.Integer, nullable=False),
    sa.Column("resource_type", _ID, nullable=False),
    sa.Column("resource_id", sa.String(1024)),
    sa.Column("resource_region", _ID),
    sa.Column("resource_owner", _ID, nullable=False),
    sa.Column("description", sa.String(255)),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("allocated_by", _ID),
    sa.Column("client_token", sa.String(128)),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True)),
    sa.UniqueConstraint("pool_number", "first_key", name="one_allocation_per_address"),
)
is_allocated = allocations.c.expires_at.is_(None)
is_set_aside = allocations.c.expires_at.is_not(None)
sa.Index(
    "ix_ipam_pool_allocations_set_aside",
    allocations.c.pool_number,
    allocations.c.first_key,
    sqlite_where=is_set_aside,
    postgresql_where=is_set_aside,
)
sa.Index(
    "ix_ipam_pool_allocations_allocated_by",
    allocations.c.allocated_by,
    allocations.c.ipam_pool_allocation_id,
    sqlite_where=allocations.c.allocated_by.is_not(None),
    postgresql_where=allocations.c.allocated_by.is_not(None),
)

pool_cidrs = sa.Table(
    "ipam_pool_cidrs",
    metadata,
    sa.Column("ipam_pool_cidr_id", _ID, primary_key=True),
    sa.Column("pool_number", sa.ForeignKey("ipam_pools.number"), nullable=False),
    # Of the pool's space.
    sa.Column("scope_number", sa.ForeignKey("ipam_scopes.number"), nullable=False),
    sa.Column("first_key", _KEY, nullable=False),
    sa.Column("last_key", _KEY, nullable=False),
    sa.Column("prefix_length", sa.Integer, nullable=False),
    sa.Column("state", _ID, nullable=False),
    # An allocation can't go while a pool has it as CIDR.
    sa.Column(
        "parent_allocation_id",
        sa.ForeignKey("ipam_pool_allocations.ipam_pool_allocation_id"),
        unique=True,
    ),
    # Account and region of a range that was brought along without an IPAM.
    sa.Column("brought_by", _ID),
    sa.Column("brought_to", _ID),
    # Why it can't be deprovisioned, though nothing is allocated in it.
    sa.Column("pinned_for", sa.String(255)),
    sa.UniqueConstraint("pool_number", "first_key", "prefix_length", name="one_row_per_cidr"),
)
_is_top_level = sa.and_(
    pool_cidrs.c.state == "provisioned", pool_cidrs.c.parent_allocation_id.is_(None)
)
sa.Index(
    "ix_ipam_pool_cidrs_top_level",
    pool_cidrs.c.scope_number,
    pool_cidrs.c.first_key,
    sqlite_where=_is_top_level,
    postgresql_where=_is_top_level,
)

# What waits for proof of control, under the id that it has once it is the pool's, and what failed.
pending_cidrs = sa.Table(
    "ipam_pending_cidrs",
    metadata,
    sa.Column("ipam_pool_cidr_id", _ID, primary_key=True),
    sa.Column("pool_number", sa.ForeignKey("ipam_pools.number"), nullable=False),
    sa.Column("first_key", _KEY, nullable=False),
    sa.Column("last_key", _KEY, nullable=False),
    sa.Column("prefix_length", sa.Integer, nullable=False),
    # Given under the lock of public space, so that it grows from commit to commit. Null: it failed.
    sa.Column("sequence", _COUNT, unique=True),
    sa.Column("verification_method", _ID, nullable=False),
    sa.Column("message", sa.String(1024)),
    sa.Column("signature", sa.String(1024)),
    sa.Column("token_id", sa.String(1024)),
    sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("failure_code", _ID),
    sa.Column("failure_message", sa.Text),
    sa.UniqueConstraint("pool_number", "first_key", "prefix_length", name="one_request_per_cidr"),
)

# Append-only: what every batch did to every pool, in the order in which it was done.
changes = sa.Table(
    "ipam_ledger_changes",
    metadata,
    sa.Column("sequence", _COUNT, primary_key=True, autoincrement=True),
    sa.Column("pool_number", sa.ForeignKey("ipam_pools.number"), nullable=False),
    # The pool's, once this was done: without a gap from one row of a pool to its next.
    sa.Column("pool_version", _COUNT, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
    sa.UniqueConstraint("pool_number", "pool_version", name="one_change_per_version"),
)

# The free blocks of a pool as they were at a version; what came later is in the changes.
snapshots = sa.Table(
    "ipam_pool_snapshots",
    metadata,
    sa.Column("pool_number", sa.ForeignKey("ipam_pools.number"), primary_key=True),
    sa.Column("pool_version", _COUNT, nullable=False),
    sa.Column("free_blocks", sa.LargeBinary, nullable=False),
)

# One row, number 1. While changes are lost, up to this one, nothing is decided (BEY-14).
ledger = sa.Table(
    "ipam_ledger",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("ledger_id", _ID, nullable=False),
    sa.Column("lost_up_to", _COUNT),
)

observed_cidrs = sa.Table(
    "ipam_observed_cidrs",
    metadata,
    sa.Column("scope_number", sa.ForeignKey("ipam_scopes.number"), primary_key=True),
    sa.Column("resource_id", sa.String(1024), primary_key=True),
    sa.Column("first_key", _KEY, primary_key=True),
    sa.Column("prefix_length", sa.Integer, primary_key=True),
)

vpc_cidrs = sa.Table(
    "ipam_vpc_cidrs",
    metadata,
    sa.Column("vpc_id", _ID, primary_key=True),
    sa.Column("first_key", _KEY, primary_key=True),
    sa.Column("prefix_length", sa.Integer, primary_key=True),
    sa.Column("owner_id", _ID, nullable=False),
    sa.Column("region", _ID, nullable=False),
)

# One that is deleted stays, without accounts, so that a late definition can't revive it.
policies = sa.Table(
    "ipam_policies",
    metadata,
    sa.Column("ipam_policy_id", _ID, primary_key=True),
    sa.Column("version", _COUNT, nullable=False),
    sa.Column("rules", sa.JSON, nullable=False),
)

policy_accounts = sa.Table(
    "ipam_policy_accounts",
    metadata,
    sa.Column("account_id", _ID, primary_key=True),
    sa.Column(
        "ipam_policy_id",
        sa.ForeignKey("ipam_policies.ipam_policy_id"),
        primary_key=True,
        index=True,
    ),
)

audit_events = audit_table(metadata)
client_tokens = client_token_table(metadata)
# The literal, for an index serves the condition that it was made with.
is_forgettable = client_tokens.c.operation != sa.literal_column("'AllocateResourceCidr'")
sa.Index(
    "ix_client_token_created_at",
    client_tokens.c.created_at,
    sqlite_where=is_forgettable,
    postgresql_where=is_forgettable,
)
