"""Pools in memory: which stay, and which go."""

from collections.abc import Iterable

import pytest

from services.allocation.definition import PoolDefinition, ScopeType
from services.allocation.pool import Pool
from services.allocation.pool_cidr import CidrState, PoolCidr
from services.allocation.store.cache import CachedPool, PoolCache
from shared.cidr import AddressFamily, Cidr


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def pool(pool_id: str, *, cidrs: int = 0) -> CachedPool:
    """With so many free blocks."""
    found = Pool(
        PoolDefinition(
            ipam_pool_id=pool_id,
            version=1,
            ipam_id="ipam-1",
            ipam_scope_id="ipam-scope-1",
            scope_type=ScopeType.PRIVATE,
            owner_id="123456789012",
            ipam_region="us-east-1",
            address_family=AddressFamily.IPV4,
            locale="None",
            cidr_quota=50,
        )
    )
    for number in range(cidrs):
        cidr = Cidr(AddressFamily.IPV4, number << 16, 16)
        found.provision(PoolCidr(f"c-{number}", pool_id, cidr, CidrState.PROVISIONED, None))
    return CachedPool(1, 1, found)


def cache_of(*pools: CachedPool, most_blocks: int = 100, clock: Clock | None = None) -> PoolCache:
    cache = PoolCache(most_blocks=most_blocks, idle_seconds=60, clock=clock or Clock())
    for found in pools:
        cache.put([found])
    return cache


def ids(cache: PoolCache, wanted: Iterable[str] = "abcd") -> str:
    """Who is in there, as seen by taking all out and putting them back in the same order."""
    found = cache.take(wanted)
    cache.put(found.values())
    return "".join(found)


def test_what_is_taken_is_gone_until_it_is_put_back() -> None:
    found = pool("a")
    cache = cache_of(found)
    assert cache.take("ab") == {"a": found}
    assert cache.take("ab") == {}
    cache.put([found])
    assert cache.take("a") == {"a": found}


def test_a_pool_put_twice_is_there_once() -> None:
    old, new = pool("a", cidrs=60), pool("a", cidrs=60)
    cache = cache_of(pool("b"), old, new)
    assert ids(cache) == "ab"
    assert cache.take("a")["a"] is new


@pytest.mark.parametrize(
    ("blocks", "left"),
    [
        pytest.param({"a": 48, "b": 49}, "ab", id="all that there is room for"),
        pytest.param({"a": 49, "b": 50}, "b", id="one block too many"),
        pytest.param({"a": 10, "b": 90, "c": 20}, "c", id="as many as it takes"),
        pytest.param({"a": 10, "b": 500}, "b", id="the last one, however large"),
    ],
)
def test_who_was_used_longest_ago_goes_when_there_are_too_many_free_blocks(
    blocks: dict[str, int], left: str
) -> None:
    cache = cache_of(*(pool(pool_id, cidrs=count) for pool_id, count in blocks.items()))
    assert ids(cache) == left


def test_using_a_pool_keeps_it() -> None:
    cache = cache_of(pool("a", cidrs=40), pool("b", cidrs=40))
    cache.put(cache.take("a").values())
    cache.put([pool("c", cidrs=40)])
    assert ids(cache) == "ac"


def test_a_pool_that_shrank_makes_room() -> None:
    cache = cache_of(pool("a", cidrs=90))
    cache.take("a")
    cache.put([pool("a", cidrs=10)])
    cache.put([pool("b", cidrs=80)])
    assert ids(cache) == "ab"


def test_what_nobody_uses_for_long_goes() -> None:
    clock = Clock()
    cache = cache_of(pool("a"), clock=clock)
    clock.now += 30
    cache.put([pool("b")])
    clock.now += 31
    cache.forget_idle()
    assert ids(cache) == "b"
    clock.now += 61
    cache.forget_idle()
    cache.forget_idle()
    assert ids(cache) == ""
