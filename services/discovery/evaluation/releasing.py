"""Which allocations are to be given back (ALLOC-5, MON-5)."""

from collections.abc import Iterable, Sequence

from services.discovery.evaluation.blocks import resource_block
from services.discovery.evaluation.model import (
    Books,
    ManagementState,
    Present,
)
from services.discovery.evaluation.standing import Standing
from services.discovery.sources import AccountRegion

IMPORTED_BY = "discovery"
"""Who made the allocations that nobody else gives back: other services do so for their own."""


def ignored_allocations(standings: Iterable[Standing]) -> list[str]:
    """Allocations of ignored CIDRs; nothing in a public scope is ignored."""
    ignored = (
        standing.allocation.allocation_id
        for standing in standings
        if standing.allocation and standing.state is ManagementState.IGNORED
    )
    return list(dict.fromkeys(ignored))


def gone_allocations(standings: Sequence[Standing], books: Books, present: Present) -> list[str]:
    """Imported allocations whose resource has the CIDR no longer, as far as was looked in full.

    What another account says it has is another resource.
    """
    imported = [
        allocation
        for allocation in books.allocations
        if allocation.service == IMPORTED_BY
        and AccountRegion(allocation.owner_id, allocation.region) in present.complete
    ]
    resource_ids = {allocation.resource_id for allocation in imported}
    there = {
        resource_block(standing.candidate)
        for standing in standings
        if standing.candidate.resource_id in resource_ids
    }
    held = {standing.allocation.allocation_id for standing in standings if standing.allocation}
    return [
        allocation.allocation_id
        for allocation in imported
        if resource_block(allocation) not in there and allocation.allocation_id not in held
    ]
