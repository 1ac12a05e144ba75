"""Routes to what accounts brought along (AWS's IpamDiscoveredRoute)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.cidr import Cidr
from shared.errors import InvalidNextToken, InvalidParameterValue


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveredRoute:
    """A CIDR, and an ASN that originates it."""

    owner_id: str
    region: str
    cidr: Cidr
    asn: int
    state: str
    """AWS's word in IpamByoipCidrState."""
    advertisement_type: str
    """AWS's word in IpamByoipAdvertisementType."""
    network_border_group: str
    pool_id: str | None
    """Of EC2."""
    ipam_pool_id: str | None

    @property
    def place(self) -> tuple[Cidr, int, str, str]:
        """Its place in lists: by CIDR and ASN; no two routes have the same."""
        return self.cidr, self.asn, self.ipam_pool_id or "", self.owner_id

    @property
    def key(self) -> str:
        """The same as a text."""
        return " ".join(map(str, self.place))


def routes_after(routes: Iterable[DiscoveredRoute], key: str | None) -> Iterator[DiscoveredRoute]:
    """Those whose place is after that of a key, in order.

    Raises:
        InvalidNextToken: it is none.
    """
    last = _place_of(key) if key else None
    ordered = sorted(routes, key=lambda route: route.place)
    return (route for route in ordered if last is None or last < route.place)


def _place_of(key: str) -> tuple[Cidr, int, str, str]:
    try:
        cidr, asn, ipam_pool_id, owner_id = key.split(" ")
        return Cidr.parse(cidr), int(asn), ipam_pool_id, owner_id
    except (ValueError, InvalidParameterValue):
        raise InvalidNextToken from None
