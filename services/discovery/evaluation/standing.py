"""What each resource's CIDR is to an IPAM, before it is compared with others (MON-1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.discovery.evaluation.blocks import named_block, resource_block
from services.discovery.evaluation.holdings import holdings_of
from services.discovery.evaluation.model import (
    Allocation,
    Books,
    Candidate,
    ManagementState,
    MarkedCidr,
    Marking,
    Scopes,
)
from services.discovery.evaluation.scoping import Scoping
from services.discovery.resource_cidr import ResourceType

_SPACE_TYPES = {ResourceType.VPC, ResourceType.PUBLIC_IPV4_POOL, ResourceType.EIP}


@dataclass(frozen=True, slots=True)
class Standing:
    """A candidate in its scope."""

    candidate: Candidate
    scope_id: str
    state: ManagementState | None
    allocation: Allocation | None
    """That it has; also while it is ignored, until that is released."""
    takes_space: bool
    """It has space of its own of the scope, not a part of another resource's, and is monitored."""

    @property
    def takes_unmanaged_space(self) -> bool:
        return self.takes_space and self.state is ManagementState.UNMANAGED


def standings_of(
    scopes: Scopes,
    books: Books,
    markings: Mapping[MarkedCidr, Marking],
    candidates: Sequence[Candidate],
) -> list[Standing]:
    """One of each candidate, in their order.

    Elastic IP addresses of a public IPv4 pool that is there too are parts of that pool: they can't
    be managed. Nothing in a public scope can be ignored (MON-5).
    """
    marked = {named_block(marked): marking for marked, marking in markings.items()}
    holdings = holdings_of(books, candidates)
    allocated = {
        block: books.pools[allocation.pool_id].scope_id for block, allocation in holdings.items()
    }
    scoping = Scoping(scopes, allocated, marked, candidates)
    public_pools = {
        (candidate.owner_id, candidate.region, candidate.resource_id)
        for candidate in candidates
        if candidate.resource_type is ResourceType.PUBLIC_IPV4_POOL
    }

    def standing_of(candidate: Candidate) -> Standing:
        block = resource_block(candidate)
        allocation, scope_id = holdings.get(block), scoping.of(candidate, block)
        marking = marked.get(block[1:])
        is_own_space = candidate.resource_type in _SPACE_TYPES and (
            candidate.resource_type is not ResourceType.EIP
            or (candidate.owner_id, candidate.region, candidate.container_id) not in public_pools
        )
        if marking is not None and marking.is_ignored and scope_id in scopes.private:
            return Standing(candidate, scope_id, ManagementState.IGNORED, allocation, False)
        if allocation is not None:
            return Standing(candidate, scope_id, ManagementState.MANAGED, allocation, is_own_space)
        state = ManagementState.UNMANAGED if is_own_space else None
        return Standing(candidate, scope_id, state, None, is_own_space)

    return [standing_of(candidate) for candidate in candidates]
