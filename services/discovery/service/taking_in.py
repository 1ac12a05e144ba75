"""Snapshots become what is there (DISC-6)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.discovery.snapshot import Snapshot
from services.discovery.sources import AccountRegion, SnapshotFailed


@dataclass(frozen=True, slots=True)
class Taken:
    """What a snapshot changed: CIDRs of resources."""

    added: int = 0
    changed: int = 0
    removed: int = 0

    @property
    def is_nothing(self) -> bool:
        return not (self.added or self.changed or self.removed)


class Inventories(Protocol):
    """What is there, by source, account and region."""

    async def take_in(self, source: str, snapshot: Snapshot) -> Taken:
        """Make ``snapshot`` what is there of its source, account and region, as a whole.

        Raises:
            ContradictorySnapshot: it tells two things of one resource; nothing changes.
            LaterSnapshot: one that was taken later was there before; nothing changes.
        """

    async def note_failure(
        self, source: str, place: AccountRegion, failure: SnapshotFailed, attempted_at: datetime
    ) -> None:
        """Note that a snapshot could not be had; what is there stays."""

    async def keep_only(self, places: Collection[AccountRegion], asked: Collection[str]) -> None:
        """Drop what is there in all other places.

        Of sources other than those ``asked``, it stays known that they tell of the place: until
        they do again, not all is known of it.
        """
