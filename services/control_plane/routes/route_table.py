"""The routes of a feed, a million of them (RFC 4271)."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from services.control_plane.prefix_index import PrefixIndexBuilder
from services.control_plane.routes.route import AnnouncedRoute
from shared.cidr import AddressFamily, Cidr

_EARLIEST, _LATEST = 0, (1 << 32) - 1
"""What a time takes in MRT, in seconds since 1970 (RFC 6396, section 2)."""


class RouteTable:
    """Routes by prefix; each prefix and ASN once, as of when it is known the longest."""

    def __init__(self, builder: "RouteTableBuilder") -> None:
        self._index = builder.index.build()

    @classmethod
    def of(cls, routes: Iterable[AnnouncedRoute]) -> "RouteTable":
        """These routes."""
        builder = RouteTableBuilder()
        for route in routes:
            builder.add(route)
        return cls(builder)

    def __len__(self) -> int:
        return len(self._index)

    def overlapping(self, cidr: Cidr) -> Iterator[AnnouncedRoute]:
        """Those to the CIDR, to parts of it and to what it is part of, by prefix and ASN."""
        last: tuple[Cidr, int] | None = None
        for prefix, (asn, seconds) in self._index.overlapping(cidr):
            if last != (prefix, asn):
                yield AnnouncedRoute(prefix, asn, datetime.fromtimestamp(seconds, UTC))
            last = prefix, asn


class RouteTableBuilder:
    """Gathers the routes of a feed."""

    def __init__(self) -> None:
        self.index = PrefixIndexBuilder(">II")

    def add(self, route: AnnouncedRoute) -> None:
        seconds = min(max(int(route.detected_at.timestamp()), _EARLIEST), _LATEST)
        self.index.add(route.prefix, route.asn, seconds)

    def add_packed(
        self, family: AddressFamily, address: bytes, prefix_length: int, asn_and_time: bytes
    ) -> None:
        """The same for who has the bytes already: of an address without host bits, ASN and time."""
        self.index.add_packed(family, address, prefix_length, asn_and_time)
