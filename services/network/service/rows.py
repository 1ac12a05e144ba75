"""What the use cases need of the database.

Locks are taken in this order: pending blocks, VPCs, subnets, instances, interfaces, public IPv4
pools, addresses, the feed; of one kind in the order of ids.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Protocol, TypeVar

from services.network.address import Address, AddressName
from services.network.address_transfer import AddressTransfer
from services.network.changes import Change, CidrRecord, NumberedChange
from services.network.instance import Instance
from services.network.interface import NetworkInterface
from services.network.public_ipv4_pool import AddressRange, PublicIpv4Pool
from services.network.resource import CidrAssociation, Holder
from services.network.subnet import Subnet
from services.network.vpc import Vpc
from shared.caller import Caller

T = TypeVar("T")


class VpcRows(Protocol):
    """VPCs. A VPC's row is the lock of its blocks and tags, and of adding subnets."""

    def get(self, caller: Caller, vpc_id: str, *, lock: bool) -> Vpc | None:
        """One of the caller's, in the caller's region."""

    def with_association(self, caller: Caller, association_id: str) -> str | None:
        """The id of the caller's VPC that has this block."""

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, Vpc]]:
        """The caller's, or those of them with these ids; oldest first, each with its paging key."""

    def count(self, owner_id: str, region: str) -> int: ...

    def add(self, vpc: Vpc) -> None:
        """With its blocks."""

    def save(self, vpc: Vpc) -> None:
        """Its tags and attributes, nothing else of it changes."""

    def remove(self, vpc: Vpc) -> None:
        """With its blocks."""


class SubnetRows(Protocol):
    """Subnets. A subnet's row is the lock of its tags, and of taking addresses of it."""

    def get(self, caller: Caller, subnet_id: str, *, lock: bool) -> Subnet | None:
        """One of the caller's, in the caller's region."""

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[Sequence[tuple[str, Subnet]]]:
        """The caller's, or those of them with these ids; oldest first, some at a time.

        Each with its paging key.
        """

    def in_vpc(self, vpc_id: str) -> Sequence[Subnet]: ...

    def add(self, subnet: Subnet) -> None:
        """With its blocks."""

    def save(self, subnet: Subnet) -> None:
        """Its tags, nothing else of it changes."""

    def remove(self, subnet: Subnet) -> None:
        """With its blocks."""


class InterfaceRows(Protocol):
    """Network interfaces. An interface's row is the lock of its tags, place and associations.

    An instance's row is the lock of which interfaces are attached to it.
    """

    def get(
        self, caller: Caller, network_interface_id: str, *, lock: bool
    ) -> NetworkInterface | None:
        """One of the caller's, in the caller's region."""

    def with_attachment(self, caller: Caller, attachment_id: str) -> NetworkInterface | None:
        """The caller's that has this place; locked."""

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[Sequence[tuple[str, NetworkInterface]]]:
        """The caller's, or those of them with these ids; oldest first, some at a time.

        Each with its paging key.
        """

    def of_instance(self, instance_id: str, *, lock: bool) -> Sequence[NetworkInterface]:
        """Those attached to it, by device index: the primary one first."""

    def of_instances(
        self, instance_ids: Collection[str], *, lock: bool
    ) -> Mapping[str, Sequence[NetworkInterface]]:
        """Likewise, by instance; instances without any are missing."""

    def any_in(self, subnet_id: str) -> bool:
        """An interface is in the subnet."""

    def counts(self, subnet_ids: Collection[str]) -> Mapping[str, int]:
        """How many IPv4 addresses are in use, by subnet; subnets without any are missing."""

    def used(
        self, subnet_id: str, addresses: Collection[IPv4Address | IPv6Address]
    ) -> Collection[IPv4Address | IPv6Address]:
        """Those of ``addresses`` that interfaces of the subnet have."""

    def free_runs(self, subnet_id: str, first: int, last: int) -> Iterator[range]:
        """The IPv4 addresses of the subnet from ``first`` to ``last`` that are free, lowest first.

        Read as far as they are asked for, however many addresses are in use.
        """

    def add(self, interfaces: Sequence[NetworkInterface]) -> None: ...

    def save(self, interface: NetworkInterface) -> None:
        """Its tags and place, nothing else of it changes."""

    def remove(self, network_interface_ids: Sequence[str]) -> None:
        """With their addresses."""


