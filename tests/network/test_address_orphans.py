"""Elastic IP addresses and ranges of public IPv4 pools leave nothing behind either (EIP-1, EIP-2).

Whatever happens in between: the process dies, or the ledger refuses.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from services.network.cidr_blocks import FromPool
from services.network.service.addresses import NewAddress
from services.network.service.byoip_ranges import NewByoipRange
from services.network.service.public_ipv4_pools import NewRange
from shared.cidr import Cidr
from shared.ids import PUBLIC_IPV4_POOL
from shared.settings import Settings
from tests.network.conftest import network_running
from tests.network.fake_ledger import BYOIP_POOL, FakeLedger
from tests.network.mortal import Died, Life, Process, long_ago, now, process
from tests.network.support import CALLER, REGION
from tests.waiting import eventually

POOL_ID = PUBLIC_IPV4_POOL.new()


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


async def add_byoip_range(mortal: Process, life: Life) -> None:
    wanted = NewByoipRange(
        pool_id=POOL_ID,
        cidr=Cidr.parse("203.0.113.0/24"),
        network_border_group=REGION,
        description="",
        tags={},
    )
    await mortal.byoip_ranges(life, long_ago).add(CALLER, wanted)


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


async def test_a_range_whose_adding_was_cut_off_can_be_added_again(  # BYOIP-6
    settings: Settings, ledger: FakeLedger
) -> None:
    """The control plane repeats it; what the first attempt left is undone before long."""
    async with process(settings) as mortal:
        with suppress(Died):
            await add_byoip_range(mortal, Life(6))
        assert len(ledger.held) == 1
        await mortal.undertakings(now).undo_abandoned()
        await add_byoip_range(mortal, Life(100))
    assert list(ledger.held.values()) == ["203.0.113.0/24"]
    async with network_running(settings) as api:
        assert await api.associations() == ledger.held
