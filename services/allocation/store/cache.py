"""Pools kept in memory between batches."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
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


@dataclass(frozen=True, slots=True)
class _Kept:
    """``blocks`` are its free ones at the time, and one for the pool itself."""

    cached: CachedPool
    blocks: int
    used_at: float


class PoolCache:
    """Pools are taken out for the length of a batch, and come back when it is committed.

    So what a failed batch did to them is forgotten without further ado. Those used longest ago go
    when there are too many free blocks in here, which is what takes up memory, or when nobody has
    used them for long.
    """

    def __init__(
        self, *, most_blocks: int, idle_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``clock`` tells seconds."""
        self._most_blocks, self._idle_seconds, self._clock = most_blocks, idle_seconds, clock
        self._pools: OrderedDict[str, _Kept] = OrderedDict()
        self._blocks = 0
        self._turn = threading.Lock()

    def take(self, ipam_pool_ids: Iterable[str]) -> dict[str, CachedPool]:
        """Those that are here."""
        found = {}
        with self._turn:
            for pool_id in ipam_pool_ids:
                if kept := self._pools.pop(pool_id, None):
                    self._blocks -= kept.blocks
                    found[pool_id] = kept.cached
        return found

    def put(self, cached: Iterable[CachedPool]) -> None:
        """Keep pools as they are now; of all that are here, only the last one is never too much."""
        now = self._clock()
        with self._turn:
            for found in cached:
                self._keep(found, now)
            while self._blocks > self._most_blocks and len(self._pools) > 1:
                self._forget_oldest()

    def forget_idle(self) -> None:
        """Forget what nobody has used for long."""
        before = self._clock() - self._idle_seconds
        with self._turn:
            while self._pools and next(iter(self._pools.values())).used_at < before:
                self._forget_oldest()

    def _keep(self, cached: CachedPool, now: float) -> None:
        pool_id, blocks = cached.pool.ipam_pool_id, cached.pool.space.block_count + 1
        # Two batches may have read it at once, where neither found it here.
        if known := self._pools.pop(pool_id, None):
            self._blocks -= known.blocks
        self._pools[pool_id] = _Kept(cached, blocks, now)
        self._blocks += blocks

    def _forget_oldest(self) -> None:
        _, kept = self._pools.popitem(last=False)
        self._blocks -= kept.blocks
