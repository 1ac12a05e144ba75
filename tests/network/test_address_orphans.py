"""Elastic IP addresses and ranges of public IPv4 pools leave nothing behind either (EIP-1, EIP-2).

Whatever happens in between: the process dies, or the ledger refuses.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from datetime import datetime
from typing import TypeVar

import pytest

from services.network.cidr_blocks import FromPool
from services.network.service.addresses import NewAddress
from services.network.service.byoip_ranges import ByoipRanges, NewByoipRange
from services.network.service.public_ipv4_pools import NewRange
from services.network.service.rows import Rows, Store
from services.network.service.undertaking import LEASE
from shared.cidr import Cidr
from shared.errors import ServiceUnavailable
from shared.ids import PUBLIC_IPV4_POOL
from shared.settings import Settings
from tests.network.conftest import network_running
from tests.network.fake_ledger import BYOIP_POOL, FakeLedger
from tests.network.mortal import Died, Life, Process, long_ago, now, process
from tests.network.support import CALLER, REGION
from tests.waiting import eventually

T = TypeVar("T")
BYOIP_RANGE = NewByoipRange(
    pool_id=PUBLIC_IPV4_POOL.new(),
    cidr=Cidr.parse("203.0.113.0/24"),
    network_border_group=REGION,
    description="",
    tags={},
)


async def allocate(mortal: Process, life: Life) -> None:
    source = FromPool(BYOIP_POOL, netmask_length=32)
    wanted = NewAddress(source=source, network_border_group=None, tags={})
    await mortal.addresses(life, long_ago).allocate(CALLER, wanted, dry_run=False)


async def provision(mortal: Process, life: Life) -> None:
    pools = mortal.public_ipv4_pools(Life(100), now)
    pool = await pools.create(CALLER, REGION, {}, dry_run=False)
    wanted = NewRange(
        pool_id=pool.pool_id,
        ipam_pool_id=BYOIP_POOL,
        netmask_length=30,
        network_border_group=None,
    )
    await mortal.public_ipv4_pools(life, long_ago).provision(CALLER, wanted, dry_run=False)


async def add_byoip_range(
    mortal: Process, life: Life, clock: Callable[[], datetime] = long_ago
) -> None:
    await mortal.byoip_ranges(life, clock).add(CALLER, BYOIP_RANGE)


class HoldingStore:
    """Its first read is held up until the test lets it go on."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.has_read, self.may_go_on = asyncio.Event(), asyncio.Event()

    async def read(self, use_case: Callable[[Rows], T]) -> T:
        result = await self._store.read(use_case)
        self.has_read.set()
        await self.may_go_on.wait()
        return result

    async def write(self, use_case: Callable[[Rows], T], *, dry_run: bool = False) -> T:
        return await self._store.write(use_case, dry_run=dry_run)


Work = Callable[[Process, Life], Awaitable[None]]
# Two each: the looks before, begin, the allocation, conclude.
STEPS: list[tuple[Work, int]] = [
    (allocate, 8),
    (provision, 8),
    (add_byoip_range, 8),
]


@pytest.mark.parametrize(
    ("work", "steps"),
    [
        pytest.param(work, steps, id=f"{work.__name__}-{steps}")
        for work, all_steps in STEPS
        for steps in range(all_steps)
    ],
)
async def test_a_process_that_dies_at_any_step_leaves_all_or_nothing(
    settings: Settings, ledger: FakeLedger, work: Work, steps: int
) -> None:
    async with process(settings) as mortal:
        with suppress(Died):
            await work(mortal, Life(steps))

    async with network_running(settings) as api:

        async def is_settled() -> bool:
            known = await api.associations()
            return "" not in known.values() and known == ledger.held

        await eventually(is_settled)


@pytest.mark.parametrize(("work", "steps"), STEPS, ids=[work.__name__ for work, _ in STEPS])
async def test_there_are_no_more_steps_than_that(
    settings: Settings, ledger: FakeLedger, work: Work, steps: int
) -> None:
    async with process(settings) as mortal:
        life = Life(steps)
        await work(mortal, life)
        assert len(ledger.held) == 1
        with pytest.raises(Died):
            life.step()


# From the noting on; the seventh concludes.
@pytest.mark.parametrize("steps", range(3, 8))
async def test_a_range_whose_adding_was_cut_off_is_refused_for_now_and_added_later(  # BYOIP-6
    settings: Settings, ledger: FakeLedger, steps: int
) -> None:
    """Never with the ledger's refusal of a range that is held already: that one would be final."""
    async with process(settings) as mortal:
        with suppress(Died):
            await add_byoip_range(mortal, Life(steps), now)
        left = dict(ledger.held)
        if steps < 7:
            with pytest.raises(ServiceUnavailable, match=f"'{BYOIP_RANGE.pool_id}'.*repeat later"):
                await add_byoip_range(mortal, Life(100), now)
            assert ledger.held == left
            await mortal.undertakings(lambda: now() + 2 * LEASE).undo_abandoned()
        await add_byoip_range(mortal, Life(100), now)
    assert list(ledger.held.values()) == ["203.0.113.0/24"]
    async with network_running(settings) as api:
        assert await api.associations() == ledger.held


@pytest.mark.parametrize("is_concluded", [True, False], ids=["concluded", "under way"])
async def test_of_two_attempts_at_once_to_add_a_range_none_is_refused_for_good(  # BYOIP-6
    settings: Settings, ledger: FakeLedger, is_concluded: bool
) -> None:
    """Both looked before either began, so the slower one is refused a range that is held."""
    has_allocated, may_go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        has_allocated.set()
        await may_go_on.wait()

    async with process(settings) as mortal:
        store = HoldingStore(mortal.store)
        slow = asyncio.create_task(
            ByoipRanges(store, mortal.undertakings(now)).add(CALLER, BYOIP_RANGE)
        )
        await store.has_read.wait()
        ledger.after = hold
        fast = asyncio.create_task(add_byoip_range(mortal, Life(100), now))
        await has_allocated.wait()
        if is_concluded:
            may_go_on.set()
            await fast
        store.may_go_on.set()
        with nullcontext() if is_concluded else pytest.raises(ServiceUnavailable):
            await slow
        may_go_on.set()
        await fast
        assert list(ledger.held.values()) == ["203.0.113.0/24"]
