"""What becomes of what does not agree (BEY-10), as it is configured."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.discovery.world import WEST, World, databases, serving, word
from tests.waiting import eventually

__all__ = ["databases"]

on_sqlite_alone = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)


@asynccontextmanager
async def with_policy(
    databases: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **policies: str
) -> AsyncIterator[World]:
    for name, policy in policies.items():
        monkeypatch.setenv(f"CADASTRE_DISCOVERY_{name.upper()}_POLICY", policy)
    async with serving(databases, folder) as world:
        yield world


async def discrepancies(world: World, ipam_id: str) -> list[tuple[str | None, str, str]]:
    found = await world.as_service("ListDiscrepancies", ipam_id=ipam_id)
    return [(word(one, "kind"), one.cidr, one.resource_id) for one in found.discrepancies]


@on_sqlite_alone
@pytest.mark.parametrize("policy", ["report", "import"])
async def test_what_uses_a_pools_space_unasked_is_reported_or_imported(
    databases: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    async with with_policy(databases, tmp_path, monkeypatch, unknown=policy) as world:
        ipam = await world.create_ipam()
        vpc = await world.acting_as(region=WEST).create_vpc("10.0.0.0/16")
        pool = await world.create_pool(ipam.private_default_scope_id, "10.0.0.0/8", locale=WEST)
        expected = [("unknown", "10.0.0.0/16", vpc)] if policy == "report" else []

        async def has_settled() -> bool:
            found = await discrepancies(world, ipam.ipam_id)
            held = await world.allocations(pool)
            is_imported = held == {"10.0.0.0/16": vpc}
            return found == expected and is_imported == (policy == "import")

        await eventually(has_settled)
        await world.run_pass()
        assert await has_settled()


@on_sqlite_alone
@pytest.mark.parametrize("policy", ["report", "release"])
async def test_what_was_imported_and_is_gone_is_reported_or_released(
    databases: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    async with with_policy(databases, tmp_path, monkeypatch, reclaimable=policy) as world:
        ipam = await world.create_ipam()
        scope = ipam.private_default_scope_id
        region = world.acting_as(region=WEST)
        vpc = await region.create_vpc("10.0.0.0/16")
        pool = await world.create_pool(scope, "10.0.0.0/8", locale=WEST, auto_import=True)
        await world.resource_cidr(scope, vpc, management_state="managed")
        await region("DeleteVpc", vpc_id=vpc)
        is_kept = policy == "report"

        async def has_settled() -> bool:
            found = await discrepancies(world, ipam.ipam_id)
            held = await world.allocations(pool)
            return (found == [("reclaimable", "10.0.0.0/16", vpc)]) == is_kept and bool(
                held
            ) == is_kept

        await eventually(has_settled)
        await world.run_pass()
        assert await has_settled()
