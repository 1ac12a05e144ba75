"""The ledger's public space, and the network's pools of it, as this context knows them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import UTC
from typing import Any

from cadastre.allocation.v1 import pool_cidr_pb2, public_space_service_pb2_grpc
from cadastre.allocation.v1 import public_space_service_pb2 as pb
from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import byoip_range_service_pb2 as ranges_pb2
from cadastre.network.v1 import byoip_range_service_pb2_grpc
from services.control_plane.byoip.byoip_cidr import ByoipCidr
from services.control_plane.byoip.public_cidr import PublicCidr
from services.control_plane.pool import AwsService, PublicIpSource
from services.control_plane.service.byoip.ports import PendingPoolCidr
from services.control_plane.verification.claim import (
    CoveredByAssociation,
    RangeClaim,
    SignedMessage,
)
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import CadastreError, DryRunOperation
from shared.rpc.client import Remote
from shared.rpc.enums import aws_enum_name
from shared.tags import tags_to_proto

_SELF = Caller(account_id="", region="", principal="service/control_plane", service="control_plane")

_LONGEST_REASON = 255
_LONGEST_FAILURE = 2048


class PublicSpaceClient:
    """`PublicSpace` over gRPC."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = public_space_service_pb2_grpc.PublicSpaceServiceStub(remote.channel)

    async def public_cidrs(
        self, account_id: str, region: str, cidr: Cidr | None = None
    ) -> Sequence[PublicCidr]:
        only = None if cidr is None else str(cidr)
        request = pb.ListPublicCidrsRequest(account_id=account_id, region=region, cidr=only)
        pages = self._remote.pages(self._stub.ListPublicCidrs, request, caller=_SELF)
        return [_public_cidr_from_proto(one) async for page in pages for one in page.public_cidrs]

    async def pin(self, ipam_pool_cidr_id: str, reason: str) -> None:
        request = pb.PinPoolCidrRequest(
            ipam_pool_cidr_id=ipam_pool_cidr_id, reason=reason[:_LONGEST_REASON]
        )
        await self._remote.call(self._stub.PinPoolCidr, request, caller=_SELF)

    async def unpin(self, ipam_pool_cidr_id: str) -> None:
        request = pb.UnpinPoolCidrRequest(ipam_pool_cidr_id=ipam_pool_cidr_id)
        await self._remote.call(self._stub.UnpinPoolCidr, request, caller=_SELF)

    async def check_free(self, cidr: Cidr, owner_id: str, region: str) -> None:
        request = pb.RegisterByoipCidrRequest(
            cidr=str(cidr), owner_id=owner_id, region=region, dry_run=True
        )
        try:
            await self._remote.call(self._stub.RegisterByoipCidr, request, caller=_SELF)
        except CadastreError as error:
            if error.reason != DryRunOperation.reason:
                raise

    async def register(self, cidr: ByoipCidr) -> None:
        request = pb.RegisterByoipCidrRequest(
            cidr=str(cidr.cidr), owner_id=cidr.owner_id, region=cidr.region
        )
        await self._remote.call(self._stub.RegisterByoipCidr, request, caller=_SELF)

    async def unregister(self, cidr: ByoipCidr) -> None:
        request = pb.UnregisterByoipCidrRequest(cidr=str(cidr.cidr), owner_id=cidr.owner_id)
        await self._remote.call(self._stub.UnregisterByoipCidr, request, caller=_SELF)

    async def move(self, cidr: ByoipCidr, ipam_pool_id: str, pool_owner_id: str) -> str:
        request = pb.MoveByoipCidrRequest(
            cidr=str(cidr.cidr),
            owner_id=cidr.owner_id,
            region=cidr.region,
            ipam_pool_id=ipam_pool_id,
            ipam_pool_owner=pool_owner_id,
        )
        answer: pb.MoveByoipCidrResponse = await self._remote.call(
            self._stub.MoveByoipCidr, request, caller=_SELF
        )
        return answer.ipam_pool_cidr.ipam_pool_cidr_id

    async def pending_cidrs(self) -> AsyncIterator[PendingPoolCidr]:
        request = pb.WatchPendingCidrsRequest()
        watch = self._remote.stream(self._stub.WatchPendingCidrs, request, caller=_SELF)
        async with aclosing(watch) as told:
            async for response in told:
                yield _pending_from_proto(response.pending_cidr)

    async def conclude(self, pending: PendingPoolCidr, failure: str | None) -> None:
        request = pb.ConcludeProvisionRequest(
            ipam_pool_cidr_id=pending.ipam_pool_cidr_id,
            failure=(failure or "")[:_LONGEST_FAILURE],
        )
        request.requested_at.FromDatetime(pending.requested_at)
        await self._remote.call(self._stub.ConcludeProvision, request, caller=_SELF)


