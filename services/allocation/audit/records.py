"""The ledger's records as a check reads them: as they are, whether they make sense or not.

Addresses are numbers in the order of the keys they are stored under, IPv4 mapped into
::ffff:0:0/96, so that both families go through the same arithmetic.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from services.allocation.allocation import ResourceType
from services.allocation.pool import Usage
from services.allocation.set_aside import SetAsideReason
from shared.cidr import AddressFamily, Cidr

AllocationRow: TypeAlias = tuple[bytes, bytes, int, str, str | None, str]
"""First key, last key, prefix length, resource type, resource id, allocation id.

Plain, for a million of them are read.
"""

_IPV4 = 0xFFFF
_IPV4_FIRST = _IPV4 << 32


class Holding(Enum):
    """What an allocation's row means for the figures of its pool."""

    PASSED_ON = auto()
    """An allocation that is a child pool's CIDR."""
    ASSIGNED = auto()
    """Any other allocation."""
    SET_ASIDE = auto()
    """Space that is not free, but nobody's allocation."""


_HOLDINGS = {
    ResourceType.IPAM_POOL.value: Holding.PASSED_ON,
    **{reason.value: Holding.SET_ASIDE for reason in SetAsideReason},
}


def holding_of(resource_type: str) -> Holding:
    """The one place that knows which types of rows are no allocations."""
    return _HOLDINGS.get(resource_type, Holding.ASSIGNED)


@dataclass(frozen=True, slots=True)
class PoolRecord:
    """A pool's own row. The family is None where the pool was retired before it was defined."""

    number: int
    ipam_pool_id: str
    version: int
    is_retired: bool
    address_family: AddressFamily | None
    source_ipam_pool_id: str | None
    owner_id: str | None
    usage: Usage


@dataclass(frozen=True, slots=True)
class Range:
    """Neighbouring addresses, with the prefix length that they are said to have."""

    first: int
    last: int
    prefix_length: int

    @classmethod
    def from_keys(cls, first_key: bytes, last_key: bytes, prefix_length: int) -> "Range":
        return cls(int.from_bytes(first_key), int.from_bytes(last_key), prefix_length)

    @property
    def is_block(self) -> bool:
        """The three numbers make a CIDR."""
        return is_block(self.first, self.last, self.prefix_length)

    @property
    def size(self) -> int:
        """Number of addresses."""
        return self.last - self.first + 1

    def contains(self, other: "Range") -> bool:
        return self.first <= other.first and other.last <= self.last

    def overlaps(self, other: "Range") -> bool:
        return self.first <= other.last and other.first <= self.last

    def __str__(self) -> str:
        """The CIDR, or what there is instead."""
        if self.is_block:
            return str(cidr_at(self.first, self.prefix_length))
        return f"{_address(self.first)} to {_address(self.last)} as /{self.prefix_length}"


@dataclass(frozen=True, slots=True)
class CidrRecord:
    """A pool's CIDR, with the id of its pool."""

    ipam_pool_cidr_id: str
    ipam_pool_id: str
    block: Range
    is_provisioned: bool
    parent_allocation_id: str | None = None


@dataclass(frozen=True, slots=True)
class ParentRecord:
    """An allocation of a source pool."""

    ipam_pool_allocation_id: str
    ipam_pool_id: str
    block: Range
    resource_type: str
    resource_id: str | None

    def is_of(self, pool_cidr: CidrRecord) -> bool:
        """It is what this CIDR is in the books of the source pool (POOL-8)."""
        return (
            holding_of(self.resource_type) is Holding.PASSED_ON
            and self.resource_id == pool_cidr.ipam_pool_id
            and self.block == pool_cidr.block
        )


def is_block(first: int, last: int, prefix_length: int) -> bool:
    """Whether these make a CIDR of the family that the first address is of."""
    bits = 32 if first >> 32 == _IPV4 else 128
    if not 0 <= prefix_length <= bits:
        return False
    size = 1 << (bits - prefix_length)
    return not first & (size - 1) and last == first + size - 1


def cidr_at(first: int, prefix_length: int) -> Cidr:
    """The block that begins at an address."""
    if first >> 32 == _IPV4:
        return Cidr(AddressFamily.IPV4, first - _IPV4_FIRST, prefix_length)
    return Cidr(AddressFamily.IPV6, first, prefix_length)


def widest(blocks: Iterator[Range]) -> Iterator[Range]:
    """Those that lie in no other, of blocks that are in order of address, widest first."""
    reached = -1
    for block in blocks:
        if block.first > reached:
            reached = block.last
            yield block


def _address(number: int) -> str:
    if number >> 32 == _IPV4:
        return str(ipaddress.IPv4Address(number - _IPV4_FIRST))
    return str(ipaddress.IPv6Address(number)) if number < 1 << 128 else f"{number:#x}"
