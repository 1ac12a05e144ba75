"""What the use cases need of the database about instances, within one transaction."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from services.network.instance import Instance
from shared.caller import Caller


class InstanceRows(Protocol):
    """Instances. Those terminated long ago are forgotten."""

    def get(self, caller: Caller, instance_id: str, *, lock: bool) -> Instance | None:
        """One of the caller's, in the caller's region."""

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[Sequence[tuple[str, Instance]]]:
        """The caller's, or those of them with these ids; oldest first, some at a time.

        Each with its paging key.
        """

    def add(self, instances: Sequence[Instance]) -> None: ...

    def save(self, instance: Instance) -> None:
        """Its tags and its end, nothing else of it changes."""

    def forget_terminated(self, before: datetime) -> None:
        """Those terminated before this moment."""
