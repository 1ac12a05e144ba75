"""Where resources are: what discovery needs of a source, whatever it is (design.md section 7)."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from shared.cidr import Cidr


@dataclass(frozen=True, slots=True)
class VpcCidr:
    """A CIDR that a VPC has: what a pool can plan (VPC-3).

    VPC and CIDR make it the same one; a VPC never changes its owner or region.
    """

    vpc_id: str
    cidr: Cidr
    owner_id: str = field(compare=False)
    region: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Association:
    """A block that a resource has, or is being given."""

    association_id: str
    ipam_pool_allocation_id: str | None
    """None when the block was given, or is being allocated."""
    vpc_cidr: VpcCidr | None
    """None when the resource is no VPC, or the block is being allocated."""


@dataclass(frozen=True, slots=True)
class Change:
    """A resource has got a block, or lost it."""

    sequence: int
    is_gone: bool
    association: Association


class Source(Protocol):
    """A place with resources that hold allocations."""

    name: str
    """The service that made the allocations, and the key its progress is kept under."""

    def changes(self, after: int) -> AsyncGenerator[Change, None]:
        """Every change after a sequence number, then new ones as they happen; never ends."""

    def associations(self) -> AsyncIterator[list[Association]]:
        """Page by page, every block that a resource has or is being given."""
