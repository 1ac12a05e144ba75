"""The change feed: all of it, in order, to whom it concerns (MET-5, BEY-12)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from services.allocation import tables
from services.allocation.store.feed import SqlFeed
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.settings import Settings
from tests.allocation.world import (
    ACCOUNT,
    ELSEWHERE,
    HOME,
    STRANGER,
    WEST,
    Client,
    World,
    serving,
    word,
)
from tests.postgres import DIALECTS
from tests.waiting import PATIENCE_SECONDS


class Watching:
    """What a follower was told so far."""

    def __init__(self) -> None:
        self.responses: list[Any] = []
        self._came = asyncio.Condition()

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """What was done, to which CIDR, of which pool."""
        return [
            (kind, getattr(getattr(change, kind), "cidr", ""), response.ipam_pool_id)
            for response in self.responses
            for change in response.changes
            for kind in [change.WhichOneof("change")]
        ]

    async def hear(self, responses: AsyncIterator[Any]) -> None:
        async for response in responses:
            async with self._came:
                self.responses.append(response)
                self._came.notify_all()

    async def until(self, is_enough: Callable[["Watching"], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), self._came:
            await self._came.wait_for(lambda: is_enough(self))


@asynccontextmanager
async def watching(client: Client, after: int = 0) -> AsyncIterator[Watching]:
    watch = Watching()
    following = asyncio.create_task(watch.hear(client.stream("Watch", after_sequence=after)))
    try:
        yield watch
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_everything_is_told_in_order(world: World) -> None:  # MET-5
    top = await world.pool("10.0.0.0/16")
    async with watching(world.owner) as watch:
        child = await world.define(source_ipam_pool_id=top)
        await world.provision(child, cidr="10.0.1.0/24")
        made = await world.allocate(child, cidr="10.0.1.0/28")
        await world.release(child, made)
        await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=child, cidr="10.0.1.0/24")
        await world.control_plane("RetireIpamPool", ipam_pool_id=child)
        await watch.until(lambda seen: ("retired", "", child) in seen.told)
    assert [told for told in watch.told if told[2] == top] == [
        ("provisioned", "10.0.0.0/16", top),
        ("allocated", "10.0.1.0/24", top),
        ("released", "10.0.1.0/24", top),
    ]
    assert [told for told in watch.told if told[2] == child] == [
        ("provisioned", "10.0.1.0/24", child),
        ("allocated", "10.0.1.0/28", child),
        ("released", "10.0.1.0/28", child),
        ("deprovisioned", "10.0.1.0/24", child),
        ("retired", "", child),
    ]
    sequences = [response.sequence for response in watch.responses]
    assert sequences == sorted(set(sequences))
    [allocated] = [r for r in watch.responses if r.changes[0].allocated == made]
    assert allocated.committed_at.ToDatetime().year >= 2026


async def test_where_nothing_is_placed_is_told_too(world: World) -> None:  # MET-5, BEY-9
    pool = await world.pool("10.0.0.0/24")
    async with watching(world.owner) as watch:
        await world.place(pool, cool_down_seconds=3600)
        held = await world.hold(pool, cidr="10.0.0.0/28")
        made = await world.allocate(pool, cidr=held.cidr)
        await world.release(pool, made)
        await watch.until(lambda seen: len(seen.told) == 7)
    assert watch.told[1:] == [
        ("placement", "", pool),
        ("set_aside", "10.0.0.0/28", pool),
        ("available", "10.0.0.0/28", pool),
        ("allocated", "10.0.0.0/28", pool),
        ("released", "10.0.0.0/28", pool),
        ("set_aside", "10.0.0.0/28", pool),
    ]
    reasons = [
        word(change.set_aside, "reason")
        for response in watch.responses
        for change in response.changes
        if change.HasField("set_aside")
    ]
    assert reasons == ["hold", "cool-down"]


async def test_a_follower_resumes_where_it_was(world: World) -> None:
    pool = await world.pool("10.0.0.0/16")
    async with watching(world.owner) as watch:
        first = await world.allocate(pool, netmask_length=28)
        await watch.until(lambda seen: ("allocated", first.cidr, pool) in seen.told)
    second = await world.allocate(pool, netmask_length=28)
    async with watching(world.owner, after=watch.responses[-1].sequence) as again:
        third = await world.allocate(pool, netmask_length=28)
        await again.until(lambda seen: ("allocated", third.cidr, pool) in seen.told)
    assert again.told == [("allocated", cidr, pool) for cidr in (second.cidr, third.cidr)]


async def test_only_who_sees_a_pool_is_told_of_it(world: World) -> None:  # BEY-12
    theirs = await world.pool("10.0.0.0/16", locale=WEST)
    stranger = world.caller(STRANGER, HOME)
    mine = await world.define(owner_id=STRANGER)
    async with (
        watching(world.network) as service,
        watching(stranger) as other,
        watching(world.caller(ACCOUNT, WEST)) as in_locale,
        watching(world.caller(ACCOUNT, ELSEWHERE)) as elsewhere,
    ):
        await world.allocate(theirs, netmask_length=28)
        await stranger("ProvisionIpamPoolCidr", ipam_pool_id=mine, cidr="192.168.0.0/24")
        await other.until(lambda seen: bool(seen.told))
        await service.until(lambda seen: mine in {told[2] for told in seen.told})
        await in_locale.until(lambda seen: len(seen.told) == 2)
    assert {told[2] for told in other.told} == {mine}
    assert {told[2] for told in service.told} == {theirs, mine, "amazon-ipv4", "amazon-ipv6"}
    assert {told[2] for told in in_locale.told} == {theirs}
    assert elsewhere.told == []


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
async def test_replicas_tell_each_others_changes_without_a_gap(settings: Settings) -> None:
    async with serving(settings) as one, serving(settings) as other:
        pools = [await one.pool(f"10.{number}.0.0/16") for number in range(4)]
        async with watching(one.owner) as here, watching(other.owner) as there:
            made = await asyncio.gather(
                *(
                    replica.allocate(pool, netmask_length=28)
                    for _ in range(15)
                    for pool in pools
                    for replica in (one, other)
                )
            )
            for watch in (here, there):
                await watch.until(lambda seen: len(seen.told) == len(made) + len(pools))
    assert here.responses == there.responses
    assert {told[1] for told in here.told if told[0] == "allocated"} == {a.cidr for a in made}


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
async def test_a_later_change_waits_for_an_earlier_one_under_way(database_url: str) -> None:
    database = Database(database_url)
    upgrade(database, "services.allocation")
    feed = SqlFeed(database)
    note = tables.changes.insert()
    try:
        with database.write() as connection:
            pool = {"ipam_pool_id": "p", "version": 2, "is_retired": False, "cidr_count": 0}
            counts = dict.fromkeys(
                ("total_addresses", "allocated_addresses", "assigned_addresses"), "0"
            )
            connection.execute(
                tables.pools.insert().values(**pool, **counts, allocation_count=0, definition={})
            )
        row = {"pool_number": 1, "content": "[]", "committed_at": sa.func.now()}
        with database.engine.begin() as earlier:
            earlier.execute(note.values(pool_version=1, **row))
            with database.write() as later:
                later.execute(note.values(pool_version=2, **row))
            settled = asyncio.create_task(feed._settled())  # noqa: SLF001 - what `after` waits for
            done, _ = await asyncio.wait([settled], timeout=0.1)
            assert not done
        assert await settled == 2
    finally:
        database.close()
