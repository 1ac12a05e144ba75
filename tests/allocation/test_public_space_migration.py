"""Pools that were there before there was public space (PROV-4 to PROV-6)."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory

from shared.persistence.database import Database
from shared.settings import Settings
from tests.allocation.test_check_ledger import check
from tests.allocation.world import ACCOUNT, HOME, IPAM, SCOPE, WEST, serving

MIGRATIONS = Path("services/allocation/migrations")
PUBLIC_SCOPE = "ipam-scope-0000000000000000a"
PRIVATE, BROUGHT, AMAZON, RETIRED = (f"ipam-pool-{number:08x}" for number in range(4))


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


def definition(pool_id: str, **members: Any) -> dict[str, Any]:
    """As it was stored before there was anything about public space in it."""
    return {
        "ipam_pool_id": pool_id,
        "version": 1,
        "ipam_id": IPAM,
        "ipam_scope_id": SCOPE,
        "scope_type": "private",
        "owner_id": ACCOUNT,
        "ipam_region": HOME,
        "address_family": "ipv4",
        "locale": WEST,
        "cidr_quota": 50,
        "source_ipam_pool_id": None,
        "min_netmask_length": None,
        "max_netmask_length": None,
        "default_netmask_length": None,
        "resource_tags": {},
        "public_ip_source": None,
        "enable_private_gua": False,
        **members,
    }


def insert_pool(connection: sa.Connection, scope_number: int, stored: dict[str, Any]) -> None:
    connection.execute(
        sa.text(
            "INSERT INTO ipam_pools (ipam_pool_id, version, is_retired, definition,"
            " definition_version, owner_id, ipam_region, scope_number, total_addresses,"
            " allocated_addresses, assigned_addresses, cidr_count, allocation_count)"
            " VALUES (:id, 0, false, :definition, 1, :owner, :region, :scope, '0', '0', '0', 0, 0)"
        ),
        {
            "id": stored["ipam_pool_id"],
            "definition": json.dumps(stored),
            "owner": ACCOUNT,
            "region": HOME,
            "scope": scope_number,
        },
    )


async def test_they_are_as_they_were_and_can_have_public_space(settings: Settings) -> None:
    database = Database(settings.database_url)
    public = {"ipam_scope_id": PUBLIC_SCOPE, "scope_type": "public"}
    with database.write() as connection:
        upgrade_to(connection, "0008")
        for scope in (SCOPE, PUBLIC_SCOPE):
            connection.execute(
                sa.text("INSERT INTO ipam_scopes (ipam_scope_id) VALUES (:scope)"), {"scope": scope}
            )
        insert_pool(connection, 1, definition(PRIVATE))
        insert_pool(connection, 2, definition(BROUGHT, **public, public_ip_source="byoip"))
        insert_pool(connection, 2, definition(AMAZON, **public, public_ip_source="amazon"))
        connection.execute(
            sa.text(
                "INSERT INTO ipam_pools (ipam_pool_id, version, is_retired, total_addresses,"
                " allocated_addresses, assigned_addresses, cidr_count, allocation_count)"
                " VALUES (:id, 0, true, '0', '0', '0', 0, 0)"
            ),
            {"id": RETIRED},
        )
    database.close()
    async with serving(settings) as world:
        await world.provision(PRIVATE, cidr="10.0.0.0/16")
        await world.proven(BROUGHT, "130.137.245.0/24")
        told = {
            "version": 2,
            "ipam_scope_id": PUBLIC_SCOPE,
            "ipam_scope_type": "public",
            "public_ip_source": "amazon",
            "locale": WEST,
            "aws_service": "ec2",
            "amazon_block_quota": {
                "blocks": 2,
                "min_netmask_length": 29,
                "max_netmask_length": 30,
            },
        }
        await world.define(AMAZON, **told)
        await world.provision(AMAZON, netmask_length=30)
        listed = await world.control_plane("ListPublicCidrs", account_id=ACCOUNT, region=WEST)
        assert [one.ipam_pool_id for one in listed.public_cidrs] == [BROUGHT, AMAZON]
        known = await world.discovery("ListPools", ipam_id=IPAM)
        assert [one.definition.ipam_pool_id for one in known.pools] == [PRIVATE, BROUGHT, AMAZON]
        assert (await check(world)).findings == []
