"""Routing policy registrations, their deltas, and what is published of them."""

import sqlalchemy as sa

from services.control_plane.internet_registries.delta import DeltaState
from services.control_plane.internet_registries.registration import RegistrationState
from services.control_plane.tables.base import OneOf, metadata, sequence
from shared.persistence.column_types import Moment

_ASSOCIATION = "internet_registry_associations.ipam_internet_registry_association_id"


def _of_association() -> sa.Column[str]:
    return sa.Column("association_id", sa.ForeignKey(_ASSOCIATION), primary_key=True)


routing_policy_registrations = sa.Table(
    "routing_policy_registrations",
    metadata,
    _of_association(),
    sa.Column("first_key", sa.LargeBinary(16), primary_key=True),
    sa.Column("prefix_length", sa.Integer, primary_key=True),
    sa.Column("asns", sa.JSON, nullable=False),
    sa.Column("permits_more_specific", sa.Boolean, nullable=False),
    sa.Column("max_length", sa.Integer, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("state", OneOf(RegistrationState), nullable=False),
    sa.Column("latest_delta_id", sa.String(64)),
    # The same members, as they were before all that is in progress; null: it was not there, or
    # nothing is.
    sa.Column("before", sa.JSON(none_as_null=True)),
)

routing_policy_deltas = sa.Table(
    "routing_policy_deltas",
    metadata,
    sequence(),
    sa.Column("delta_id", sa.String(64), nullable=False, unique=True),
    sa.Column("association_id", sa.ForeignKey(_ASSOCIATION), nullable=False),
    sa.Column("delta_json", sa.Text, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("is_staged", sa.Boolean, nullable=False),
    sa.Column("state", OneOf(DeltaState), nullable=False),
    sa.Column("state_message", sa.Text),
    sa.Index("ix_routing_policy_deltas_association_id_sequence", "association_id", "sequence"),
)

# All that an authority has to keep to publish again; one for each resource class of the registry's.
rpki_publications = sa.Table(
    "rpki_publications",
    metadata,
    _of_association(),
    sa.Column("class_name", sa.String(255), primary_key=True),
    sa.Column("repository_uri", sa.Text, nullable=False),
    sa.Column("signed_for", sa.String(128), nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    # By serial number: since when it does not count, and until when it would.
    sa.Column("revoked", sa.JSON, nullable=False),
    sa.Column("manifest_serial", sa.BigInteger, nullable=False),
    sa.Column("manifest_name", sa.String(255), nullable=False),
    sa.Column("manifest", sa.LargeBinary, nullable=False),
    sa.Column("crl_name", sa.String(255), nullable=False),
    sa.Column("crl", sa.LargeBinary, nullable=False),
    sa.Column("this_update", Moment, nullable=False),
    sa.Column("next_update", Moment, nullable=False),
    sa.Column("renew_at", Moment, nullable=False, index=True),
)

rpki_roas = sa.Table(
    "rpki_roas",
    metadata,
    _of_association(),
    sa.Column("class_name", sa.String(255), primary_key=True),
    sa.Column("first_key", sa.LargeBinary(16), primary_key=True),
    sa.Column("prefix_length", sa.Integer, primary_key=True),
    sa.Column("asn", sa.BigInteger, primary_key=True),
    sa.Column("max_length", sa.Integer, primary_key=True),
    sa.Column("file_name", sa.String(255), nullable=False),
    sa.Column("serial", sa.BigInteger, nullable=False),
    sa.Column("not_before", Moment, nullable=False),
    sa.Column("not_after", Moment, nullable=False),
    sa.Column("der", sa.LargeBinary, nullable=False),
)

# One row: the session that RRDP tells (RFC 8182), and how often something was published.
rpki_repository = sa.Table(
    "rpki_repository",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("session_id", sa.String(64), nullable=False),
    sa.Column("serial", sa.BigInteger, nullable=False),
)
