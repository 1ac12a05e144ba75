"""RouteProtectionService: messages to use cases and back."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cadastre.control.v1 import route_protection_service_pb2 as pb
from cadastre.control.v1 import route_protection_service_pb2_grpc
from services.control_plane.announced_routes import KnownRoutes
from services.control_plane.byoip.route_protection import (
    KnownRoas,
    check_tier_allows_findings,
    protection_of,
    routes_of_others,
)
from services.control_plane.byoip.routes import ByoipRoute, origins_by_cidr, routes_after
from services.control_plane.ipam import Ipam
from services.control_plane.routes.route_table import RouteTable
from services.control_plane.service.byoip.ports import RpkiReader
from services.control_plane.service.byoip.routes import ByoipRoutes
from services.control_plane.service.holding import known_ipam
from services.control_plane.service.ports import Reader
from services.control_plane.servicer.route_protection_messages import (
    KeyedFinding,
    finding_to_proto,
    overlaps_to_proto,
    those_that_fit,
)
from services.control_plane.verification.roas import RoaTable
from shared.filters import FilterSet
from shared.paging import paginate, token_after
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of

_ALIASES = {"account-id": "resource_owner_id", "byoip-cidr-state": "state"}
_FILTERS = (
    *_ALIASES,
    "cidr",
    "resource-region",
    "advertisement-type",
    "network-border-group",
    "ipam-pool-id",
    "rpki-status",
    "asn",
)


@dataclass(frozen=True, slots=True)
class _Known:
    """What findings are made of, as of one moment."""

    routes: Sequence[ByoipRoute]
    roas: KnownRoas
    roas_sampled_at: datetime | None
    announced: RouteTable
    now: datetime


class RouteProtectionServicer(route_protection_service_pb2_grpc.RouteProtectionServiceServicer):
    """Translates."""

    def __init__(
        self,
        reader: Reader,
        routes: ByoipRoutes,
        announced: KnownRoutes,
        rpki: RpkiReader,
        clock: Callable[[], datetime],
    ) -> None:
        self._reader, self._routes, self._announced = reader, routes, announced
        self._rpki, self._clock = rpki, clock

    async def GetIpamRouteProtectionFindings(
        self, request: pb.GetIpamRouteProtectionFindingsRequest, context: Context
    ) -> pb.GetIpamRouteProtectionFindingsResponse:
        caller, ipam_id = caller_of(context), request.ipam_id
        ipam = await self._reader.read(lambda rows: known_ipam(rows, caller, ipam_id))
        check_tier_allows_findings(ipam)
        known = await self._known(ipam)
        # To look up all that a page tells takes a second.
        return await asyncio.to_thread(_page, request, known)

    async def _known(self, ipam: Ipam) -> _Known:
        routes, rpki = await self._routes.of_ipam(ipam), await self._rpki()
        now = self._clock()
        return _Known(
            routes=routes,
            roas=KnownRoas(rpki.roas, RoaTable(rpki.own)),
            roas_sampled_at=rpki.sampled_at or (now if rpki.own else None),
            announced=await self._announced.table(),
            now=now,
        )


def _page(
    request: pb.GetIpamRouteProtectionFindingsRequest, known: _Known
) -> pb.GetIpamRouteProtectionFindingsResponse:
    descriptor = pb.IpamRouteProtectionFinding.DESCRIPTOR
    filters = FilterSet(request.filters, descriptor, _ALIASES, only=_FILTERS)
    origins = origins_by_cidr(known.routes)

    def records_after(after: str | None) -> Iterator[tuple[str, KeyedFinding]]:
        for route in routes_after(known.routes, after):
            protection = protection_of(route, known.roas)
            finding = finding_to_proto(route, protection, known.now, known.roas_sampled_at)
            if filters.matches(finding):
                announced = known.announced.overlapping(route.cidr)
                others = routes_of_others(announced, origins[route.cidr])
                finding.route_overlaps.extend(overlaps_to_proto(others))
                yield route.key, (route.key, finding)

    found, token = paginate(request, records_after)
    fitting = those_that_fit(found)
    if len(fitting) < len(found):
        token = token_after(request, fitting[-1][0])
    return pb.GetIpamRouteProtectionFindingsResponse(
        ipam_id=request.ipam_id,
        route_protection_findings=[finding for _, finding in fitting],
        next_token=token,
    )
