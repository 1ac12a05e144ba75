"""Ranges that accounts bring to their IPAMs: they wait until control is proven (PROV-6)."""

from datetime import datetime

from services.allocation.changes import (
    Decision,
    Provisioned,
    ProvisionFailed,
    ProvisionRequested,
    ProvisionWithdrawn,
)
from services.allocation.definition import PUBLIC_SPACE
from services.allocation.errors import CidrTaken, IpamPoolCidrLimitExceeded, RangeTaken
from services.allocation.pending_cidr import Failure, FailureCode, OfferedProof, PendingCidr
from services.allocation.pool import Pool
from services.allocation.pool_cidr import CidrState, PoolCidr
from services.allocation.public_space import check_public_range, check_specific
from services.allocation.service.rows import Rows
from services.allocation.service.spaces import check_free_in_space
from services.allocation.wanted_block import WantedBlock
from shared.cidr import Cidr
from shared.errors import MissingParameter
from shared.ids import IPAM_POOL_CIDR


def request_range(
    rows: Rows, pool: Pool, wanted: WantedBlock, offered: OfferedProof, *, reserved_allowed: bool
) -> Decision[PoolCidr]:
    """Have a range wait for a pool; asked for again, it goes on waiting under the new proof."""
    cidr = wanted.cidr
    if cidr is None:
        raise MissingParameter("Cidr (a range that is brought along is named, not chosen)")
    proof = offered.checked()
    pool.check_family(cidr)
    check_specific(pool.definition, cidr.prefix_length)
    check_public_range(cidr, reserved_allowed=reserved_allowed)
    check_free_in_space(rows, PUBLIC_SPACE, cidr, pool.definition.owner_id)
    waiting = [known for known in rows.pending_cidrs(pool.ipam_pool_id) if not known.failure]
    same = next((known for known in waiting if known.cidr == cidr), None)
    if same is None:
        pool.check_room_for_cidr(waiting=len(waiting))
    pending = PendingCidr(
        ipam_pool_cidr_id=same.ipam_pool_cidr_id if same else IPAM_POOL_CIDR.new(),
        ipam_pool_id=pool.ipam_pool_id,
        cidr=cidr,
        proof=proof,
        requested_at=rows.now,
    )
    return Decision(_in_state(pending, CidrState.PENDING_PROVISION), (ProvisionRequested(pending),))


def conclude(
    rows: Rows, ipam_pool_cidr_id: str, failure: str, requested_at: datetime | None = None
) -> Decision[None]:
    """End a range's waiting: without a ``failure`` it is the pool's, if it can be still.

    A failure of the proof offered at ``requested_at`` says nothing about one offered since.
    """
    pending = rows.pending_cidr(ipam_pool_cidr_id)
    pool = rows.pool(pending.ipam_pool_id) if pending else None
    if pending is None or pending.failure or pool is None:
        return Decision(None)
    if failure and requested_at not in (None, pending.requested_at):
        return Decision(None)
    failed = Failure(failure) if failure else _obstacle(rows, pool, pending.cidr)
    if failed:
        return Decision(None, (ProvisionFailed(ipam_pool_cidr_id, failed),))
    pool_cidr = PoolCidr(ipam_pool_cidr_id, pool.ipam_pool_id, pending.cidr)
    return Decision(None, (Provisioned(pool_cidr),))


def withdraw(pending: PendingCidr) -> Decision[PoolCidr]:
    """Forget a range that waits, or could not be provisioned."""
    gone = _in_state(pending, CidrState.DEPROVISIONED)
    return Decision(gone, (ProvisionWithdrawn(pending.ipam_pool_cidr_id),))


def pending_meant(rows: Rows, pool: Pool, cidr: Cidr | None) -> PendingCidr | None:
    """The range that is meant, if it waits or failed; unnamed, if there is no other CIDR.

    Raises:
        MissingParameter: none is named, and there are several.
    """
    pending = rows.pending_cidrs(pool.ipam_pool_id) if pool.definition.is_brought_along else ()
    if cidr is not None or not pending:
        return next((known for known in pending if known.cidr == cidr), None)
    known_cidrs = sorted(
        [*(known.cidr for known in pool.pool_cidrs), *(known.cidr for known in pending)]
    )
    if len(known_cidrs) > 1:
        raise MissingParameter(f"Cidr (one of {', '.join(map(str, known_cidrs))})")
    return pending[0]


def _obstacle(rows: Rows, pool: Pool, cidr: Cidr) -> Failure | None:
    """What came in the way meanwhile."""
    try:
        pool.check_room_for_cidr()
        check_free_in_space(rows, PUBLIC_SPACE, cidr, pool.definition.owner_id)
    except IpamPoolCidrLimitExceeded as refusal:
        return Failure(refusal.message, FailureCode.LIMIT_EXCEEDED)
    except (CidrTaken, RangeTaken) as refusal:
        return Failure(refusal.message, FailureCode.CIDR_NOT_AVAILABLE)
    return None


def _in_state(pending: PendingCidr, state: CidrState) -> PoolCidr:
    return PoolCidr(pending.ipam_pool_cidr_id, pending.ipam_pool_id, pending.cidr, state)
