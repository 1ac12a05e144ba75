"""A route: who says that it can be reached where (RFC 4271)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.cidr import Cidr


@dataclass(frozen=True, slots=True)
class AnnouncedRoute:
    """Somebody announces that packets to a prefix may come to an ASN."""

    prefix: Cidr
    asn: int
    """Who originates it."""
    detected_at: datetime
    """As of when it is known."""


class AnnouncedRoutes(Protocol):
    """What is known here of the internet's routes, and those to ranges that were brought along."""

    async def overlapping(self, cidr: Cidr) -> Sequence[AnnouncedRoute]:
        """The routes to the CIDR, to parts of it and to what it is part of, by prefix and ASN.

        Raises:
            ServiceUnavailable: the installation is told routes, and can't read them now.
        """

    async def within(self, cidrs: Collection[Cidr], most: int) -> Sequence[AnnouncedRoute]:
        """The routes to CIDRs and to parts of them, by prefix and ASN, as far as ``most``.

        Raises:
            ServiceUnavailable: like `overlapping`.
        """
