"""Pools kept in memory between batches."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from services.allocation.pool import Pool


@dataclass(slots=True)
class CachedPool:
    """A pool as the database had it at ``version``. ``number`` is the pool's in there."""

    number: int
    version: int
    pool: Pool
    changes_since_snapshot: int = 0
    """What whoever begins with the snapshot would have to repeat."""


class PoolCache:
    """Pools are taken out for the length of a batch, and come back when it is committed.

    So what a failed batch did to them is forgotten without further ado.
    """

    def __init__(self, *, capacity: int) -> None:
        self._capacity = capacity
        self._pools: OrderedDict[str, CachedPool] = OrderedDict()
        self._turn = threading.Lock()

    def take(self, ipam_pool_ids: Iterable[str]) -> dict[str, CachedPool]:
        """Those that are here."""
        with self._turn:
            found = {pool_id: self._pools.pop(pool_id, None) for pool_id in ipam_pool_ids}
        return {pool_id: cached for pool_id, cached in found.items() if cached}

    def put(self, cached: Iterable[CachedPool]) -> None:
        """Keep pools as they are now; the ones used longest ago go when there are too many."""
        with self._turn:
            self._pools.update({found.pool.ipam_pool_id: found for found in cached})
            while len(self._pools) > self._capacity:
                self._pools.popitem(last=False)
