"""Which allocation a resource has for a CIDR (MON-1)."""

from collections import defaultdict
from collections.abc import Iterable

from services.discovery.evaluation.blocks import NamedBlock, ResourceBlock, resource_block
from services.discovery.evaluation.model import Allocation, AllocationType, Books, Candidate
from services.discovery.resource_cidr import ResourceType


def holdings_of(books: Books, candidates: Iterable[Candidate]) -> dict[ResourceBlock, Allocation]:
    """Its owner's, in its region, under its id.

    The id of an elastic IP address is the same in whichever account it is, and its allocation names
    the one that allocated it (EIP-3). When another account is the only one that has it, that one
    has the allocation.
    """
    holdings: dict[ResourceBlock, Allocation] = {}
    addresses: dict[NamedBlock, Allocation] = {}
    for allocation in books.allocations:
        if allocation.resource_id and allocation.pool_id in books.pools:
            block = resource_block(allocation)
            holdings.setdefault(block, allocation)
            if allocation.allocation_type is AllocationType.EIP:
                addresses.setdefault(block[1:], allocation)
    there: defaultdict[NamedBlock, set[ResourceBlock]] = defaultdict(set)
    if addresses:
        for candidate in candidates:
            if candidate.resource_type is ResourceType.EIP:
                block = resource_block(candidate)
                there[block[1:]].add(block)
    for named, allocation in addresses.items():
        if len(blocks := there[named]) == 1:
            [block] = blocks
            holdings.setdefault(block, allocation)
    return holdings
