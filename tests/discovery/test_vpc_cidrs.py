"""What the ledger is told that VPCs have (VPC-3), without any server."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from services.discovery.service.following import (
    Discovery,
    HeldAllocation,
    Progress,
    in_sets,
    vpc_cidrs_told_by,
)
from services.discovery.sources import AccountRegion, Association, Change, VpcCidr
from shared.cidr import Cidr
from tests.waiting import PATIENCE_SECONDS


def vpc_cidr(number: int) -> VpcCidr:
    return VpcCidr(f"vpc-{number}", Cidr.parse("10.0.0.0/16"), "123456789012", "us-west-2")


ONE, OTHER = vpc_cidr(1), vpc_cidr(2)
PLACE = AccountRegion("123456789012", "us-west-2")
GOT, LOST = False, True


@pytest.mark.parametrize(
    ("told", "seen", "gone"),
    [
        pytest.param([], [], [], id="nothing"),
        pytest.param([(GOT, ONE), (LOST, OTHER)], [ONE], [OTHER], id="one each"),
        pytest.param([(GOT, ONE), (LOST, ONE)], [], [ONE], id="came and went"),
        pytest.param([(LOST, ONE), (GOT, ONE)], [ONE], [], id="went and came back"),
        pytest.param([(GOT, ONE), (LOST, ONE), (GOT, ONE)], [ONE], [], id="came for good"),
        pytest.param([(GOT, None), (LOST, None)], [], [], id="of no VPC"),
    ],
)
def test_the_last_change_of_a_cidr_counts(
    told: list[tuple[bool, VpcCidr | None]], seen: list[VpcCidr], gone: list[VpcCidr]
) -> None:
    changes = [
        Change(number, is_gone, Association("a", None, what), PLACE)
        for number, (is_gone, what) in enumerate(told, 1)
    ]
    assert vpc_cidrs_told_by(changes) == (seen, gone)


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, []), (1, [1]), (1000, [1000]), (1001, [1000, 1]), (2500, [1000, 1000, 500])],
)
def test_sets_are_as_long_as_the_ledger_takes_them(count: int, sizes: list[int]) -> None:
    assert [len(some) for some in in_sets(range(count))] == sizes


class Chance:
    """Who goes on when: every step of anybody lets others take some first."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    async def step(self) -> None:
        for _ in range(self.rng.randrange(1, 6)):
            await asyncio.sleep(0)


class Cloud:
    """A source whose VPCs get and lose CIDRs all the time; two blocks are on a page."""

    name = "cloud"

    def __init__(self, chance: Chance) -> None:
        self._chance, self._news = chance, asyncio.Event()
        self.there: dict[str, Association] = {}
        self.feed: list[Change] = []

    async def change(self) -> None:
        """A VPC gets its CIDR or loses it; each time under an id that may sort anywhere."""
        what = vpc_cidr(self._chance.rng.randrange(3))
        held = [one for one in self.there.values() if one.vpc_cidr == what]
        one = held[0] if held else Association(f"{self._chance.rng.random()}", None, what)
        if held:
            del self.there[one.association_id]
        else:
            self.there[one.association_id] = one
        self.feed.append(Change(len(self.feed) + 1, bool(held), one, PLACE))
        self._news.set()
        self._news = asyncio.Event()
        await self._chance.step()

    async def changes(self, after: int) -> AsyncGenerator[Change, None]:
        while True:
            news = self._news
            for change in self.feed[after:]:
                yield change
                after = change.sequence
                await self._chance.step()
            if after == len(self.feed):
                await news.wait()

    async def associations(self) -> AsyncIterator[list[Association]]:
        await self._chance.step()
        last = ""
        while page := sorted(id_ for id_ in self.there if id_ > last)[:2]:
            yield [self.there[id_] for id_ in page]
            last = page[-1]
            await self._chance.step()


class Ledger:
    """Knows VPCs' CIDRs; two are on a page. A report takes time to come and to be answered."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self.known: set[VpcCidr] = set()

    async def held_allocations(self, source: str) -> AsyncIterator[list[HeldAllocation]]:
        return
        yield

    async def release(self, ipam_pool_allocation_ids: Sequence[str]) -> Sequence[str]:
        return ipam_pool_allocation_ids

    async def vpc_cidrs(self) -> AsyncIterator[list[VpcCidr]]:
        await self._chance.step()
        last = ""
        while page := sorted(
            (known for known in self.known if known.vpc_id > last), key=lambda one: one.vpc_id
        )[:2]:
            yield page
            last = page[-1].vpc_id
            await self._chance.step()

    async def report_vpc_cidrs(self, seen: Sequence[VpcCidr], gone: Sequence[VpcCidr]) -> None:
        assert not set(seen) & set(gone)
        await self._chance.step()
        self.known -= set(gone)
        self.known |= set(seen)
        await self._chance.step()


@dataclass
class Memory:
    """Progress of one replica."""

    known: Progress = field(default_factory=Progress)

    async def progress(self, source: str) -> Progress:
        return self.known

    async def save_sequence(self, source: str, sequence: int) -> None:
        self.known = replace(self.known, sequence=sequence)

    async def save_pass_time(self, source: str, time: datetime) -> None:
        self.known = replace(self.known, last_successful_pass_time=time)


@pytest.mark.parametrize("seed", range(200))
async def test_the_ledger_ends_with_what_vpcs_have_however_reports_interleave(seed: int) -> None:
    chance = Chance(seed)
    cloud, ledger = Cloud(chance), Ledger(chance)
    memories = [Memory(), Memory()]
    replicas = [Discovery(cloud, ledger, one, lambda: datetime.now(UTC), print) for one in memories]

    async def change() -> None:
        for _ in range(8):
            await cloud.change()

    async def pass_until(changing: "asyncio.Task[None]") -> None:
        # No pass begins after the last change: one that corrects others must not be needed.
        while not changing.done():
            await replicas[0].run_pass()

    following = [asyncio.create_task(replica.follow()) for replica in replicas]
    changing = asyncio.create_task(change())
    await asyncio.gather(changing, pass_until(changing), pass_until(changing))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while any(memory.known.sequence < len(cloud.feed) for memory in memories):  # noqa: ASYNC110
            await asyncio.sleep(0)
    for task in following:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    assert ledger.known == {one.vpc_cidr for one in cloud.there.values()}