class InstanceRows(Protocol):
    """Instances. Those terminated long ago are forgotten."""

    def get(self, caller: Caller, instance_id: str, *, lock: bool) -> Instance | None:
        """One of the caller's, in the caller's region."""

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[Sequence[tuple[str, Instance]]]:
        """The caller's, or those of them with these ids; oldest first, some at a time.

        Each with its paging key.
        """

    def add(self, instances: Sequence[Instance]) -> None: ...

    def save(self, instance: Instance) -> None:
        """Its tags and its end, nothing else of it changes."""

    def forget_terminated(self, before: datetime) -> None:
        """Those terminated before this moment."""


class PublicIpv4PoolRows(Protocol):
    """Public IPv4 pools. A pool's row is the lock of its tags, and of taking addresses of it."""

    def get(
        self, caller: Caller, pool_id: str, *, lock: bool, from_ipam_region: bool = False
    ) -> PublicIpv4Pool | None:
        """One of the caller's, in the caller's region.

        With ``from_ipam_region`` also one of another region that has, or had, space of an IPAM
        whose home is the caller's region. To which IPAM a range went that was brought along without
        one, nobody tells; pools of such are there in every region.
        """

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, PublicIpv4Pool]]:
        """The caller's, or those of them with these ids; oldest first, each with its paging key.

        Those of other regions, too, as for `get`.
        """

    def with_address(self, caller: Caller, address: IPv4Address) -> str | None:
        """The id of the caller's pool, in the caller's region, that has this address."""

    def add(self, pool: PublicIpv4Pool) -> None:
        """With its ranges."""

    def save(self, pool: PublicIpv4Pool) -> None:
        """Its tags, nothing else of it changes."""

    def remove(self, pool: PublicIpv4Pool) -> None:
        """With its ranges and their blocks."""

    def add_range(self, pool: PublicIpv4Pool, added: AddressRange) -> None:
        """With its block."""

    def shorten(self, changed: AddressRange) -> None:
        """Save its last address."""

    def remove_range(self, removed: AddressRange) -> None:
        """With its block."""


class AddressRows(Protocol):
    """Elastic IP addresses. An address's row is the lock of its owner, tags and association."""

    def get(self, caller: Caller, name: AddressName, *, lock: bool) -> Address | None:
        """One of the caller's, in the caller's region."""

    def with_association(self, caller: Caller, association_id: str) -> str | None:
        """The allocation id of the caller's address that has this association."""

    def all(
        self, caller: Caller, *, names: Collection[AddressName], after: str | None
    ) -> Iterator[Sequence[tuple[str, Address]]]:
        """The caller's, or those of them with these names; oldest first, some at a time.

        Each with its paging key.
        """

    def of_interfaces(
        self, network_interface_ids: Collection[str]
    ) -> Mapping[str, Sequence[Address]]:
        """What is associated, by interface; interfaces without any are missing."""

    def end_associations(self, network_interface_ids: Collection[str]) -> None:
        """Nothing is associated with these interfaces any more."""

    def taken(self, pool_id: str, first: IPv4Address, last: IPv4Address) -> Sequence[IPv4Address]:
        """Those of a public IPv4 pool from ``first`` to ``last``, lowest first."""

    def count(self, owner_id: str, region: str, public_ipv4_pool: str) -> int: ...

    def add(self, address: Address) -> None:
        """With its block, if it has one."""

    def save(self, address: Address) -> None:
        """Its tags and association."""

    def change_owner(self, address: Address) -> None:
        """Save its owner, as that of its block, too."""

    def remove(self, address: Address) -> None:
        """With its block, if it has one."""


