"""What the use cases need of the database about elastic IP addresses, within one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from ipaddress import IPv4Address
from typing import Protocol

from services.network.address import Address, AddressName
from services.network.address_transfer import AddressTransfer
from shared.caller import Caller


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

    def is_taken(self, pool_id: str, address: IPv4Address) -> bool:
        """It is one of these already, of a public IPv4 pool."""

    def lowest_free(self, pool_id: str, first: IPv4Address) -> IPv4Address:
        """From ``first`` on, an address of a public IPv4 pool."""

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
