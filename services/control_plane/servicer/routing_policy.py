"""RoutingPolicyService: messages to use cases and back."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from datetime import datetime

from cadastre.control.v1 import internet_registry_service_pb2, routing_policy_service_pb2_grpc
from cadastre.control.v1 import routing_policy_service_pb2 as pb
from services.control_plane.internet_registries.delta import Delta
from services.control_plane.internet_registries.delta_json import parse_change
from services.control_plane.internet_registries.registration_errors import UnknownDelta
from services.control_plane.internet_registries.route_conflicts import seen
from services.control_plane.quotas import Quotas
from services.control_plane.routes.route import AnnouncedRoutes
from services.control_plane.service.byoip.ports import RpkiReader
from services.control_plane.service.internet_registries import registrations
from services.control_plane.service.internet_registries.holding import known_association
from services.control_plane.service.internet_registries.registrations import (
    MOST_ROUTES,
    ChangeOf,
    Known,
)
from services.control_plane.service.ports import Commands, Reader
from services.control_plane.service.rows import Rows
from services.control_plane.servicer.once import once_of
from services.control_plane.servicer.routing_policy_messages import (
    delta_to_proto,
    moment_from_proto,
    policy_from_proto,
    registration_to_proto,
    roa_to_proto,
)
from shared.caller import Caller
from shared.cidr import Cidr
from shared.paging import paginate
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of


class RoutingPolicyServicer(routing_policy_service_pb2_grpc.RoutingPolicyServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(
        self,
        reader: Reader,
        commands: Commands,
        routes: AnnouncedRoutes,
        rpki: RpkiReader,
        quotas: Quotas,
        clock: Callable[[], datetime],
    ) -> None:
        self._reader, self._commands, self._routes = reader, commands, routes
        self._rpki, self._quotas, self._clock = rpki, quotas, clock

    async def CreateIpamRoutingPolicyRegistration(
        self, request: pb.CreateIpamRoutingPolicyRegistrationRequest, context: Context
    ) -> pb.CreateIpamRoutingPolicyRegistrationResponse:
        policy = policy_from_proto(request)
        change = registrations.create(policy)
        delta = await self._change(request, context, change, [policy.cidr])
        return pb.CreateIpamRoutingPolicyRegistrationResponse(
            ipam_routing_policy_registration_delta=delta
        )

    async def ModifyIpamRoutingPolicyRegistration(
        self, request: pb.ModifyIpamRoutingPolicyRegistrationRequest, context: Context
    ) -> pb.ModifyIpamRoutingPolicyRegistrationResponse:
        policy = policy_from_proto(request)
        change = registrations.modify(
            request.ipam_internet_registry_association_id,
            policy,
            keeps_description=not request.HasField("description"),
        )
        delta = await self._change(request, context, change, [policy.cidr])
        return pb.ModifyIpamRoutingPolicyRegistrationResponse(
            ipam_routing_policy_registration_delta=delta
        )

    async def DeleteIpamRoutingPolicyRegistration(
        self, request: pb.DeleteIpamRoutingPolicyRegistrationRequest, context: Context
    ) -> pb.DeleteIpamRoutingPolicyRegistrationResponse:
        cidr = Cidr.parse(request.cidr)
        change = registrations.delete(request.ipam_internet_registry_association_id, cidr)
        delta = await self._change(request, context, change, [cidr])
        return pb.DeleteIpamRoutingPolicyRegistrationResponse(
            ipam_routing_policy_registration_delta=delta
        )

    async def BatchModifyIpamRoutingPolicyRegistrations(
        self, request: pb.BatchModifyIpamRoutingPolicyRegistrationsRequest, context: Context
    ) -> pb.BatchModifyIpamRoutingPolicyRegistrationsResponse:
        change = parse_change(request.delta_json)
        delta = await self._change(request, context, lambda _: change, change.cidrs)
        return pb.BatchModifyIpamRoutingPolicyRegistrationsResponse(
            ipam_routing_policy_registration_delta=delta
        )

    async def GetIpamRoutingPolicyRegistrations(
        self, request: pb.GetIpamRoutingPolicyRegistrationsRequest, context: Context
    ) -> pb.GetIpamRoutingPolicyRegistrationsResponse:
        caller = caller_of(context)
        records, token = await self._reader.read(
            lambda rows: _registrations_page(rows, caller, request)
        )
        return pb.GetIpamRoutingPolicyRegistrationsResponse(
            ipam_routing_policy_registrations=records, next_token=token
        )

    async def GetIpamRoutingPolicyRegistrationDeltas(
        self, request: pb.GetIpamRoutingPolicyRegistrationDeltasRequest, context: Context
    ) -> pb.GetIpamRoutingPolicyRegistrationDeltasResponse:
        caller = caller_of(context)
        records, token = await self._reader.read(lambda rows: _deltas_page(rows, caller, request))
        return pb.GetIpamRoutingPolicyRegistrationDeltasResponse(
            ipam_routing_policy_registration_deltas=records, next_token=token
        )

    async def _change(
        self, request: "Changing", context: Context, change: ChangeOf, touched: Collection[Cidr]
    ) -> pb.IpamRoutingPolicyRegistrationDelta:
        caller, now = caller_of(context), self._clock()
        known = None if request.force else await self._known(touched)
        answer = await self._commands.create(
            lambda rows: registrations.change_registrations(
                rows,
                caller,
                request.ipam_internet_registry_association_id,
                change,
                known,
                self._quotas,
                now,
            ),
            delta_to_proto,
            once=once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.IpamRoutingPolicyRegistrationDelta.FromString(answer)

    async def _known(self, touched: Collection[Cidr]) -> Known:
        """The routes to CIDRs and to parts of them, and the ROAs of these."""
        routes = await self._routes.within(touched, MOST_ROUTES + 1)
        rpki = await self._rpki()
        # Beside the loop, and before the transaction in which others wait.
        found = await asyncio.to_thread(seen, routes, rpki.roas)
        return Known(routes=found, published=rpki.own)


Changing = (
    pb.CreateIpamRoutingPolicyRegistrationRequest
    | pb.ModifyIpamRoutingPolicyRegistrationRequest
    | pb.DeleteIpamRoutingPolicyRegistrationRequest
    | pb.BatchModifyIpamRoutingPolicyRegistrationsRequest
)


def _registrations_page(
    rows: Rows, caller: Caller, request: pb.GetIpamRoutingPolicyRegistrationsRequest
) -> tuple[list[pb.IpamRoutingPolicyRegistration], str | None]:
    association_id = request.ipam_internet_registry_association_id
    known_association(rows, caller, association_id)
    cidr = Cidr.parse(request.cidr) if request.HasField("cidr") else None

    def records_after(
        after: str | None,
    ) -> Iterator[tuple[str, pb.IpamRoutingPolicyRegistration]]:
        for key, one in rows.routing_policies.listed(association_id, cidr=cidr, after=after):
            yield key, registration_to_proto(one)

    return paginate(request, records_after)


def _deltas_page(
    rows: Rows, caller: Caller, request: pb.GetIpamRoutingPolicyRegistrationDeltasRequest
) -> tuple[list[pb.IpamRoutingPolicyRegistrationDelta], str | None]:
    association_id = request.ipam_internet_registry_association_id
    known_association(rows, caller, association_id)
    delta_id = request.delta_id or None
    if delta_id and rows.routing_policies.delta(association_id, delta_id) is None:
        raise UnknownDelta(association_id, delta_id)
    made = (
        moment_from_proto(request.start_time, "startTime")
        if request.HasField("start_time")
        else None,
        moment_from_proto(request.end_time, "endTime") if request.HasField("end_time") else None,
    )

    def records_after(
        after: str | None,
    ) -> Iterator[tuple[str, pb.IpamRoutingPolicyRegistrationDelta]]:
        found: Iterator[tuple[str, Delta]] = rows.routing_policies.deltas(
            association_id,
            delta_id=delta_id,
            made=made,
            newest_first=request.chronological_order == pb.CHRONOLOGICAL_ORDER_REVERSE,
            after=after,
        )
        for key, delta in found:
            yield key, delta_to_proto(delta)

    return paginate(request, records_after)


def roas_page(
    rows: Rows,
    caller: Caller,
    request: internet_registry_service_pb2.GetIpamRouteOriginAuthorizationsRequest,
) -> tuple[list[internet_registry_service_pb2.IpamRouteOriginAuthorizationInfo], str | None]:
    """For GetIpamRouteOriginAuthorizations: what is published now."""
    association_id = request.ipam_internet_registry_association_id
    known_association(rows, caller, association_id)
    cidr = Cidr.parse(request.cidr) if request.HasField("cidr") else None

    def records_after(
        after: str | None,
    ) -> Iterator[tuple[str, internet_registry_service_pb2.IpamRouteOriginAuthorizationInfo]]:
        for key, roa in rows.routing_policies.listed_roas(association_id, cidr=cidr, after=after):
            yield key, roa_to_proto(roa)

    return paginate(request, records_after)
