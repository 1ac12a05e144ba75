"""Organizations: accounts in a tree of OUs, services, delegated administrators, policies."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_organizations()
    _create_organizational_units()
    _create_accounts()
    _create_services()
    _create_policies()


def _sequence() -> sa.Column[int]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("sequence", number, primary_key=True, autoincrement=True)


def _organization() -> sa.Column[str]:
    return sa.Column(
        "organization_id",
        sa.String(64),
        sa.ForeignKey("organizations.organization_id"),
        nullable=False,
        index=True,
    )


def _create_organizations() -> None:
    op.create_table(
        "organizations",
        _sequence(),
        sa.Column("organization_id", sa.String(64), nullable=False, unique=True),
        sa.Column("management_account_id", sa.String(64), nullable=False, unique=True),
        sa.Column("feature_set", sa.String(64), nullable=False),
        sa.Column("root_id", sa.String(64), nullable=False, unique=True),
        sa.Column("root_tags", sa.JSON, nullable=False),
        sa.Column("has_service_control_policies", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )


def _create_organizational_units() -> None:
    op.create_table(
        "organizational_units",
        _sequence(),
        sa.Column("unit_id", sa.String(128), nullable=False, unique=True),
        _organization(),
        sa.Column("parent_id", sa.String(128), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("path", sa.String(1024), nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.UniqueConstraint("parent_id", "name", name="one_organizational_unit_of_a_name"),
    )


def _create_accounts() -> None:
    op.create_table(
        "organization_accounts",
        _sequence(),
        sa.Column("account_id", sa.String(64), nullable=False, unique=True),
        _organization(),
        sa.Column("parent_id", sa.String(128), nullable=False, index=True),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("email", sa.String(64), nullable=False, unique=True),
        sa.Column("joined_method", sa.String(64), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
    )
    op.create_table(
        "account_creations",
        sa.Column("request_id", sa.String(64), primary_key=True),
        _organization(),
        sa.Column("account_name", sa.String(128), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.String(64)),
        sa.Column("failure", sa.String(64)),
    )


def _create_services() -> None:
    op.create_table(
        "organization_services",
        sa.Column(
            "organization_id",
            sa.String(64),
            sa.ForeignKey("organizations.organization_id"),
            primary_key=True,
        ),
        sa.Column("service_principal", sa.String(128), primary_key=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "delegated_administrators",
        _sequence(),
        _organization(),
        sa.Column("service_principal", sa.String(128), nullable=False),
        sa.Column(
            "account_id",
            sa.String(64),
            sa.ForeignKey("organization_accounts.account_id"),
            nullable=False,
            index=True,
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint(
            "organization_id", "service_principal", name="one_delegated_administrator_of_a_service"
        ),
    )


def _create_policies() -> None:
    op.create_table(
        "organization_policies",
        _sequence(),
        sa.Column("policy_id", sa.String(160), nullable=False, unique=True),
        _organization(),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("description", sa.String(512), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("content_bytes", sa.Integer, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.UniqueConstraint("organization_id", "name", name="one_policy_of_a_name"),
    )
    op.create_table(
        "policy_attachments",
        _sequence(),
        _organization(),
        sa.Column("policy_id", sa.String(160), nullable=False, index=True),
        sa.Column("target_id", sa.String(128), nullable=False),
        sa.UniqueConstraint("target_id", "policy_id", name="one_attachment_of_a_policy"),
    )
