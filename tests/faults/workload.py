"""What the clients do: small pools, nearly full, so that they are always in each other's way."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from shared.cidr import Cidr
from shared.rpc.client import Remote
from tests.faults.blocks import SMALLEST
from tests.faults.client import PersistentClient
from tests.faults.history import Allocate, Call, Deprovision, Done, Hold, Made, Provision

CIDRS = ("10.0.0.0/22", "10.1.0.0/22")
"""Of the top-level pools that all clients share."""
WIDEST = 26
HELD_AT_MOST = 6
CHILD_CIDRS_AT_MOST = 2
_REMEMBERED = 50
_LONG_SECONDS, _SHORT_SECONDS = 86_400, 1
"""Times to live of holds: one outlasts the run, the other ends about when the hold is used."""
_SHORT_LIVED = 0.3
"""Share of holds."""
_LEFT_ALONE = 0.5
"""Share of the short-lived ones, so that some expire however fast the machine is."""


@dataclass
class _Child:
    """A pool of one client's own, below a shared one."""

    pool_id: str
    cidrs: list[Cidr] = field(default_factory=list)
    is_last_used: bool = False
    """It gets no more CIDRs: an attempt to take one back may yet come true, and take another."""


class Worker:
    """Does one thing after the other, at random, until it is told to stop."""

    def __init__(
        self,
        remotes: Sequence[Remote],
        calls: list[Call],
        shared_pools: Sequence[str],
        rng: random.Random,
    ) -> None:
        self._client, self._rng = PersistentClient(remotes, calls, rng), rng
        self._spaces = dict(zip(shared_pools, map(Cidr.parse, CIDRS), strict=True))
        self._source_id = rng.choice(shared_pools)
        self._child: _Child | None = None
        self._allocated: list[tuple[str, Made]] = []
        self._held: list[tuple[str, Made]] = []
        self._answered: list[Callable[[], Awaitable[Call]]] = []

    async def work(self, ended: asyncio.Event) -> None:
        things: dict[Callable[[], Awaitable[None]], int] = {
            self._allocate_any: 30,
            self._allocate_exactly: 15,
            self._release: 35,
            self._hold_any: 12,
            self._hold_exactly: 12,
            self._settle: 8,
            self._release_hold: 5,
            self._read: 8,
            self._read_holds: 4,
            self._repeat: 4,
            self._provision: 6,
            self._deprovision: 6,
        }
        while not ended.is_set():
            [thing] = self._rng.choices(list(things), list(things.values()))
            await thing()

    async def _allocate_any(self) -> None:
        await self._allocate(Allocate(self._any_pool(), self._client.new_token()))

    async def _allocate_exactly(self) -> None:
        pool_id, block = self._any_block()
        await self._allocate(Allocate(pool_id, self._client.new_token(), block))

    async def _allocate(self, wanted: Allocate) -> None:
        if self._has_enough():
            return
        ask = partial(self._client.allocate, wanted, self._any_length())
        call = await ask()
        if isinstance(call.outcome, Made):
            self._allocated.append((wanted.pool_id, call.outcome))
            self._remember(ask)

    async def _release(self) -> None:
        if self._allocated:
            await self._client.release(*self._one_out_of(self._allocated))

    async def _hold_any(self) -> None:
        await self._hold(self._any_pool(), None)

    async def _hold_exactly(self) -> None:
        await self._hold(*self._any_block())

    async def _hold(self, pool_id: str, block: Cidr | None) -> None:
        if self._has_enough():
            return
        is_short_lived = self._rng.random() < _SHORT_LIVED
        ttl_seconds = _SHORT_SECONDS if is_short_lived else _LONG_SECONDS
        wanted = Hold(pool_id, self._client.new_token(), ttl_seconds, block)
        ask = partial(self._client.hold, wanted, self._any_length())
        call = await ask()
        if isinstance(call.outcome, Made):
            self._remember(ask)
            if not (is_short_lived and self._rng.random() < _LEFT_ALONE):
                self._held.append((pool_id, call.outcome))

    async def _settle(self) -> None:
        """Allocate what is held, or was until it expired or another client settled it."""
        if self._held:
            pool_id, hold = self._one_out_of(self._held)
            await self._allocate(Allocate(pool_id, self._client.new_token(), hold.cidr))

    async def _release_hold(self) -> None:
        if self._held:
            await self._client.release_hold(*self._one_out_of(self._held))

    async def _read(self) -> None:
        await self._client.read(self._any_pool())

    async def _read_holds(self) -> None:
        await self._client.read_holds(self._any_pool())

    async def _repeat(self) -> None:
        """Ask once more with a token that was answered, perhaps of something long gone."""
        if self._answered:
            await self._rng.choice(self._answered)()

    async def _provision(self) -> None:
        if self._child is None:
            self._child = _Child(await self._client.define_child(self._source_id))
        child = self._child
        if len(child.cidrs) >= CHILD_CIDRS_AT_MOST or child.is_last_used:
            return
        wanted = Provision(child.pool_id, self._source_id, self._client.new_token())
        call = await self._client.provision(wanted, self._rng.randint(WIDEST, SMALLEST - 1))
        if isinstance(call.outcome, Made):
            child.cidrs.append(call.outcome.cidr)
        child.is_last_used = call.may_come_true

    async def _deprovision(self) -> None:
        if not (child := self._child):
            return
        if child.cidrs:
            cidr = self._rng.choice(child.cidrs)
            wanted = Deprovision(child.pool_id, self._source_id, cidr)
            call = await self._client.deprovision(wanted)
            if isinstance(call.outcome, Done):
                child.cidrs.remove(cidr)
            child.is_last_used |= call.attempts > 1 or call.may_come_true
        if child.is_last_used and not child.cidrs:
            self._child = None

    def _has_enough(self) -> bool:
        return len(self._allocated) + len(self._held) >= HELD_AT_MOST

    def _remember(self, ask: Callable[[], Awaitable[Call]]) -> None:
        self._answered = [*self._answered[-_REMEMBERED:], ask]

    def _one_out_of(self, things: list[tuple[str, Made]]) -> tuple[str, Made]:
        return things.pop(self._rng.randrange(len(things)))

    def _any_pool(self) -> str:
        child = [self._child.pool_id] if self._child and self._child.cidrs else []
        return self._rng.choice([*self._spaces, *child])

    def _any_length(self) -> int:
        return self._rng.randint(WIDEST, SMALLEST)

    def _any_block(self) -> tuple[str, Cidr]:
        """Of a shared pool, whoever has it."""
        pool_id, space = self._rng.choice(list(self._spaces.items()))
        length = self._any_length()
        size = 1 << (32 - length)
        number = self._rng.randrange(space.size // size)
        return pool_id, Cidr(space.family, space.first + number * size, length)


async def look_through_every_replica(
    remotes: Sequence[Remote], calls: list[Call], pool_ids: Sequence[str], rng: random.Random
) -> None:
    """The last word of the history: what each replica shows of each pool."""
    client = PersistentClient(remotes, calls, rng)
    for replica in range(len(remotes)):
        for pool_id in pool_ids:
            await client.read(pool_id, replica=replica)
            await client.read_holds(pool_id, replica=replica)
