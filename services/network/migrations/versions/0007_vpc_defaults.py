"""Each VPC's network ACL, route table and security group; what ModifySubnetAttribute changes."""

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_PREFIXES = {"network-acl": "acl-", "route-table": "rtb-", "security-group": "sg-"}
_BLOCK_ROWS = 1000


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "vpc_defaults",
        sa.Column("sequence", number, primary_key=True, autoincrement=True),
        sa.Column("resource_id", sa.String(64), nullable=False, unique=True),
        sa.Column("resource_type", sa.String(64), nullable=False),
        sa.Column("vpc_id", sa.String(64), sa.ForeignKey("vpcs.vpc_id"), nullable=False),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.UniqueConstraint("vpc_id", "resource_type"),
        sa.Index("ix_vpc_defaults_owner_id_region_sequence", "owner_id", "region", "sequence"),
    )
    _give_vpcs_theirs()
    _add_subnet_attributes()


def _give_vpcs_theirs() -> None:
    """Those that are there already; and their interfaces without a group, the VPC's."""
    connection = op.get_bind()
    names = ("sequence", "vpc_id", "owner_id", "region")
    vpcs = sa.table("vpcs", *map(sa.column, names))
    query, last = sa.select(vpcs).order_by(vpcs.c.sequence).limit(_BLOCK_ROWS), 0
    while found := connection.execute(query.where(vpcs.c.sequence > last)).all():
        defaults = [
            {
                "resource_id": f"{prefix}{secrets.token_hex(9)[:17]}",
                "resource_type": resource_type,
                "vpc_id": vpc.vpc_id,
                "owner_id": vpc.owner_id,
                "region": vpc.region,
                "tags": {},
            }
            for vpc in found
            for resource_type, prefix in _PREFIXES.items()
        ]
        connection.execute(_defaults().insert(), defaults)
        groups = [one for one in defaults if one["resource_type"] == "security-group"]
        connection.execute(
            _giving_groups(),
            [{"of_vpc": one["vpc_id"], "group": [one["resource_id"]]} for one in groups],
        )
        last = found[-1].sequence


def _defaults() -> sa.TableClause:
    names = ("resource_id", "resource_type", "vpc_id", "owner_id", "region")
    return sa.table("vpc_defaults", *map(sa.column, names), sa.column("tags", sa.JSON))


def _giving_groups() -> sa.Update:
    interfaces = sa.table("network_interfaces", sa.column("vpc_id"), sa.column("groups", sa.JSON))
    has_none = sa.cast(interfaces.c.groups, sa.Text) == "[]"
    return (
        interfaces.update()
        .where(interfaces.c.vpc_id == sa.bindparam("of_vpc"), has_none)
        .values(groups=sa.bindparam("group", type_=sa.JSON))
    )


def _add_subnet_attributes() -> None:
    for name in (
        "assign_ipv6_address_on_creation",
        "map_public_ip_on_launch",
        "enable_dns64",
        "enable_resource_name_dns_a_record_on_launch",
        "enable_resource_name_dns_aaaa_record_on_launch",
    ):
        _add(sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
    name = "private_dns_hostname_type_on_launch"
    _add(sa.Column(name, sa.String(64), nullable=False, server_default="ip-name"))


def _add(column: sa.Column[Any]) -> None:
    """With a default for the subnets that are there."""
    op.add_column("subnets", column)
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("subnets", column.name, server_default=None)
