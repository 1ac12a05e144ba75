"""The change feed and the list of all blocks, as discovery reads them."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TypeVar

from services.network.changes import CidrRecord, NumberedChange
from services.network.service.rows import Store
from shared.feed import Bell, follow

T = TypeVar("T")
CidrRecordsAfter = Callable[[str | None], Iterator[tuple[str, CidrRecord]]]


class Inventory:
    """All accounts' and regions'."""

    def __init__(self, store: Store, bell: Bell) -> None:
        self._store, self._bell = store, bell

    def changes(self, after: int) -> AsyncIterator[NumberedChange]:
        """Every change after a sequence number, then new ones as they are committed; never ends."""
        return follow(self._next_after, self._bell, after=after)

    async def cidr_records(self, select: Callable[[CidrRecordsAfter], T]) -> T:
        """What ``select`` makes of every block there is or that is being allocated."""
        return await self._store.read(
            lambda rows: select(lambda after: rows.blocks.records(after=after))
        )

    async def _next_after(self, sequence: int) -> Sequence[NumberedChange]:
        return await self._store.read(lambda rows: rows.feed.changes(after=sequence))
