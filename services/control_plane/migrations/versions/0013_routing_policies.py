"""Routing policy registrations, their deltas, and what is published of them."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ASSOCIATION = "internet_registry_associations.ipam_internet_registry_association_id"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "routing_policy_registrations",
        sa.Column("association_id", sa.String(64), sa.ForeignKey(_ASSOCIATION), primary_key=True),
        sa.Column("first_key", sa.LargeBinary(16), primary_key=True),
        sa.Column("prefix_length", sa.Integer, primary_key=True),
        sa.Column("asns", sa.JSON, nullable=False),
        sa.Column("permits_more_specific", sa.Boolean, nullable=False),
        sa.Column("max_length", sa.Integer, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("latest_delta_id", sa.String(64)),
        sa.Column("before", sa.JSON),
    )
    op.create_table(
        "routing_policy_deltas",
        sa.Column("sequence", number, primary_key=True, autoincrement=True),
        sa.Column("delta_id", sa.String(64), nullable=False, unique=True),
        sa.Column("association_id", sa.String(64), sa.ForeignKey(_ASSOCIATION), nullable=False),
        sa.Column("delta_json", sa.Text, nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("is_staged", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("state_message", sa.Text),
        sa.Index("ix_routing_policy_deltas_association_id_sequence", "association_id", "sequence"),
    )
    op.create_table(
        "rpki_publications",
        sa.Column("association_id", sa.String(64), sa.ForeignKey(_ASSOCIATION), primary_key=True),
        sa.Column("class_name", sa.String(255), primary_key=True),
        sa.Column("repository_uri", sa.Text, nullable=False),
        sa.Column("signed_for", sa.String(128), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("revoked", sa.JSON, nullable=False),
        sa.Column("manifest_serial", sa.BigInteger, nullable=False),
        sa.Column("manifest_name", sa.String(255), nullable=False),
        sa.Column("manifest", sa.LargeBinary, nullable=False),
        sa.Column("crl_name", sa.String(255), nullable=False),
        sa.Column("crl", sa.LargeBinary, nullable=False),
        sa.Column("this_update", moment, nullable=False),
        sa.Column("next_update", moment, nullable=False),
        sa.Column("renew_at", moment, nullable=False, index=True),
    )
    op.create_table(
        "rpki_roas",
        sa.Column("association_id", sa.String(64), sa.ForeignKey(_ASSOCIATION), primary_key=True),
        sa.Column("class_name", sa.String(255), primary_key=True),
        sa.Column("first_key", sa.LargeBinary(16), primary_key=True),
        sa.Column("prefix_length", sa.Integer, primary_key=True),
        sa.Column("asn", sa.BigInteger, primary_key=True),
        sa.Column("max_length", sa.Integer, primary_key=True),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("serial", sa.BigInteger, nullable=False),
        sa.Column("not_before", moment, nullable=False),
        sa.Column("not_after", moment, nullable=False),
        sa.Column("der", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "rpki_repository",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("serial", sa.BigInteger, nullable=False),
    )
