"""What is to be discovered, and for whom (DISC-1, ORG-3, ORG-7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.discovery.evaluation.model import Scopes
from services.discovery.sources import AccountRegion


@dataclass(frozen=True, slots=True)
class Ipam:
    """An IPAM, as far as discovery is concerned."""

    scopes: Scopes
    owner_id: str
    region: str
    """Its home region."""
    is_free_tier: bool
    self_paying: frozenset[str] = frozenset()
    """Accounts that pay for their own active addresses; all others' are the owner's (IPAM-8)."""

    @property
    def ipam_id(self) -> str:
        return self.scopes.ipam_id

    @property
    def imports_for(self) -> str | None:
        """The account whose resources may come into pools by themselves (IPAM-4); None: all may."""
        return self.owner_id if self.is_free_tier else None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which accounts are seen in which regions, and which IPAM sees which of them."""

    ipams: Sequence[Ipam]
    ipam_ids: frozenset[str]
    """Also of those that are being deleted, which discover nothing more."""
    places: frozenset[AccountRegion]
    """All of them, also those that no IPAM sees (yet)."""
    places_of_ipams: Mapping[str, frozenset[AccountRegion]]

    def monitored(self, ipam: Ipam) -> frozenset[AccountRegion]:
        """Where an IPAM monitors: on the free tier in its home region only (IPAM-4)."""
        seen = self.places_of_ipams.get(ipam.ipam_id, frozenset())
        if not ipam.is_free_tier:
            return seen
        return frozenset(place for place in seen if place.region == ipam.region)
