"""What the use cases need of the database.

Locks are taken in this order: pending blocks, VPCs, subnets, instances, interfaces, public IPv4
pools, addresses, the feed; of one kind in the order of ids.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from services.network.changes import Change, CidrRecord, NumberedChange
from services.network.resource import CidrAssociation, Holder
from services.network.vpc import Vpc
from shared.caller import Caller

T = TypeVar("T")


class VpcRows(Protocol):
    """VPCs. A VPC's row is the lock of its blocks and tags, and of which subnets there are."""

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


class BlockRows(Protocol):
    """The blocks that resources have, of all kinds, and those that are being allocated."""

    def add(self, holder: Holder, association: CidrAssociation) -> None: ...

    def remove(self, association_ids: Sequence[str]) -> None: ...

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
    def blocks(self) -> BlockRows: ...

    @property
    def feed(self) -> FeedRows: ...


class Store(Protocol):
    """Runs use cases, each in one transaction."""

    async def read(self, use_case: Callable[[Rows], T]) -> T:
        """In one consistent snapshot."""

    async def write(self, use_case: Callable[[Rows], T], *, dry_run: bool = False) -> T:
        """Commit what it did; with ``dry_run`` undo it and raise DryRunOperation."""
