"""The ledger dies at each of its fail points: a repeat is answered as if it had not (BEY-5)."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.errors import CadastreError
from shared.fail_points import FailPoint
from shared.identity import TokenSigner, create_secret
from shared.rpc.client import Remote
from shared.settings import Settings
from tests.acceptance.installation import free_base_port
from tests.allocation.world import World, serving
from tests.service_process import ServiceProcess
from tests.waiting import PATIENCE_SECONDS

UNCOMMITTED = [FailPoint.LEDGER_AFTER_TOKENS, FailPoint.LEDGER_BEFORE_COMMIT]
COMMITTED = [FailPoint.LEDGER_AFTER_COMMIT]
EVERY = pytest.mark.parametrize("point", [*UNCOMMITTED, *COMMITTED], ids=str)


@asynccontextmanager
async def doomed(settings: Settings, point: FailPoint) -> AsyncIterator[World]:
    """A ledger that dies at ``point``; the block ends when it did."""
    create_secret(settings.identity_secret_path)
    own = settings.model_copy(update={"port": free_base_port()})
    signer = TokenSigner(settings.identity_secret_path.read_bytes())
    with ServiceProcess("allocation", own, fail_point=point).running() as victim:
        async with Remote(victim.address, signer=signer) as remote:
            await asyncio.wait_for(remote.channel.channel_ready(), PATIENCE_SECONDS)
            yield World(remote)
            assert await asyncio.to_thread(victim.wait) == -signal.SIGKILL


@EVERY
async def test_allocations_that_nobody_heard_of_are_made_once(
    settings: Settings, point: FailPoint
) -> None:
    async with serving(settings) as world:
        pool = await world.pool("10.0.0.0/16")
        first = await world.allocate(pool, netmask_length=24)
    tokens = ["a", "b", "c"]
    async with doomed(settings, point) as world:
        outcomes = await asyncio.gather(
            *(world.allocate(pool, netmask_length=24, client_token=token) for token in tokens),
            return_exceptions=True,
        )
    assert {getattr(found, "reason", None) for found in outcomes} == {"Unavailable"}
    async with serving(settings) as world:
        left = await world.allocations(pool)
        assert (left == [first]) == (point in UNCOMMITTED)
        for _ in range(2):
            made = [
                await world.allocate(pool, netmask_length=24, client_token=token)
                for token in tokens
            ]
            found = await world.allocations(pool)
            assert all(allocation in found for allocation in left)
            assert sorted(a.cidr for a in [first, *made]) == [f"10.0.{n}.0/24" for n in range(4)]
            assert sorted(a.cidr for a in found) == [f"10.0.{n}.0/24" for n in range(4)]
            assert (await world.usage(pool)).allocation_count == 4


@EVERY
async def test_a_release_that_nobody_heard_of_is_done_or_can_be_repeated(
    settings: Settings, point: FailPoint
) -> None:
    async with serving(settings) as world:
        pool = await world.pool("10.0.0.0/16")
        held = await world.allocate(pool, netmask_length=24, client_token="t")
    async with doomed(settings, point) as world:
        with pytest.raises(CadastreError):
            await world.release(pool, held)
    async with serving(settings) as world:
        if point in UNCOMMITTED:
            assert await world.allocations(pool) == [held]
            await world.release(pool, held)
        with pytest.raises(CadastreError) as refusal:
            await world.release(pool, held)
        assert refusal.value.reason == "InvalidIpamPoolAllocationId.NotFound"
        assert await world.allocations(pool) == []
        assert (await world.usage(pool)).allocation_count == 0


@EVERY
async def test_parent_and_child_agree_on_what_nobody_heard_of(  # POOL-8
    settings: Settings, point: FailPoint
) -> None:
    async with serving(settings) as world:
        top = await world.pool("10.0.0.0/16")
        child = await world.define(source_ipam_pool_id=top)
    async with doomed(settings, point) as world:
        with pytest.raises(CadastreError):
            await world.provision(child, netmask_length=24, client_token="t")
    async with serving(settings) as world:
        there = [] if point in UNCOMMITTED else ["10.0.0.0/24"]
        assert list(await world.cidrs(child)) == there
        assert [found.cidr for found in await world.allocations(top)] == there
        for _ in range(2):
            again = await world.provision(child, netmask_length=24, client_token="t")
            assert again.cidr == "10.0.0.0/24"
            assert list(await world.cidrs(child)) == ["10.0.0.0/24"]
            assert [found.cidr for found in await world.allocations(top)] == ["10.0.0.0/24"]
