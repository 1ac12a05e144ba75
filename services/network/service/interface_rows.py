"""What the use cases need of the database about network interfaces, within one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from services.network.interface import NetworkInterface
from shared.caller import Caller


class InterfaceRows(Protocol):
    """Network interfaces. An interface's row is the lock of its tags and place.

    It is also that of associating addresses with it, and an instance's row that of attaching
    interfaces to it. What is ended is ended under its own lock alone.
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

    def any_ipv6_in(self, subnet_id: str) -> bool:
        """An interface in the subnet has an IPv6 address."""

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
