"""Which resources are to have allocations of pools that look for them (MON-4)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from services.discovery.evaluation.blocks import BlockSet
from services.discovery.evaluation.claims import Claims
from services.discovery.evaluation.model import Books, Import
from services.discovery.evaluation.pool_space import PoolSpace
from services.discovery.evaluation.standing import Standing
from shared.cidr import AddressFamily, Cidr

NO_LOCALE = "None"
"""No resource may use such a pool (POOL-3)."""


def imports_of(
    standings: Iterable[Standing],
    books: Books,
    pool_space: PoolSpace,
    claims: Claims,
    imports_for: str | None,
) -> list[Import]:
    """Widest first, then by scope and address.

    A resource comes into the deepest pool around it, when that pool looks for resources and
    nothing there is given away: not to a resource, by hand, or to a child pool. Of overlapping
    resources the widest comes in; of equal ones the first by region, id and owner. When several
    accounts say that they have that one, nothing comes in there. With ``imports_for`` that
    account's resources are the only ones there are (IPAM-4).
    """
    taken = _taken(books)
    found: list[tuple[Standing, Import]] = []
    for standing in standings:
        if not standing.takes_unmanaged_space:
            continue
        if imports_for not in (None, standing.candidate.owner_id):
            continue
        cidr, scope_id = standing.candidate.cidr, standing.scope_id
        pool = pool_space.deepest(scope_id, cidr)
        if pool is None or not pool.auto_import or pool.locale == NO_LOCALE:
            continue
        allocated = taken.get((scope_id, cidr.family))
        if (allocated and allocated.overlaps(cidr)) or pool_space.first_within(scope_id, cidr):
            continue
        found.append((standing, Import(pool.pool_id, standing.candidate)))
    chosen = [pair for pair in _widest(found) if not claims.of_others(pair[1].candidate)]
    chosen.sort(key=lambda pair: (pair[1].candidate.cidr.prefix_length, *_order(pair)))
    return [choice for _, choice in chosen]


def _widest(found: list[tuple[Standing, Import]]) -> Iterator[tuple[Standing, Import]]:
    """By address, a block comes after those around it; so what was kept last decides."""
    kept: tuple[str, Cidr] | None = None
    for pair in sorted(found, key=_order):
        scope_id, cidr = pair[0].scope_id, pair[1].candidate.cidr
        if kept is None or kept[0] != scope_id or not kept[1].contains(cidr):
            kept = scope_id, cidr
            yield pair


def _order(pair: tuple[Standing, Import]) -> tuple[str, int, int, int, str, str, str]:
    candidate = pair[1].candidate
    cidr = candidate.cidr
    return (
        pair[0].scope_id,
        cidr.family.bits,
        cidr.first,
        cidr.prefix_length,
        candidate.region,
        candidate.resource_id,
        candidate.owner_id,
    )


def _taken(books: Books) -> dict[tuple[str, AddressFamily], BlockSet]:
    """Space that is allocated; of planning pools it is a VPC's own."""
    blocks: defaultdict[tuple[str, AddressFamily], list[Cidr]] = defaultdict(list)
    for allocation in books.allocations:
        pool = books.pools.get(allocation.pool_id)
        if pool is not None and pool.plans_vpc is None:
            blocks[pool.scope_id, allocation.cidr.family].append(allocation.cidr)
    return {place: BlockSet(cidrs) for place, cidrs in blocks.items()}
