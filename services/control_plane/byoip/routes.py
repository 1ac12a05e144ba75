"""Routes to what was brought along: a CIDR, and an ASN that originates it.

A CIDR has a route by each own ASN that is associated with it, whether or not it is advertised; and
one by Amazon's while there is none, or while Amazon advertises it all the same. Amazon has two
ASNs to advertise brought ranges by (`AMAZON_ASNS`); its route is told by the first, AS16509, alone,
as a prefix has one origin at a time.
"""

import enum
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from services.control_plane.byoip.byoip_cidr import (
    BroughtAlone,
    ByoipCidr,
    ByoipCidrState,
    InPool,
    of_pool,
)
from services.control_plane.byoip.public_cidr import PublicCidr
from services.control_plane.byoip.rpki import AMAZON_ASNS, longest_route
from services.control_plane.pool import AwsService, PublicIpSource
from services.control_plane.regions import NO_LOCALE
from shared.cidr import Cidr
from shared.errors import InvalidNextToken, InvalidParameterValue


class AdvertisementType(enum.StrEnum):
    REGIONAL = "regional"
    GLOBAL = "global"
    """From many places at once, or from none in particular."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByoipRoute:
    """A route to what was brought along, announced or to be announced."""

    owner_id: str
    region: str
    """Where the CIDR is provisioned; the IPAM's home region when its pool has no locale."""
    cidr: Cidr
    asn: int
    state: ByoipCidrState
    advertisement_type: AdvertisementType
    network_border_group: str
    pool_id: str | None = None
    """Of EC2; None: the CIDR is an IPAM pool's, or IPv6."""
    ipam_pool_id: str | None = None

    @property
    def place(self) -> tuple[Cidr, int, str, str]:
        """Its place in lists: by CIDR and ASN; no two routes have the same."""
        # What failed may have come to another account, or to a pool, since.
        return self.cidr, self.asn, self.ipam_pool_id or "", self.owner_id

    @property
    def key(self) -> str:
        """The same as a text."""
        return " ".join(map(str, self.place))


def is_brought(public: PublicCidr) -> bool:
    """A pool's CIDR was brought along, and a route can be as specific as it is.

    Pools that give out parts of such CIDRs have smaller ones, which nobody announces.
    """
    is_byoip = public.public_ip_source is PublicIpSource.BYOIP
    return is_byoip and can_be_routed(public.cidr)


def can_be_routed(cidr: Cidr) -> bool:
    """The internet takes routes as specific as that."""
    return cidr.prefix_length <= longest_route(cidr.family)


def routes_of_pool_cidr(
    public: PublicCidr, told: ByoipCidr | None, home_region: str
) -> list[ByoipRoute]:
    """By ASN; ``told`` is what is known of the CIDR besides, ``home_region`` its IPAM's."""
    cidr = told or of_pool(public, "")
    has_locale = public.locale != NO_LOCALE
    is_global = not has_locale or public.aws_service is AwsService.GLOBAL_SERVICES
    return [
        ByoipRoute(
            owner_id=public.owner_id,
            region=cidr.region if has_locale else home_region,
            cidr=cidr.cidr,
            asn=asn,
            state=_state_of(cidr, is_advertisable=public.is_advertisable),
            advertisement_type=(
                AdvertisementType.GLOBAL if is_global else AdvertisementType.REGIONAL
            ),
            network_border_group=cidr.network_border_group if has_locale else home_region,
            ipam_pool_id=public.ipam_pool_id,
        )
        for asn in origins_of(cidr)
    ]


def routes_of_range(cidr: ByoipCidr) -> list[ByoipRoute]:
    """By ASN, to a range that came without an IPAM."""
    return [
        ByoipRoute(
            owner_id=cidr.owner_id,
            region=cidr.region,
            cidr=cidr.cidr,
            asn=asn,
            state=_state_of(cidr, is_advertisable=cidr.is_advertisable),
            advertisement_type=AdvertisementType.REGIONAL,
            network_border_group=cidr.network_border_group,
            pool_id=cidr.alone.pool_id,
        )
        for asn in origins_of(cidr)
    ]


def origins_of(cidr: ByoipCidr) -> list[int]:
    """Who originates it, or is to."""
    own = {one.asn for one in cidr.asn_associations if one.stays}
    is_of_amazon = not own or (cidr.is_advertised and cidr.origin_asn is None)
    return sorted(own | set(AMAZON_ASNS[:1] if is_of_amazon else ()))


def announced_origin(cidr: ByoipCidr) -> int | None:
    """Who announces it now; None: nobody."""
    return (cidr.origin_asn or AMAZON_ASNS[0]) if cidr.is_advertised else None


def authorized_origins(origins: Collection[int]) -> set[int]:
    """Who announces by right what has these origins: Amazon may by either of its ASNs."""
    return {*origins, *(AMAZON_ASNS if AMAZON_ASNS[0] in origins else ())}


def origins_by_cidr(routes: Iterable[ByoipRoute]) -> dict[Cidr, set[int]]:
    """Who announces each CIDR by right."""
    found: defaultdict[Cidr, set[int]] = defaultdict(set)
    for route in routes:
        found[route.cidr].add(route.asn)
    return {cidr: authorized_origins(origins) for cidr, origins in found.items()}


def routes_after(routes: Iterable[ByoipRoute], key: str | None) -> Iterator[ByoipRoute]:
    """Those whose place is after that of a key, in order.

    Raises:
        InvalidNextToken: it is none.
    """
    last = _place_of(key) if key else None
    return (route for route in in_order(routes) if last is None or last < route.place)


def in_order(routes: Iterable[ByoipRoute]) -> list[ByoipRoute]:
    """By CIDR, IPv4 first, and ASN."""
    return sorted(routes, key=lambda route: route.place)


def _place_of(key: str) -> tuple[Cidr, int, str, str]:
    try:
        cidr, asn, ipam_pool_id, owner_id = key.split(" ")
        return Cidr.parse(cidr), int(asn), ipam_pool_id, owner_id
    except (ValueError, InvalidParameterValue):
        raise InvalidNextToken from None


def _state_of(cidr: ByoipCidr, *, is_advertisable: bool) -> ByoipCidrState:
    """In AWS's words for routes, which know of no transfers: those change nothing about them."""
    match cidr.state, cidr.holder:
        case ByoipCidrState.PENDING_TRANSFER | ByoipCidrState.FAILED_TRANSFER, BroughtAlone():
            return ByoipCidrState.ADVERTISED if cidr.is_advertised else cidr.resting_state
        case ByoipCidrState.PROVISIONED, InPool() if not is_advertisable:
            return ByoipCidrState.PROVISIONED_NOT_PUBLICLY_ADVERTISABLE
        case state, _:
            return state
