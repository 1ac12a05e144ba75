"""Every resource's usage, while somebody asks for it."""

import asyncio
from dataclasses import replace

import pytest

from services.metrics.resources import OnDemand, read_resources
from tests.metrics.fake_sources import FakeContexts
from tests.metrics.figures_world import IPAM

STALE_SECONDS, AT_ONCE = 300.0, 0.0
LONG = 60.0


class World:
    """A text that is read, how often, and the time."""

    def __init__(self) -> None:
        self.now, self.reads, self.is_down = 0.0, 0, False
        self.on_demand = OnDemand(self.read, stale_seconds=STALE_SECONDS, clock=lambda: self.now)

    async def read(self) -> bytes:
        if self.is_down:
            raise ConnectionError
        self.reads += 1
        return b"%d" % self.reads

    async def text(self) -> bytes | None:
        return await self.on_demand.text(within_seconds=AT_ONCE)


@pytest.fixture
def world() -> World:
    return World()


async def test_the_text_has_every_resource_of_every_ipam() -> None:  # BEY-11
    contexts = FakeContexts()
    contexts.all_ipams.append(replace(IPAM, ipam_id="ipam-2"))
    text = (await read_resources(contexts, contexts)).decode()
    assert text.count("\ncadastre_ipam_resource_ip_usage_ratio{") == 8
    assert ("discovery", "ipam-1") in contexts.asked
    assert ("discovery", "ipam-2") in contexts.asked


async def test_nothing_is_read_before_somebody_asks(world: World) -> None:
    waiting = asyncio.create_task(world.on_demand.wanted())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert await world.text() is None
    await waiting
    assert world.reads == 0


async def test_the_first_one_who_asks_waits_for_the_reading(world: World) -> None:
    asking = asyncio.create_task(world.on_demand.text(within_seconds=LONG))
    await world.on_demand.wanted()
    await world.on_demand.renew()
    assert await asking == b"1"


async def test_whoever_asks_later_gets_what_was_read_last(world: World) -> None:
    await world.text()
    await world.on_demand.renew()
    assert [await world.text() for _ in range(3)] == [b"1"] * 3
    await world.on_demand.renew()
    assert await world.text() == b"2"
    assert world.reads == 2


async def test_it_is_forgotten_when_nobody_asks_any_more(world: World) -> None:
    await world.text()
    await world.on_demand.renew()
    world.now = STALE_SECONDS
    await world.on_demand.renew()
    assert world.reads == 2
    world.now += 1
    await world.on_demand.renew()
    assert world.reads == 2
    waiting = asyncio.create_task(world.on_demand.wanted())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert await world.text() is None
    await waiting


async def test_the_last_text_stays_for_a_while_when_it_can_t_be_read(world: World) -> None:
    world.now = 100
    await world.text()
    await world.on_demand.renew()
    world.is_down, world.now = True, 100 + STALE_SECONDS
    await world.text()
    with pytest.raises(ConnectionError):
        await world.on_demand.renew()
    assert await world.text() == b"1"
    world.now += 1
    with pytest.raises(ConnectionError):
        await world.on_demand.renew()
    assert await world.text() is None
    world.is_down = False
    await world.on_demand.renew()
    assert await world.text() == b"2"
