"""What the use cases need of the database about public IPv4 pools, within one transaction."""

from collections.abc import Collection, Iterator
from ipaddress import IPv4Address
from typing import Protocol

from services.network.public_ipv4_pool import AddressRange, PublicIpv4Pool
from shared.caller import Caller


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
