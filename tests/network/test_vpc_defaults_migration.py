"""VPCs that were there before they had network ACLs, route tables and security groups."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory

from services.network.service.rows import Rows
from services.network.store.store import SqlStore
from services.network.subnet import SubnetAttributes
from services.network.vpc_defaults import DefaultKind
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.network.support import CALLER, OWNER, REGION

BEFORE = "0006"
MIGRATIONS = Path("services/network/migrations")
# More than are read at once.
VPCS = [f"vpc-{number:017x}" for number in range(1001)]
OF = {"owner_id": OWNER, "region": REGION, "tags": {}}


@pytest.fixture
def schema_package() -> str:
    """None: what is tested here makes the tables."""
    return ""


def upgrade_to(connection: sa.Connection, revision: str) -> None:
    script = ScriptDirectory(MIGRATIONS)

    def missing(present: tuple[str, ...], _context: MigrationContext) -> list[MigrationStep]:
        newest_first = script.iterate_revisions(revision, present, implicit_base=True)
        return [
            MigrationStep.upgrade_from_script(script.revision_map, found)
            for found in reversed(list(newest_first))
        ]

    context = MigrationContext.configure(connection, opts={"fn": missing})
    with Operations.context(context):
        context.run_migrations()


def fill(connection: sa.Connection) -> None:
    """VPCs; in the first of them a subnet with an interface without group, and one with."""
    tables = sa.MetaData()
    tables.reflect(connection)
    connection.execute(
        tables.tables["vpcs"].insert(),
        [
            {
                "vpc_id": vpc_id,
                "instance_tenancy": "default",
                "enable_dns_support": True,
                "enable_dns_hostnames": False,
                "enable_network_address_usage_metrics": False,
                **OF,
            }
            for vpc_id in VPCS
        ],
    )
    there = {"subnet_id": "subnet-1", "vpc_id": VPCS[0], "availability_zone": "us-west-2a", **OF}
    connection.execute(tables.tables["subnets"].insert().values(**there))
    for number, groups in enumerate(([], ["sg-1"])):
        interface = {"network_interface_id": f"eni-{number}", "description": "", "groups": groups}
        connection.execute(
            tables.tables["network_interfaces"].insert().values(**there, **interface)
        )


async def test_each_vpc_gets_its_own_and_each_interface_a_group(database_url: str) -> None:
    database = Database(database_url)
    try:
        with database.write() as connection:
            upgrade_to(connection, BEFORE)
            fill(connection)
        await database.run(upgrade, database, "services.network")
        store = SqlStore(database, on_change=lambda _: None)

        def check(rows: Rows) -> None:
            for kind in DefaultKind:
                found = rows.vpc_defaults.all(CALLER, kind, ids=(), vpc_ids=(), after=None)
                defaults = [default for some in found for _, default in some]
                assert [default.vpc_id for default in defaults] == VPCS
                ids = {kind.ids.check(default.resource_id) for default in defaults}
                assert len(ids) == len(VPCS)
            group = rows.vpc_defaults.group_of(VPCS[0])
            interfaces = rows.interfaces.all(CALLER, ids=(), after=None)
            groups = {
                one.network_interface_id: one.groups for some in interfaces for _, one in some
            }
            assert groups == {"eni-0": (group,), "eni-1": ("sg-1",)}
            subnet = rows.subnets.get(CALLER, "subnet-1", lock=False)
            assert subnet is not None
            assert subnet.attributes == SubnetAttributes()

        await store.read(check)
    finally:
        database.close()
