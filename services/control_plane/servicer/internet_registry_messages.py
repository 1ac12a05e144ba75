"""The contract's messages about associations with internet registries, and back."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.control.v1 import internet_registry_service_pb2 as pb
from services.control_plane.delegated_rpki.out_of_band import ParentContact
from services.control_plane.internet_registries.association import (
    InternetRegistryAssociation,
    NewAssociation,
    Rir,
)
from services.control_plane.messages import proto_number
from shared.cidr import Cidr
from shared.ids import arn
from shared.rpc.enums import aws_enum_name
from shared.tags import tags_from_specifications, tags_to_proto

_TYPE = "ipam-internet-registry-association"


def association_to_proto(
    association: InternetRegistryAssociation,
) -> pb.IpamInternetRegistryAssociation:
    association_id = association.ipam_internet_registry_association_id
    return pb.IpamInternetRegistryAssociation(
        owner_id=association.owner_id,
        ipam_internet_registry_association_id=association_id,
        ipam_internet_registry_association_arn=arn(association.owner_id, _TYPE, association_id),
        ipam_id=association.ipam_id,
        ipam_region=association.ipam_region,
        rir=proto_number(pb.Rir, association.rir),
        organization_handle=association.organization_handle,
        description=association.description,
        state=proto_number(pb.IpamInternetRegistryAssociationState, association.state),
        state_message=association.state_message,
        child_request_xml=association.child_request_xml,
        tags=tags_to_proto(association.tags),
    )


def new_association_from_proto(
    request: pb.CreateIpamInternetRegistryAssociationRequest,
) -> NewAssociation:
    return NewAssociation(
        rir=Rir(aws_enum_name(pb.Rir.DESCRIPTOR, request.rir)),
        organization_handle=request.organization_handle,
        description=request.description if request.HasField("description") else None,
        tags=tags_from_specifications(request.tag_specifications, _TYPE),
    )


def parent_from_proto(
    request: pb.EnableIpamInternetRegistryAssociationRequest, now: datetime
) -> ParentContact:
    return ParentContact.of(
        rpki_version=request.rpki_version,
        service_uri=request.service_uri,
        child_handle=request.child_handle,
        parent_handle=request.parent_handle,
        parent_bpki_ta=request.parent_bpki_ta,
        now=now,
    )


def asn_to_proto(asn: int, observed_at: datetime | None) -> pb.IpamInternetRegistryAssociationAsn:
    return pb.IpamInternetRegistryAssociationAsn(
        asn=str(asn), last_observed_at=_moment(observed_at)
    )


def cidr_to_proto(
    cidr: Cidr, observed_at: datetime | None
) -> pb.IpamInternetRegistryAssociationCidr:
    return pb.IpamInternetRegistryAssociationCidr(
        cidr=str(cidr), last_observed_at=_moment(observed_at)
    )


def _moment(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    found = Timestamp()
    found.FromDatetime(moment)
    return found
