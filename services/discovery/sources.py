"""Where resources are: what discovery needs of a source, whatever it is (design.md section 7)."""

import enum
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from services.discovery.snapshot import Snapshot
from shared.cidr import Cidr


class AccountRegion(NamedTuple):
    """What is discovered at a time: all or nothing of it."""

    account_id: str
    region: str


class FailureCode(enum.Enum):
    """Why an account's resources in a region could not be read; the value is AWS's word."""

    ASSUME_ROLE = "assume-role-failure"
    THROTTLING = "throttling-failure"
    UNAUTHORIZED = "unauthorized-failure"
    OTHER = "other-failure"
    """Not AWS's: the source is away, or tells what can't be."""


class SnapshotFailed(Exception):
    """A source could not tell all of an account and region; what is known of them stays."""

    def __init__(self, code: FailureCode, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class SnapshotSource(Protocol):
    """A place with resources, asked for snapshots."""

    name: str
    """Inventories are kept by it; at most 64 characters."""
    attempts_at_once: int
    is_asked_between_passes: bool
    """When something has changed where it serves: it is near, and costs nothing."""

    def serves(self, wanted: Collection[AccountRegion]) -> Collection[AccountRegion]:
        """Those of ``wanted`` that it is to be asked about."""

    async def snapshot(self, place: AccountRegion) -> Snapshot:
        """All that is there now.

        Raises:
            SnapshotFailed: it can't be told in full.
        """


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
    """None when the resource is no VPC, or it is not about a block, or that is being allocated."""


@dataclass(frozen=True, slots=True)
class Change:
    """A resource has got a block, or lost it, or something else of it changed."""

    sequence: int
    is_gone: bool
    association: Association
    place: AccountRegion


class Source(Protocol):
    """A place whose resources allocate by themselves, and that tells at once what changes."""

    name: str
    """The service that made the allocations, and the key its progress is kept under."""

    def changes(self, after: int) -> AsyncGenerator[Change, None]:
        """Every change after a sequence number, then new ones as they happen; never ends."""

    def associations(self) -> AsyncIterator[list[Association]]:
        """Page by page, every block that a resource has or is being given."""
