"""Taking blocks back."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.allocation.allocation import Allocation, ResourceType
from services.allocation.changes import Cancelled, Decision, Freed, MadeAvailable, TokenKey
from services.allocation.errors import NotReleasedByHand, TokenUsedMeanwhile
from services.allocation.service.giving_back import given_back
from services.allocation.service.rows import Rows
from services.allocation.service.visibility import allocation_in, seen_pool
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import InvalidParameterValue
from shared.ids import IPAM_POOL_HOLD


@dataclass(frozen=True, slots=True)
class Release:
    """What is to be given back by hand, named as AWS has it named."""

    ipam_pool_id: str
    cidr: Cidr
    ipam_pool_allocation_id: str


def release(
    rows: Rows, caller: Caller, ipam_pool_id: str, cidr: Cidr, ipam_pool_allocation_id: str
) -> Decision[None]:
    """Give back what was reserved by hand (ALLOC-5, ALLOC-6)."""
    pool = seen_pool(rows, caller, ipam_pool_id)
    allocation = allocation_in(rows, caller, pool, ipam_pool_allocation_id)
    if allocation.cidr != cidr:
        raise InvalidParameterValue(
            f"Value ({cidr}) for parameter cidr is invalid; the CIDR of"
            f" '{ipam_pool_allocation_id}' is {allocation.cidr}",
            parameter="cidr",
            value=cidr,
            ipam_pool_allocation_id=ipam_pool_allocation_id,
            allocated_cidr=allocation.cidr,
        )
    if allocation.resource_type is not ResourceType.CUSTOM:
        raise NotReleasedByHand(
            ipam_pool_allocation_id, allocation.resource_type, _instead(allocation)
        )
    return Decision(None, given_back(rows, allocation))


def release_of_resources(
    rows: Rows, ipam_pool_id: str, ipam_pool_allocation_ids: Sequence[str]
) -> Decision[list[str]]:
    """Give back what resources of this pool held that are gone; what is gone already is skipped."""
    if rows.pool(ipam_pool_id) is None:
        return Decision([])
    found = [rows.allocation(allocation_id) for allocation_id in ipam_pool_allocation_ids]
    live = [
        allocation
        for allocation in found
        if allocation and allocation.allocated_by and allocation.ipam_pool_id == ipam_pool_id
    ]
    released = [allocation.ipam_pool_allocation_id for allocation in live]
    return Decision(released, tuple(c for allocation in live for c in given_back(rows, allocation)))


def release_hold(
    rows: Rows, caller: Caller, ipam_pool_id: str, ipam_pool_hold_id: str
) -> Decision[None]:
    """End a hold of the caller's; nothing was in use, so nothing has to rest (BEY-8)."""
    pool = seen_pool(rows, caller, ipam_pool_id)
    hold = pool.hold_of_id(ipam_pool_hold_id)
    if hold is None or hold.owner != caller.account_id:
        raise IPAM_POOL_HOLD.unknown(ipam_pool_hold_id)
    return Decision(None, (MadeAvailable(hold),))


def cancel(rows: Rows, key: TokenKey, known: Allocation | None) -> Decision[None]:
    """Make sure that nothing is, or ever will be, allocated under a token.

    ``known`` is what the command was told was allocated under it, whose pool it names.

    Raises:
        TokenUsedMeanwhile: something was allocated that it does not know.
    """
    answer = rows.answer(key)
    if not isinstance(answer, Allocation):
        return Decision(None, (Cancelled(key),))
    if known is None or answer.ipam_pool_allocation_id != known.ipam_pool_allocation_id:
        raise TokenUsedMeanwhile(key.token)
    live = rows.allocation(known.ipam_pool_allocation_id)
    if live and live.ipam_pool_id != known.ipam_pool_id:
        # Its range was moved to another pool, which the command does not hold (BYOIP-6).
        raise TokenUsedMeanwhile(key.token)
    # It was never anybody's, so nothing has to rest.
    return Decision(None, (*((Freed(live),) if live else ()), Cancelled(key)))


def _instead(allocation: Allocation) -> str:
    if allocation.resource_type is ResourceType.IPAM_POOL:
        return f"Deprovision {allocation.cidr} from '{allocation.resource_id}' instead"
    return f"Delete '{allocation.resource_id}' instead; its allocation goes with it"
