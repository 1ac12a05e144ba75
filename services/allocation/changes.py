"""What a decision changes: nothing is done while deciding, so a refusal leaves no trace."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from services.allocation.allocation import Allocation
from services.allocation.definition import PoolDefinition
from services.allocation.pending_cidr import Failure, PendingCidr
from services.allocation.placement import Placement
from services.allocation.pool_cidr import PoolCidr
from services.allocation.set_aside import SetAside

T_co = TypeVar("T_co", covariant=True)


class TokenKey(NamedTuple):
    """Names one use of a client token. ``owner`` is an account, or a service for its resources."""

    owner: str
    operation: str
    token: str


@dataclass(frozen=True, slots=True)
class Held:
    """An allocation is made."""

    allocation: Allocation


@dataclass(frozen=True, slots=True)
class Freed:
    """An allocation is given back."""

    allocation: Allocation


@dataclass(frozen=True, slots=True)
class PutAside:
    """What nobody has is not to be had for a time."""

    set_aside: SetAside


@dataclass(frozen=True, slots=True)
class MadeAvailable:
    """What was set aside is to be had again."""

    set_aside: SetAside


@dataclass(frozen=True, slots=True)
class PlacementChanged:
    """A pool places otherwise."""

    ipam_pool_id: str
    placement: Placement


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A pool gets a CIDR; its deprovisioned namesake is forgotten."""

    pool_cidr: PoolCidr


@dataclass(frozen=True, slots=True)
class Deprovisioned:
    """A pool loses a CIDR in which nothing is held."""

    pool_cidr: PoolCidr


@dataclass(frozen=True, slots=True)
class Defined:
    """A pool becomes known, or is defined anew."""

    definition: PoolDefinition


@dataclass(frozen=True, slots=True)
class Retired:
    """A pool goes for good, with everything in it."""

    ipam_pool_id: str


@dataclass(frozen=True, slots=True)
class Repaired:
    """A pool's records were put right behind everybody's back (BEY-10).

    ``kinds`` names what was wrong. What is noted before and after this does not lead from one to
    the other: whoever keeps the pool in memory reads it anew.
    """

    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProvisionRequested:
    """A CIDR begins to wait for a pool, or goes on under another proof.

    What else was known of this CIDR and this pool is forgotten.
    """

    pending: PendingCidr


@dataclass(frozen=True, slots=True)
class ProvisionFailed:
    """A CIDR waits no longer, for it can't be the pool's."""

    ipam_pool_cidr_id: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class ProvisionWithdrawn:
    """A CIDR that waits, or failed, is wanted no longer."""

    ipam_pool_cidr_id: str


@dataclass(frozen=True, slots=True)
class PinChanged:
    """A pool's CIDR can't be deprovisioned for a reason; None: it can."""

    ipam_pool_cidr_id: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A client token is of no use any more."""

    key: TokenKey


PoolChange: TypeAlias = (
    Held
    | Freed
    | PutAside
    | MadeAvailable
    | PlacementChanged
    | Provisioned
    | Deprovisioned
    | Retired
    | Repaired
)
"""What changes a pool as others see it."""


@dataclass(frozen=True, slots=True)
class CommittedChanges:
    """What one transaction did to one pool, in its place in the feed."""

    sequence: int
    definition: PoolDefinition
    committed_at: datetime
    changes: Sequence[PoolChange]


Change: TypeAlias = (
    PoolChange
    | Defined
    | Cancelled
    | ProvisionRequested
    | ProvisionFailed
    | ProvisionWithdrawn
    | PinChanged
)


@dataclass(frozen=True, slots=True)
class Decision(Generic[T_co]):
    """What to answer once ``changes``, in this order, are committed."""

    answer: T_co
    changes: tuple[Change, ...] = ()
