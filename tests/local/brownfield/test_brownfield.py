"""Bringing an address plan into a pool of a running ledger, step by step (BEY-13)."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.allocation.server import allocation
from services.local.brownfield import importing, ledger
from services.local.brownfield.importing import NotReserved
from services.local.brownfield.ledger import Pool
from services.local.brownfield.plan_file import Line, parse_plan
from services.local.brownfield.planning import Finding, Verdict
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import CadastreError
from shared.identity import TokenSigner, create_secret
from shared.rpc.client import Remote
from shared.rpc.server import running
from shared.settings import Settings
from tests.allocation.world import ACCOUNT, HOME, STRANGER, WEST, World, serving, settings_for, word

OWNER = Caller(ACCOUNT, HOME, "tester")
PLAN = """\
prefix,status,description
10.0.0.0/16,container,everything
10.0.1.0/24,active,web
10.0.2.0/24,active,db
10.0.3.0/24,reserved,
"""
LEAVES = [("10.0.1.0/24", "web"), ("10.0.2.0/24", "db"), ("10.0.3.0/24", "")]


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return settings_for(tmp_path / "data", database_url)


@pytest.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    async with serving(settings) as running_world:
        yield running_world


@pytest.fixture
def lines() -> list[Line]:
    return parse_plan(PLAN)


def verdicts(findings: list[Finding]) -> str:
    """The first letter of each."""
    return "".join(found.verdict[0] for found in findings)


async def allocated(world: World, pool_id: str) -> list[tuple[str, str]]:
    """What is reserved by hand, with descriptions."""
    return [
        (found.cidr, found.description)
        for found in await world.allocations(pool_id)
        if word(found, "resource_type") == "custom"
    ]


async def test_a_plan_is_looked_at_reserved_verified_and_opened(
    world: World, lines: list[Line]
) -> None:
    pool_id = await world.pool("10.0.0.0/16")
    pool = Pool(world.remote, OWNER, pool_id)
    assert verdicts(await importing.plan(pool, lines, containers=False)) == "smmm"
    assert await allocated(world, pool_id) == []

    assert verdicts(await importing.reserve(pool, lines, containers=False)) == "shhh"
    assert await allocated(world, pool_id) == LEAVES
    before = await world.allocations(pool_id)
    assert verdicts(await importing.reserve(pool, lines, containers=False)) == "shhh"
    assert await world.allocations(pool_id) == before

    assert verdicts(await importing.verify(pool, lines, containers=False)) == "shhh"
    [web, db, _] = before
    await world.owner(
        "ModifyIpamPoolAllocation",
        ipam_pool_allocation_id=web.ipam_pool_allocation_id,
        description="www",
    )
    await world.release(pool_id, db)
    await world.allocate(pool_id, cidr="10.0.9.0/24")
    assert verdicts(await importing.verify(pool, lines, containers=False)) == "sdmhe"


async def test_what_is_opened_is_for_resources(world: World, lines: list[Line]) -> None:
    pool_id = await world.pool("10.0.0.0/16", locale=WEST)
    pool = Pool(world.remote, OWNER, pool_id)
    await importing.reserve(pool, lines, containers=False)
    named = [Cidr.parse("10.0.2.0/23")]
    assert verdicts(await importing.open_up(pool, lines, named, containers=False)) == "hh"
    assert await allocated(world, pool_id) == LEAVES[:1]
    # Repeated, it has nothing to do.
    assert verdicts(await importing.open_up(pool, lines, named, containers=False)) == "mm"
    await world.allocate_to_vpc(pool_id, "t", cidr="10.0.2.0/24")
    assert verdicts(await importing.verify(pool, lines, containers=False)) == "shtm"
    assert verdicts(await importing.open_up(pool, lines, None, containers=False)) == "htm"
    assert await allocated(world, pool_id) == []


@pytest.mark.parametrize("named", ["10.0.1.0/24", "10.0.0.0/16", "10.0.7.0/24", "10.0.3.0/25"])
async def test_what_is_not_the_plans_is_not_opened(
    world: World, lines: list[Line], named: str
) -> None:
    pool_id = await world.pool("10.0.0.0/16")
    pool = Pool(world.remote, OWNER, pool_id)
    await world.allocate(pool_id, cidr="10.0.1.0/24", description="theirs")
    await importing.reserve(pool, lines, containers=False)
    before = await world.allocations(pool_id)
    found = await importing.open_up(pool, lines, [Cidr.parse(named)], containers=False)
    assert Verdict.CONFLICT in {each.verdict for each in found}
    assert await world.allocations(pool_id) == before


async def test_a_plan_with_a_conflict_reserves_nothing(world: World, lines: list[Line]) -> None:
    pool_id = await world.pool("10.0.0.0/16", allocation_max_netmask_length=24)
    pool = Pool(world.remote, OWNER, pool_id)
    # What the pool's rules don't allow is known to the ledger alone.
    also = parse_plan("cidr\n10.0.4.0/25\n10.0.5.0/24\n10.0.4.128/25\n")
    found = await importing.reserve(pool, [*lines, *also], containers=False)
    assert verdicts(found) == "smmmcmc"
    assert "24" in found[4].message
    assert await world.allocations(pool_id) == []


async def test_containers_are_reserved_whole_on_demand(world: World, lines: list[Line]) -> None:
    pool_id = await world.pool("10.0.0.0/16")
    pool = Pool(world.remote, OWNER, pool_id)
    assert verdicts(await importing.reserve(pool, lines, containers=True)) == "hsss"
    assert await allocated(world, pool_id) == [("10.0.0.0/16", "everything")]


async def test_what_was_opened_can_be_reserved_again_at_once(
    world: World, lines: list[Line]
) -> None:  # ALLOC-7
    pool_id = await world.pool("10.0.0.0/16")
    pool = Pool(world.remote, OWNER, pool_id)
    for _ in range(importing.MOST_ATTEMPTS):
        await importing.reserve(pool, lines, containers=False)
        assert await allocated(world, pool_id) == LEAVES
        await importing.open_up(pool, lines, None, containers=False)
    with pytest.raises(NotReserved, match="3 blocks"):
        await importing.reserve(pool, lines, containers=False)
    assert await allocated(world, pool_id) == []


async def test_two_that_reserve_at_once_reserve_once(world: World, lines: list[Line]) -> None:
    pool_id = await world.pool("10.0.0.0/16")
    pool = Pool(world.remote, OWNER, pool_id)
    done = await asyncio.gather(
        *(importing.reserve(pool, lines, containers=False) for _ in range(4))
    )
    assert [verdicts(found) for found in done] == ["shhh"] * 4
    assert await allocated(world, pool_id) == LEAVES


async def test_a_large_plan_is_reserved_in_several_calls(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "ENTRIES_PER_CALL", 7)
    pool_id = await world.pool("10.0.0.0/16", allocation_max_netmask_length=27)
    pool = Pool(world.remote, OWNER, pool_id)
    lines = parse_plan("cidr\n" + "".join(f"10.0.{n}.0/27\n" for n in range(30)))
    assert verdicts(await importing.reserve(pool, lines, containers=False)) == "h" * 30
    assert len(await world.allocations(pool_id)) == 30
    assert verdicts(await importing.open_up(pool, lines, None, containers=False)) == "h" * 30
    assert await world.allocations(pool_id) == []
    # Told at once are so many refusals, not all.
    refused = parse_plan("cidr\n" + "".join(f"10.0.{n}.0/28\n" for n in range(30)))
    found = verdicts(await importing.plan(pool, refused, containers=False))
    assert found.count("c") == ledger.MOST_REFUSALS


async def test_another_accounts_pool_is_unknown(world: World, lines: list[Line]) -> None:  # BEY-12
    pool_id = await world.pool("10.0.0.0/16")
    pool = Pool(world.remote, Caller(STRANGER, HOME, "tester"), pool_id)
    with pytest.raises(CadastreError) as refusal:
        await importing.plan(pool, lines, containers=False)
    assert refusal.value.reason == "InvalidIpamPoolId.NotFound"


class Command:
    """The command line against a running ledger."""

    def __init__(self, settings: Settings, address: str) -> None:
        self._environment = {
            **os.environ,
            "CADASTRE_DATA": str(settings.data),
            "CADASTRE_ADDRESSES": json.dumps({"allocation": address}),
        }

    async def __call__(self, *arguments: str) -> tuple[int | None, list[str], str]:
        """Exit code, lines, and what is on standard error."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "services.local.brownfield", *arguments),
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode, out.decode().splitlines(), err.decode()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_command_line_tells_what_it_finds(settings: Settings, tmp_path: Path) -> None:
    path, other = tmp_path / "prefixes.csv", tmp_path / "other.csv"
    path.write_text(PLAN)
    other.write_text("cidr\n10.0.2.0/25\n")
    signer = TokenSigner(create_secret(settings.identity_secret_path))
    async with (
        running("allocation", allocation, settings) as server,
        Remote(server.address, signer=signer) as remote,
    ):
        await take_all_steps(World(remote), Command(settings, server.address), path, other)


