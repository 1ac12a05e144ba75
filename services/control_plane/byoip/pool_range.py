"""CIDRs that were brought to pools, as far as an internet registry's certificate is about them."""

from dataclasses import dataclass

from services.control_plane.byoip.public_cidr import PublicCidr
from shared.cidr import Cidr


@dataclass(frozen=True, slots=True)
class PoolRange:
    """A pool's CIDR that routes may be announced to."""

    ipam_pool_cidr_id: str
    cidr: Cidr

    @classmethod
    def of(cls, public: PublicCidr) -> "PoolRange":
        """What is kept of it."""
        return cls(public.ipam_pool_cidr_id, public.cidr)