class AddressTransferRows(Protocol):
    """Offers of addresses. The lock is the address's row."""

    def pending(self, allocation_id: str) -> AddressTransfer | None:
        """The offer of an address, however old; it has one at most."""

    def offered_to(self, caller: Caller, public_ip: IPv4Address) -> AddressTransfer | None:
        """The pending one to the caller, in the caller's region."""

    def of_owner(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, AddressTransfer]]:
        """What the caller offers or offered in its region, oldest first, with its paging key.

        ``ids`` are those of addresses; without any, of all.
        """

    def put(self, offer: AddressTransfer) -> None:
        """In the place of the pending one of the same address, if there is any."""

    def remove_pending(self, allocation_id: str) -> None: ...

    def forget_accepted(self, before: datetime) -> None:
        """Those accepted before this moment."""


class BlockRows(Protocol):
    """The blocks that resources have, of all kinds, and those that are being allocated."""

    def add(self, holder: Holder, association: CidrAssociation) -> None: ...

    def remove(self, association_ids: Sequence[str]) -> None: ...

    def change_owner(self, association_id: str, owner_id: str) -> None: ...

    def of(self, resource_ids: Collection[str]) -> Mapping[str, Sequence[CidrAssociation]]:
        """By resource, in the order in which they were made; resources without any are missing."""

    def begin(self, pending: Sequence[CidrRecord], *, expires_at: datetime) -> None:
        """Note what may be allocated from now on; after ``expires_at`` anyone may undo it."""

    def conclude(self, association_ids: Sequence[str]) -> bool:
        """They are pending no more; false, and no change, if one of them is being undone."""

    def abandon(self, association_ids: Sequence[str]) -> list[CidrRecord]:
        """They can't be concluded any more; those that were pending still."""

    def abandon_expired(self, now: datetime) -> list[CidrRecord]:
        """Likewise with those whose time is up; all that are to be undone, of whoever."""

    def forget(self, association_ids: Sequence[str]) -> None:
        """Nothing is, or will be, allocated to them."""

    def records(self, *, after: str | None) -> Iterator[tuple[str, CidrRecord]]:
        """Every block there is or that is pending, by association id, each with its paging key."""


@dataclass(frozen=True, slots=True)
class Once:
    """A request with the token that its repetitions have as well (ALLOC-7)."""

    account_id: str
    operation: str
    token: str
    """Empty: it is no repetition of any other."""
    request: Any
    """The contract's message, to tell requests apart."""


class TokenRows(Protocol):
    """The client tokens that were used."""

    def recall(self, once: Once) -> bytes | None:
        """The answer to the request's first coming; None reserves the token.

        Raises:
            IdempotentParameterMismatch: the token came with another request before.
        """

    def remember(self, once: Once, answer: bytes) -> None: ...


class FeedRows(Protocol):
    """What happened to blocks."""

    def append(self, changes: Sequence[Change]) -> None:
        """Add to the feed, in the order of commits.

        Transactions that append wait for each other from here to their end. So a later one sees all
        that an earlier one did, and a reader of the feed never meets a number that comes late.
        """

    def changes(self, *, after: int) -> Sequence[NumberedChange]:
        """The next ones of the feed, as many as are handy."""


class Rows(Protocol):
    """The rows of one transaction."""

    @property
    def vpcs(self) -> VpcRows: ...

    @property
    def subnets(self) -> SubnetRows: ...

    @property
    def instances(self) -> InstanceRows: ...

    @property
    def interfaces(self) -> InterfaceRows: ...

    @property
    def public_ipv4_pools(self) -> PublicIpv4PoolRows: ...

    @property
    def addresses(self) -> AddressRows: ...

    @property
    def address_transfers(self) -> AddressTransferRows: ...

    @property
    def blocks(self) -> BlockRows: ...

    @property
    def tokens(self) -> TokenRows: ...

    @property
    def feed(self) -> FeedRows: ...


class Store(Protocol):
    """Runs use cases, each in one transaction."""

    async def read(self, use_case: Callable[[Rows], T]) -> T:
        """In one consistent snapshot."""

    async def write(self, use_case: Callable[[Rows], T], *, dry_run: bool = False) -> T:
        """Commit what it did; with ``dry_run`` undo it and raise DryRunOperation."""
