"""Free addresses of public IPv4 pools as both databases find them, against a naive search."""

import random
from collections.abc import Callable, Collection
from dataclasses import replace
from ipaddress import IPv4Address

from services.network.service.rows import Rows
from services.network.store.store import SqlStore
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.network.test_address import address


def taking(pool_id: str, numbers: Collection[int]) -> Callable[[Rows], None]:
    """Make these addresses of a pool elastic IP addresses."""

    def use_case(rows: Rows) -> None:
        for number in numbers:
            one = address(f"eipalloc-{number}")
            rows.addresses.add(
                replace(one, public_ip=IPv4Address(number), public_ipv4_pool=pool_id)
            )

    return use_case


def lowest_free_from(number: int) -> Callable[[Rows], IPv4Address]:
    return lambda rows: rows.addresses.lowest_free("pool", IPv4Address(number))


async def test_the_lowest_free_address_of_a_range_is_the_first_gap(  # BEY-7, EIP-2
    database_url: str,
) -> None:
    database = Database(database_url)
    try:
        await database.run(upgrade, database, "services.network")
        store = SqlStore(database, on_change=lambda _: None)
        rng = random.Random(6)
        for case, taken_total in enumerate([0, 1, 8, 15, *(rng.randrange(16) for _ in range(36))]):
            start = 1 + 64 * case
            whole = range(start, start + 16)
            taken = rng.sample(whole, taken_total)
            # Right before and after the range are taken ones of the same pool, in it another's.
            await store.write(taking("pool", [*taken, start - 1, start + 16]))
            free = sorted(set(whole) - set(taken))
            await store.write(taking("other", free[:2]))
            assert await store.read(lowest_free_from(start)) == IPv4Address(free[0])
    finally:
        database.close()
