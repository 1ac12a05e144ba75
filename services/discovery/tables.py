"""The tables of this context.

What is there is kept by source, account and region (`inventories` and what belongs to them), once
for all IPAMs. What it is to an IPAM, and was, is in `records`: of each resource CIDR one that has
not ended, and those that have (HIST-1). Words are AWS's; hot columns are plain, for their number.
"""

import sqlalchemy as sa

from shared.cidr import KEY_BYTES
from shared.persistence.client_tokens import client_token_table
from shared.persistence.column_types import Moment
from shared.persistence.outbox import outbox_table

metadata = sa.MetaData()

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WORD = sa.String(64)
_KEY = sa.LargeBinary(KEY_BYTES)

# How far discovery has come with the change feed of each source.
progress = sa.Table(
    "progress",
    metadata,
    sa.Column("source", _WORD, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("last_successful_pass_time", sa.DateTime(timezone=True)),
)

inventories = sa.Table(
    "inventories",
    metadata,
    sa.Column("inventory_id", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("source", _WORD, nullable=False),
    sa.Column("account_id", _WORD, nullable=False),
    sa.Column("region", _WORD, nullable=False),
    sa.Column("last_attempted_at", Moment, nullable=False),
    # Of the snapshot that it shows.
    sa.Column("last_successful_at", Moment),
    # Of the last attempt, when it failed.
    sa.Column("failure_code", _WORD),
    sa.Column("failure_message", sa.String(2048)),
    # Of all that the snapshot told; the next one that has it changes nothing.
    sa.Column("digest", sa.LargeBinary(32)),
    # Addresses and prefixes on attached interfaces (ACC-3).
    sa.Column("active_ip_count", _NUMBER, nullable=False),
    # Grows with every change of what it shows.
    sa.Column("version", _NUMBER, nullable=False),
    sa.UniqueConstraint("source", "account_id", "region"),
    # A number is never given twice: records name it when it is gone.
    sqlite_autoincrement=True,
)

resource_cidrs = sa.Table(
    "resource_cidrs",
    metadata,
    sa.Column("row_id", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("inventory_id", sa.ForeignKey("inventories.inventory_id"), nullable=False),
    # Whether it is told of as a resource's CIDR; the others are for histories.
    sa.Column("is_monitored", sa.Boolean, nullable=False),
    sa.Column("resource_type", _WORD, nullable=False),
    # With type and CIDR, what tells it from others of the inventory; see `ResourceKey`.
    sa.Column("anchor_id", sa.String(255), nullable=False),
    sa.Column("first_address", _KEY, nullable=False),
    sa.Column("prefix_length", sa.Integer, nullable=False),
    # Of all members below and the key: tells whether anything changed.
    sa.Column("fingerprint", sa.LargeBinary(16), nullable=False),
    sa.Column("resource_id", sa.String(255), nullable=False),
    sa.Column("owner_id", _WORD, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("name", sa.String(256)),
    sa.Column("vpc_id", sa.String(255)),
    sa.Column("subnet_id", sa.String(255)),
    sa.Column("availability_zone_id", _WORD),
    sa.Column("container_id", sa.String(255)),
    sa.Column("ip_source", _WORD, nullable=False),
    sa.Column("ip_usage", sa.Float),
    sa.Column("is_attached", sa.Boolean),
    sa.Index(
        "one_of_an_inventory",
        *("inventory_id", "resource_type", "anchor_id", "first_address", "prefix_length"),
        unique=True,
    ),
    sa.Index("ix_resource_cidrs_monitored", "is_monitored", "inventory_id", "row_id"),
    sqlite_autoincrement=True,
)

public_addresses = sa.Table(
    "public_addresses",
    metadata,
    sa.Column("inventory_id", sa.ForeignKey("inventories.inventory_id"), primary_key=True),
    # The IPv4 address as a number.
    sa.Column("address", sa.BigInteger, primary_key=True),
    sa.Column("fingerprint", sa.LargeBinary(16), nullable=False),
    sa.Column("address_type", _WORD, nullable=False),
    sa.Column("association_status", _WORD, nullable=False),
    sa.Column("public_ipv4_pool_id", sa.String(255)),
    # The other members of `PublicAddress`.
    sa.Column("details", sa.JSON, nullable=False),
)

# What an IPAM's owner has said about resource CIDRs (MON-5, MON-6).
markings = sa.Table(
    "markings",
    metadata,
    sa.Column("ipam_id", _WORD, primary_key=True),
    sa.Column("region", _WORD, primary_key=True),
    sa.Column("resource_id", sa.String(255), primary_key=True),
    sa.Column("first_address", _KEY, primary_key=True),
    sa.Column("prefix_length", sa.Integer, primary_key=True),
    sa.Column("is_ignored", sa.Boolean, nullable=False),
    # Where it was moved to; null: never.
    sa.Column("ipam_scope_id", _WORD),
)

# What resource CIDRs are to IPAMs, from when to when.
records = sa.Table(
    "records",
    metadata,
    sa.Column("record_id", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("ipam_id", _WORD, nullable=False),
    sa.Column("ipam_scope_id", _WORD, nullable=False),
    # No foreign keys: what was stays when it is gone.
    sa.Column("inventory_id", _NUMBER, nullable=False),
    sa.Column("row_id", _NUMBER, nullable=False),
    sa.Column("is_monitored", sa.Boolean, nullable=False),
    sa.Column("resource_type", _WORD, nullable=False),
    sa.Column("resource_id", sa.String(255), nullable=False),
    sa.Column("owner_id", _WORD, nullable=False),
    sa.Column("region", _WORD, nullable=False),
    sa.Column("first_address", _KEY, nullable=False),
    sa.Column("prefix_length", sa.Integer, nullable=False),
    sa.Column("name", sa.String(256)),
    sa.Column("vpc_id", sa.String(255)),
    sa.Column("management_state", _WORD),
    sa.Column("compliance_status", _WORD),
    sa.Column("overlap_status", _WORD),
    # Of the allocation that it has.
    sa.Column("ipam_pool_id", _WORD),
    # Rules of the pool that it breaks, separated by commas.
    sa.Column("broken_rules", sa.String(255), nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Index("ix_records_history", "ipam_scope_id", "first_address", "prefix_length", "record_id"),
    sa.Index(
        "one_record_now",
        *("ipam_id", "is_monitored", "inventory_id", "row_id"),
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    ),
    sa.Index(
        "ix_records_now",
        *("ipam_scope_id", "is_monitored", "first_address", "prefix_length", "record_id"),
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    ),
    # Interfaces and instances are none whose usage is asked for, and most of all.
    sa.Index(
        "ix_records_resources",
        *("ipam_scope_id", "is_monitored", "resource_type", "resource_id", "first_address"),
        sqlite_where=sa.text("ended_at IS NULL AND is_monitored = 1"),
        postgresql_where=sa.text("ended_at IS NULL AND is_monitored"),
    ),
    sa.Index(
        "ix_records_ended_at",
        "ended_at",
        sqlite_where=sa.text("ended_at IS NOT NULL"),
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

# IPAMs that resources were evaluated for.
evaluations = sa.Table(
    "evaluations",
    metadata,
    sa.Column("ipam_id", _WORD, primary_key=True),
    # Grows with every evaluation that is saved: of two at a time one begins anew.
    sa.Column("version", _NUMBER, nullable=False),
    sa.Column("evaluated_at", Moment),
)

# Up to which change an IPAM's records have what is not monitored of an inventory.
remembered = sa.Table(
    "remembered",
    metadata,
    sa.Column("ipam_id", _WORD, primary_key=True),
    sa.Column("inventory_id", _NUMBER, primary_key=True),
    sa.Column("version", _NUMBER, nullable=False),
)

# Where what is allocated and what is there differ (BEY-10).
discrepancies = sa.Table(
    "discrepancies",
    metadata,
    sa.Column("discrepancy_id", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("ipam_id", _WORD, nullable=False, index=True),
    sa.Column("kind", _WORD, nullable=False),
    sa.Column("ipam_scope_id", _WORD, nullable=False),
    sa.Column("ipam_pool_id", _WORD, nullable=False),
    sa.Column("first_address", _KEY, nullable=False),
    sa.Column("prefix_length", sa.Integer, nullable=False),
    sa.Column("resource_id", sa.String(255), nullable=False),
    sa.Column("owner_id", _WORD, nullable=False),
    sa.Column("region", _WORD, nullable=False),
    sa.Column("ipam_pool_allocation_id", _WORD),
    sa.Column("message", sa.String(1024), nullable=False),
    sa.Column("found_at", Moment, nullable=False),
)

# Up to when the active addresses of each IPAM were metered (ACC-3).
meters = sa.Table(
    "meters",
    metadata,
    sa.Column("ipam_id", _WORD, primary_key=True),
    sa.Column("metered_at", Moment, nullable=False),
    # What was read then: who has addresses, who pays for them, how many. They are read together.
    sa.Column("reading", sa.JSON, nullable=False),
    # Of all that was metered since there is a meter.
    sa.Column("milliseconds", _NUMBER, nullable=False),
)

# What active addresses are charged for. Without foreign keys: it stays when its IPAM is gone.
active_ip_usage = sa.Table(
    "active_ip_usage",
    metadata,
    sa.Column("ipam_id", _WORD, primary_key=True),
    sa.Column("started_at", Moment, primary_key=True),
    # Of the day that begins then; otherwise of the hour.
    sa.Column("is_whole_day", sa.Boolean, primary_key=True),
    sa.Column("resource_owner_id", _WORD, primary_key=True),
    sa.Column("payer_id", _WORD, primary_key=True),
    # As they were when it was metered.
    sa.Column("ipam_owner_id", _WORD, nullable=False),
    sa.Column("ipam_region", _WORD, nullable=False),
    sa.Column("milliseconds", _NUMBER, nullable=False),
    sa.Index("ix_active_ip_usage_payer", "payer_id", "started_at"),
    sa.Index("ix_active_ip_usage_owner", "ipam_owner_id", "started_at"),
    sa.Index("ix_active_ip_usage_age", "is_whole_day", "started_at"),
)

prefix_list_resolvers = sa.Table(
    "prefix_list_resolvers",
    metadata,
    # Ids are random, so a sequence says what is older.
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
    # 0: there is none yet.
    sa.Column("last_version", _NUMBER, nullable=False),
    sa.Column("status", _WORD, nullable=False),
    sa.Column("status_message", sa.String(1024)),
    # Grows with rules and versions.
    sa.Column("revision", _NUMBER, nullable=False),
    sa.Index("ix_prefix_list_resolvers_owner", "owner_id", "region", "sequence"),
)

prefix_list_resolver_versions = sa.Table(
    "prefix_list_resolver_versions",
    metadata,
    sa.Column("resolver_id", _WORD, primary_key=True),
    sa.Column("version", _NUMBER, primary_key=True, autoincrement=False),
    sa.Column("created_at", Moment, nullable=False),
    # In order; there are few of them, and they are read together.
    sa.Column("cidrs", sa.JSON, nullable=False),
)

prefix_list_resolver_targets = sa.Table(
    "prefix_list_resolver_targets",
    metadata,
    sa.Column("sequence", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("target_id", _WORD, nullable=False, unique=True),
    # No foreign key: a target may outlive its resolver until its prefix list is let go of.
    sa.Column("resolver_id", _WORD, nullable=False, index=True),
    sa.Column("owner_id", _WORD, nullable=False),
    sa.Column("region", _WORD, nullable=False),
    sa.Column("prefix_list_id", _WORD, nullable=False),
    sa.Column("prefix_list_region", _WORD, nullable=False),
    # Null: the latest.
    sa.Column("desired_version", _NUMBER),
    sa.Column("last_synced_version", _NUMBER),
    sa.Column("state", _WORD, nullable=False),
    sa.Column("state_message", sa.String(2048)),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Index("ix_prefix_list_resolver_targets_owner", "owner_id", "region", "sequence"),
)

client_tokens = client_token_table(metadata)
outbox = outbox_table(metadata)
