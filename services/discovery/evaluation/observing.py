"""What resources occupy that no ledger knows of (BEY-3)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from services.discovery.evaluation.standing import Standing
from shared.cidr import Cidr


def observed_in(standings: Iterable[Standing]) -> Mapping[str, Mapping[Cidr, str]]:
    """By scope, CIDRs of monitored, unmanaged resources; of equal ones the first resource id."""
    observed: defaultdict[str, dict[Cidr, str]] = defaultdict(dict)
    for standing in standings:
        if standing.takes_unmanaged_space:
            cidr, resource_id = standing.candidate.cidr, standing.candidate.resource_id
            of_scope = observed[standing.scope_id]
            of_scope[cidr] = min(of_scope.get(cidr, resource_id), resource_id)
    return dict(observed)
