"""Time per call of a pool's free space, by how much is held: `python -m tests.bench.free_space`.

10.0.0.0/8 is filled with /29 from below, then one in eleven is given back at random, so that free
space lies as scattered as in a busy pool.
"""

import platform
import random
from collections.abc import Callable
from functools import partial
from time import perf_counter

from services.allocation.free_space import FreeSpace
from shared.cidr import AddressFamily, Cidr

POOL = Cidr.parse("10.0.0.0/8")
PREFIX_LENGTH = 29
HELD = (10, 1_000, 100_000, 1_000_000)
CALLS = 10_000
REPEATS = 3


class BusyPool:
    """A pool of which many small blocks are held, and things that are done to it."""

    def __init__(self, held_total: int) -> None:
        self._rng = random.Random(held_total)
        filled = [
            Cidr(AddressFamily.IPV4, POOL.first + number * 8, PREFIX_LENGTH)
            for number in range(held_total * 11 // 10)
        ]
        self.held = self._rng.sample(filled, held_total)
        self.rebuild()

    def rebuild(self) -> None:
        held = [(cidr.first, cidr.prefix_length) for cidr in sorted(self.held)]
        self.space = FreeSpace.rebuilt(POOL.family, [POOL], held)

    def take_one_and_give_it_back(self) -> None:
        self.space.give_back(self.space.take_next(PREFIX_LENGTH))

    def release_any_and_take_the_next(self) -> None:
        number = self._rng.randrange(len(self.held))
        self.space.give_back(self.held[number])
        self.held[number] = self.space.take_next(PREFIX_LENGTH)

    def release_any_and_take_it_again(self) -> None:
        cidr = self._rng.choice(self.held)
        self.space.give_back(cidr)
        self.space.take(cidr)

    def split_the_largest_and_merge_it(self) -> None:
        largest = self.space.largest_free or 0
        corner = self.space.find(largest)
        cidr = Cidr(corner.family, corner.first, 32)
        self.space.take(cidr)
        self.space.give_back(cidr)

    def find_beside_two_disallowed(self) -> None:
        self.space.find(PREFIX_LENGTH, disallowed=self.held[:2])


def microseconds(call: Callable[[], None], calls: int) -> float:
    """The best of a few rounds: the machine's noise only ever adds."""
    best = float("inf")
    for _ in range(REPEATS):
        began = perf_counter()
        for _ in range(calls):
            call()
        best = min(best, (perf_counter() - began) / calls)
    return best * 1e6


def main() -> None:
    pools = [BusyPool(held_total) for held_total in HELD]
    print(f"{platform.platform()}, Python {platform.python_version()}")
    print(f"{'µs per pair of calls, by blocks held':38}" + "".join(f"{n:>12,}" for n in HELD))
    for operation in (
        BusyPool.take_one_and_give_it_back,
        BusyPool.release_any_and_take_the_next,
        BusyPool.release_any_and_take_it_again,
        BusyPool.split_the_largest_and_merge_it,
        BusyPool.find_beside_two_disallowed,
    ):
        figures = [microseconds(partial(operation, pool), CALLS) for pool in pools]
        print(f"{operation.__name__.replace('_', ' '):38}" + "".join(f"{f:12.2f}" for f in figures))
    figures = [microseconds(pool.rebuild, 1) for pool in pools]
    print(f"{'rebuild':38}" + "".join(f"{f:12,.0f}" for f in figures))


if __name__ == "__main__":
    main()
