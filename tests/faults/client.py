"""A client that never gives up: what it wants it asks for until it is told yes or no.

Its requests carry client tokens, so it may ask any replica again when an answer did not come.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC
from itertools import count
from typing import Any

import grpc

from cadastre.allocation.v1 import pool_allocation_pb2, pool_placement_pb2
from shared.cidr import Cidr
from shared.errors import CadastreError, Conflict, Unavailable, kind_of
from shared.ids import IPAM_POOL
from shared.rpc.client import Remote
from tests.allocation.world import World
from tests.faults.clock import moment_of
from tests.faults.history import (
    NEVER,
    Allocate,
    Call,
    Deprovision,
    Done,
    Hold,
    Made,
    Outcome,
    Provision,
    Read,
    ReadHolds,
    Refused,
    Release,
    ReleaseHold,
    Seen,
    Unforeseen,
    Unknown,
    Wanted,
)

_ATTEMPT_SECONDS = 5.0
_HASTY_SECONDS = 0.004
_HASTE = 0.02
"""Share of attempts that are given up before an answer can be there."""
_GIVE_UP_SECONDS = 60.0
_PAUSE_SECONDS = 0.05
_NOT_FOUND = ("InvalidIpamPoolAllocationId.NotFound", "InvalidIpamPoolCidr.NotFound")
_OF_A_POOL = pool_allocation_pb2.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_IPAM_POOL
_IS_HELD = pool_placement_pb2.IPAM_POOL_UNAVAILABLE_REASON_HOLD
_ALL_IN_ONE_PAGE = 100_000

Ask = Callable[[World], Awaitable[Outcome]]


class PersistentClient:
    """Each method is one call; whatever comes of it is added to ``calls``."""

    def __init__(self, remotes: Sequence[Remote], calls: list[Call], rng: random.Random) -> None:
        self._remotes, self._calls, self._rng = remotes, calls, rng
        self._tokens = (f"{rng.getrandbits(64):x}-{number}" for number in count())

    def new_token(self) -> str:
        return next(self._tokens)

    async def allocate(self, wanted: Allocate, netmask_length: int) -> Call:
        """With `Allocate.cidr` that one; the length is for all others."""
        block = _block(wanted, netmask_length)

        async def ask(world: World) -> Outcome:
            made = await world.allocate(
                wanted.pool_id, client_token=wanted.token, description=wanted.token, **block
            )
            return Made(made.ipam_pool_allocation_id, Cidr.parse(made.cidr))

        return await self._insist(wanted, ask)

    async def release(self, pool_id: str, made: Made) -> Call:
        async def ask(world: World) -> Outcome:
            await world.owner(
                "ReleaseIpamPoolAllocation",
                ipam_pool_id=pool_id,
                cidr=str(made.cidr),
                ipam_pool_allocation_id=made.id,
            )
            return Done()

        return await self._insist(Release(pool_id, made.id), ask)

    async def hold(self, wanted: Hold, netmask_length: int) -> Call:
        """With `Hold.cidr` that one; the length is for all others."""
        block = _block(wanted, netmask_length)

        async def ask(world: World) -> Outcome:
            made = await world.hold(
                wanted.pool_id, client_token=wanted.token, ttl_seconds=wanted.ttl_seconds, **block
            )
            until = moment_of(made.expires_at.ToDatetime(UTC))
            return Made(made.ipam_pool_hold_id, Cidr.parse(made.cidr), until)

        return await self._insist(wanted, ask)

    async def release_hold(self, pool_id: str, made: Made) -> Call:
        async def ask(world: World) -> Outcome:
            await world.owner(
                "ReleaseIpamPoolHold", ipam_pool_id=pool_id, ipam_pool_hold_id=made.id
            )
            return Done()

        return await self._insist(ReleaseHold(pool_id, made.id), ask)

    async def provision(self, wanted: Provision, netmask_length: int) -> Call:
        async def ask(world: World) -> Outcome:
            made = await world.provision(
                wanted.pool_id, netmask_length=netmask_length, client_token=wanted.token
            )
            return Made(made.ipam_pool_cidr_id, Cidr.parse(made.cidr))

        return await self._insist(wanted, ask)

    async def deprovision(self, wanted: Deprovision) -> Call:
        async def ask(world: World) -> Outcome:
            await world.owner(
                "DeprovisionIpamPoolCidr", ipam_pool_id=wanted.pool_id, cidr=str(wanted.cidr)
            )
            return Done()

        return await self._insist(wanted, ask)

    async def read(self, pool_id: str, *, replica: int | None = None) -> Call:
        """All allocations of a pool, as of one moment."""

        async def ask(world: World) -> Outcome:
            answer = await world.owner(
                "GetIpamPoolAllocations", ipam_pool_id=pool_id, max_results=_ALL_IN_ONE_PAGE
            )
            return Seen({Cidr.parse(a.cidr): _holder(a) for a in answer.ipam_pool_allocations})

        return await self._insist(Read(pool_id), ask, replica=replica)

    async def read_holds(self, pool_id: str, *, replica: int | None = None) -> Call:
        """All holds of a pool, as of one moment."""

        async def ask(world: World) -> Outcome:
            answer = await world.owner("GetIpamPoolUnavailableCidrs", ipam_pool_id=pool_id)
            assert not answer.next_token, "a pool has more holds than a page"
            held = [a for a in answer.ipam_pool_unavailable_cidrs if a.reason == _IS_HELD]
            return Seen({Cidr.parse(a.cidr): str(a.ipam_pool_hold_id) for a in held})

        return await self._insist(ReadHolds(pool_id), ask, replica=replica)

    async def define_child(self, source_id: str) -> str:
        """A new pool below ``source_id``; asked for again it is the same."""
        pool_id = IPAM_POOL.prefix + f"{self._rng.getrandbits(64):017x}"
        deadline = time.monotonic() + _GIVE_UP_SECONDS
        while True:
            try:
                world = World(self._rng.choice(self._remotes), timeout_seconds=_ATTEMPT_SECONDS)
                return await world.define(pool_id, source_ipam_pool_id=source_id)
            except CadastreError as refusal:
                if kind_of(refusal) is not Unavailable or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _insist(self, wanted: Wanted, ask: Ask, *, replica: int | None = None) -> Call:
        began = invoked = time.monotonic()
        outcome: Outcome = Unknown()
        attempts = 0
        while isinstance(outcome, Unknown) and time.monotonic() - began < _GIVE_UP_SECONDS:
            if attempts:
                await asyncio.sleep(self._rng.uniform(0, 2 * _PAUSE_SECONDS))
            attempts += 1
            if isinstance(wanted, Read | ReadHolds):
                # An earlier look changed nothing: only what this one sees has to be explained.
                invoked = time.monotonic()
            outcome = await _outcome_of(ask(self._world(wanted, replica)))
        if attempts > 1 and isinstance(outcome, Refused) and outcome.reason in _NOT_FOUND:
            # An earlier attempt did it; nobody else knows of the thing.
            outcome = Done()
        is_definite = not isinstance(outcome, Unknown | Unforeseen)
        answered = time.monotonic() if is_definite else NEVER
        call = Call(wanted, outcome, invoked, answered, attempts)
        self._calls.append(call)
        return call

    def _world(self, wanted: Wanted, replica: int | None) -> World:
        """Through a replica; by default any."""
        if replica is None:
            replica = self._rng.randrange(len(self._remotes))
        # A deprovisioning that comes late would hit a namesake, so it is not given up in haste.
        is_hasty = not isinstance(wanted, Deprovision) and self._rng.random() < _HASTE
        timeout = _HASTY_SECONDS if is_hasty else _ATTEMPT_SECONDS
        return World(self._remotes[replica], timeout_seconds=timeout)


async def _outcome_of(answer: Awaitable[Outcome]) -> Outcome:
    try:
        return await answer
    except CadastreError as refusal:
        if kind_of(refusal) in {Unavailable, Conflict}:
            return Unknown()
        return Refused(refusal.reason)
    except grpc.aio.AioRpcError as error:
        return Unforeseen(f"{error.code()}: {error.details()}")


def _block(wanted: Allocate | Hold, netmask_length: int) -> dict[str, str | int]:
    return {"cidr": str(wanted.cidr)} if wanted.cidr else {"netmask_length": netmask_length}


def _holder(allocation: Any) -> str:
    if allocation.resource_type == _OF_A_POOL:
        return str(allocation.resource_id)
    return str(allocation.ipam_pool_allocation_id)
