"""Where the ledger and what is there disagree (BEY-10)."""

from collections.abc import Iterable, Iterator, Sequence

from services.discovery.evaluation.blocks import ResourceBlock, resource_block
from services.discovery.evaluation.claims import Claims
from services.discovery.evaluation.model import (
    Allocation,
    AllocationType,
    Books,
    Candidate,
    Discrepancy,
    Finding,
    Pool,
    Present,
)
from services.discovery.evaluation.pool_space import PoolSpace
from services.discovery.evaluation.standing import Standing
from services.discovery.sources import AccountRegion


def findings_of(
    standings: Sequence[Standing],
    books: Books,
    pool_space: PoolSpace,
    claims: Claims,
    present: Present,
) -> list[Finding]:
    """Unknown resources in the candidates' order, then what is wrong with allocations in theirs.

    Manual allocations are for what nobody discovers: they are never found wrong (ALLOC-4).
    """
    there = _Resources(books.allocations, standings)
    return [
        *_unknown(standings, pool_space, claims),
        *(
            finding
            for allocation in books.allocations
            if allocation.allocation_type is not AllocationType.CUSTOM
            if (pool := books.pools.get(allocation.pool_id))
            if (finding := _wrong_with(allocation, pool, there, present))
        ),
    ]


def _unknown(
    standings: Iterable[Standing], pool_space: PoolSpace, claims: Claims
) -> Iterator[Finding]:
    for standing in standings:
        if not standing.takes_unmanaged_space:
            continue
        candidate, scope_id = standing.candidate, standing.scope_id
        pool = pool_space.deepest(scope_id, candidate.cidr) or pool_space.first_within(
            scope_id, candidate.cidr
        )
        if pool is not None:
            yield Finding(
                Discrepancy.UNKNOWN,
                scope_id,
                pool.pool_id,
                candidate.cidr,
                candidate.resource_id,
                candidate.owner_id,
                candidate.region,
                None,
                f"{_described(candidate)}, space of '{pool.pool_id}', without an allocation"
                + _claimed_by(claims.of_others(candidate)),
            )


class _Resources:
    """Resources that allocations are for, as they were found."""

    def __init__(self, allocations: Iterable[Allocation], standings: Iterable[Standing]) -> None:
        wanted = {allocation.resource_id for allocation in allocations} - {""}
        self._exact: dict[ResourceBlock, Candidate] = {}
        self._elsewhere: dict[tuple[str, int], Candidate] = {}
        self._any: dict[tuple[str, str], Candidate] = {}
        for standing in standings:
            candidate = standing.candidate
            if (resource_id := candidate.resource_id) in wanted:
                block = resource_block(candidate)
                self._exact.setdefault(block, candidate)
                self._elsewhere.setdefault(block[2:], candidate)
                self._any.setdefault((candidate.owner_id, resource_id), candidate)

    def with_cidr_of(self, allocation: Allocation) -> Candidate | None:
        """One of its id that has the CIDR; the owner's, in its region, if there is that one."""
        block = resource_block(allocation)
        return self._exact.get(block) or self._elsewhere.get(block[2:])

    def of(self, allocation: Allocation) -> Candidate | None:
        """The owner's one of its id, whatever it has."""
        return self._any.get((allocation.owner_id, allocation.resource_id))


def _wrong_with(
    allocation: Allocation, pool: Pool, there: _Resources, present: Present
) -> Finding | None:
    holder = there.with_cidr_of(allocation)
    if holder is not None:
        if (holder.region, holder.owner_id) == (allocation.region, allocation.owner_id):
            return None
        return _finding(
            Discrepancy.MISMATCHED,
            allocation,
            pool,
            f"{_named(allocation)}, but {_described(holder)}",
        )
    if AccountRegion(allocation.owner_id, allocation.region) not in present.complete:
        return None
    resource = there.of(allocation)
    if resource is not None:
        return _finding(
            Discrepancy.MISMATCHED,
            allocation,
            pool,
            f"{_named(allocation)}, but {_described(resource)}",
        )
    return _finding(
        Discrepancy.RECLAIMABLE, allocation, pool, f"{_named(allocation)}, which is not there"
    )


def _finding(discrepancy: Discrepancy, allocation: Allocation, pool: Pool, message: str) -> Finding:
    return Finding(
        discrepancy,
        pool.scope_id,
        pool.pool_id,
        allocation.cidr,
        allocation.resource_id,
        allocation.owner_id,
        allocation.region,
        allocation.allocation_id,
        message,
    )


def _claimed_by(others: Sequence[str]) -> str:
    if not others:
        return ""
    return f"; it is not imported, because {', '.join(map(repr, others))} has the same"


def _named(allocation: Allocation) -> str:
    return (
        f"'{allocation.allocation_id}' is of {allocation.cidr} for '{allocation.resource_id}' of"
        f" '{allocation.owner_id}' in {allocation.region}"
    )


def _described(candidate: Candidate) -> str:
    return (
        f"'{candidate.resource_id}' of '{candidate.owner_id}' in {candidate.region} has"
        f" {candidate.cidr}"
    )
