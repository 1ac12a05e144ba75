"""Associations with internet registries, and what these certify."""

import sqlalchemy as sa

from services.control_plane.internet_registries.association import AssociationState, Rir
from services.control_plane.tables.base import OneOf, metadata, sequence
from shared.persistence.column_types import Moment

_ASSOCIATION = "internet_registry_associations.ipam_internet_registry_association_id"


def _of_association() -> sa.Column[str]:
    return sa.Column("association_id", sa.ForeignKey(_ASSOCIATION), primary_key=True)


internet_registry_associations = sa.Table(
    "internet_registry_associations",
    metadata,
    sequence(),
    sa.Column("ipam_internet_registry_association_id", sa.String(64), nullable=False, unique=True),
    sa.Column("ipam_id", sa.ForeignKey("ipams.ipam_id"), nullable=False),
    sa.Column("owner_id", sa.String(64), nullable=False),
    sa.Column("ipam_region", sa.String(64), nullable=False),
    sa.Column("rir", OneOf(Rir), nullable=False),
    sa.Column("organization_handle", sa.String(255), nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("state", OneOf(AssociationState), nullable=False),
    sa.Column("state_message", sa.Text),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("child_request_xml", sa.Text),
    sa.Column("enable_until", Moment),
    sa.Column("observed_at", Moment),
    sa.Column("away_since", Moment),
    # When the registry is to be asked again what it certifies; null: it is not to be asked.
    sa.Column("refresh_at", Moment, index=True),
    sa.UniqueConstraint("ipam_id", "rir", "organization_handle"),
    sa.Index("ix_internet_registry_associations_owner_id_sequence", "owner_id", "sequence"),
)

# How the registry is spoken to; apart from what is listed, as it has a secret.
internet_registry_delegations = sa.Table(
    "internet_registry_delegations",
    metadata,
    _of_association(),
    sa.Column("encrypted_key", sa.LargeBinary, nullable=False),
    sa.Column("certificate", sa.LargeBinary, nullable=False),
    sa.Column("parent_version", sa.String(16)),
    sa.Column("parent_service_uri", sa.Text),
    sa.Column("parent_child_handle", sa.String(255)),
    sa.Column("parent_parent_handle", sa.String(255)),
    sa.Column("parent_bpki_ta", sa.LargeBinary),
    sa.Column("heard_at", Moment),
)

# A key comes before its certificate, so that whoever dies in between asks again with the same key.
rpki_authorities = sa.Table(
    "rpki_authorities",
    metadata,
    _of_association(),
    sa.Column("class_name", sa.String(255), primary_key=True),
    sa.Column("encrypted_key", sa.LargeBinary, nullable=False),
    sa.Column("certificate", sa.LargeBinary),
    sa.Column("certificate_uri", sa.Text),
    sa.Column("repository_uri", sa.Text),
    sa.Column("notification_uri", sa.Text),
)

internet_registry_cidrs = sa.Table(
    "internet_registry_cidrs",
    metadata,
    _of_association(),
    sa.Column("first_key", sa.LargeBinary(16), primary_key=True),
    sa.Column("prefix_length", sa.Integer, primary_key=True),
    sa.Column("last_key", sa.LargeBinary(16), nullable=False),
)

# Ranges: one registry may certify millions of numbers to another.
internet_registry_asn_ranges = sa.Table(
    "internet_registry_asn_ranges",
    metadata,
    _of_association(),
    sa.Column("first_asn", sa.BigInteger, primary_key=True),
    sa.Column("last_asn", sa.BigInteger, nullable=False),
)
