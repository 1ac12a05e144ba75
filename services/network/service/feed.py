"""What discovery reads: the change feed, the list of all blocks, and all that an account has."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from services.network.changes import CidrRecord, NumberedChange
from services.network.public_ipv4_pool import PublicIpv4Pool
from services.network.resource import SourcePool
from services.network.service.addresses import AddressInPlace, addresses_in_place
from services.network.service.interfaces import AssociatedInterface, associated_interfaces
from services.network.service.rows import Rows, Store
from services.network.subnet import Subnet
from services.network.vpc import Vpc
from shared.caller import Caller
from shared.feed import Bell, follow

_READ_AT_ONCE = 1000

T = TypeVar("T")
CidrRecordsAfter = Callable[[str | None], Iterator[tuple[str, CidrRecord]]]


@dataclass(frozen=True, slots=True)
class SourcedAddress:
    """An elastic IP address, and the IPAM pool that it is of."""

    shown: AddressInPlace
    source_pool: SourcePool | None


Resource = Vpc | Subnet | AssociatedInterface | SourcedAddress | PublicIpv4Pool


class Inventory:
    """All accounts' and regions'."""

    def __init__(self, store: Store, bell: Bell) -> None:
        self._store, self._bell = store, bell

    def changes(self, after: int) -> AsyncIterator[NumberedChange]:
        """Every change after a sequence number, then new ones as they are committed; never ends."""
        return follow(self._next_after, self._bell, after=after)

    async def cidr_records(self, select: Callable[[CidrRecordsAfter], T]) -> T:
        """What ``select`` makes of every block there is or that is being allocated."""
        return await self._store.read(
            lambda rows: select(lambda after: rows.blocks.records(after=after))
        )

    async def resources(self, owner: Caller, select: Callable[[Iterator[Resource]], T]) -> T:
        """What ``select`` makes of all that an account has in a region, of one moment (DISC-3).

        Read as it is asked for, in statements for a thousand resources each.
        """
        return await self._store.read(lambda rows: select(_resources(rows, owner)))

    async def _next_after(self, sequence: int) -> Sequence[NumberedChange]:
        return await self._store.read(lambda rows: rows.feed.changes(after=sequence))


def _resources(rows: Rows, owner: Caller) -> Iterator[Resource]:
    yield from (vpc for _, vpc in rows.vpcs.all(owner, ids=(), after=None))
    for some in rows.subnets.all(owner, ids=(), after=None):
        yield from (subnet for _, subnet in some)
    yield from (interface for _, interface in associated_interfaces(rows, owner, (), None))
    yield from _addresses(rows, owner)
    for _, pool in rows.public_ipv4_pools.all(owner, ids=(), after=None):
        # Pools are also found from the home regions of IPAMs.
        if pool.region == owner.region:
            yield pool


def _addresses(rows: Rows, owner: Caller) -> Iterator[SourcedAddress]:
    found = (address for _, address in addresses_in_place(rows, owner, (), None))
    while some := list(islice(found, _READ_AT_ONCE)):
        blocks = rows.blocks.of([shown.address.allocation_id for shown in some])
        for shown in some:
            # An address of a public IPv4 pool has no block of its own.
            own = blocks.get(shown.address.allocation_id, ())
            yield SourcedAddress(shown, own[0].source_pool if own else None)
