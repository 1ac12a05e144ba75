"""Where resources are: what discovery needs of a source, whatever it is (design.md section 7)."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Change:
    """One change at a source; ``gone_allocation_id`` names the allocation nobody needs any more."""

    sequence: int
    gone_allocation_id: str | None


class Source(Protocol):
    """A place with resources that hold allocations."""

    name: str
    """The service that made the allocations, and the key its progress is kept under."""

    def changes(self, after: int) -> AsyncGenerator[Change, None]:
        """Every change after a sequence number, then new ones as they happen; never ends."""

    def association_ids(self) -> AsyncIterator[list[str]]:
        """Page by page, every block that a resource has or is being given."""
