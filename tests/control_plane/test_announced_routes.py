"""The internet's routes together with those to what is advertised from here."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from services.control_plane.announced_routes import KnownRoutes
from services.control_plane.byoip.byoip_cidr import ByoipCidr, ByoipCidrState, InPool
from services.control_plane.routes.route import AnnouncedRoute
from services.control_plane.routes.route_table import RouteTable
from shared.cidr import Cidr
from tests.control_plane.byoip_world import NOON

EARLIER = datetime(2030, 1, 1, tzinfo=UTC)
WHOLE = "130.137.244.0/22"


class FakeRows:
    """Rows of what is advertised, which are their own part about it, too."""

    def __init__(self, cidrs: Sequence[ByoipCidr]) -> None:
        self._cidrs, self.byoip = cidrs, self

    def advertised_cidrs(self) -> Sequence[ByoipCidr]:
        return self._cidrs


class FakeReader:
    def __init__(self, *cidrs: ByoipCidr) -> None:
        self._rows: Any = FakeRows(cidrs)

    async def read(self, question: Any) -> Any:
        return question(self._rows)


class FakeFeed:
    def __init__(self, *routes: tuple[str, int]) -> None:
        self._routes = [AnnouncedRoute(Cidr.parse(cidr), asn, EARLIER) for cidr, asn in routes]

    async def table(self) -> RouteTable:
        return RouteTable.of(self._routes)


def advertised(cidr: str, origin: int | None = None) -> ByoipCidr:
    return ByoipCidr(
        byoip_cidr_id=cidr,
        cidr=Cidr.parse(cidr),
        owner_id="123456789012",
        region="us-east-1",
        network_border_group="us-east-1",
        holder=InPool("ipam-pool-cidr-1", "ipam-pool-1", "ipam-1"),
        state=ByoipCidrState.ADVERTISED,
        is_advertised=True,
        origin_asn=origin,
    )


async def overlapping(feed: FakeFeed | None, reader: FakeReader) -> list[tuple[str, int, datetime]]:
    routes = KnownRoutes(feed, reader, lambda: NOON)
    found = await routes.overlapping(Cidr.parse(WHOLE))
    return [(str(route.prefix), route.asn, route.detected_at) for route in found]


async def test_both_are_told_in_order_and_each_route_once() -> None:
    feed = FakeFeed(("130.137.244.0/24", 16509), (WHOLE, 64496), ("131.0.0.0/8", 1))
    reader = FakeReader(
        advertised("130.137.244.0/24"), advertised("130.137.0.0/16", 12345), advertised("9.0.0.0/8")
    )
    assert await overlapping(feed, reader) == [
        ("130.137.0.0/16", 12345, NOON),
        (WHOLE, 64496, EARLIER),
        ("130.137.244.0/24", 16509, EARLIER),
    ]


async def test_without_a_feed_own_routes_are_known() -> None:
    assert await overlapping(None, FakeReader(advertised(WHOLE))) == [(WHOLE, 16509, NOON)]
