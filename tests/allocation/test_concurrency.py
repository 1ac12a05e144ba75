import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.allocation import tables
from shared.errors import CadastreError
from shared.identity import TokenSigner, create_secret
from shared.persistence.database import Database
from shared.rpc.client import Remote
from shared.settings import Settings
from tests.acceptance.installation import free_base_port
from tests.allocation.world import WEST, World, serving
from tests.postgres import DIALECTS, PostgresServer
from tests.waiting import eventually

REPOSITORY = Path(__file__).parents[2]


async def test_concurrent_allocations_are_all_distinct(world: World) -> None:  # ALLOC-3
    pool = await world.pool("10.0.0.0/16")
    made = await asyncio.gather(*(world.allocate(pool, netmask_length=28) for _ in range(150)))
    assert len({found.cidr for found in made}) == 150
    assert len(await world.allocations(pool)) == 150
    assert (await world.usage(pool)).assigned_addresses == str(150 * 16)


async def test_of_two_that_race_for_the_last_block_one_gets_it(world: World) -> None:  # ALLOC-3
    pool = await world.pool("10.0.0.0/24")
    outcomes = await asyncio.gather(
        *(world.allocate(pool, netmask_length=24) for _ in range(2)),
        *(world.allocate(pool, cidr="10.0.0.0/25") for _ in range(2)),
        return_exceptions=True,
    )
    refusals = [found for found in outcomes if isinstance(found, CadastreError)]
    assert len(outcomes) - len(refusals) == 1
    assert {found.reason for found in refusals} <= {
        "InsufficientCidrSpace",
        "InvalidParameterValue",
    }
    assert len(await world.allocations(pool)) == 1


async def test_a_refused_request_does_not_harm_those_beside_it(world: World) -> None:  # ALLOC-3
    pool = await world.pool("10.0.0.0/16")
    wanted: list[dict[str, Any]] = [{"netmask_length": 24}, {"cidr": "11.0.0.0/24"}] * 20
    outcomes = await asyncio.gather(
        *(world.allocate(pool, **members) for members in wanted), return_exceptions=True
    )
    assert [isinstance(found, CadastreError) for found in outcomes] == [False, True] * 20
    assert len(await world.allocations(pool)) == 20


async def test_concurrent_uses_of_a_token_are_one(world: World) -> None:  # BEY-5
    pool = await world.pool("10.0.0.0/16", locale=WEST)
    made = await asyncio.gather(
        *(world.allocate(pool, netmask_length=24, client_token="t") for _ in range(20))
    )
    assert all(found == made[0] for found in made)
    outcomes = await asyncio.gather(
        *(world.allocate_to_vpc(pool, "v", netmask_length=24) for _ in range(5)),
        *(world.network("CancelResourceAllocation", client_token="v") for _ in range(5)),
        return_exceptions=True,
    )
    refusals = {found.reason for found in outcomes if isinstance(found, CadastreError)}
    assert refusals <= {"IncorrectState"}
    assert await world.allocations(pool) == [made[0]]


async def test_what_is_provisioned_at_once_never_overlaps(world: World) -> None:  # PROV-1
    pools = [await world.define() for _ in range(6)]
    outcomes = await asyncio.gather(
        *(world.provision(pool, cidr=f"10.{n % 2}.0.0/16") for n, pool in enumerate(pools)),
        return_exceptions=True,
    )
    assert sum(not isinstance(found, CadastreError) for found in outcomes) == 2
    ulas = [await world.define(address_family="ipv6") for _ in range(6)]
    chosen = await asyncio.gather(*(world.provision(pool, netmask_length=40) for pool in ulas))
    assert len({found.cidr for found in chosen}) == 6


