"""The contract's messages about public space, from and to what they mean here."""

from cadastre.allocation.v1 import pool_cidr_pb2
from cadastre.allocation.v1 import public_space_service_pb2 as pb
from cadastre.common.v1 import types_pb2
from services.allocation.messages import number_if_any, proto_number
from services.allocation.pending_cidr import WaitingCidr
from services.allocation.service.byoip_ranges import BroughtRange
from services.allocation.service.view import PublicCidr
from shared.cidr import Cidr


def waiting_to_proto(waiting: WaitingCidr) -> pb.PendingCidr:
    pending = waiting.pending
    proof = pending.proof
    message = pb.PendingCidr(
        ipam_pool_cidr_id=pending.ipam_pool_cidr_id,
        cidr=str(pending.cidr),
        ipam_pool_id=pending.ipam_pool_id,
        ipam_id=waiting.ipam_id,
        owner_id=waiting.owner_id,
        verification_method=proto_number(pool_cidr_pb2.VerificationMethod, proof.method),
        ipam_external_resource_verification_token_id=proof.token_id or "",
    )
    if proof.message is not None:
        message.cidr_authorization_context.message = proof.message
        message.cidr_authorization_context.signature = proof.signature or ""
    message.requested_at.FromDatetime(pending.requested_at)
    return message


def public_cidr_to_proto(found: PublicCidr) -> pb.PublicCidr:
    pool = found.pool
    return pb.PublicCidr(
        ipam_pool_cidr_id=found.pool_cidr.ipam_pool_cidr_id,
        cidr=str(found.pool_cidr.cidr),
        ipam_pool_id=pool.ipam_pool_id,
        ipam_id=pool.ipam_id,
        owner_id=pool.owner_id,
        locale=pool.locale,
        aws_service=number_if_any(types_pb2.IpamPoolAwsService, pool.aws_service),
        public_ip_source=number_if_any(types_pb2.IpamPoolPublicIpSource, pool.public_ip_source),
        publicly_advertisable=pool.publicly_advertisable,
    )


def brought_range_from_proto(
    request: pb.RegisterByoipCidrRequest | pb.MoveByoipCidrRequest,
) -> BroughtRange:
    return BroughtRange(Cidr.parse(request.cidr), request.owner_id, request.region)
