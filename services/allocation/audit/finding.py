"""What a check of the ledger tells."""

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """What does not agree with what."""

    OVERLAPPING_ALLOCATIONS = "overlapping-allocations"
    OVERLAPPING_CIDRS = "overlapping-cidrs"
    ALLOCATION_OUTSIDE_CIDRS = "allocation-outside-cidrs"
    MALFORMED_BLOCK = "malformed-block"
    ORPHANED_PARENT_ALLOCATION = "orphaned-parent-allocation"
    CIDR_WITHOUT_PARENT_ALLOCATION = "cidr-without-parent-allocation"
    WRONG_USAGE = "wrong-usage"
    WRONG_FREE_BLOCKS = "wrong-free-blocks"
    CHANGE_FEED_GAP = "change-feed-gap"
    RECORDS_OF_RETIRED_POOL = "records-of-retired-pool"
    LOST_CHANGES = "lost-changes"


UNREADABLE = frozenset(
    {
        FindingKind.OVERLAPPING_ALLOCATIONS,
        FindingKind.OVERLAPPING_CIDRS,
        FindingKind.ALLOCATION_OUTSIDE_CIDRS,
        FindingKind.MALFORMED_BLOCK,
    }
)
"""With one of these, no free blocks can be made of a pool's allocations.

A repair would have every replica try it, and so end the pool's service: people come first.
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What does not agree. ``cidrs`` are in the order of ``record_ids``, "" where one has none.

    ``repair`` says what the repair does; empty, there is none.
    """

    kind: FindingKind
    ipam_pool_id: str
    message: str
    record_ids: tuple[str, ...] = ()
    cidrs: tuple[str, ...] = ()
    repair: str = ""
    is_repaired: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """How much was looked at."""

    pools: int = 0
    allocations: int = 0
    cidrs: int = 0
