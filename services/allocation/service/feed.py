"""The change feed, as far as its reader may see it (MET-5, BEY-12)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from services.allocation.changes import CommittedChanges
from shared.caller import Caller
from shared.feed import Bell, follow

ChangesAfter = Callable[[int], Awaitable[Sequence[CommittedChanges]]]
"""The next ones after a sequence number, none left out: no transaction under way comes before."""


class Feed:
    """All pools'."""

    def __init__(self, changes_after: ChangesAfter, bell: Bell) -> None:
        self._changes_after, self._bell = changes_after, bell

    async def follow(self, caller: Caller, after: int) -> AsyncIterator[CommittedChanges]:
        """What the caller may see of what was done after a sequence number; never ends."""
        async for committed in follow(self._changes_after, self._bell, after=after):
            if _may_see(caller, committed):
                yield committed


def _may_see(caller: Caller, committed: CommittedChanges) -> bool:
    if caller.service:
        return True
    # What others do in a pool is for its owner alone to know.
    return committed.definition.is_overseen_by(caller.account_id, caller.region)
