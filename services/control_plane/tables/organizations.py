"""Organizations: accounts in a tree, with policies."""

import sqlalchemy as sa

from services.control_plane.organizations.account import CreationFailure, JoinedMethod
from services.control_plane.organizations.organization import FeatureSet
from services.control_plane.tables.base import OneOf, metadata, sequence
from shared.persistence.column_types import Moment


def _organization() -> sa.Column[str]:
    return sa.Column(
        "organization_id",
        sa.ForeignKey("organizations.organization_id"),
        nullable=False,
        index=True,
    )


organizations = sa.Table(
    "organizations",
    metadata,
    sequence(),
    sa.Column("organization_id", sa.String(64), nullable=False, unique=True),
    sa.Column("management_account_id", sa.String(64), nullable=False, unique=True),
    sa.Column("feature_set", OneOf(FeatureSet), nullable=False),
    sa.Column("root_id", sa.String(64), nullable=False, unique=True),
    sa.Column("root_tags", sa.JSON, nullable=False),
    sa.Column("has_service_control_policies", sa.Boolean, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)

organizational_units = sa.Table(
    "organizational_units",
    metadata,
    sequence(),
    sa.Column("unit_id", sa.String(128), nullable=False, unique=True),
    _organization(),
    # The root's or an OU's.
    sa.Column("parent_id", sa.String(128), nullable=False),
    sa.Column("name", sa.String(128), nullable=False),
    sa.Column("path", sa.String(1024), nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.UniqueConstraint("parent_id", "name", name="one_organizational_unit_of_a_name"),
)

organization_accounts = sa.Table(
    "organization_accounts",
    metadata,
    sequence(),
    # An account is in one organization at most.
    sa.Column("account_id", sa.String(64), nullable=False, unique=True),
    _organization(),
    sa.Column("parent_id", sa.String(128), nullable=False, index=True),
    sa.Column("name", sa.String(128), nullable=False),
    sa.Column("email", sa.String(64), nullable=False, unique=True),
    sa.Column("joined_method", OneOf(JoinedMethod), nullable=False),
    sa.Column("joined_at", Moment, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
)

account_creations = sa.Table(
    "account_creations",
    metadata,
    sa.Column("request_id", sa.String(64), primary_key=True),
    _organization(),
    sa.Column("account_name", sa.String(128), nullable=False),
    sa.Column("requested_at", Moment, nullable=False),
    sa.Column("account_id", sa.String(64)),
    sa.Column("failure", OneOf(CreationFailure)),
)

organization_services = sa.Table(
    "organization_services",
    metadata,
    sa.Column("organization_id", sa.ForeignKey("organizations.organization_id"), primary_key=True),
    sa.Column("service_principal", sa.String(128), primary_key=True),
    sa.Column("since", Moment, nullable=False),
)

delegated_administrators = sa.Table(
    "delegated_administrators",
    metadata,
    sequence(),
    _organization(),
    sa.Column("service_principal", sa.String(128), nullable=False),
    sa.Column(
        "account_id", sa.ForeignKey("organization_accounts.account_id"), nullable=False, index=True
    ),
    sa.Column("since", Moment, nullable=False),
    sa.UniqueConstraint(
        "organization_id", "service_principal", name="one_delegated_administrator_of_a_service"
    ),
)

organization_policies = sa.Table(
    "organization_policies",
    metadata,
    sequence(),
    sa.Column("policy_id", sa.String(160), nullable=False, unique=True),
    _organization(),
    sa.Column("name", sa.String(128), nullable=False),
    sa.Column("description", sa.String(512), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("content_bytes", sa.Integer, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.UniqueConstraint("organization_id", "name", name="one_policy_of_a_name"),
)

policy_attachments = sa.Table(
    "policy_attachments",
    metadata,
    sequence(),
    _organization(),
    # One of the organization's own, or AWS's.
    sa.Column("policy_id", sa.String(160), nullable=False, index=True),
    # The root's, an OU's or an account's.
    sa.Column("target_id", sa.String(128), nullable=False),
    sa.UniqueConstraint("target_id", "policy_id", name="one_attachment_of_a_policy"),
)
