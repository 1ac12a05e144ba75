"""What the use cases need of the database."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from services.network.changes import Change, CidrRecord, NumberedChange
from services.network.vpc import CidrAssociation, Vpc
from shared.caller import Caller

T = TypeVar("T")


class Rows(Protocol):
    """The rows of one transaction. A VPC's row is the lock of its blocks and tags."""

    def vpc(self, caller: Caller, vpc_id: str, *, lock: bool) -> Vpc | None:
        """One of the caller's, in the caller's region."""

    def vpc_with(self, caller: Caller, association_id: str) -> str | None:
        """The id of the caller's VPC that has this block."""

    def vpcs(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, Vpc]]:
        """The caller's, or those of them with these ids; oldest first, each with its paging key."""

    def vpc_count(self, owner_id: str, region: str) -> int: ...

    def add_vpc(self, vpc: Vpc) -> None:
        """With its blocks."""

    def save_vpc(self, vpc: Vpc) -> None:
        """Its tags and attributes, nothing else of it changes."""

    def remove_vpc(self, vpc: Vpc) -> None:
        """With its blocks."""

    def add_association(self, vpc: Vpc, association: CidrAssociation) -> None: ...

    def remove_association(self, association_id: str) -> None: ...

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

    def append(self, changes: Sequence[Change]) -> None:
        """Add to the feed, in the order of commits.

        Transactions that append wait for each other from here to their end. So a later one sees all
        that an earlier one did, and a reader of the feed never meets a number that comes late.
        """

    def changes(self, *, after: int) -> Sequence[NumberedChange]:
        """The next ones of the feed, as many as are handy."""

    def cidr_records(self, *, after: str | None) -> Iterator[tuple[str, CidrRecord]]:
        """Every block there is or that is pending, by association id, each with its paging key."""


class Store(Protocol):
    """Runs use cases, each in one transaction."""

    async def read(self, use_case: Callable[[Rows], T]) -> T:
        """In one consistent snapshot."""

    async def write(self, use_case: Callable[[Rows], T], *, dry_run: bool = False) -> T:
        """Commit what it did; with ``dry_run`` undo it and raise DryRunOperation."""
