"""What a change of ROAs does to routes that are announced (RFC 6811)."""

import enum
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from services.control_plane.routes.route import AnnouncedRoute
from services.control_plane.verification.roas import Roa, RoaTable
from shared.cidr import Cidr


class RouteStatus(enum.IntEnum):
    """What becomes of a route; those who look at ROAs drop invalid ones alone."""

    INVALID = 0
    UNKNOWN = 1
    VALID = 2


@dataclass(frozen=True, slots=True)
class Conflict:
    """A route that gets worse."""

    route: AnnouncedRoute
    before: RouteStatus
    after: RouteStatus

    def __str__(self) -> str:
        return (
            f"{self.route.prefix} by AS{self.route.asn} is {self.before.name.lower()} and would be"
            f" {self.after.name.lower()}"
        )


@dataclass(frozen=True, slots=True)
class SeenRoute:
    """A route, and all ROAs that validators tell of it."""

    route: AnnouncedRoute
    covering: Collection[Roa]


@dataclass(frozen=True, slots=True)
class RoaChange:
    """The ROAs of one authority before and after a change, and those beside it."""

    own: Collection[Roa]
    """All that may be the authority's among what validators tell, which may be older."""
    before: Collection[Roa]
    after: Collection[Roa]


def seen(routes: Iterable[AnnouncedRoute], told: RoaTable | None) -> list[SeenRoute]:
    """The routes with what validators tell of them; None: that is not known here."""
    return [SeenRoute(route, told.covering(route.prefix) if told else ()) for route in routes]


def conflicts(change: RoaChange, routes: Iterable[SeenRoute]) -> Iterator[Conflict]:
    """The routes that were valid and are not any more, or become invalid; in the order given."""
    own, before, after = {*change.own}, _Roas(change.before), _Roas(change.after)
    for one in routes:
        others = [roa for roa in one.covering if roa not in own]
        was = _status(one.route, [*others, *before.covering(one.route.prefix)])
        will_be = _status(one.route, [*others, *after.covering(one.route.prefix)])
        if will_be < was:
            yield Conflict(one.route, was, will_be)


class _Roas:
    """Few ROAs; a look-up costs as much as they have different prefix lengths."""

    def __init__(self, roas: Collection[Roa]) -> None:
        self._by_prefix: defaultdict[Cidr, list[Roa]] = defaultdict(list)
        for roa in roas:
            self._by_prefix[roa.prefix].append(roa)
        self._lengths = sorted({prefix.prefix_length for prefix in self._by_prefix})

    def covering(self, cidr: Cidr) -> Iterator[Roa]:
        for length in self._lengths:
            if length <= cidr.prefix_length:
                yield from self._by_prefix.get(cidr.supernet(length), ())


def _status(route: AnnouncedRoute, covering: Collection[Roa]) -> RouteStatus:
    """Of a route, by all ROAs that cover it (RFC 6811, section 2)."""
    if not covering:
        return RouteStatus.UNKNOWN
    length = route.prefix.prefix_length
    is_valid = any(roa.authorizes(route.asn) and length <= roa.max_length for roa in covering)
    return RouteStatus.VALID if is_valid else RouteStatus.INVALID
