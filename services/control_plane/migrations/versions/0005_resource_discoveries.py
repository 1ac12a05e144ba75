"""Resource discoveries besides the default ones, and what they leave out."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_DISCOVERIES = "ipam_resource_discoveries"
_ASSOCIATIONS = "ipam_resource_discovery_associations"
_KEY = "fk_of_%(column_0_name)s"


def upgrade() -> None:
    _extend_discoveries()
    _extend_associations()
    _let_associations_outlive_discoveries()


def _extend_discoveries() -> None:
    op.add_column(_DISCOVERIES, sa.Column("description", sa.String(255)))
    _add(_DISCOVERIES, "exclusions", sa.JSON(), "[]")
    _add(_DISCOVERIES, "state", sa.String(64), "create-complete")
    _add(_DISCOVERIES, "version", sa.BigInteger(), "1")
    op.create_index(
        "ix_ipam_resource_discoveries_owner_id_sequence", _DISCOVERIES, ["owner_id", "sequence"]
    )
    is_own: sa.ColumnElement[bool] = sa.not_(sa.column("is_default", sa.Boolean))
    op.create_index(
        "one_own_resource_discovery_per_account_and_region",
        _DISCOVERIES,
        ["owner_id", "region"],
        unique=True,
        postgresql_where=is_own,
        sqlite_where=is_own,
    )


def _extend_associations() -> None:
    _add(_ASSOCIATIONS, "ipam_region", sa.String(64), "")
    _add(_ASSOCIATIONS, "state", sa.String(64), "associate-complete")
    _add(_ASSOCIATIONS, "version", sa.BigInteger(), "1")
    associations = sa.table(_ASSOCIATIONS, sa.column("ipam_id"), sa.column("ipam_region"))
    ipams = sa.table("ipams", sa.column("ipam_id"), sa.column("region"))
    region = sa.select(ipams.c.region).where(ipams.c.ipam_id == associations.c.ipam_id)
    op.execute(associations.update().values(ipam_region=region.scalar_subquery()))


def _let_associations_outlive_discoveries() -> None:
    with op.batch_alter_table(_ASSOCIATIONS, naming_convention={"fk": _KEY}) as table:
        table.drop_constraint(_key_name(), type_="foreignkey")
        table.create_unique_constraint(
            "one_association_per_ipam_and_discovery", ["ipam_id", "ipam_resource_discovery_id"]
        )
        table.create_index("ix_associations_of_resource_discovery", ["ipam_resource_discovery_id"])


def _key_name() -> str:
    """The foreign key's: PostgreSQL chose one, in SQLite it gets one when it is read."""
    if op.get_bind().dialect.name == "sqlite":
        return _KEY % {"column_0_name": "ipam_resource_discovery_id"}
    keys = sa.inspect(op.get_bind()).get_foreign_keys(_ASSOCIATIONS)
    return str(next(key["name"] for key in keys if key["referred_table"] == _DISCOVERIES))


def _add(table: str, column: str, kind: TypeEngine[Any], before: str) -> None:
    """A column that is ``before`` in the rows there are."""
    op.add_column(table, sa.Column(column, kind, nullable=False, server_default=before))
