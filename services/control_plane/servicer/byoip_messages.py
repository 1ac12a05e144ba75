"""The contract's messages about what is brought along, from and to what they mean here."""

from datetime import datetime
from typing import Any

from cadastre.control.v1 import byoip_service_pb2 as pb
from services.control_plane.byoip.asn_association import AsnAssociation
from services.control_plane.byoip.byoasn import Byoasn, asn_of
from services.control_plane.byoip.byoip_cidr import (
    BroughtAlone,
    ByoipCidr,
    ByoipCidrState,
    InPool,
    Origin,
    WantedOrigin,
)
from services.control_plane.byoip.new_range import NewRange
from services.control_plane.byoip.token import VerificationToken
from services.control_plane.messages import given, proto_number, timestamp_to_proto
from services.control_plane.service.byoip.listing import SeenCidr
from services.control_plane.verification.claim import SignedMessage
from shared.cidr import Cidr
from shared.errors import UnsupportedOperation
from shared.ids import arn
from shared.tags import tags_from_specifications, tags_to_proto

_AMAZON = "AWS"
_PROVISIONED = "Cidr successfully provisioned"
"""As the guide prints it."""
_REGIONAL = "regional"


def token_to_proto(
    token: VerificationToken, now: datetime
) -> pb.IpamExternalResourceVerificationToken:
    token_id = token.ipam_external_resource_verification_token_id
    return pb.IpamExternalResourceVerificationToken(
        ipam_external_resource_verification_token_id=token_id,
        ipam_external_resource_verification_token_arn=arn(
            token.owner_id, "ipam-external-resource-verification-token", token_id
        ),
        ipam_id=token.ipam_id,
        ipam_arn=arn(token.owner_id, "ipam", token.ipam_id),
        ipam_region=token.ipam_region,
        token_value=token.token_value,
        token_name=token.token_name,
        not_after=timestamp_to_proto(token.not_after),
        status=proto_number(pb.TokenState, token.status(now)),
        tags=tags_to_proto(token.tags),
        state=proto_number(pb.IpamExternalResourceVerificationTokenState, token.state),
    )


def byoasn_to_proto(byoasn: Byoasn) -> pb.Byoasn:
    return pb.Byoasn(
        asn=str(byoasn.asn),
        ipam_id=byoasn.ipam_id,
        status_message=byoasn.status_message,
        state=proto_number(pb.AsnState, byoasn.state),
    )


def association_to_proto(cidr: ByoipCidr, association: AsnAssociation) -> pb.AsnAssociation:
    is_origin = cidr.is_advertised and cidr.origin_asn == association.asn
    message = association.status_message or ("The CIDR is advertised by it" if is_origin else None)
    return pb.AsnAssociation(
        asn=str(association.asn),
        cidr=str(cidr.cidr),
        status_message=message,
        state=proto_number(pb.AsnAssociationState, association.state),
    )


def cidr_to_proto(cidr: ByoipCidr, *, is_advertisable: bool = True) -> pb.ByoipCidr:
    """A CIDR in an answer; ``is_advertisable`` is what is known of a pool's besides."""
    state, message = cidr.state, cidr.status_message
    if state is ByoipCidrState.PROVISIONED:
        message = message or _PROVISIONED
        if not is_advertisable:
            state = ByoipCidrState.PROVISIONED_NOT_PUBLICLY_ADVERTISABLE
    told = pb.ByoipCidr(
        cidr=str(cidr.cidr),
        asn_associations=[association_to_proto(cidr, one) for one in cidr.asn_associations],
        status_message=message,
        state=proto_number(pb.ByoipCidrState, state),
        network_border_group=cidr.network_border_group,
        advertisement_type=_REGIONAL,
    )
    match cidr.holder:
        case InPool(ipam_pool_id=ipam_pool_id):
            told.ipam_pool_id = ipam_pool_id
        case BroughtAlone(description=description, pool_id=pool_id, moved_to=moved_to):
            told.MergeFrom(
                pb.ByoipCidr(description=description, pool_id=pool_id, ipam_pool_id=moved_to)
            )
    return told


def seen_cidr_to_proto(seen: SeenCidr) -> pb.ByoipCidr:
    return cidr_to_proto(seen.cidr, is_advertisable=seen.is_advertisable)


def new_range_from_proto(request: pb.ProvisionByoipCidrRequest) -> NewRange:
    if request.multi_region:
        raise UnsupportedOperation(
            "Ranges are brought to one region in this version; leave MultiRegion out, and bring the"
            " range to one region",
            parameter="multiRegion",
        )
    return NewRange(
        cidr=Cidr.parse(request.cidr),
        proof=_proof(request, "cidr_authorization_context"),
        publicly_advertisable=given(request, "publicly_advertisable"),
        description=given(request, "description"),
        pool_tags=tags_from_specifications(request.pool_tag_specifications, "ipv4pool-ec2"),
        network_border_group=given(request, "network_border_group"),
    )


def asn_proof_from_proto(request: pb.ProvisionIpamByoasnRequest) -> SignedMessage:
    context = request.asn_authorization_context
    return SignedMessage(context.message, context.signature)


def origin_from_proto(request: pb.AdvertiseByoipCidrRequest) -> WantedOrigin:
    """By whose ASN.

    Raises:
        InvalidAsn: it is neither a number nor "AWS".
    """
    if not request.HasField("asn"):
        return Origin.AS_IT_IS
    return Origin.AMAZON if request.asn == _AMAZON else asn_of(request.asn)


def _proof(request: Any, member: str) -> SignedMessage | None:
    if not request.HasField(member):
        return None
    context = getattr(request, member)
    return SignedMessage(context.message, context.signature)
