"""What the use cases need of the database about CIDR blocks, within one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.network.changes import CidrRecord
from services.network.resource import CidrAssociation, Holder


class BlockRows(Protocol):
    """The blocks that resources have, of all kinds, and those that are being allocated."""

    def add(self, holder: Holder, association: CidrAssociation) -> None: ...

    def remove(self, association_ids: Sequence[str]) -> None: ...

    def change_owner(self, association_id: str, owner_id: str) -> None: ...

    def of(self, resource_ids: Collection[str]) -> Mapping[str, Sequence[CidrAssociation]]:
        """By resource, in the order in which they were made; resources without any are missing."""

    def begin(self, pending: Sequence[CidrRecord], *, expires_at: datetime) -> None:
        """Note what may be allocated from now on; after ``expires_at`` anyone may undo it."""

    def is_pending(self, resource_id: str) -> bool:
        """A block for it is being allocated, or such an attempt is being undone."""

    def conclude(self, association_ids: Sequence[str]) -> bool:
        """They are pending no more; false, and no change, if one of them is being undone."""

    def abandon(self, association_ids: Sequence[str]) -> list[CidrRecord]:
        """They can't be concluded any more; those that were pending still."""

    def abandon_expired(self, now: datetime) -> list[CidrRecord]:
        """Likewise with those whose time is up; all that are to be undone, of whoever."""

    def count_pending(self) -> int:
        """How many are being allocated, or undone."""

    def forget(self, association_ids: Sequence[str]) -> None:
        """Nothing is, or will be, allocated to them."""

    def records(self, *, after: str | None) -> Iterator[tuple[str, CidrRecord]]:
        """Every block there is or that is pending, by association id, each with its paging key."""
