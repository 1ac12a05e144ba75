"""What the use cases need of the database about prefix lists, within one transaction."""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from services.network.prefix_list import PrefixList
from services.network.prefix_list_change import Entry
from shared.caller import Caller


class PrefixListRows(Protocol):
    """Prefix lists. A list's row is the lock of all that is its."""

    def get(self, caller: Caller, prefix_list_id: str, *, lock: bool) -> PrefixList | None:
        """One of the caller's, in the caller's region."""

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, PrefixList]]:
        """The caller's, or those of them with these ids; oldest first, each with its paging key."""

    def entries(self, prefix_list_id: str, version: int) -> Sequence[Entry] | None:
        """In order; None: there is no such version, or not any more."""

    def add(self, prefix_list: PrefixList, entries: Sequence[Entry]) -> None: ...

    def save(self, prefix_list: PrefixList) -> None:
        """All but its entries."""

    def add_version(self, prefix_list: PrefixList, entries: Sequence[Entry]) -> None:
        """Its newest; of the older ones no more are kept than may be."""

    def remove(self, prefix_list: PrefixList) -> None:
        """With all its versions."""
