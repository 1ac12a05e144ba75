"""Which scope a resource's CIDR lands in (SCP-5, MON-6)."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from services.discovery.evaluation.blocks import (
    HoldingBlocks,
    NamedBlock,
    ResourceBlock,
    resource_block,
)
from services.discovery.evaluation.model import Candidate, Marking, Scopes
from services.discovery.evaluation.natural_scope import scope_by_nature
from services.discovery.resource_cidr import ResourceType


class Scoping:
    """Tells the scope of each candidate.

    The scope of the pool that a resource has the CIDR of comes first, so a move waits until the
    allocation is gone (MON-6). What lies in a VPC goes where the VPC's CIDR around it goes.
    """

    def __init__(
        self,
        scopes: Scopes,
        allocated: Mapping[ResourceBlock, str],
        markings: Mapping[NamedBlock, Marking],
        candidates: Iterable[Candidate],
    ) -> None:
        """``allocated`` are the scopes of what resources have of pools."""
        self._scopes, self._allocated = scopes, allocated
        self._moved = _moves(markings, scopes.private)
        self._of_vpcs: HoldingBlocks[tuple[str, str, str], str] = HoldingBlocks()
        for candidate in candidates:
            if candidate.resource_type is ResourceType.VPC:
                vpc = (candidate.owner_id, candidate.region, candidate.resource_id)
                self._of_vpcs.file(vpc, candidate.cidr, self._of_vpc(candidate))

    def of(self, candidate: Candidate, block: ResourceBlock) -> str:
        """``block`` is the candidate's own."""
        if (scope_id := self._allocated.get(block)) is not None:
            return scope_id
        vpc_id = candidate.vpc_id
        if vpc_id is not None:
            vpc = (candidate.owner_id, candidate.region, vpc_id)
            found = self._of_vpcs.narrowest(vpc, candidate.cidr)
            if found is not None:
                return found
        return self._natural(candidate)

    def _of_vpc(self, candidate: Candidate) -> str:
        block = resource_block(candidate)
        return self._allocated.get(block) or self._moved.get(block[1:]) or self._natural(candidate)

    def _natural(self, candidate: Candidate) -> str:
        return scope_by_nature(self._scopes, candidate.resource_type, candidate.cidr)


def _moves(
    markings: Mapping[NamedBlock, Marking], private: AbstractSet[str]
) -> dict[NamedBlock, str]:
    """Into scopes that are there still."""
    return {
        block: marking.scope_id
        for block, marking in markings.items()
        if marking.scope_id is not None and marking.scope_id in private
    }
