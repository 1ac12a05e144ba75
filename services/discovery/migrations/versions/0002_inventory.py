"""What is there, what it is to IPAMs, and was."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_inventories()
    _create_resource_cidrs()
    _create_public_addresses()
    _create_markings()
    _create_records()
    _create_evaluations()
    _create_discrepancies()


def _word(name: str, *, nullable: bool = False, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), nullable=nullable, primary_key=primary_key)


def _text(name: str, length: int = 255, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _number(name: str, *, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=False, primary_key=primary_key)


def _id(name: str) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, primary_key=True, autoincrement=True)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _flag(name: str, *, nullable: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=nullable)


def _block(*, primary_key: bool = False) -> tuple[sa.Column[bytes], sa.Column[int]]:
    return (
        sa.Column("first_address", sa.LargeBinary(16), nullable=False, primary_key=primary_key),
        sa.Column("prefix_length", sa.Integer, nullable=False, primary_key=primary_key),
    )


def _inventory(*, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(
        "inventory_id",
        _NUMBER,
        sa.ForeignKey("inventories.inventory_id"),
        nullable=False,
        primary_key=primary_key,
    )


def _create_inventories() -> None:
    op.create_table(
        "inventories",
        _id("inventory_id"),
        _word("source"),
        _word("account_id"),
        _word("region"),
        _time("last_attempted_at"),
        _time("last_successful_at", nullable=True),
        _word("failure_code", nullable=True),
        _text("failure_message", 2048, nullable=True),
        sa.Column("digest", sa.LargeBinary(32)),
        _number("active_ip_count"),
        _number("version"),
        sa.UniqueConstraint("source", "account_id", "region"),
        sqlite_autoincrement=True,
    )


def _create_resource_cidrs() -> None:
    op.create_table(
        "resource_cidrs",
        _id("row_id"),
        _inventory(),
        _flag("is_monitored"),
        _word("resource_type"),
        _text("anchor_id"),
        *_block(),
        sa.Column("fingerprint", sa.LargeBinary(16), nullable=False),
        _text("resource_id"),
        _word("owner_id"),
        sa.Column("tags", sa.JSON, nullable=False),
        _text("name", 256, nullable=True),
        _text("vpc_id", nullable=True),
        _text("subnet_id", nullable=True),
        _word("availability_zone_id", nullable=True),
        _text("container_id", nullable=True),
        _word("ip_source"),
        sa.Column("ip_usage", sa.Float),
        _flag("is_attached", nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "one_of_an_inventory",
        "resource_cidrs",
        ["inventory_id", "resource_type", "anchor_id", "first_address", "prefix_length"],
        unique=True,
    )
    op.create_index(
        "ix_resource_cidrs_monitored", "resource_cidrs", ["is_monitored", "inventory_id", "row_id"]
    )


def _create_public_addresses() -> None:
    op.create_table(
        "public_addresses",
        _inventory(primary_key=True),
        sa.Column("address", sa.BigInteger, primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary(16), nullable=False),
        _word("address_type"),
        _word("association_status"),
        _text("public_ipv4_pool_id", nullable=True),
        sa.Column("details", sa.JSON, nullable=False),
    )


def _create_markings() -> None:
    op.create_table(
        "markings",
        _word("ipam_id", primary_key=True),
        _word("region", primary_key=True),
        sa.Column("resource_id", sa.String(255), primary_key=True),
        *_block(primary_key=True),
        _flag("is_ignored"),
        _word("ipam_scope_id", nullable=True),
    )


def _create_records() -> None:
    op.create_table(
        "records",
        _id("record_id"),
        _word("ipam_id"),
        _word("ipam_scope_id"),
        _number("inventory_id"),
        _number("row_id"),
        _flag("is_monitored"),
        _word("resource_type"),
        _text("resource_id"),
        _word("owner_id"),
        _word("region"),
        *_block(),
        _text("name", 256, nullable=True),
        _text("vpc_id", nullable=True),
        _word("management_state", nullable=True),
        _word("compliance_status", nullable=True),
        _word("overlap_status", nullable=True),
        _word("ipam_pool_id", nullable=True),
        _text("broken_rules"),
        _time("started_at"),
        _time("ended_at", nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_records_history",
        "records",
        ["ipam_scope_id", "first_address", "prefix_length", "record_id"],
    )
    now = ["first_address", "prefix_length", "record_id"]
    _create_partial_index(
        "one_record_now",
        ["ipam_id", "is_monitored", "inventory_id", "row_id"],
        "ended_at IS NULL",
        unique=True,
    )
    _create_partial_index(
        "ix_records_now", ["ipam_scope_id", "is_monitored", *now], "ended_at IS NULL"
    )
    _create_partial_index("ix_records_ended_at", ["ended_at"], "ended_at IS NOT NULL")


def _create_partial_index(
    name: str, columns: list[str], where: str, *, unique: bool = False
) -> None:
    condition = sa.text(where)
    op.create_index(
        name,
        "records",
        columns,
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _create_evaluations() -> None:
    op.create_table(
        "evaluations",
        _word("ipam_id", primary_key=True),
        _number("version"),
        _time("evaluated_at", nullable=True),
    )
    op.create_table(
        "remembered",
        _word("ipam_id", primary_key=True),
        _number("inventory_id", primary_key=True),
        _number("version"),
    )


def _create_discrepancies() -> None:
    op.create_table(
        "discrepancies",
        _id("discrepancy_id"),
        _word("ipam_id"),
        _word("kind"),
        _word("ipam_scope_id"),
        _word("ipam_pool_id"),
        *_block(),
        _text("resource_id"),
        _word("owner_id"),
        _word("region"),
        _word("ipam_pool_allocation_id", nullable=True),
        _text("message", 1024),
        _time("found_at"),
    )
    op.create_index("ix_discrepancies_ipam_id", "discrepancies", ["ipam_id"])
