"""The contract's messages about route protection, from what they mean here."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeAlias

from cadastre.control.v1 import inventory_service_pb2 as inventory_pb
from cadastre.control.v1 import route_protection_service_pb2 as pb
from services.control_plane.byoip.route_protection import CoveringRoa, RouteProtection
from services.control_plane.byoip.routes import ByoipRoute
from services.control_plane.messages import proto_number, timestamp_to_proto
from services.control_plane.routes.route import AnnouncedRoute
from shared.rpc.client import MAX_MESSAGE_BYTES

KeyedFinding: TypeAlias = tuple[str, pb.IpamRouteProtectionFinding]
"""With its key for paging."""

_ROOM_BYTES = MAX_MESSAGE_BYTES - 8192
_EACH_BYTES = 8
"""What a finding takes in the answer beside its own bytes, at most."""


def route_to_proto(route: ByoipRoute) -> inventory_pb.ByoipRoute:
    return inventory_pb.ByoipRoute(
        owner_id=route.owner_id,
        region=route.region,
        cidr=str(route.cidr),
        asn=route.asn,
        state=route.state,
        advertisement_type=route.advertisement_type,
        network_border_group=route.network_border_group,
        pool_id=route.pool_id,
        ipam_pool_id=route.ipam_pool_id,
    )


def finding_to_proto(
    route: ByoipRoute,
    protection: RouteProtection,
    sampled_at: datetime,
    roas_sampled_at: datetime | None,
) -> pb.IpamRouteProtectionFinding:
    """A finding as it is without overlaps."""
    status, strength = protection.status, protection.strength
    return pb.IpamRouteProtectionFinding(
        resource_owner_id=route.owner_id,
        resource_region=route.region,
        ipam_pool_id=route.ipam_pool_id,
        cidr=str(route.cidr),
        state=proto_number(pb.IpamByoipCidrState, route.state),
        advertisement_type=proto_number(pb.IpamByoipAdvertisementType, route.advertisement_type),
        network_border_group=route.network_border_group,
        pool_id=route.pool_id,
        asn=str(route.asn),
        rpki_status=proto_number(pb.IpamRpkiStatus, status) if status else None,
        rpki_strength=proto_number(pb.IpamRpkiStrength, strength) if strength else None,
        roas=[_roa_to_proto(one) for one in protection.roas],
        sample_time=timestamp_to_proto(sampled_at),
        roa_sample_time=timestamp_to_proto(roas_sampled_at) if roas_sampled_at else None,
    )


def overlaps_to_proto(routes: Iterable[AnnouncedRoute]) -> list[pb.IpamRouteOverlap]:
    return [
        pb.IpamRouteOverlap(
            prefix=str(route.prefix),
            asn=str(route.asn),
            detected_at=timestamp_to_proto(route.detected_at),
        )
        for route in routes
    ]


def those_that_fit(found: Sequence[KeyedFinding]) -> Sequence[KeyedFinding]:
    """The first of them, as many as one message holds; one always does."""
    room = _ROOM_BYTES
    for index, (_, finding) in enumerate(found):
        room -= finding.ByteSize() + _EACH_BYTES
        if room < 0 and index:
            return found[:index]
    return found


def _roa_to_proto(covering: CoveringRoa) -> pb.IpamRouteOriginAuthorization:
    roa = covering.roa
    return pb.IpamRouteOriginAuthorization(
        asn=str(roa.asn),
        prefix=str(roa.prefix),
        max_length=roa.max_length,
        match=covering.matches,
        expiration=timestamp_to_proto(roa.expires_at) if roa.expires_at else None,
    )
