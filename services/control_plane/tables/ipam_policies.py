"""IPAM policies, and what they are enabled for."""

import sqlalchemy as sa

from services.control_plane.lifecycle import State
from services.control_plane.tables.base import OneOf, metadata, sequence

ipam_policies = sa.Table(
    "ipam_policies",
    metadata,
    sequence(),
    sa.Column("ipam_policy_id", sa.String(64), nullable=False, unique=True),
    sa.Column("ipam_id", sa.ForeignKey("ipams.ipam_id"), nullable=False, index=True),
    sa.Column("owner_id", sa.String(64), nullable=False),
    sa.Column("ipam_region", sa.String(64), nullable=False),
    sa.Column("documents", sa.JSON, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("state", OneOf(State), nullable=False),
    sa.Column("state_message", sa.Text),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Index("ix_ipam_policies_owner_id_sequence", "owner_id", "sequence"),
)

# A row is its target's lock, so it stays, without a policy, when that is disabled.
ipam_policy_targets = sa.Table(
    "ipam_policy_targets",
    metadata,
    # Empty for an account that enabled a policy for itself.
    sa.Column("organization_id", sa.String(64), primary_key=True),
    sa.Column("target_id", sa.String(128), primary_key=True),
    sa.Column("ipam_policy_id", sa.ForeignKey("ipam_policies.ipam_policy_id"), index=True),
)
