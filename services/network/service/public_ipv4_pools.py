"""What can be done to public IPv4 pools (EIP-1)."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TypeVar

from services.network.changes import ChangeKind, changes_of
from services.network.cidr_blocks import FromPool
from services.network.errors import AddressNotReleased
from services.network.network_border_group import advertised_from
from services.network.public_ipv4_pool import (
    AddressRange,
    PublicIpv4Pool,
    check_ipv4,
    check_netmask_length,
    whole_range,
)
from services.network.resource import CidrAssociation
from services.network.service.news import tell_of_changed
from services.network.service.rows import Rows, Store
from services.network.service.undertaking import Block, Undertakings
from shared.caller import Caller
from shared.cidr import Cidr
from shared.ids import PUBLIC_IPV4_POOL, PUBLIC_IPV4_POOL_CIDR_ASSOCIATION
from shared.tags import Tags

T = TypeVar("T")
PoolsAfter = Callable[[str | None], Iterator[tuple[str, PublicIpv4Pool]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRange:
    """What a caller wants provisioned to a pool."""

    pool_id: str
    ipam_pool_id: str
    netmask_length: int
    network_border_group: str | None


class PublicIpv4Pools:
    """A pool of another account or region is answered like one that does not exist (BEY-12).

    But a pool that has, or had, space of an IPAM is also seen, and deprovisioned, from the home
    region of the IPAM.
    """

    def __init__(self, store: Store, undertakings: Undertakings) -> None:
        self._store, self._undertakings = store, undertakings

    async def create(
        self, caller: Caller, network_border_group: str, tags: Tags, *, dry_run: bool
    ) -> PublicIpv4Pool:
        """Make a pool without addresses."""
        pool = PublicIpv4Pool(
            pool_id=PUBLIC_IPV4_POOL.new(),
            owner_id=caller.account_id,
            region=caller.region,
            description="",
            network_border_group=network_border_group,
            is_byoip=False,
            tags=tags,
        )

        def use_case(rows: Rows) -> None:
            rows.public_ipv4_pools.add(pool)
            tell_of_changed(rows, [pool.holder])

        await self._store.write(use_case, dry_run=dry_run)
        return pool

    async def describe(
        self, caller: Caller, pool_ids: Collection[str], select: Callable[[PoolsAfter], T]
    ) -> T:
        """What ``select`` makes of the caller's pools, or of those with these ids.

        Raises:
            UnknownId: one of ``pool_ids`` is none of theirs.
        """

        def use_case(rows: Rows) -> T:
            for pool_id in pool_ids:
                known_pool(rows, caller, pool_id, lock=False, from_ipam_region=True)
            return select(
                lambda after: rows.public_ipv4_pools.all(caller, ids=pool_ids, after=after)
            )

        return await self._store.read(use_case)

    async def delete(
        self, caller: Caller, pool_id: str, network_border_group: str | None, *, dry_run: bool
    ) -> None:
        """Remove an empty pool."""

        def use_case(rows: Rows) -> None:
            pool = known_pool(rows, caller, pool_id, lock=True)
            if network_border_group not in (None, pool.network_border_group):
                raise PUBLIC_IPV4_POOL.unknown(pool_id)
            pool.check_empty()
            rows.public_ipv4_pools.remove(pool)
            tell_of_changed(rows, [pool.holder])

        await self._store.write(use_case, dry_run=dry_run)

    async def provision(self, caller: Caller, wanted: NewRange, *, dry_run: bool) -> AddressRange:
        """Give a pool a CIDR of an IPAM pool; a refusal leaves nothing behind (EIP-1)."""

        def check(rows: Rows) -> PublicIpv4Pool:
            pool = known_pool(rows, caller, wanted.pool_id, lock=False)
            if wanted.network_border_group:
                pool.check_advertised_from(wanted.network_border_group)
            return pool

        def establish(rows: Rows, associations: tuple[CidrAssociation, ...]) -> AddressRange:
            [block] = associations
            pool = known_pool(rows, caller, wanted.pool_id, lock=True)
            advertised_from(block, pool.network_border_group)
            added = whole_range(block)
            rows.public_ipv4_pools.add_range(pool, added)
            rows.feed.append(changes_of(pool.holder, ChangeKind.CIDR_ASSOCIATED, [block]))
            return added

        source = FromPool(
            wanted.ipam_pool_id, netmask_length=check_netmask_length(wanted.netmask_length)
        )
        pool = await self._store.read(check)
        block = Block(PUBLIC_IPV4_POOL_CIDR_ASSOCIATION.new(), source, check_ipv4)
        return await self._undertakings.carry_out(pool.holder, [block], establish, dry_run=dry_run)

    async def deprovision(
        self, caller: Caller, pool_id: str, cidr: Cidr, *, dry_run: bool
    ) -> IPv4Address:
        """Take the highest address of a range from a pool, and with the last one the range.

        Until then the ledger's allocation stays as it is, whole.
        """

        def use_case(rows: Rows) -> IPv4Address:
            pool = known_pool(rows, caller, pool_id, lock=True, from_ipam_region=True)
            known = pool.range_ending_with(cidr)
            if rows.addresses.is_taken(pool_id, known.last):
                raise AddressNotReleased(known.last, pool_id)
            if left := known.without_last():
                rows.public_ipv4_pools.shorten(left)
                tell_of_changed(rows, [pool.holder])
            else:
                rows.public_ipv4_pools.remove_range(known)
                tell_of_loss(rows, pool, [known])
            return known.last

        return await self._store.write(use_case, dry_run=dry_run)


def known_pool(
    rows: Rows, caller: Caller, pool_id: str, *, lock: bool, from_ipam_region: bool = False
) -> PublicIpv4Pool:
    """One of the caller's.

    Raises:
        UnknownId: it is none of theirs.
    """
    pool = rows.public_ipv4_pools.get(caller, pool_id, lock=lock, from_ipam_region=from_ipam_region)
    if pool is None:
        raise PUBLIC_IPV4_POOL.unknown(pool_id)
    return pool


def tell_of_loss(rows: Rows, pool: PublicIpv4Pool, lost: Collection[AddressRange]) -> None:
    """Whoever reads the feed gives the allocations back (BEY-1)."""
    blocks = [known.block for known in lost]
    rows.feed.append(changes_of(pool.holder, ChangeKind.CIDR_DISASSOCIATED, blocks))
