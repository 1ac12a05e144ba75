"""What a decision sees of the ledger, as of the transaction that will carry it out."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from services.allocation.allocation import Allocation
from services.allocation.changes import TokenKey
from services.allocation.definition import PoolDefinition
from services.allocation.pending_cidr import PendingCidr
from services.allocation.pool import Pool
from services.allocation.pool_cidr import PoolCidr
from services.allocation.set_aside import SetAside
from shared.cidr import Cidr


class Rows(Protocol):
    """Only the pools, allocations and tokens its command names; all that is decided is in it."""

    @property
    def now(self) -> datetime:
        """The time of the transaction."""

    @property
    def cool_down(self) -> timedelta:
        """How long released space rests in pools that don't say it themselves (IPAM-6)."""

    def pool(self, ipam_pool_id: str) -> Pool | None:
        """A pool that is known and not retired."""

    def is_retired(self, ipam_pool_id: str) -> bool:
        """It was here once, or never will be."""

    def allocation(self, ipam_pool_allocation_id: str) -> Allocation | None:
        """A live allocation."""

    def answer(self, key: TokenKey) -> "Answer | Cancellation | None":
        """The first answer to a token's request; None: it was not used."""

    def overlapping(
        self, ipam_pool_id: str, cidr: Cidr, *, cooling_down: bool = True
    ) -> Allocation | SetAside | None:
        """What somebody has, or what is set aside, with addresses in ``cidr``.

        Without ``cooling_down``, what was released a short while ago does not count.
        """

    def top_level_cidrs(self, space_id: str, within: Cidr) -> Sequence[PoolCidr]:
        """What the space's pools without a source have in ``within``, or around it, by address."""

    def owner_of(self, ipam_pool_id: str) -> str | None:
        """Whose a pool is, whether the command names it or not."""

    def allocations_in(self, ipam_pool_id: str, cidr: Cidr) -> Sequence[Allocation]:
        """All that is allocated inside of ``cidr``, by address; only for where that is little."""

    def amazon_block_count(self, pool: PoolDefinition) -> int:
        """How many CIDRs the pool's owner has, in its region, of the pool that is its source."""

    def pending_cidr(self, ipam_pool_cidr_id: str) -> PendingCidr | None:
        """One that waits, or failed."""

    def pending_cidrs(self, ipam_pool_id: str) -> Sequence[PendingCidr]:
        """A pool's that wait, or failed, by address."""

    def pin_of(self, ipam_pool_cidr_id: str) -> str | None:
        """Why a CIDR can't be deprovisioned, though nothing may be allocated in it."""

    def vpc_cidrs(self, vpc_id: str) -> Sequence[Cidr]:
        """What a VPC is seen to have, by address."""

    def child_pool_ids(self, ipam_pool_id: str, *, with_cidrs: bool) -> Sequence[str]:
        """Pools that have this one as source and are not retired; some only if CIDRs matter."""


Answer: TypeAlias = Allocation | PoolCidr | SetAside
"""What a request under a client token was answered."""


class Cancellation:
    """The answer of a token that was cancelled."""


CANCELLED = Cancellation()
