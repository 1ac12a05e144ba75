"""A block that a pool has to give."""

from dataclasses import dataclass
from enum import StrEnum

from shared.cidr import Cidr


class CidrState(StrEnum):
    """The states that last. What is pending in an answer is done before the answer is read."""

    PROVISIONED = "provisioned"
    DEPROVISIONED = "deprovisioned"


@dataclass(frozen=True, slots=True)
class PoolCidr:
    """A CIDR of a pool (PROV-7).

    ``parent_allocation_id`` is the allocation of the source pool that it is (POOL-8), None for a
    top-level pool's CIDR and for one that was deprovisioned.
    """

    ipam_pool_cidr_id: str
    ipam_pool_id: str
    cidr: Cidr
    state: CidrState = CidrState.PROVISIONED
    parent_allocation_id: str | None = None
