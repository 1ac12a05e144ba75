"""Public ranges and ASNs that accounts bring along."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TOKENS, _BYOASNS = "ipam_verification_tokens", "ipam_byoasns"
_CIDRS, _ASSOCIATIONS = "byoip_cidrs", "byoip_asn_associations"


def upgrade() -> None:
    _create_tokens()
    _create_byoasns()
    _create_cidrs()
    _create_associations()


def _sequence() -> sa.Column[int]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("sequence", number, primary_key=True, autoincrement=True)


def _word(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), nullable=nullable)


def _id(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), nullable=False, unique=True)


def _ipam() -> sa.Column[str]:
    return sa.Column("ipam_id", sa.String(64), sa.ForeignKey("ipams.ipam_id"), nullable=False)


def _text(name: str, *, nullable: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _flag(name: str, *, nullable: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _unique_where(name: str, table: str, columns: list[str], condition: Any) -> None:
    op.create_index(
        name, table, columns, unique=True, postgresql_where=condition, sqlite_where=condition
    )


def _create_tokens() -> None:
    op.create_table(
        _TOKENS,
        _sequence(),
        _id("ipam_external_resource_verification_token_id"),
        _ipam(),
        _word("owner_id"),
        _word("ipam_region"),
        _word("token_name"),
        _word("token_value"),
        _time("not_after"),
        sa.Column("tags", sa.JSON, nullable=False),
        _word("state"),
        _number("version"),
    )
    _index(_TOKENS, "ipam_id")
    _index(_TOKENS, "owner_id", "sequence")


def _create_byoasns() -> None:
    op.create_table(
        _BYOASNS,
        _sequence(),
        _id("byoasn_id"),
        _number("asn"),
        _ipam(),
        _word("owner_id"),
        _word("ipam_region"),
        _text("message", nullable=False),
        _text("signature", nullable=False),
        _time("requested_at"),
        _word("state"),
        _text("status_message"),
        _flag("is_proven"),
        _time("ended_at", nullable=True),
        _number("version"),
    )
    _index(_BYOASNS, "ipam_id")
    _index(_BYOASNS, "state")
    _index(_BYOASNS, "owner_id", "sequence")
    _unique_where("one_holder_per_asn", _BYOASNS, ["asn"], sa.column("is_proven", sa.Boolean))


def _create_cidrs() -> None:
    op.create_table(
        _CIDRS,
        _sequence(),
        _id("byoip_cidr_id"),
        _word("cidr"),
        _word("owner_id"),
        _word("region"),
        _word("network_border_group"),
        _word("state"),
        _text("status_message"),
        _flag("is_advertised"),
        _number("origin_asn", nullable=True),
        _time("own_origin_since", nullable=True),
        _number("version"),
        sa.Column("ipam_pool_cidr_id", sa.String(64), unique=True),
        _word("ipam_pool_id", nullable=True),
        _word("ipam_id", nullable=True),
        _text("message"),
        _text("signature"),
        _time("requested_at", nullable=True),
        sa.Column("description", sa.String(255)),
        _flag("publicly_advertisable", nullable=True),
        _word("pool_id", nullable=True),
        sa.Column("pool_tags", sa.JSON),
        _flag("is_proven", nullable=True),
        _time("failed_at", nullable=True),
        _word("moved_to", nullable=True),
    )
    _index(_CIDRS, "state")
    came_alone = sa.column("ipam_pool_cidr_id", sa.String).is_(None)
    _unique_where("a_range_once_per_account", _CIDRS, ["owner_id", "cidr"], came_alone)


def _create_associations() -> None:
    cidr = sa.ForeignKey(f"{_CIDRS}.byoip_cidr_id")
    op.create_table(
        _ASSOCIATIONS,
        _sequence(),
        sa.Column("byoip_cidr_id", sa.String(64), cidr, nullable=False),
        _number("asn"),
        _word("state"),
        _text("status_message"),
        sa.UniqueConstraint("byoip_cidr_id", "asn", name="an_asn_once_per_cidr"),
    )
    _index(_ASSOCIATIONS, "byoip_cidr_id")
    _index(_ASSOCIATIONS, "asn")
