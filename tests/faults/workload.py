"""What the clients do: small pools, nearly full, so that they are always in each other's way."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from shared.cidr import Cidr
from shared.rpc.client import Remote
from tests.faults.blocks import SMALLEST
from tests.faults.client import PersistentClient
from tests.faults.history import Allocate, Call, Deprovision, Done, Made, Provision

CIDRS = ("10.0.0.0/22", "10.1.0.0/22")
"""Of the top-level pools that all clients share."""
WIDEST = 26
HELD_AT_MOST = 6
CHILD_CIDRS_AT_MOST = 2
_REMEMBERED = 50


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
        self._held: list[tuple[str, Made]] = []
        self._answered: list[tuple[Allocate, int]] = []

    async def work(self, ended: asyncio.Event) -> None:
        things: dict[Callable[[], Awaitable[None]], int] = {
            self._allocate_any: 30,
            self._allocate_exactly: 15,
            self._release: 35,
            self._read: 8,
            self._repeat: 4,
            self._provision: 6,
            self._deprovision: 6,
        }
        while not ended.is_set():
            [thing] = self._rng.choices(list(things), list(things.values()))
            await thing()

    async def _allocate_any(self) -> None:
        pool_id = self._rng.choice([*self._spaces, *self._child_with_space()])
        await self._allocate(Allocate(pool_id, self._client.new_token()))

    async def _allocate_exactly(self) -> None:
        pool_id = self._rng.choice(list(self._spaces))
        block = self._block_in(self._spaces[pool_id])
        await self._allocate(Allocate(pool_id, self._client.new_token(), block))

    async def _allocate(self, wanted: Allocate) -> None:
        if len(self._held) >= HELD_AT_MOST:
            return
        netmask_length = self._rng.randint(WIDEST, SMALLEST)
        call = await self._client.allocate(wanted, netmask_length)
        if isinstance(call.outcome, Made):
            self._held.append((wanted.pool_id, call.outcome))
            self._answered = [*self._answered[-_REMEMBERED:], (wanted, netmask_length)]

    async def _release(self) -> None:
        if self._held:
            await self._client.release(*self._held.pop(self._rng.randrange(len(self._held))))

    async def _read(self) -> None:
        await self._client.read(self._rng.choice([*self._spaces, *self._child_with_space()]))

    async def _repeat(self) -> None:
        """Ask once more with a token that was answered, perhaps of something long gone."""
        if self._answered:
            await self._client.allocate(*self._rng.choice(self._answered))

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

    def _child_with_space(self) -> list[str]:
        return [self._child.pool_id] if self._child and self._child.cidrs else []

    def _block_in(self, space: Cidr) -> Cidr:
        length = self._rng.randint(WIDEST, SMALLEST)
        size = 1 << (32 - length)
        number = self._rng.randrange(space.size // size)
        return Cidr(space.family, space.first + number * size, length)


async def look_through_every_replica(
    remotes: Sequence[Remote], calls: list[Call], pool_ids: Sequence[str], rng: random.Random
) -> None:
    """The last word of the history: what each replica shows of each pool."""
    client = PersistentClient(remotes, calls, rng)
    for replica in range(len(remotes)):
        for pool_id in pool_ids:
            await client.read(pool_id, replica=replica)
