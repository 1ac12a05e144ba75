"""Every request that changes the ledger, with what its decision has to look at."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import chain, starmap

from services.allocation.allocation import Allocation
from services.allocation.changes import Decision, TokenKey
from services.allocation.definition import PoolDefinition
from services.allocation.errors import PassedOver, PoliciesExhausted, TokenUsedMeanwhile
from services.allocation.pending_cidr import OfferedProof
from services.allocation.placement import Placement
from services.allocation.policy import Precedence, pools_in
from services.allocation.pool_cidr import CidrState, PoolCidr
from services.allocation.service import (
    allocating,
    defining,
    free_space,
    importing,
    placing,
    provisioning,
    releasing,
)
from services.allocation.service.allocating import Reservation, ResourceBlock
from services.allocation.service.command import Batch, Command, Once, Part, Writer, pools
from services.allocation.service.free_space import Outlook
from services.allocation.service.importing import ResourceImport
from services.allocation.service.placing import PlacementChange
from services.allocation.service.provisioning import NO_PROOF
from services.allocation.service.releasing import Release
from services.allocation.service.rows import Rows
from services.allocation.service.view import Reader
from services.allocation.set_aside import SetAside
from services.allocation.wanted_block import WantedBlock
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import CadastreError
from shared.ids import IPAM_POOL


class Ledger:
    """Answers when the change is committed; refusals leave no trace."""

    def __init__(
        self,
        writer: Writer,
        reader: Reader,
        *,
        reserved_allowed: bool = False,
        on_waiting: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_waiting`` is called when a range has come to wait for proof of control.

        With ``reserved_allowed`` such ranges may be ones that the Internet has no use for.
        """
        self._writer, self._reader = writer, reader
        self._reserved_allowed, self._on_waiting = reserved_allowed, on_waiting

    async def provision(
        self,
        caller: Caller,
        ipam_pool_id: str,
        wanted: WantedBlock,
        proof: OfferedProof = NO_PROOF,
        *,
        once: Once | None,
        dry_run: bool,
    ) -> PoolCidr:
        """Add a CIDR to a pool; a child's is an allocation of its source pool (POOL-8).

        A public range waits until its proof is verified (PROV-6).
        """
        definition = await self._definition(ipam_pool_id)
        source_id, allowed = definition.source_ipam_pool_id, self._reserved_allowed
        command = Command(
            lambda rows: provisioning.provision(
                rows, caller, ipam_pool_id, wanted, proof, reserved_allowed=allowed
            ),
            pools=pools(ipam_pool_id, source_id),
            scopes=frozenset() if source_id else frozenset({definition.space_id}),
            once=once,
            dry_run=dry_run,
        )
        pool_cidr = await self._writer.carry_out(command)
        if pool_cidr.state is CidrState.PENDING_PROVISION:
            self._on_waiting()
        return pool_cidr

    async def deprovision(
        self, caller: Caller, ipam_pool_id: str, cidr: Cidr | None, *, dry_run: bool
    ) -> PoolCidr:
        """Take a CIDR from a pool."""
        definition = await self._definition(ipam_pool_id)
        command = Command(
            lambda rows: provisioning.deprovision(rows, caller, ipam_pool_id, cidr),
            pools=pools(ipam_pool_id, definition.source_ipam_pool_id),
            dry_run=dry_run,
        )
        return await self._writer.carry_out(command)

    async def preview(
        self, caller: Caller, ipam_pool_id: str, wanted: WantedBlock, *, dry_run: bool
    ) -> Cidr:
        """Tell what the next reservation would get."""
        command = Command(
            lambda rows: allocating.preview(rows, caller, ipam_pool_id, wanted),
            pools=pools(ipam_pool_id),
            dry_run=dry_run,
        )
        return await self._writer.carry_out(command)

    async def outlook(
        self, caller: Caller, ipam_pool_id: str, netmask_length: int | None, *, dry_run: bool
    ) -> Outlook:
        """Tell what is left, and what the next reservation of a length would leave."""
        command = Command(
            lambda rows: free_space.outlook(rows, caller, ipam_pool_id, netmask_length),
            pools=pools(ipam_pool_id),
            dry_run=dry_run,
        )
        return await self._writer.carry_out(command)

    async def reserve(
        self, caller: Caller, reservation: Reservation, *, once: Once | None, dry_run: bool
    ) -> Allocation:
        """Hold space by hand."""
        command = Command(
            lambda rows: allocating.reserve(rows, caller, reservation),
            pools=pools(reservation.ipam_pool_id),
            once=once,
            dry_run=dry_run,
        )
        return await self._writer.carry_out(command)

    async def hold(
        self,
        caller: Caller,
        ipam_pool_id: str,
        wanted: WantedBlock,
        time_to_live: timedelta,
        *,
        once: Once | None,
        dry_run: bool,
    ) -> SetAside:
        """Keep for the caller what the next reservation would get."""
        command = Command(
            lambda rows: allocating.hold(rows, caller, ipam_pool_id, wanted, time_to_live),
            pools=pools(ipam_pool_id),
            once=once,
            dry_run=dry_run,
        )
        return await self._writer.carry_out(command)

    async def release_hold(
        self, caller: Caller, ipam_pool_id: str, ipam_pool_hold_id: str, *, dry_run: bool
    ) -> None:
        """End a hold."""
        command = Command(
            lambda rows: releasing.release_hold(rows, caller, ipam_pool_id, ipam_pool_hold_id),
            pools=pools(ipam_pool_id),
            dry_run=dry_run,
        )
        await self._writer.carry_out(command)

    async def change_placement(
        self, caller: Caller, ipam_pool_id: str, change: PlacementChange, *, dry_run: bool
    ) -> Placement:
        """Have a pool place otherwise."""
        command = Command(
            lambda rows: placing.change_placement(rows, caller, ipam_pool_id, change),
            pools=pools(ipam_pool_id),
            dry_run=dry_run,
        )
        return await self._writer.carry_out(command)

    async def release(
        self,
        caller: Caller,
        ipam_pool_id: str,
        cidr: Cidr,
        ipam_pool_allocation_id: str,
        *,
        dry_run: bool,
    ) -> None:
        """Give back what was held by hand."""
        command = Command(
            lambda rows: releasing.release(
                rows, caller, ipam_pool_id, cidr, ipam_pool_allocation_id
            ),
            pools=pools(ipam_pool_id),
            allocations=frozenset({ipam_pool_allocation_id}),
            dry_run=dry_run,
        )
        await self._writer.carry_out(command)

    async def reserve_all(
        self,
        caller: Caller,
        reservations: Sequence[tuple[Reservation, Once | None]],
        *,
        all_or_nothing: bool,
        dry_run: bool,
    ) -> Sequence[Allocation | CadastreError]:
        """Hold many parts of one or several pools by hand."""
        batch = Batch(
            [Part(partial(_reserve, caller, wanted), once) for wanted, once in reservations],
            pools=frozenset(wanted.ipam_pool_id for wanted, _ in reservations),
            all_or_nothing=all_or_nothing,
            dry_run=dry_run,
        )
        return await self._writer.carry_out_all(batch)

    async def release_all(
        self,
        caller: Caller,
        releases: Sequence[Release],
        *,
        all_or_nothing: bool,
        dry_run: bool,
    ) -> Sequence[CadastreError | None]:
        """Give back much that was held by hand."""
        batch = Batch(
            [Part(partial(_release, caller, unwanted)) for unwanted in releases],
            pools=frozenset(unwanted.ipam_pool_id for unwanted in releases),
            allocations=frozenset(unwanted.ipam_pool_allocation_id for unwanted in releases),
            all_or_nothing=all_or_nothing,
            dry_run=dry_run,
        )
        return await self._writer.carry_out_all(batch)

    async def import_resources(
        self, caller: Caller, imports: Sequence[ResourceImport]
    ) -> Sequence[Allocation | CadastreError]:
        """Take in what resources have already: each one that can be, beside those that can't."""
        batch = Batch(
            [Part(partial(_import, caller, found)) for found in imports],
            pools=frozenset(found.ipam_pool_id for found in imports),
        )
        return await self._writer.carry_out_all(batch)

    async def allocate_to_resource(
        self, caller: Caller, block: ResourceBlock, *, once: Once, dry_run: bool
    ) -> tuple[Allocation, PoolDefinition]:
        """Give a resource its block; and tell how the pool is that it is of.

        The pools of a policy are tried one after the other, each alone, so that accounts with
        different policies don't wait for each other. The token makes sure that one gives a block.
        """
        for pool_id in await self._pools_by_policy(caller, block):
            of_policy = replace(block, ipam_pool_id=pool_id)
            with suppress(PassedOver):
                return await self._allocate(
                    allocating.allocate_by_policy, caller, of_policy, once=once, dry_run=dry_run
                )
        if block.precedence is Precedence.ONLY:
            raise PoliciesExhausted(caller.account_id, _place_of(caller, block))
        return await self._allocate(
            allocating.allocate_to_resource, caller, block, once=once, dry_run=dry_run
        )

    async def cancel(self, key: TokenKey) -> None:
        """Make sure that nothing is, or ever will be, allocated under a token."""
        try:
            await self._cancel(key)
        except TokenUsedMeanwhile:
            # From now on the token's answer stays what it is.
            await self._cancel(key)

    async def release_of_resources(self, ipam_pool_allocation_ids: Sequence[str]) -> list[str]:
        """Give back what gone resources held; those that were live until now."""
        released, left = await self._release_where_they_are(ipam_pool_allocation_ids)
        if left:
            # Released by others meanwhile, or moved with their range to another pool (BYOIP-6).
            again, _ = await self._release_where_they_are(left)
            released += again
        return released

    async def define(self, definition: PoolDefinition) -> None:
        """Make a pool known as it is now."""
        definition = definition.as_taken_in()
        command = Command(
            lambda rows: defining.define(rows, definition),
            pools=pools(definition.ipam_pool_id),
        )
        await self._writer.carry_out(command)

    async def retire(self, ipam_pool_id: str, *, cascade: bool, dry_run: bool) -> None:
        """Forget a pool."""
        definition = await self._reader.read(lambda view: view.definition(ipam_pool_id))
        command = Command(
            lambda rows: defining.retire(rows, ipam_pool_id, cascade=cascade),
            pools=pools(ipam_pool_id, definition.source_ipam_pool_id if definition else None),
            dry_run=dry_run,
        )
        await self._writer.carry_out(command)

    async def _pools_by_policy(self, caller: Caller, block: ResourceBlock) -> Sequence[str]:
        if block.precedence is Precedence.NONE:
            return ()
        rules = await self._reader.read(lambda view: view.policy_rules(caller.account_id))
        return pools_in(rules, _place_of(caller, block), block.resource_type)

    async def _allocate(
        self,
        allocate: Callable[[Rows, Caller, ResourceBlock], Decision[Allocation]],
        caller: Caller,
        block: ResourceBlock,
        *,
        once: Once,
        dry_run: bool,
    ) -> tuple[Allocation, PoolDefinition]:
        pool_id, seen = block.ipam_pool_id, _Seen()
        command = Command(
            lambda rows: allocate(seen.noting(rows, pool_id), caller, block),
            pools=pools(pool_id),
            once=once,
            dry_run=dry_run,
        )
        allocation = await self._writer.carry_out(command)
        # Nothing is decided about a repetition, and what it was answered may be of another pool.
        if seen.definition and allocation.ipam_pool_id == pool_id:
            return allocation, seen.definition
        return allocation, await self._definition(allocation.ipam_pool_id, retired=True)

    async def _cancel(self, key: TokenKey) -> None:
        known = await self._reader.read(lambda view: view.allocation_under(key))
        command = Command(
            lambda rows: releasing.cancel(rows, key, known),
            pools=pools(known.ipam_pool_id if known else None),
            allocations=frozenset({known.ipam_pool_allocation_id} if known else ()),
            tokens=frozenset({key}),
        )
        await self._writer.carry_out(command)

    async def _release_where_they_are(
        self, allocation_ids: Sequence[str]
    ) -> tuple[list[str], list[str]]:
        """What was released, and what was live but is not in its pool any more."""
        found = await self._reader.read(lambda view: view.allocations_of_ids(allocation_ids))
        by_pool: defaultdict[str, list[str]] = defaultdict(list)
        for allocation in found:
            if allocation.allocated_by:
                by_pool[allocation.ipam_pool_id].append(allocation.ipam_pool_allocation_id)
        parts = await asyncio.gather(*starmap(self._release_in, by_pool.items()))
        released = list(chain.from_iterable(parts))
        return released, sorted(set(chain.from_iterable(by_pool.values())).difference(released))

    async def _release_in(self, ipam_pool_id: str, allocation_ids: Sequence[str]) -> list[str]:
        command = Command(
            lambda rows: releasing.release_of_resources(rows, ipam_pool_id, allocation_ids),
            pools=pools(ipam_pool_id),
            allocations=frozenset(allocation_ids),
        )
        return await self._writer.carry_out(command)

    async def _definition(self, ipam_pool_id: str, *, retired: bool = False) -> PoolDefinition:
        definition = await self._reader.read(
            lambda view: view.definition(ipam_pool_id, retired=retired)
        )
        if definition is None:
            raise IPAM_POOL.unknown(ipam_pool_id)
        return definition


def _place_of(caller: Caller, block: ResourceBlock) -> str:
    """Where a resource is, as rules and locales name it."""
    return block.network_border_group or caller.region


class _Seen:
    """How a pool was when it was decided about."""

    def __init__(self) -> None:
        self.definition: PoolDefinition | None = None

    def noting(self, rows: Rows, ipam_pool_id: str) -> Rows:
        """``rows``, of which the pool is noted."""
        pool = rows.pool(ipam_pool_id)
        self.definition = pool.definition if pool else None
        return rows


def _reserve(caller: Caller, reservation: Reservation, rows: Rows) -> Decision[Allocation]:
    return allocating.reserve(rows, caller, reservation)


def _import(caller: Caller, found: ResourceImport, rows: Rows) -> Decision[Allocation]:
    return importing.import_resource(rows, caller, found)


def _release(caller: Caller, unwanted: Release, rows: Rows) -> Decision[None]:
    return releasing.release(
        rows, caller, unwanted.ipam_pool_id, unwanted.cidr, unwanted.ipam_pool_allocation_id
    )
