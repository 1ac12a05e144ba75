"""What an IPAM finds of all its resources, in one go (MON-1 to MON-6, BEY-3, BEY-10)."""

from collections.abc import Mapping, Sequence

from services.discovery.evaluation.claims import Claims
from services.discovery.evaluation.compliance import broken_rules
from services.discovery.evaluation.importing import imports_of
from services.discovery.evaluation.model import (
    Books,
    Candidate,
    ComplianceStatus,
    Evaluation,
    Judgement,
    ManagementState,
    MarkedCidr,
    Marking,
    OverlapStatus,
    Present,
    Scopes,
)
from services.discovery.evaluation.observing import observed_in
from services.discovery.evaluation.overlap import overlapping_standings
from services.discovery.evaluation.pool_space import PoolSpace
from services.discovery.evaluation.reconciliation import findings_of
from services.discovery.evaluation.releasing import gone_allocations, ignored_allocations
from services.discovery.evaluation.standing import Standing, standings_of


def evaluate(
    scopes: Scopes,
    books: Books,
    markings: Mapping[MarkedCidr, Marking],
    candidates: Sequence[Candidate],
    present: Present,
    imports_for: str | None = None,
) -> Evaluation:
    """Judge every candidate and tell what follows; n log n in candidates and allocations.

    With ``imports_for`` only that account's resources come into pools by themselves (IPAM-4).
    Moves into scopes that are not there any more count for nothing, and so do allocations of pools
    that are not.
    """
    standings = standings_of(scopes, books, markings, candidates)
    pool_space, claims = PoolSpace(books.pools), Claims(standings)
    overlaps = overlapping_standings(standings, books)
    ignored = ignored_allocations(standings)
    gone = gone_allocations(standings, books, present)
    return Evaluation(
        judgements=[
            _judged(standing, is_overlapping, books)
            for standing, is_overlapping in zip(standings, overlaps, strict=True)
        ],
        imports=imports_of(standings, books, pool_space, claims, imports_for),
        releases=[*ignored, *gone],
        gone=frozenset(gone),
        observed=observed_in(standings),
        findings=findings_of(standings, books, pool_space, claims, present),
    )


def _judged(standing: Standing, is_overlapping: bool, books: Books) -> Judgement:
    allocation = standing.allocation
    if standing.state is ManagementState.IGNORED:
        return Judgement(
            standing.scope_id,
            ManagementState.IGNORED,
            ComplianceStatus.IGNORED,
            OverlapStatus.IGNORED,
            allocation.pool_id if allocation else None,
            allocation.allocation_id if allocation else None,
        )
    overlap_status = _overlap_status(is_overlapping) if standing.takes_space else None
    if allocation is None:
        is_unmanaged = standing.state is ManagementState.UNMANAGED
        compliance_status = ComplianceStatus.UNMANAGED if is_unmanaged else None
        return Judgement(standing.scope_id, standing.state, compliance_status, overlap_status)
    broken = broken_rules(standing.candidate, books.pools[allocation.pool_id])
    return Judgement(
        standing.scope_id,
        ManagementState.MANAGED,
        ComplianceStatus.NONCOMPLIANT if broken else ComplianceStatus.COMPLIANT,
        overlap_status,
        allocation.pool_id,
        allocation.allocation_id,
        broken,
    )


def _overlap_status(is_overlapping: bool) -> OverlapStatus:
    return OverlapStatus.OVERLAPPING if is_overlapping else OverlapStatus.NONOVERLAPPING
