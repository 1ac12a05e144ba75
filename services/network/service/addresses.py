"""What can be done to elastic IP addresses (EIP-2)."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from typing import TypeVar

from services.network.address import (
    AMAZON,
    AMAZON_IPV4,
    Address,
    AddressName,
    AddressSource,
    FromPublicIpv4Pool,
    check_single_address,
    pool_name,
    unknown_address,
)
from services.network.changes import ChangeKind, changes_of
from services.network.cidr_blocks import FromPool, PolicyPrecedence
from services.network.errors import (
    AddressLimitExceeded,
    AddressTaken,
    InvalidAddressNotFound,
)
from services.network.interface import NetworkInterface
from services.network.network_border_group import advertised_from, local_group
from services.network.public_ipv4_pool import PublicIpv4Pool
from services.network.quotas import Quotas
from services.network.resource import CidrAssociation, Holder, ResourceType
from services.network.service.news import tell_of_changed
from services.network.service.public_ipv4_pools import known_pool
from services.network.service.rows import Rows, Store
from services.network.service.undertaking import Block, Undertakings
from shared.caller import Caller
from shared.errors import CadastreError
from shared.ids import ADDRESS_ALLOCATION
from shared.tags import Tags

T = TypeVar("T")

NO_SPACE = "InsufficientCidrSpace"
"""What the ledger says where the policies' pools have nothing, or there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAddress:
    """What a caller wants allocated."""

    source: AddressSource
    network_border_group: str | None
    tags: Tags


@dataclass(frozen=True, slots=True)
class AddressInPlace:
    """An address, and the interface that it is associated with."""

    address: Address
    interface: NetworkInterface | None


AddressesAfter = Callable[[str | None], Iterator[tuple[str, AddressInPlace]]]


class Addresses:
    """An address of another account or region is answered like one that does not exist (BEY-12)."""

    def __init__(self, store: Store, undertakings: Undertakings, quotas: Quotas) -> None:
        self._store, self._undertakings, self._quotas = store, undertakings, quotas

    async def allocate(self, caller: Caller, wanted: NewAddress, *, dry_run: bool) -> Address:
        """Take an address of a pool, or of Amazon's; a refusal leaves nothing behind (EIP-2)."""
        source = await self._store.read(lambda rows: _own_pool(rows, caller, wanted.source))
        if isinstance(source, FromPool):
            return await self._allocate_at_ledger(caller, source, wanted, dry_run=dry_run)

        def use_case(rows: Rows) -> Address:
            pool = known_pool(rows, caller, source.pool_id, lock=True)
            if wanted.network_border_group:
                pool.check_advertised_from(wanted.network_border_group)
            address = Address(
                allocation_id=ADDRESS_ALLOCATION.new(),
                owner_id=caller.account_id,
                region=caller.region,
                public_ip=_free_address(rows, pool, source.address),
                public_ipv4_pool=pool.pool_id,
                network_border_group=pool.network_border_group,
                tags=wanted.tags,
            )
            rows.addresses.add(address)
            tell_of_changed(rows, [address.holder, pool.holder])
            return address

        return await self._store.write(use_case, dry_run=dry_run)

    async def describe(
        self,
        caller: Caller,
        names: Collection[AddressName],
        select: Callable[[AddressesAfter], T],
    ) -> T:
        """What ``select`` makes of the caller's addresses, or of those with these names.

        Raises:
            UnknownId, InvalidAddressNotFound: one of the names is none of theirs.
        """

        def use_case(rows: Rows) -> T:
            _check_known(rows, caller, names)
            return select(lambda after: addresses_in_place(rows, caller, names, after))

        return await self._store.read(use_case)

    async def release(
        self, caller: Caller, name: AddressName, network_border_group: str | None, *, dry_run: bool
    ) -> None:
        """Give it up and tell so: whoever reads the feed gives the allocation back (BEY-1)."""

        def use_case(rows: Rows) -> None:
            address = known_address(rows, caller, name, lock=True)
            if network_border_group not in (None, address.network_border_group):
                raise InvalidAddressNotFound(address.public_ip)
            address.check_releasable()
            rows.address_transfers.remove_pending(address.allocation_id)
            rows.addresses.remove(address)
            if address.block:
                rows.feed.append(
                    changes_of(address.holder, ChangeKind.CIDR_DISASSOCIATED, [address.block])
                )
            else:
                tell_of_changed(rows, [address.holder, address.pool_holder])

        await self._store.write(use_case, dry_run=dry_run)

    async def _allocate_at_ledger(
        self, caller: Caller, source: FromPool, wanted: NewAddress, *, dry_run: bool
    ) -> Address:
        allocation_id = ADDRESS_ALLOCATION.new()
        holder = Holder(
            resource_id=allocation_id,
            resource_type=ResourceType.EIP,
            owner_id=caller.account_id,
            region=caller.region,
            tags=wanted.tags,
            network_border_group=local_group(wanted.network_border_group, caller.region),
        )

        def establish(rows: Rows, associations: tuple[CidrAssociation, ...]) -> Address:
            [block] = associations
            pool = pool_name(block.ipam_pool_id or source.ipam_pool_id)
            address = Address(
                allocation_id=allocation_id,
                owner_id=caller.account_id,
                region=caller.region,
                public_ip=IPv4Address(block.cidr.first),
                public_ipv4_pool=pool,
                network_border_group=_border_group(block, pool, wanted, caller),
                tags=wanted.tags,
                block=block,
            )
            rows.addresses.add(address)
            rows.feed.append(changes_of(address.holder, ChangeKind.CIDR_ASSOCIATED, [block]))
            if pool == AMAZON:
                # Counted after the append, which makes this the only one to count.
                check_address_quota(rows, self._quotas, caller, others=0)
            return address

        full = None
        if source.ipam_pool_id == AMAZON_IPV4:
            full = await self._store.read(lambda rows: self._why_none_of_amazon(rows, caller))
        if full:
            source = _without_amazon(source, full)
        try:
            return await self._undertakings.carry_out(
                holder,
                [Block(allocation_id, source, check_single_address)],
                establish,
                dry_run=dry_run,
            )
        except CadastreError as refusal:
            if full and refusal.reason == NO_SPACE:
                raise full from refusal
            raise

    def _why_none_of_amazon(self, rows: Rows, caller: Caller) -> AddressLimitExceeded | None:
        """Why the address can't be Amazon's; a policy may have others."""
        try:
            check_address_quota(rows, self._quotas, caller, others=1)
        except AddressLimitExceeded as refusal:
            return refusal
        return None


