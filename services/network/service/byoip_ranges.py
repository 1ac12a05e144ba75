"""Ranges that accounts brought along without an IPAM, each with a public IPv4 pool (BYOIP-6).

When such a range moves to an IPAM, only its allocation moves, at the ledger; the pool here stays as
it is, and nobody tells of the move.
"""

from dataclasses import dataclass, replace

from services.network.changes import ChangeKind, changes_of
from services.network.cidr_blocks import FromPool
from services.network.public_ipv4_pool import PublicIpv4Pool, check_ipv4, whole_range
from services.network.resource import CidrAssociation
from services.network.service.news import tell_of_changed
from services.network.service.public_ipv4_pools import tell_of_loss
from services.network.service.rows import Rows, Store
from services.network.service.undertaking import Block, Undertakings
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import CadastreError, IdempotentParameterMismatch, ServiceUnavailable
from shared.ids import PUBLIC_IPV4_POOL_CIDR_ASSOCIATION
from shared.tags import Tags

_BYOIP = "byoip"
"""The ledger's pool of ranges brought along without an IPAM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewByoipRange:
    """What an account brought along."""

    pool_id: str
    cidr: Cidr
    network_border_group: str
    description: str
    tags: Tags


class ByoipRanges:
    """On behalf of the account; every call may be repeated."""

    def __init__(self, store: Store, undertakings: Undertakings) -> None:
        self._store, self._undertakings = store, undertakings

    async def add(self, caller: Caller, wanted: NewByoipRange) -> None:
        """Make the pool, with the range; a refusal leaves nothing behind.

        Raises:
            IdempotentParameterMismatch: the pool is there without the range.
            ServiceUnavailable: an earlier attempt is under way, or not undone yet.
        """
        new = PublicIpv4Pool(
            pool_id=wanted.pool_id,
            owner_id=caller.account_id,
            region=caller.region,
            description=wanted.description,
            network_border_group=wanted.network_border_group,
            is_byoip=True,
            tags=wanted.tags,
        )

        def establish(rows: Rows, associations: tuple[CidrAssociation, ...]) -> None:
            pool = replace(new, ranges=tuple(map(whole_range, associations)))
            rows.public_ipv4_pools.add(pool)
            rows.feed.append(changes_of(pool.holder, ChangeKind.CIDR_ASSOCIATED, associations))

        def is_there(rows: Rows) -> bool:
            return _is_there(rows, caller, wanted)

        if await self._store.read(is_there):
            return
        source = FromPool(_BYOIP, check_ipv4(wanted.cidr))
        block = Block(PUBLIC_IPV4_POOL_CIDR_ASSOCIATION.new(), source, check_ipv4)
        try:
            await self._undertakings.carry_out(new.holder, [block], establish)
        except CadastreError:
            # On account of another attempt, perhaps, which began after the look.
            if not await self._store.read(is_there):
                raise

    async def remove(self, caller: Caller, pool_id: str) -> None:
        """Remove the pool and tell so, if it is still there.

        Raises:
            PublicIpv4PoolInUse: an elastic IP address is of it.
        """

        def use_case(rows: Rows) -> None:
            pool = rows.public_ipv4_pools.get(caller, pool_id, lock=True)
            if pool:
                pool.check_unused()
                rows.public_ipv4_pools.remove(pool)
                if pool.ranges:
                    tell_of_loss(rows, pool, pool.ranges)
                else:
                    tell_of_changed(rows, [pool.holder])

        await self._store.write(use_case)


def _is_there(rows: Rows, caller: Caller, wanted: NewByoipRange) -> bool:
    """
    Raises:
        ServiceUnavailable: it may be soon, or the ledger may still hold its range for an attempt
            that failed, and so refuse it.
    """
    if rows.blocks.is_pending(wanted.pool_id):
        raise ServiceUnavailable(
            f"'{wanted.pool_id}' is being made, or was not made and is being undone; repeat later",
            pool_id=wanted.pool_id,
        )
    pool = rows.public_ipv4_pools.get(caller, wanted.pool_id, lock=False)
    if pool and wanted.cidr not in [known.block.cidr for known in pool.ranges]:
        raise IdempotentParameterMismatch(wanted.pool_id)
    return pool is not None
