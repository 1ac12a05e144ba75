"""Registrations, deltas and ROAs as messages of the contract, and back."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.control.v1 import internet_registry_service_pb2
from cadastre.control.v1 import routing_policy_service_pb2 as pb
from services.control_plane.delegated_rpki.publication import Roa
from services.control_plane.internet_registries.delta import Delta
from services.control_plane.internet_registries.delta_json import print_change
from services.control_plane.internet_registries.registration import (
    Registration,
    RoutingPolicy,
    parse_asn,
)
from services.control_plane.messages import proto_number
from shared.cidr import Cidr
from shared.errors import InvalidParameterValue

Wanted = (
    pb.CreateIpamRoutingPolicyRegistrationRequest | pb.ModifyIpamRoutingPolicyRegistrationRequest
)


def policy_from_proto(request: Wanted) -> RoutingPolicy:
    return RoutingPolicy.of(
        Cidr.parse(request.cidr),
        [parse_asn(asn) for asn in request.asns],
        permits_more_specific=request.permit_more_specific_announcements,
        max_length=request.max_length if request.HasField("max_length") else None,
        description=request.description,
    )


def registration_to_proto(registration: Registration) -> pb.IpamRoutingPolicyRegistration:
    policy = registration.policy
    return pb.IpamRoutingPolicyRegistration(
        cidr=str(policy.cidr),
        asns=map(str, policy.asns),
        permit_more_specific_announcements=policy.permits_more_specific,
        max_length=policy.max_length,
        description=policy.description,
        latest_delta_id=registration.latest_delta_id,
        state=proto_number(pb.IpamRoutingPolicyRegistrationState, registration.state),
    )


def delta_to_proto(delta: Delta) -> pb.IpamRoutingPolicyRegistrationDelta:
    return pb.IpamRoutingPolicyRegistrationDelta(
        delta_id=delta.delta_id,
        delta_json=print_change(delta.change),
        state=proto_number(pb.IpamRoutingPolicyRegistrationDeltaState, delta.state),
        state_message=delta.state_message,
    )


def roa_to_proto(roa: Roa) -> internet_registry_service_pb2.IpamRouteOriginAuthorizationInfo:
    return internet_registry_service_pb2.IpamRouteOriginAuthorizationInfo(
        cidr=str(roa.cidr), asn=str(roa.asn), max_length=roa.max_length
    )


def moment_from_proto(moment: Timestamp, parameter: str) -> datetime:
    try:
        return moment.ToDatetime(UTC)
    except (OverflowError, ValueError) as error:
        value = f"{moment.seconds} s {moment.nanos} ns"
        raise InvalidParameterValue(
            f"Value ({value}) for parameter {parameter} is invalid; use a time of the years 1 to"
            " 9999",
            parameter=parameter,
            value=value,
        ) from error
