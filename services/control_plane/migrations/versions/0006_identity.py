"""Users with access keys and policies, and roles of services."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "iam_accounts",
        sa.Column("account_id", sa.String(64), primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    _create_users()
    _create_roles()


def _create_users() -> None:
    op.create_table(
        "iam_users",
        sa.Column("user_id", sa.String(32), primary_key=True),
        sa.Column(
            "account_id",
            sa.String(64),
            sa.ForeignKey("iam_accounts.account_id"),
            nullable=False,
        ),
        sa.Column("user_name", sa.String(64), nullable=False),
        sa.Column("lower_name", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.UniqueConstraint("account_id", "user_name", name="one_user_of_a_name"),
        sa.UniqueConstraint("account_id", "lower_name", name="one_user_of_a_name_in_any_case"),
    )
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "iam_access_keys",
        sa.Column("sequence", number, primary_key=True, autoincrement=True),
        sa.Column("access_key_id", sa.String(32), nullable=False, unique=True),
        sa.Column(
            "user_id",
            sa.String(32),
            sa.ForeignKey("iam_users.user_id"),
            nullable=False,
            index=True,
        ),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("encrypted_secret", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "iam_user_policies",
        sa.Column("user_id", sa.String(32), sa.ForeignKey("iam_users.user_id"), primary_key=True),
        sa.Column("policy_name", sa.String(128), primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
    )


def _create_roles() -> None:
    op.create_table(
        "iam_service_roles",
        sa.Column("account_id", sa.String(64), primary_key=True),
        sa.Column("service_name", sa.String(128), primary_key=True),
        sa.Column("role_id", sa.String(32), nullable=False, unique=True),
        sa.Column("description", sa.String(1000), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "iam_role_deletions",
        sa.Column("deletion_task_id", sa.String(255), primary_key=True),
        sa.Column("account_id", sa.String(64), nullable=False, index=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refusal", sa.Text),
        sa.Column("usages", sa.JSON, nullable=False),
    )