class PublicIpv4PoolsClient:
    """`PublicIpv4Pools` over gRPC."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = byoip_range_service_pb2_grpc.ByoipRangeServiceStub(remote.channel)

    async def add(self, cidr: ByoipCidr, pool_id: str) -> None:
        request = ranges_pb2.AddByoipRangeRequest(
            pool_id=pool_id,
            cidr=str(cidr.cidr),
            network_border_group=cidr.network_border_group,
            description=cidr.alone.description or "",
            tags=tags_to_proto(cidr.alone.pool_tags),
        )
        await self._remote.call(self._stub.AddByoipRange, request, caller=_on_behalf_of(cidr))

    async def remove(self, cidr: ByoipCidr, pool_id: str) -> None:
        request = ranges_pb2.RemoveByoipRangeRequest(pool_id=pool_id)
        await self._remote.call(self._stub.RemoveByoipRange, request, caller=_on_behalf_of(cidr))


def _on_behalf_of(cidr: ByoipCidr) -> Caller:
    return Caller(cidr.owner_id, cidr.region, _SELF.principal, _SELF.service)


def _public_cidr_from_proto(public: pb.PublicCidr) -> PublicCidr:
    return PublicCidr(
        ipam_pool_cidr_id=public.ipam_pool_cidr_id,
        cidr=Cidr.parse(public.cidr),
        ipam_pool_id=public.ipam_pool_id,
        ipam_id=public.ipam_id,
        owner_id=public.owner_id,
        locale=public.locale,
        aws_service=(
            AwsService(_word(types_pb2.IpamPoolAwsService, public.aws_service))
            if public.aws_service
            else None
        ),
        public_ip_source=(
            PublicIpSource(_word(types_pb2.IpamPoolPublicIpSource, public.public_ip_source))
            if public.public_ip_source
            else None
        ),
        publicly_advertisable=public.publicly_advertisable,
    )


def _pending_from_proto(pending: pb.PendingCidr) -> PendingPoolCidr:
    is_signed = pending.verification_method == pool_cidr_pb2.VERIFICATION_METHOD_REMARKS_X509
    return PendingPoolCidr(
        ipam_pool_cidr_id=pending.ipam_pool_cidr_id,
        ipam_pool_id=pending.ipam_pool_id,
        ipam_id=pending.ipam_id,
        claim=RangeClaim(Cidr.parse(pending.cidr), pending.owner_id),
        proof=(
            _signed_or_covered(pending.cidr_authorization_context)
            if is_signed
            else pending.ipam_external_resource_verification_token_id
        ),
        requested_at=pending.requested_at.ToDatetime(tzinfo=UTC),
    )


def _signed_or_covered(
    context: pool_cidr_pb2.IpamCidrAuthorizationContext,
) -> SignedMessage | CoveredByAssociation:
    if context.message == CoveredByAssociation.MESSAGE:
        return CoveredByAssociation()
    return SignedMessage(context.message, context.signature)


def _word(enum_type: Any, number: int) -> str:
    return aws_enum_name(enum_type.DESCRIPTOR, number)
