"""Public ranges and ASNs that accounts bring along, and how they are verified."""

import sqlalchemy as sa

from services.control_plane.byoip.asn_association import AssociationState
from services.control_plane.byoip.byoasn import AsnState
from services.control_plane.byoip.byoip_cidr import ByoipCidrState
from services.control_plane.lifecycle import State
from services.control_plane.tables.base import OneOf, metadata, sequence
from shared.persistence.column_types import Moment

verification_tokens = sa.Table(
    "ipam_verification_tokens",
    metadata,
    sequence(),
    sa.Column(
        "ipam_external_resource_verification_token_id", sa.String(64), nullable=False, unique=True
    ),
    sa.Column("ipam_id", sa.ForeignKey("ipams.ipam_id"), nullable=False, index=True),
    sa.Column("owner_id", sa.String(64), nullable=False),
    sa.Column("ipam_region", sa.String(64), nullable=False),
    sa.Column("token_name", sa.String(64), nullable=False),
    sa.Column("token_value", sa.String(64), nullable=False),
    sa.Column("not_after", Moment, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("state", OneOf(State), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Index("ix_ipam_verification_tokens_owner_id_sequence", "owner_id", "sequence"),
)

byoasns = sa.Table(
    "ipam_byoasns",
    metadata,
    sequence(),
    sa.Column("byoasn_id", sa.String(64), nullable=False, unique=True),
    sa.Column("asn", sa.BigInteger, nullable=False),
    sa.Column("ipam_id", sa.ForeignKey("ipams.ipam_id"), nullable=False, index=True),
    sa.Column("owner_id", sa.String(64), nullable=False),
    sa.Column("ipam_region", sa.String(64), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("signature", sa.Text, nullable=False),
    sa.Column("requested_at", Moment, nullable=False),
    sa.Column("state", OneOf(AsnState), nullable=False, index=True),
    sa.Column("status_message", sa.Text),
    sa.Column("is_proven", sa.Boolean, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Index("ix_ipam_byoasns_owner_id_sequence", "owner_id", "sequence"),
)
sa.Index(
    "one_holder_per_asn",
    byoasns.c.asn,
    unique=True,
    postgresql_where=byoasns.c.is_proven,
    sqlite_where=byoasns.c.is_proven,
)

byoip_cidrs = sa.Table(
    "byoip_cidrs",
    metadata,
    sequence(),
    sa.Column("byoip_cidr_id", sa.String(64), nullable=False, unique=True),
    sa.Column("cidr", sa.String(64), nullable=False),
    sa.Column("owner_id", sa.String(64), nullable=False),
    sa.Column("region", sa.String(64), nullable=False),
    sa.Column("network_border_group", sa.String(64), nullable=False),
    sa.Column("state", OneOf(ByoipCidrState), nullable=False, index=True),
    sa.Column("status_message", sa.Text),
    sa.Column("is_advertised", sa.Boolean, nullable=False),
    sa.Column("origin_asn", sa.BigInteger),
    sa.Column("own_origin_since", Moment),
    sa.Column("version", sa.BigInteger, nullable=False),
    # Of what is a pool's. No foreign keys: the ledger says what the pool has.
    sa.Column("ipam_pool_cidr_id", sa.String(64), unique=True),
    sa.Column("ipam_pool_id", sa.String(64)),
    sa.Column("ipam_id", sa.String(64)),
    # Of what came without an IPAM; null of what is a pool's.
    sa.Column("message", sa.Text),
    sa.Column("signature", sa.Text),
    sa.Column("requested_at", Moment),
    sa.Column("description", sa.String(255)),
    sa.Column("publicly_advertisable", sa.Boolean),
    sa.Column("pool_id", sa.String(64)),
    sa.Column("pool_tags", sa.JSON),
    sa.Column("is_proven", sa.Boolean),
    sa.Column("failed_at", Moment),
    sa.Column("moved_to", sa.String(64)),
)
_CAME_ALONE = byoip_cidrs.c.ipam_pool_cidr_id.is_(None)
sa.Index(
    "a_range_once_per_account",
    byoip_cidrs.c.owner_id,
    byoip_cidrs.c.cidr,
    unique=True,
    postgresql_where=_CAME_ALONE,
    sqlite_where=_CAME_ALONE,
)

asn_associations = sa.Table(
    "byoip_asn_associations",
    metadata,
    sequence(),
    sa.Column(
        "byoip_cidr_id", sa.ForeignKey("byoip_cidrs.byoip_cidr_id"), nullable=False, index=True
    ),
    sa.Column("asn", sa.BigInteger, nullable=False, index=True),
    sa.Column("state", OneOf(AssociationState), nullable=False),
    sa.Column("status_message", sa.Text),
    sa.UniqueConstraint("byoip_cidr_id", "asn", name="an_asn_once_per_cidr"),
)

# CIDRs that were brought to pools of IPAMs with internet registries, as the ledger told them last.
pool_ranges = sa.Table(
    "byoip_pool_ranges",
    metadata,
    sa.Column("ipam_pool_cidr_id", sa.String(64), primary_key=True),
    sa.Column("ipam_id", sa.ForeignKey("ipams.ipam_id"), nullable=False, index=True),
    sa.Column("cidr", sa.String(64), nullable=False),
)
