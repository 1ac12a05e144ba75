"""Associations with internet registries, and what these certify."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ASSOCIATION = "internet_registry_associations.ipam_internet_registry_association_id"


def _of_association() -> sa.Column[str]:
    return sa.Column("association_id", sa.String(64), sa.ForeignKey(_ASSOCIATION), primary_key=True)


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "internet_registry_associations",
        sa.Column("sequence", number, primary_key=True, autoincrement=True),
        sa.Column(
            "ipam_internet_registry_association_id", sa.String(64), nullable=False, unique=True
        ),
        sa.Column("ipam_id", sa.String(64), sa.ForeignKey("ipams.ipam_id"), nullable=False),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("ipam_region", sa.String(64), nullable=False),
        sa.Column("rir", sa.String(64), nullable=False),
        sa.Column("organization_handle", sa.String(255), nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("state_message", sa.Text),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("child_request_xml", sa.Text),
        sa.Column("enable_until", moment),
        sa.Column("observed_at", moment),
        sa.Column("away_since", moment),
        sa.Column("refresh_at", moment, index=True),
        sa.UniqueConstraint("ipam_id", "rir", "organization_handle"),
        sa.Index("ix_internet_registry_associations_owner_id_sequence", "owner_id", "sequence"),
    )
    op.create_table(
        "internet_registry_delegations",
        _of_association(),
        sa.Column("encrypted_key", sa.LargeBinary, nullable=False),
        sa.Column("certificate", sa.LargeBinary, nullable=False),
        sa.Column("parent_version", sa.String(16)),
        sa.Column("parent_service_uri", sa.Text),
        sa.Column("parent_child_handle", sa.String(255)),
        sa.Column("parent_parent_handle", sa.String(255)),
        sa.Column("parent_bpki_ta", sa.LargeBinary),
        sa.Column("heard_at", moment),
    )
    op.create_table(
        "rpki_authorities",
        _of_association(),
        sa.Column("class_name", sa.String(255), primary_key=True),
        sa.Column("encrypted_key", sa.LargeBinary, nullable=False),
        sa.Column("certificate", sa.LargeBinary),
        sa.Column("certificate_uri", sa.Text),
        sa.Column("repository_uri", sa.Text),
        sa.Column("notification_uri", sa.Text),
    )
    op.create_table(
        "internet_registry_cidrs",
        _of_association(),
        sa.Column("first_key", sa.LargeBinary(16), primary_key=True),
        sa.Column("prefix_length", sa.Integer, primary_key=True),
        sa.Column("last_key", sa.LargeBinary(16), nullable=False),
    )
    op.create_table(
        "internet_registry_asn_ranges",
        _of_association(),
        sa.Column("first_asn", sa.BigInteger, primary_key=True),
        sa.Column("last_asn", sa.BigInteger, nullable=False),
    )
