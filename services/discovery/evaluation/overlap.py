"""Which CIDRs of a scope share addresses with others (MON-3)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from services.discovery.evaluation.model import AllocationType, Books
from services.discovery.evaluation.standing import Standing
from shared.cidr import AddressFamily, Cidr

Positions = NDArray[np.uint64]


def overlapping_standings(standings: Sequence[Standing], books: Books) -> list[bool]:
    """Of each standing: it shares addresses with another resource or a manual allocation.

    Only what takes space counts, and manual allocations of the scope; a resource never overlaps
    itself, but one of the same id elsewhere. Manual allocations of planning pools lie in a VPC by
    their nature.
    """
    places: defaultdict[tuple[str, AddressFamily], list[int]] = defaultdict(list)
    for index, standing in enumerate(standings):
        if standing.takes_space:
            places[standing.scope_id, standing.candidate.cidr.family].append(index)
    reserved: defaultdict[tuple[str, AddressFamily], list[Cidr]] = defaultdict(list)
    for allocation in books.allocations:
        pool = books.pools.get(allocation.pool_id)
        is_manual = allocation.allocation_type is AllocationType.CUSTOM
        if is_manual and pool is not None and pool.plans_vpc is None:
            reserved[pool.scope_id, allocation.cidr.family].append(allocation.cidr)

    result = [False] * len(standings)
    for place, indexes in places.items():
        cidrs = [standings[index].candidate.cidr for index in indexes]
        owners: dict[tuple[str, str, str], int] = {}
        codes = [
            owners.setdefault((one.owner_id, one.region, one.resource_id), len(owners))
            for one in (standings[index].candidate for index in indexes)
        ]
        codes.extend(range(len(owners), len(owners) + len(reserved[place])))
        found = overlapping(*positions(cidrs + reserved[place], place[1]), np.array(codes))
        for index, is_overlapping in zip(indexes, found.tolist(), strict=False):
            result[index] = is_overlapping
    return result


def overlapping(first: Positions, last: Positions, owner: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Of each block: it shares a position with a block of another owner.

    Blocks are nested, equal or disjoint; positions are below 2**32. Costs a sort.
    """
    # Around a block before it; within one, widest first.
    order = np.argsort(first << np.uint64(32) | (np.uint64(0xFFFF_FFFF) - last))
    first, last, owner = first[order], last[order], owner[order]
    result = np.empty(len(first), np.bool_)
    result[order] = _has_other_within(first, last, owner) | _has_other_around(first, last, owner)
    return result


def _has_other_within(
    first: Positions, last: Positions, owner: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """What a block holds is the run right behind it, so it's enough to count changes of owner."""
    changes = np.zeros(len(owner), np.int64)
    np.cumsum(owner[1:] != owner[:-1], out=changes[1:])
    end = np.searchsorted(first, last, side="right")
    result: NDArray[np.bool_] = changes[end - 1] != changes
    return result


def _has_other_around(
    first: Positions, last: Positions, owner: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Of the outermost block around each, either the owner is another, or what others hold in it
    is looked at alone."""
    reach = np.maximum.accumulate(last)
    is_outermost = np.ones(len(first), np.bool_)
    is_outermost[1:] = first[1:] > reach[:-1]
    outermost_owner = owner[is_outermost][np.cumsum(is_outermost) - 1]
    is_other = owner != outermost_owner
    # Shifted by one, so that nothing reaches position 0 where there is no other yet.
    reach_of_others = np.maximum.accumulate(np.where(is_other, last + np.uint64(1), 0))
    result: NDArray[np.bool_] = is_other | (reach_of_others > first)
    return result


def positions(cidrs: Sequence[Cidr], family: AddressFamily) -> tuple[Positions, Positions]:
    """First and last position of each: IPv4 addresses themselves, ranks of IPv6 ones."""
    firsts, lasts = (cidr.first for cidr in cidrs), (cidr.last for cidr in cidrs)
    if family is AddressFamily.IPV4:
        return (
            np.fromiter(firsts, np.uint64, len(cidrs)),
            np.fromiter(lasts, np.uint64, len(cidrs)),
        )
    ranks = _ranks([*firsts, *lasts])
    return ranks[: len(cidrs)], ranks[len(cidrs) :]


def _ranks(addresses: Iterable[int]) -> Positions:
    """Numbers that compare as the addresses do."""
    values = list(addresses)
    high = np.fromiter((value >> 64 for value in values), np.uint64, len(values))
    low = np.fromiter((value & 0xFFFF_FFFF_FFFF_FFFF for value in values), np.uint64, len(values))
    order = np.lexsort((low, high))
    high, low = high[order], low[order]
    steps = np.zeros(len(values), np.uint64)
    steps[1:] = np.cumsum((high[1:] != high[:-1]) | (low[1:] != low[:-1]))
    ranks = np.empty(len(values), np.uint64)
    ranks[order] = steps
    return ranks
