"""What the RPKI says of routes to what was brought along (RFC 6811), and who else announces it."""

import enum
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice

from services.control_plane.byoip.routes import ByoipRoute
from services.control_plane.ipam import Ipam, Tier
from services.control_plane.routes.route import AnnouncedRoute
from services.control_plane.verification.roas import Roa, RoaTable
from shared.errors import UnsupportedOperation

MOST_OVERLAPS = 1000
"""Of one route; of a range as wide as a /8 there may be tens of thousands."""


class RpkiStatus(enum.StrEnum):
    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


class RpkiStrength(enum.StrEnum):
    STRICT = "strict"
    """ROAs allow their prefix alone."""
    PERMISSIVE = "permissive"
    """One of them allows longer prefixes, too, which draw traffic to who forges the origin."""


@dataclass(frozen=True, slots=True)
class KnownRoas:
    """The ROAs of this moment."""

    exported: RoaTable | None
    """What a validator tells; None: none is asked."""
    published: RoaTable
    """By this installation, maybe too lately for a validator to know."""

    def covering(self, route: ByoipRoute) -> list[Roa]:
        """By prefix, the widest first, ASN and maximum length; what both have once."""
        told = self.exported.covering(route.cidr) if self.exported else []
        found = {**dict.fromkeys(told), **dict.fromkeys(self.published.covering(route.cidr))}
        return sorted(found, key=lambda roa: (roa.prefix, roa.asn, roa.max_length))


@dataclass(frozen=True, slots=True)
class CoveringRoa:
    """A ROA whose prefix holds a route's."""

    roa: Roa
    matches: bool
    """The route is valid by it."""


@dataclass(frozen=True, slots=True)
class RouteProtection:
    """What ROAs say of a route."""

    roas: tuple[CoveringRoa, ...]
    status: RpkiStatus | None
    """None: whether there are ROAs is not known."""

    @property
    def strength(self) -> RpkiStrength | None:
        """Of the ROAs that the route is valid by; None: there are none."""
        matching = [one.roa for one in self.roas if one.matches]
        if not matching:
            return None
        is_permissive = any(roa.max_length > roa.prefix.prefix_length for roa in matching)
        return RpkiStrength.PERMISSIVE if is_permissive else RpkiStrength.STRICT


def check_tier_allows_findings(ipam: Ipam) -> None:
    """Only the advanced tier has findings.

    Raises:
        UnsupportedOperation: ``ipam`` is on the free tier.
    """
    if ipam.tier is Tier.FREE:
        raise UnsupportedOperation(
            f"'{ipam.ipam_id}' is on tier '{Tier.FREE}', which has no route protection findings;"
            f" change it to tier '{Tier.ADVANCED}', or use GetIpamDiscoveredRoutes",
            ipam_id=ipam.ipam_id,
            tier=ipam.tier,
        )


def protection_of(route: ByoipRoute, known: KnownRoas) -> RouteProtection:
    """What the ROAs say of a route."""
    roas = tuple(CoveringRoa(roa, _matches(roa, route)) for roa in known.covering(route))
    if any(one.matches for one in roas):
        status: RpkiStatus | None = RpkiStatus.VALID
    elif roas:
        status = RpkiStatus.INVALID
    else:
        status = RpkiStatus.UNKNOWN if known.exported else None
    return RouteProtection(roas, status)


def routes_of_others(
    announced: Iterable[AnnouncedRoute], origins: Collection[int]
) -> list[AnnouncedRoute]:
    """The first of the routes that overlap a CIDR, of those of other ASNs than its ``origins``.

    What its origins announce besides is their own doing. Default routes say nothing of the CIDR.
    """
    of_others = (one for one in announced if one.prefix.prefix_length and one.asn not in origins)
    return list(islice(of_others, MOST_OVERLAPS))


def _matches(roa: Roa, route: ByoipRoute) -> bool:
    return roa.authorizes(route.asn) and route.cidr.prefix_length <= roa.max_length
