"""How a pool places what is asked of it by netmask length, and where it places nothing."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from shared.cidr import Cidr

EXCLUDED_QUOTA = 100
"""As many CIDRs a pool can exclude."""


class Strategy(StrEnum):
    """Which free block is cut, and where (BEY-9)."""

    BEST_FIT = "best-fit"
    """The smallest that fits, the lowest of these, at its start."""
    LOWEST = "lowest"
    """The lowest that fits, at its start."""
    SPARSE = "sparse"
    """The largest, the lowest of these, at its start: what is allocated has room to grow."""
    RANDOM = "random"
    """Any that fits, anywhere."""


@dataclass(frozen=True, slots=True)
class Placement:
    """What a pool's owner says about it.

    ``excluded`` is space that the pool doesn't give away (BEY-9); it may overlap itself and lie
    outside the pool. ``avoids_observed`` keeps the pool off space that unmanaged resources are
    seen to occupy (BEY-3). Released space rests for the ``cool_down``, None: for as long as the
    installation says (IPAM-6).
    """

    strategy: Strategy = Strategy.BEST_FIT
    excluded: tuple[Cidr, ...] = ()
    avoids_observed: bool = True
    cool_down: timedelta | None = None


AS_USUAL = Placement()
"""Of a pool about which nothing was said."""