async def take_all_steps(world: World, command: Command, path: Path, other: Path) -> None:
    pool_id = await world.pool("10.0.0.0/16")

    async def step(name: str, *arguments: str) -> tuple[int | None, list[str]]:
        code, out, err = await command(name, str(path), "--pool", pool_id, *arguments)
        assert err == ""
        return code, out

    code, out = await step("plan")
    assert (code, out[1:]) == (
        0,
        [
            "line 3: 10.0.1.0/24: reserve",
            "line 4: 10.0.2.0/24: reserve",
            "line 5: 10.0.3.0/24: reserve",
            "1 skipped, 3 reserve",
        ],
    )
    assert out[0].startswith("line 2: 10.0.0.0/16: skipped: it is a container of 10.0.1.0/24")
    assert (await step("verify"))[0] == 1
    assert (await step("reserve"))[0] == (await step("verify"))[0] == 0
    code, out = await step("open", "--cidr", "10.0.1.0/24", "--json")
    opened, summary = map(json.loads, out)
    assert (code, summary) == (0, {"summary": {"open": 1}})
    assert (opened["line"], opened["cidr"], opened["description"]) == (3, "10.0.1.0/24", "web")
    assert await allocated(world, pool_id) == LEAVES[1:]

    for name in ("plan", "reserve"):
        code, out, _ = await command(name, str(other), "--pool", pool_id)
        assert code == 1
        assert "line 2: 10.0.2.0/25: conflict: 10.0.2.0/24 (" in out[0]
    for arguments, said in (
        ([str(path), "--pool", "ipam-pool-ffffffffffffffff0"], "does not exist"),
        ([str(path), "--pool", pool_id, "--vrf", "blue"], "it has VRFs 'global'"),
        (["nowhere", "--pool", pool_id], "can't be read"),
    ):
        code, out, err = await command("plan", *arguments)
        assert (code, out) == (2, [])
        assert said in err
