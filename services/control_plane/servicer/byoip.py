"""ByoipService: messages to use cases and back."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from google.protobuf.message import Message

from cadastre.control.v1 import byoip_service_pb2 as pb
from cadastre.control.v1 import byoip_service_pb2_grpc
from services.control_plane.byoip.byoasn import asn_of, parse_asn
from services.control_plane.byoip.byoip_cidr import BYOIP_CIDR
from services.control_plane.byoip.new_range import check_proof, range_to_bring
from services.control_plane.byoip.public_cidr import PublicCidr
from services.control_plane.byoip.token import VerificationToken
from services.control_plane.quotas import Quotas
from services.control_plane.regions import NO_LOCALE
from services.control_plane.service.byoip import (
    advertising,
    associations,
    byoasns,
    listing,
    ranges,
    tokens,
    transfers,
)
from services.control_plane.service.byoip.holding import regions_seen
from services.control_plane.service.byoip.ports import PublicSpace, RpkiReader
from services.control_plane.service.ports import Commands, Reader
from services.control_plane.service.rows import Rows
from services.control_plane.servicer.byoip_messages import (
    asn_proof_from_proto,
    association_to_proto,
    byoasn_to_proto,
    cidr_to_proto,
    new_range_from_proto,
    origin_from_proto,
    seen_cidr_to_proto,
    token_to_proto,
)
from services.control_plane.servicer.listings import Listing
from services.control_plane.servicer.once import once_of
from services.control_plane.verification.claim import AsnClaim
from shared.caller import Caller
from shared.cidr import Cidr
from shared.ids import IPAM_EXTERNAL_RESOURCE_VERIFICATION_TOKEN as TOKEN
from shared.ids import PUBLIC_IPV4_POOL
from shared.paging import paginate
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of
from shared.tags import tags_from_specifications

Listed = TypeVar("Listed")
Told = TypeVar("Told", bound=Message)


class ByoipServicer(byoip_service_pb2_grpc.ByoipServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(
        self,
        reader: Reader,
        commands: Commands,
        space: PublicSpace,
        rpki: RpkiReader,
        quotas: Quotas,
        clock: Callable[[], datetime],
        *,
        reserved_asns_allowed: bool,
        on_waiting: Callable[[], None],
    ) -> None:
        """``on_waiting`` is called when something was committed that is to be verified."""
        self._reader, self._commands, self._space, self._rpki = reader, commands, space, rpki
        self._quotas, self._clock, self._on_waiting = quotas, clock, on_waiting
        self._parse_asn = partial(parse_asn, reserved_allowed=reserved_asns_allowed)

    async def CreateIpamExternalResourceVerificationToken(
        self, request: pb.CreateIpamExternalResourceVerificationTokenRequest, context: Context
    ) -> pb.CreateIpamExternalResourceVerificationTokenResponse:
        caller, now = caller_of(context), self._clock()
        tags = tags_from_specifications(
            request.tag_specifications, "ipam-external-resource-verification-token"
        )
        answer = await self._commands.create(
            lambda rows: tokens.create_token(rows, caller, request.ipam_id, tags, now),
            lambda token: pb.CreateIpamExternalResourceVerificationTokenResponse(
                ipam_external_resource_verification_token=token_to_proto(token, now)
            ),
            once=once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.CreateIpamExternalResourceVerificationTokenResponse.FromString(answer)

    async def DescribeIpamExternalResourceVerificationTokens(
        self, request: pb.DescribeIpamExternalResourceVerificationTokensRequest, context: Context
    ) -> pb.DescribeIpamExternalResourceVerificationTokensResponse:
        caller, ids = caller_of(context), request.ipam_external_resource_verification_token_ids
        records, token = await self._reader.read(
            lambda rows: self._tokens.page(rows, caller, request, ids)
        )
        return pb.DescribeIpamExternalResourceVerificationTokensResponse(
            ipam_external_resource_verification_tokens=records, next_token=token
        )

    async def DeleteIpamExternalResourceVerificationToken(
        self, request: pb.DeleteIpamExternalResourceVerificationTokenRequest, context: Context
    ) -> pb.DeleteIpamExternalResourceVerificationTokenResponse:
        caller = caller_of(context)
        token = await self._commands.change(
            lambda rows: tokens.delete_token(
                rows, caller, request.ipam_external_resource_verification_token_id
            ),
            dry_run=request.dry_run,
        )
        return pb.DeleteIpamExternalResourceVerificationTokenResponse(
            ipam_external_resource_verification_token=token_to_proto(token, self._clock())
        )

    async def ProvisionIpamByoasn(
        self, request: pb.ProvisionIpamByoasnRequest, context: Context
    ) -> pb.ProvisionIpamByoasnResponse:
        caller, now = caller_of(context), self._clock()
        claim = AsnClaim(self._parse_asn(request.asn), caller.account_id)
        proof = asn_proof_from_proto(request)
        check_proof(proof, claim, now.date())
        byoasn = await self._commands.change(
            lambda rows: byoasns.provision_byoasn(
                rows, caller, request.ipam_id, (claim, proof), self._quotas, now
            ),
            dry_run=request.dry_run,
        )
        self._on_waiting()
        return pb.ProvisionIpamByoasnResponse(byoasn=byoasn_to_proto(byoasn))

    async def DescribeIpamByoasn(
        self, request: pb.DescribeIpamByoasnRequest, context: Context
    ) -> pb.DescribeIpamByoasnResponse:
        caller, now = caller_of(context), self._clock()
        records, token = await self._page(
            request,
            lambda rows, after: listing.visible_byoasns(rows, caller, after, now),
            byoasn_to_proto,
        )
        return pb.DescribeIpamByoasnResponse(byoasns=records, next_token=token)

    async def DeprovisionIpamByoasn(
        self, request: pb.DeprovisionIpamByoasnRequest, context: Context
    ) -> pb.DeprovisionIpamByoasnResponse:
        caller, asn = caller_of(context), asn_of(request.asn)
        byoasn = await self._commands.change(
            lambda rows: byoasns.deprovision_byoasn(rows, caller, request.ipam_id, asn),
            dry_run=request.dry_run,
        )
        return pb.DeprovisionIpamByoasnResponse(byoasn=byoasn_to_proto(byoasn))

    async def AssociateIpamByoasn(
        self, request: pb.AssociateIpamByoasnRequest, context: Context
    ) -> pb.AssociateIpamByoasnResponse:
        caller, cidr, asn = caller_of(context), Cidr.parse(request.cidr), asn_of(request.asn)
        found, rpki = await self._found(caller, cidr), await self._rpki()
        after = await self._commands.change(
            lambda rows: associations.associate(rows, caller, cidr, asn, found, rpki),
            dry_run=request.dry_run,
        )
        return pb.AssociateIpamByoasnResponse(
            asn_association=association_to_proto(*associations.association_of(after, asn))
        )

    async def DisassociateIpamByoasn(
        self, request: pb.DisassociateIpamByoasnRequest, context: Context
    ) -> pb.DisassociateIpamByoasnResponse:
        caller, cidr, asn = caller_of(context), Cidr.parse(request.cidr), asn_of(request.asn)
        found = await self._found(caller, cidr)
        after = await self._commands.change(
            lambda rows: associations.disassociate(rows, caller, cidr, asn, found),
            dry_run=request.dry_run,
        )
        return pb.DisassociateIpamByoasnResponse(
            asn_association=association_to_proto(*associations.association_of(after, asn))
        )

    async def ProvisionByoipCidr(
        self, request: pb.ProvisionByoipCidrRequest, context: Context
    ) -> pb.ProvisionByoipCidrResponse:
        caller, now = caller_of(context), self._clock()
        wanted = range_to_bring(
            new_range_from_proto(request),
            caller,
            byoip_cidr_id=BYOIP_CIDR.new(),
            pool_id=PUBLIC_IPV4_POOL.new(),
            now=now,
        )
        await self._space.check_free(wanted.cidr, caller.account_id, caller.region)
        cidr = await self._commands.change(
            lambda rows: ranges.provision_range(rows, wanted, self._quotas, now),
            dry_run=request.dry_run,
        )
        self._on_waiting()
        return pb.ProvisionByoipCidrResponse(byoip_cidr=cidr_to_proto(cidr))

    async def DescribeByoipCidrs(
        self, request: pb.DescribeByoipCidrsRequest, context: Context
    ) -> pb.DescribeByoipCidrsResponse:
        caller, now = caller_of(context), self._clock()
        found = await self._public_cidrs(caller)
        records, token = await self._page(
            request,
            lambda rows, after: listing.visible_cidrs(rows, caller, found, after, now),
            seen_cidr_to_proto,
        )
        return pb.DescribeByoipCidrsResponse(byoip_cidrs=records, next_token=token)

    async def DeprovisionByoipCidr(
        self, request: pb.DeprovisionByoipCidrRequest, context: Context
    ) -> pb.DeprovisionByoipCidrResponse:
        caller, cidr = caller_of(context), Cidr.parse(request.cidr)
        leaving = await self._commands.change(
            lambda rows: ranges.deprovision_range(rows, caller, cidr), dry_run=request.dry_run
        )
        return pb.DeprovisionByoipCidrResponse(byoip_cidr=cidr_to_proto(leaving))

    async def AdvertiseByoipCidr(
        self, request: pb.AdvertiseByoipCidrRequest, context: Context
    ) -> pb.AdvertiseByoipCidrResponse:
        caller, cidr, now = caller_of(context), Cidr.parse(request.cidr), self._clock()
        wanted = origin_from_proto(request), request.network_border_group
        found, rpki = await self._found(caller, cidr), await self._rpki()
        accepted = await self._commands.change(
            lambda rows: advertising.advertise(rows, caller, cidr, wanted, found, rpki, now),
            dry_run=request.dry_run,
        )
        after = await self._reader.read(lambda rows: advertising.as_advertised(rows, accepted))
        return pb.AdvertiseByoipCidrResponse(byoip_cidr=cidr_to_proto(after))

    async def WithdrawByoipCidr(
        self, request: pb.WithdrawByoipCidrRequest, context: Context
    ) -> pb.WithdrawByoipCidrResponse:
        caller, cidr = caller_of(context), Cidr.parse(request.cidr)
        found = await self._found(caller, cidr)
        accepted = await self._commands.change(
            lambda rows: advertising.withdraw(rows, caller, cidr, found), dry_run=request.dry_run
        )
        after = await self._reader.read(lambda rows: advertising.as_withdrawn(rows, accepted))
        return pb.WithdrawByoipCidrResponse(byoip_cidr=cidr_to_proto(after))

    async def MoveByoipCidrToIpam(
        self, request: pb.MoveByoipCidrToIpamRequest, context: Context
    ) -> pb.MoveByoipCidrToIpamResponse:
        caller, cidr = caller_of(context), Cidr.parse(request.cidr)
        moving = await self._commands.change(
            lambda rows: transfers.move_to_ipam(
                rows, caller, cidr, request.ipam_pool_id, request.ipam_pool_owner
            ),
            dry_run=request.dry_run,
        )
        return pb.MoveByoipCidrToIpamResponse(byoip_cidr=cidr_to_proto(moving))

    @property
    def _tokens(self) -> Listing[VerificationToken, pb.IpamExternalResourceVerificationToken]:
        """How tokens are listed at this moment, for it says which have expired."""
        return Listing(
            TOKEN,
            lambda token: token.ipam_external_resource_verification_token_id,
            lambda rows: rows.byoip.visible_tokens,
            pb.IpamExternalResourceVerificationToken.DESCRIPTOR,
            partial(token_to_proto, now=self._clock()),
        )

    async def _page(
        self,
        request: Any,
        visible: Callable[[Rows, str | None], Iterator[tuple[str, Listed]]],
        to_proto: Callable[[Listed], Told],
    ) -> tuple[list[Told], str | None]:
        """A page of what is ``visible`` after a key, and the token of the next."""
        return await self._reader.read(
            lambda rows: paginate(
                request,
                lambda after: ((key, to_proto(one)) for key, one in visible(rows, after)),
            )
        )

    async def _found(self, caller: Caller, cidr: Cidr) -> list[PublicCidr]:
        """What the ledger knows of a CIDR; also without a locale, so that the lack can be told."""
        without_locale = self._space.public_cidrs(caller.account_id, NO_LOCALE, cidr)
        found, more = await asyncio.gather(self._public_cidrs(caller, cidr), without_locale)
        return [*found, *more]

    async def _public_cidrs(self, caller: Caller, cidr: Cidr | None = None) -> list[PublicCidr]:
        regions = await self._reader.read(lambda rows: regions_seen(rows, caller))
        pages: Sequence[Sequence[PublicCidr]] = await asyncio.gather(
            *(self._space.public_cidrs(caller.account_id, region, cidr) for region in regions)
        )
        return [public for page in pages for public in page]
