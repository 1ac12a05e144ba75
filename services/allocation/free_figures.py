"""How the free space of a pool lies, in figures."""

from dataclasses import dataclass
from datetime import datetime

from services.allocation.free_space import FreeSpace


@dataclass(frozen=True, slots=True)
class FreeFigures:
    """Of the fewest blocks that cover what is free; what is set aside is not.

    ``until`` something set aside ends, so that more is free from then on; None: nothing does.
    """

    block_count: int = 0
    largest_netmask_length: int | None = None
    """None: nothing is free."""
    addresses: int = 0
    until: datetime | None = None

    @classmethod
    def of(cls, space: FreeSpace, until: datetime | None) -> "FreeFigures":
        """Costs the same however much is free or taken."""
        return cls(space.block_count, space.largest_free, space.free_addresses, until)

    def hold_at(self, now: datetime) -> bool:
        """Nothing that was set aside has ended since they were taken."""
        return self.until is None or now < self.until
