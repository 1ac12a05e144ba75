"""What a pool has left, and what the next allocation would leave of it (ALLOC-1, BEY-9)."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.allocation.free_space import FreeSpace
from shared.cidr import Cidr
from shared.errors import CadastreError
from tests.allocation.free_space_oracle import NaiveFreeSpace, addresses
from tests.allocation.free_spaces import blocks_of
from tests.allocation.world import HOME, STRANGER, UNKNOWN_POOL, WEST, World

UNIVERSE = Cidr.parse("10.0.0.0/27")
USER = "444455556666"


@given(held=st.lists(blocks_of(UNIVERSE), max_size=8), wanted=blocks_of(UNIVERSE))
def test_free_blocks_are_counted_as_they_are_and_as_they_would_be(
    held: list[Cidr], wanted: Cidr
) -> None:
    space, naive = FreeSpace(UNIVERSE.family), NaiveFreeSpace(UNIVERSE)
    space.add_root(UNIVERSE)
    naive.add_root(UNIVERSE)
    for cidr in filter(space.is_free, held):
        space.take(cidr)
        naive.free -= addresses(cidr)
    before = _counts(naive)
    assert list(space.block_counts.items()) == before
    if space.is_free(wanted):
        then = space.block_counts_without(wanted)
        assert list(space.block_counts.items()) == before
        naive.free -= addresses(wanted)
        assert list(then.items()) == _counts(naive)


def _counts(naive: NaiveFreeSpace) -> list[tuple[int, int]]:
    return sorted(Counter(cidr.prefix_length for cidr in naive.blocks()).items())


def shown(counts: Any) -> list[tuple[int, int]]:
    return [(one.netmask_length, one.count) for one in counts]


async def test_it_tells_what_is_left_and_where_the_next_goes(world: World) -> None:
    pool = await world.pool("10.0.0.0/24")
    await world.place(pool, add_excluded_cidrs=["10.0.0.128/25"])
    await world.allocate(pool, cidr="10.0.0.0/28")
    await world.hold(pool, cidr="10.0.0.16/28")
    told = await world.owner("GetIpamPoolFreeSpace", ipam_pool_id=pool, netmask_length=28)
    preview = await world.allocate(pool, netmask_length=28, preview_next_cidr=True)
    assert told.cidr == preview.cidr == "10.0.0.32/28"
    assert (shown(told.free_cidrs), told.free_addresses) == ([(26, 1), (27, 1)], "96")
    remaining = (shown(told.remaining_cidrs), told.remaining_addresses)
    assert remaining == ([(26, 1), (28, 1)], "80")


@pytest.mark.parametrize("members", [{}, {"netmask_length": 23}])
async def test_without_a_block_nothing_is_said_of_then(
    world: World, members: dict[str, Any]
) -> None:
    pool = await world.pool("10.0.0.0/24")
    told = await world.owner("GetIpamPoolFreeSpace", ipam_pool_id=pool, **members)
    assert (shown(told.free_cidrs), shown(told.remaining_cidrs)) == ([(24, 1)], [])
    assert not told.HasField("cidr")
    assert not told.HasField("remaining_addresses")


async def test_users_of_a_shared_pool_are_told_and_strangers_are_not(world: World) -> None:
    """ORG-4, BEY-12."""
    pool = await world.pool("fd80::/9", locale=WEST, shared_with=[USER])
    told = await world.caller(USER, WEST)("GetIpamPoolFreeSpace", ipam_pool_id=pool)
    assert told.free_addresses == str(2**119)
    for caller, wanted in ((world.caller(STRANGER, HOME), pool), (world.owner, UNKNOWN_POOL)):
        with pytest.raises(CadastreError) as refused:
            await caller("GetIpamPoolFreeSpace", ipam_pool_id=wanted)
        assert refused.value.reason == "InvalidIpamPoolId.NotFound"
