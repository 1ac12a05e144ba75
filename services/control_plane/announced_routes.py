"""The internet's routes, and those to what was brought along, together."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

from services.control_plane.routes.route import AnnouncedRoute
from services.control_plane.routes.route_table import RouteTable
from services.control_plane.service.byoip.routes import announced
from services.control_plane.service.ports import Reader
from shared.cidr import Cidr

NO_FEED = RouteTable.of(())


class RouteFeed(Protocol):
    """What somebody tells of the internet's routes."""

    async def table(self) -> RouteTable:
        """All of them.

        Raises:
            ServiceUnavailable: they can't be read now.
        """


class KnownRoutes:
    """`AnnouncedRoutes`."""

    def __init__(
        self, feed: RouteFeed | None, reader: Reader, clock: Callable[[], datetime]
    ) -> None:
        """``feed`` None: the installation is told no routes."""
        self._feed, self._reader, self._clock = feed, reader, clock

    async def overlapping(self, cidr: Cidr) -> Sequence[AnnouncedRoute]:
        told, now = await self.table(), self._clock()
        own = await self._reader.read(lambda rows: announced(rows, now))
        overlapping = {(one.prefix, one.asn): one for one in own if one.prefix.overlaps(cidr)}
        # What is told is older, and so was detected before.
        overlapping |= {(one.prefix, one.asn): one for one in told.overlapping(cidr)}
        return [overlapping[key] for key in sorted(overlapping)]

    async def within(self, cidrs: Collection[Cidr], most: int) -> Sequence[AnnouncedRoute]:
        told, now = await self.table(), self._clock()
        own = await self._reader.read(lambda rows: announced(rows, now))
        return await asyncio.to_thread(_within, told, own, frozenset(cidrs), most)

    async def table(self) -> RouteTable:
        """The routes of the feed alone.

        Raises:
            ServiceUnavailable: they can't be read now.
        """
        return await self._feed.table() if self._feed else NO_FEED


def _within(
    told: RouteTable, own: Collection[AnnouncedRoute], cidrs: frozenset[Cidr], most: int
) -> Sequence[AnnouncedRoute]:
    found = (
        route
        for cidr in sorted(cidrs)
        for route in told.overlapping(cidr)
        if cidr.contains(route.prefix)
    )
    within = {(one.prefix, one.asn): one for one in own if _is_within(one.prefix, cidrs)}
    for route in found:
        within[route.prefix, route.asn] = route
        if len(within) >= most:
            break
    return [within[key] for key in sorted(within)][:most]


def _is_within(prefix: Cidr, cidrs: frozenset[Cidr]) -> bool:
    return any(prefix.supernet(length) in cidrs for length in range(prefix.prefix_length + 1))