async def test_children_and_allocations_share_a_parent_without_overlap(world: World) -> None:
    # POOL-8, ALLOC-3
    top = await world.pool("10.0.0.0/16")
    children = [await world.define(source_ipam_pool_id=top) for _ in range(8)]
    await asyncio.gather(
        *(world.provision(child, netmask_length=24) for child in children for _ in range(3)),
        *(world.allocate(top, netmask_length=24) for _ in range(24)),
    )
    found = await world.allocations(top)
    assert len({allocation.cidr for allocation in found}) == 48
    for child in children:
        in_parent = {a.cidr for a in found if a.resource_id == child}
        assert set(await world.cidrs(child)) == in_parent


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
async def test_replicas_allocate_from_one_pool_without_overlap(settings: Settings) -> None:
    # ALLOC-3, BEY-2
    async with serving(settings) as one, serving(settings) as other:
        pool = await one.pool("10.0.0.0/16", locale=WEST)
        replicas = (one, other) * 60
        made = await asyncio.gather(*(r.allocate(pool, netmask_length=28) for r in replicas))
        assert len({found.cidr for found in made}) == 120
        assert await one.allocations(pool) == await other.allocations(pool)
        assert await one.usage(pool) == await other.usage(pool)

        tokens = [f"t{n}" for n in range(10)]
        pairs = await asyncio.gather(
            *(
                r.allocate(pool, netmask_length=28, client_token=t)
                for t in tokens
                for r in (one, other)
            )
        )
        assert pairs[::2] == pairs[1::2]
        await asyncio.gather(*(other.release(pool, found) for found in made[::2]))
        await asyncio.gather(*(one.release(pool, found) for found in made[1::2]))
        assert len(await one.allocations(pool)) == 10

        await other.define(pool, version=2, locale=WEST, allocation_min_netmask_length=27)
        with pytest.raises(CadastreError, match="27-32"):
            await one.allocate(pool, netmask_length=24)
        await one.control_plane("RetireIpamPool", ipam_pool_id=pool, cascade=True)
        with pytest.raises(CadastreError) as refusal:
            await other.allocate(pool, netmask_length=28)
        assert refusal.value.reason == "InvalidIpamPoolId.NotFound"


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
async def test_a_token_counts_in_every_replica(settings: Settings) -> None:  # BEY-5
    async with serving(settings) as one, serving(settings) as other:
        pools = [await one.pool(f"10.{n}.0.0/16", locale=WEST) for n in range(2)]
        for number in range(10):
            token = f"t{number}"
            outcomes = await asyncio.gather(
                one.allocate(pools[0], netmask_length=28, client_token=token),
                other.allocate(pools[1], netmask_length=28, client_token=token),
                one.allocate_to_vpc(pools[0], token, netmask_length=28),
                other.network("CancelResourceAllocation", client_token=token),
                return_exceptions=True,
            )
            by_hand = [isinstance(found, CadastreError) for found in outcomes[:2]]
            assert sorted(by_hand) == [False, True]
            reasons = {found.reason for found in outcomes if isinstance(found, CadastreError)}
            assert reasons <= {"IdempotentParameterMismatch", "IncorrectState"}
        found = [a for pool in pools for a in await one.allocations(pool)]
        assert len(found) == 10


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
async def test_pools_do_not_wait_for_each_other(world: World, database_url: str) -> None:  # BEY-7
    slow, other = await world.pool("10.0.0.0/16"), await world.pool("10.1.0.0/16")
    outside = Database(database_url)
    with outside.write() as connection:
        is_it = tables.pools.c.ipam_pool_id == slow
        connection.execute(sa.select(tables.pools).where(is_it).with_for_update())
        waiting = [asyncio.create_task(world.allocate(slow, netmask_length=24)) for _ in "abc"]
        for _ in range(5):
            await world.allocate(other, netmask_length=24)
        assert not any(task.done() for task in waiting)
    outside.close()
    made = await asyncio.gather(*waiting)
    assert len({found.cidr for found in made}) == 3


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
async def test_an_outage_is_told_and_passes(
    world: World, database_url: str, postgres: PostgresServer
) -> None:  # BEY-4
    pool = await world.pool("10.0.0.0/16")
    first = await world.allocate(pool, netmask_length=24)
    with postgres.outage_of(database_url):
        outcomes = await asyncio.gather(
            *(world.allocate(pool, netmask_length=24) for _ in range(10)), return_exceptions=True
        )
    assert {getattr(found, "reason", None) for found in outcomes} == {"Unavailable"}
    second = await world.allocate(pool, netmask_length=24)
    assert [first, second] == await world.allocations(pool)
    assert second.cidr == "10.0.1.0/24"


async def test_what_was_acknowledged_survives_a_kill(settings: Settings) -> None:  # BEY-5, ALLOC-3
    port = free_base_port()
    secret = create_secret(settings.identity_secret_path)
    address = f"127.0.0.1:{port + 2}"
    with process(settings, port) as victim:
        async with Remote(address, signer=TokenSigner(secret)) as remote:
            world = World(remote)
            await answering(world)
            pool = await world.pool("10.0.0.0/16")
            acknowledged: dict[str, Any] = {}

            async def allocate(token: str) -> None:
                made = await world.allocate(pool, netmask_length=28, client_token=token)
                acknowledged[token] = made
                if len(acknowledged) == 40:
                    victim.send_signal(signal.SIGKILL)

            tokens = [f"t{number}" for number in range(200)]
            await asyncio.gather(*map(allocate, tokens), return_exceptions=True)
            victim.wait()
    async with serving(settings) as world:
        again = await asyncio.gather(
            *(world.allocate(pool, netmask_length=28, client_token=token) for token in tokens)
        )
        assert {t: made for t, made in zip(tokens, again, strict=True) if t in acknowledged} == (
            acknowledged
        )
        assert len({made.cidr for made in again}) == len(await world.allocations(pool)) == 200


async def answering(world: World) -> None:
    """Until the process is up."""

    async def answers() -> bool:
        try:
            await world.control_plane("GetIpamPoolUsage", ipam_pool_ids=["ipam-pool-00000000"])
        except CadastreError:
            return False
        return True

    await eventually(answers)


@contextmanager
def process(settings: Settings, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """The service as it runs in use."""
    environment = {
        **os.environ,
        "CADASTRE_DATA": str(settings.data),
        "CADASTRE_DATABASE_URL": settings.database_url,
        "CADASTRE_PORT": str(port),
    }
    command = [sys.executable, "-m", "services.allocation"]
    with subprocess.Popen(command, env=environment, cwd=REPOSITORY) as started:
        try:
            yield started
        finally:
            started.kill()
