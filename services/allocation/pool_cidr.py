"""A block that a pool has to give."""

from dataclasses import dataclass
from enum import StrEnum

from shared.cidr import Cidr


class CidrState(StrEnum):
    """The states that last. What else is pending in an answer is done before that is read."""

    PENDING_PROVISION = "pending-provision"
    """It is not the pool's yet: control of it is to be proven first (PROV-6)."""
    FAILED_PROVISION = "failed-provision"
    PROVISIONED = "provisioned"
    DEPROVISIONED = "deprovisioned"


@dataclass(frozen=True, slots=True)
class PoolCidr:
    """A CIDR of a pool (PROV-7).

    ``parent_allocation_id`` is the allocation of the source pool that it is (POOL-8), None for a
    top-level pool's CIDR and for one that was deprovisioned. ``brought_by`` is the account and
    the region of a range that was brought along without an IPAM.
    """

    ipam_pool_cidr_id: str
    ipam_pool_id: str
    cidr: Cidr
    state: CidrState = CidrState.PROVISIONED
    parent_allocation_id: str | None = None
    brought_by: tuple[str, str] | None = None
