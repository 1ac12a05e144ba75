"""What the use cases need of the database about the feed, within one transaction."""

from collections.abc import Sequence
from typing import Protocol

from services.network.changes import Change, NumberedChange


class FeedRows(Protocol):
    """What happened to blocks."""

    def append(self, changes: Sequence[Change]) -> None:
        """Add to the feed, in the order of commits.

        Transactions that append wait for each other from here to their end. So a later one sees all
        that an earlier one did, and a reader of the feed never meets a number that comes late.
        """

    def changes(self, *, after: int) -> Sequence[NumberedChange]:
        """The next ones of the feed, as many as are handy."""
