"""Users and roles of accounts."""

import sqlalchemy as sa

from services.control_plane.identity.user import KeyStatus
from services.control_plane.tables.base import OneOf, metadata, sequence
from shared.persistence.column_types import Moment

_USER_ID = "iam_users.user_id"

# One row for every account that has, or had, users or roles: their lock, and what changed last.
iam_accounts = sa.Table(
    "iam_accounts",
    metadata,
    sa.Column("account_id", sa.String(64), primary_key=True),
    # Of its users: grows with every change; 0 while there was none.
    sa.Column("version", sa.BigInteger, nullable=False),
)

iam_users = sa.Table(
    "iam_users",
    metadata,
    sa.Column("user_id", sa.String(32), primary_key=True),
    sa.Column("account_id", sa.ForeignKey("iam_accounts.account_id"), nullable=False),
    sa.Column("user_name", sa.String(64), nullable=False),
    # Names that differ in case only are the same.
    sa.Column("lower_name", sa.String(64), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.UniqueConstraint("account_id", "user_name", name="one_user_of_a_name"),
    sa.UniqueConstraint("account_id", "lower_name", name="one_user_of_a_name_in_any_case"),
)

iam_access_keys = sa.Table(
    "iam_access_keys",
    metadata,
    sequence(),
    sa.Column("access_key_id", sa.String(32), nullable=False, unique=True),
    sa.Column("user_id", sa.ForeignKey(_USER_ID), nullable=False, index=True),
    sa.Column("status", OneOf(KeyStatus), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("encrypted_secret", sa.LargeBinary, nullable=False),
)

iam_user_policies = sa.Table(
    "iam_user_policies",
    metadata,
    sa.Column("user_id", sa.ForeignKey(_USER_ID), primary_key=True),
    sa.Column("policy_name", sa.String(128), primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
)

iam_service_roles = sa.Table(
    "iam_service_roles",
    metadata,
    sa.Column("account_id", sa.String(64), primary_key=True),
    sa.Column("service_name", sa.String(128), primary_key=True),
    sa.Column("role_id", sa.String(32), nullable=False, unique=True),
    sa.Column("description", sa.String(1000), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
)

iam_role_deletions = sa.Table(
    "iam_role_deletions",
    metadata,
    sa.Column("deletion_task_id", sa.String(255), primary_key=True),
    sa.Column("account_id", sa.String(64), nullable=False, index=True),
    sa.Column("ended_at", Moment, nullable=False),
    sa.Column("refusal", sa.Text),
    # The ARNs of what needs the role, by region.
    sa.Column("usages", sa.JSON, nullable=False),
)