def known_address(rows: Rows, caller: Caller, name: AddressName, *, lock: bool) -> Address:
    """One of the caller's.

    Raises:
        UnknownId, InvalidAddressNotFound: it is none of theirs.
    """
    address = rows.addresses.get(caller, name, lock=lock)
    if address is None:
        raise unknown_address(name)
    return address


def check_address_quota(rows: Rows, quotas: Quotas, caller: Caller, *, others: int) -> None:
    """The caller's addresses of Amazon's, and ``others`` to come, are no more than it may have.

    Raises:
        AddressLimitExceeded: they are.
    """
    quota = quotas.addresses_per_region.of(caller.account_id)
    count = rows.addresses.count(caller.account_id, caller.region, AMAZON) + others
    if count > quota:
        # Counted with the new one.
        raise AddressLimitExceeded(caller.account_id, caller.region, count - 1, quota)


def addresses_in_place(
    rows: Rows,
    caller: Caller,
    names: Collection[AddressName],
    after: str | None,
) -> Iterator[tuple[str, AddressInPlace]]:
    """The caller's, or those of them with these names; oldest first, each with its paging key."""
    for some in rows.addresses.all(caller, names=names, after=after):
        interfaces = _interfaces_of(rows, caller, [address for _, address in some])
        for key, address in some:
            place = address.association and address.association.network_interface_id
            yield key, AddressInPlace(address, interfaces[place] if place else None)


def _own_pool(rows: Rows, caller: Caller, source: AddressSource) -> AddressSource:
    """An address that is named without a pool may be of one of the caller's own."""
    if isinstance(source, FromPool) and source.ipam_pool_id == AMAZON_IPV4 and source.cidr:
        address = IPv4Address(source.cidr.first)
        if pool_id := rows.public_ipv4_pools.with_address(caller, address):
            return FromPublicIpv4Pool(pool_id, address)
    return source


def _without_amazon(source: FromPool, full: AddressLimitExceeded) -> FromPool:
    """What else there may be for an account that has all of Amazon's that it may have."""
    if source.precedence is PolicyPrecedence.NONE:
        raise full
    return replace(source, precedence=PolicyPrecedence.ONLY)


def _free_address(rows: Rows, pool: PublicIpv4Pool, wanted: IPv4Address | None) -> IPv4Address:
    """The one wanted, or the lowest that is free; ``pool`` is locked."""
    if wanted is None:
        return rows.addresses.lowest_free(pool.pool_id, pool.range_with_room().first)
    pool.range_of(wanted)
    if rows.addresses.is_taken(pool.pool_id, wanted):
        raise AddressTaken(wanted, pool.pool_id)
    return wanted


def _border_group(block: CidrAssociation, pool: str, wanted: NewAddress, caller: Caller) -> str:
    if pool == AMAZON:
        return wanted.network_border_group or caller.region
    return advertised_from(block, wanted.network_border_group)


def _interfaces_of(
    rows: Rows, caller: Caller, addresses: Collection[Address]
) -> dict[str, NetworkInterface]:
    ids = [known.association.network_interface_id for known in addresses if known.association]
    if not ids:
        return {}
    return {
        interface.network_interface_id: interface
        for some in rows.interfaces.all(caller, ids=ids, after=None)
        for _, interface in some
    }


def _check_known(rows: Rows, caller: Caller, names: Collection[AddressName]) -> None:
    if not names:
        return
    known: set[AddressName] = set()
    for some in rows.addresses.all(caller, names=names, after=None):
        for _, address in some:
            known |= {address.allocation_id, address.public_ip}
    for name in names:
        if name not in known:
            raise unknown_address(name)
