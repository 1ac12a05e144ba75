"""A block of a pool that nobody has, and that is not to be had for a time."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.cidr import Cidr


class SetAsideReason(StrEnum):
    """Why it is not to be had."""

    HOLD = "hold"
    """Somebody previewed it and may still take it (BEY-8)."""
    COOL_DOWN = "cool-down"
    """It was released a short while ago (IPAM-6)."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """It ends at ``until``, or sooner: a hold by the allocation it is for, or by its release.

    ``owner`` is the account that holds it, or that had it.
    """

    set_aside_id: str
    ipam_pool_id: str
    cidr: Cidr
    reason: SetAsideReason
    owner: str
    until: datetime
    created_at: datetime
