"""What is to be looked at before the next pass, because something said that it changed."""

import asyncio
from dataclasses import dataclass

from services.discovery.sources import AccountRegion


@dataclass(frozen=True, slots=True)
class Errand:
    """What has gathered."""

    places: frozenset[AccountRegion]
    ipam_ids: frozenset[str] | None
    """IPAMs to evaluate besides those that see the places; None: all."""
    is_whole_pass: bool


class Agenda:
    """Gathers what came while the last errand was run: a thing that came often is there once."""

    def __init__(self) -> None:
        self._places: set[AccountRegion] = set()
        self._ipam_ids: set[str] = set()
        self._concerns_all = self._is_whole_pass = False
        self._news = asyncio.Event()

    def look_at(self, place: AccountRegion) -> None:
        """A source said that something changed there."""
        self._places.add(place)
        self._news.set()

    def evaluate(self, ipam_id: str) -> None:
        """An IPAM's owner said something about a resource, or a snapshot was pushed."""
        self._ipam_ids.add(ipam_id)
        self._news.set()

    def evaluate_all(self) -> None:
        """The ledger said that something changed: rules, or what is allocated."""
        self._concerns_all = True
        self._news.set()

    def look_everywhere(self) -> None:
        """Something else is to be discovered than before."""
        self._is_whole_pass = True
        self._news.set()

    def put_back(self, errand: Errand) -> None:
        """It could not be run."""
        self._places |= errand.places
        self._ipam_ids |= errand.ipam_ids or set()
        self._concerns_all |= errand.ipam_ids is None
        self._is_whole_pass |= errand.is_whole_pass
        self._news.set()

    async def next(self) -> Errand:
        """All that gathered, as soon as there is something."""
        await self._news.wait()
        errand = Errand(
            frozenset(self._places),
            None if self._concerns_all else frozenset(self._ipam_ids),
            self._is_whole_pass,
        )
        self._places.clear()
        self._ipam_ids.clear()
        self._concerns_all = self._is_whole_pass = False
        self._news.clear()
        return errand
