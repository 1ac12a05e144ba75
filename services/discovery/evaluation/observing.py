"""What resources occupy that no ledger knows of (BEY-3)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from services.discovery.evaluation.standing import Standing
from shared.cidr import Cidr


def observed_in(standings: Iterable[Standing]) -> Mapping[str, AbstractSet[tuple[Cidr, str]]]:
    """By scope, CIDRs of monitored, unmanaged resources, and the ids of these.

    Each of those that have a CIDR: what one of them may be given, another still has.
    """
    observed: defaultdict[str, set[tuple[Cidr, str]]] = defaultdict(set)
    for standing in standings:
        if standing.takes_unmanaged_space:
            candidate = standing.candidate
            observed[standing.scope_id].add((candidate.cidr, candidate.resource_id))
    return dict(observed)
