"""ControlPlaneService: messages to use cases and back."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from cadastre.control.v1 import control_service_pb2 as pb
from cadastre.control.v1 import control_service_pb2_grpc
from services.control_plane.ipam import IpamChange, Tier, check_none_of_others
from services.control_plane.messages import (
    ipam_change_from_proto,
    ipam_to_proto,
    new_ipam_from_proto,
    new_pool_from_proto,
    new_scope_from_proto,
    pool_change_from_proto,
    pool_to_proto,
    scope_description_from_proto,
    scope_to_proto,
)
from services.control_plane.quotas import Quotas
from services.control_plane.service import ipams, pools, scopes, tagging
from services.control_plane.service.organizations import service_access
from services.control_plane.service.ports import Commands, Ledger, Reader
from services.control_plane.servicer.listings import IPAMS, POOLS, SCOPES, Listing, Record, Resource
from services.control_plane.servicer.once import once_of
from shared.caller import Caller
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of
from shared.tags import tags_from_proto, with_tags, without_tags


class ControlPlaneServicer(control_service_pb2_grpc.ControlPlaneServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(
        self,
        reader: Reader,
        commands: Commands,
        ledger: Ledger,
        quotas: Quotas,
        clock: Callable[[], datetime],
    ) -> None:
        self._reader, self._commands = reader, commands
        self._ledger, self._quotas, self._clock = ledger, quotas, clock

    async def CreateIpam(
        self, request: pb.CreateIpamRequest, context: Context
    ) -> pb.CreateIpamResponse:
        caller, wanted = caller_of(context), new_ipam_from_proto(request)
        answer = await self._commands.create(
            lambda rows: ipams.create_ipam(rows, caller, wanted, self._quotas, self._clock()),
            lambda ipam: pb.CreateIpamResponse(ipam=ipam_to_proto(ipam)),
            once=once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.CreateIpamResponse.FromString(answer)

    async def DescribeIpams(
        self, request: pb.DescribeIpamsRequest, context: Context
    ) -> pb.DescribeIpamsResponse:
        records, token = await self._page(IPAMS, request, context, request.ipam_ids)
        return pb.DescribeIpamsResponse(ipams=records, next_token=token)

    async def ModifyIpam(
        self, request: pb.ModifyIpamRequest, context: Context
    ) -> pb.ModifyIpamResponse:
        caller, change = caller_of(context), ipam_change_from_proto(request)
        await self._check_none_of_others(request, caller, change)
        ipam = await self._commands.change(
            lambda rows: ipams.modify_ipam(rows, caller, request.ipam_id, change, self._clock()),
            dry_run=request.dry_run,
        )
        return pb.ModifyIpamResponse(ipam=ipam_to_proto(ipam))

    async def DeleteIpam(
        self, request: pb.DeleteIpamRequest, context: Context
    ) -> pb.DeleteIpamResponse:
        caller = caller_of(context)
        ipam = await self._commands.change(
            lambda rows: ipams.delete_ipam(rows, caller, request.ipam_id, cascade=request.cascade),
            dry_run=request.dry_run,
        )
        return pb.DeleteIpamResponse(ipam=ipam_to_proto(ipam))

    async def CreateIpamScope(
        self, request: pb.CreateIpamScopeRequest, context: Context
    ) -> pb.CreateIpamScopeResponse:
        caller, wanted = caller_of(context), new_scope_from_proto(request)
        answer = await self._commands.create(
            lambda rows: scopes.create_scope(rows, caller, wanted, self._quotas),
            lambda scope: pb.CreateIpamScopeResponse(ipam_scope=scope_to_proto(scope)),
            once=once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.CreateIpamScopeResponse.FromString(answer)

    async def DescribeIpamScopes(
        self, request: pb.DescribeIpamScopesRequest, context: Context
    ) -> pb.DescribeIpamScopesResponse:
        records, token = await self._page(SCOPES, request, context, request.ipam_scope_ids)
        return pb.DescribeIpamScopesResponse(ipam_scopes=records, next_token=token)

    async def ModifyIpamScope(
        self, request: pb.ModifyIpamScopeRequest, context: Context
    ) -> pb.ModifyIpamScopeResponse:
        caller, description = caller_of(context), scope_description_from_proto(request)
        scope = await self._commands.change(
            lambda rows: scopes.modify_scope(rows, caller, request.ipam_scope_id, description),
            dry_run=request.dry_run,
        )
        return pb.ModifyIpamScopeResponse(ipam_scope=scope_to_proto(scope))

    async def DeleteIpamScope(
        self, request: pb.DeleteIpamScopeRequest, context: Context
    ) -> pb.DeleteIpamScopeResponse:
        caller = caller_of(context)
        scope = await self._commands.change(
            lambda rows: scopes.delete_scope(rows, caller, request.ipam_scope_id),
            dry_run=request.dry_run,
        )
        return pb.DeleteIpamScopeResponse(ipam_scope=scope_to_proto(scope))

    async def CreateIpamPool(
        self, request: pb.CreateIpamPoolRequest, context: Context
    ) -> pb.CreateIpamPoolResponse:
        caller, wanted = caller_of(context), new_pool_from_proto(request)
        resource = wanted.source_resource
        seen = await self._ledger.seen_vpc(resource.resource_id) if resource else None
        answer = await self._commands.create(
            lambda rows: pools.create_pool(rows, caller, wanted, self._quotas, seen),
            lambda pool: pb.CreateIpamPoolResponse(ipam_pool=pool_to_proto(pool)),
            once=once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.CreateIpamPoolResponse.FromString(answer)

    async def DescribeIpamPools(
        self, request: pb.DescribeIpamPoolsRequest, context: Context
    ) -> pb.DescribeIpamPoolsResponse:
        records, token = await self._page(POOLS, request, context, request.ipam_pool_ids)
        return pb.DescribeIpamPoolsResponse(ipam_pools=records, next_token=token)

    async def ModifyIpamPool(
        self, request: pb.ModifyIpamPoolRequest, context: Context
    ) -> pb.ModifyIpamPoolResponse:
        caller, change = caller_of(context), pool_change_from_proto(request)
        pool = await self._commands.change(
            lambda rows: pools.modify_pool(rows, caller, request.ipam_pool_id, change),
            dry_run=request.dry_run,
        )
        return pb.ModifyIpamPoolResponse(ipam_pool=pool_to_proto(pool))

    async def DeleteIpamPool(
        self, request: pb.DeleteIpamPoolRequest, context: Context
    ) -> pb.DeleteIpamPoolResponse:
        caller = caller_of(context)
        await self._check_pool_empty(request, caller)
        pool = await self._commands.change(
            lambda rows: pools.delete_pool(
                rows, caller, request.ipam_pool_id, cascade=request.cascade
            ),
            dry_run=request.dry_run,
        )
        return pb.DeleteIpamPoolResponse(ipam_pool=pool_to_proto(pool))

    async def EnableIpamOrganizationAdminAccount(
        self, request: pb.EnableIpamOrganizationAdminAccountRequest, context: Context
    ) -> pb.EnableIpamOrganizationAdminAccountResponse:
        caller, now = caller_of(context), self._clock()
        account_id = request.delegated_admin_account_id
        await self._commands.change(
            lambda rows: service_access.enable_ipam_administrator(rows, caller, account_id, now),
            dry_run=request.dry_run,
        )
        return pb.EnableIpamOrganizationAdminAccountResponse(success=True)

    async def DisableIpamOrganizationAdminAccount(
        self, request: pb.DisableIpamOrganizationAdminAccountRequest, context: Context
    ) -> pb.DisableIpamOrganizationAdminAccountResponse:
        caller, account_id = caller_of(context), request.delegated_admin_account_id
        await self._commands.change(
            lambda rows: service_access.disable_ipam_administrator(rows, caller, account_id),
            dry_run=request.dry_run,
        )
        return pb.DisableIpamOrganizationAdminAccountResponse(success=True)

    async def CreateTags(
        self, request: pb.CreateTagsRequest, context: Context
    ) -> pb.CreateTagsResponse:
        caller, added = caller_of(context), tags_from_proto(request.tags)
        await self._commands.tag(
            lambda rows: tagging.change_tags(
                rows, caller, request.resources, lambda tags: with_tags(tags, added)
            ),
            dry_run=request.dry_run,
        )
        return pb.CreateTagsResponse()

    async def DeleteTags(
        self, request: pb.DeleteTagsRequest, context: Context
    ) -> pb.DeleteTagsResponse:
        caller = caller_of(context)
        await self._commands.tag(
            lambda rows: tagging.change_tags(
                rows, caller, request.resources, lambda tags: without_tags(tags, request.tags)
            ),
            dry_run=request.dry_run,
        )
        return pb.DeleteTagsResponse()

    async def _check_none_of_others(
        self, request: pb.ModifyIpamRequest, caller: Caller, change: IpamChange
    ) -> None:
        """Ask the ledger before the free tier is promised, which only the owner uses (IPAM-5)."""
        if change.tier is Tier.FREE:
            ipam, pool_ids = await self._reader.read(
                lambda rows: ipams.pools_of(rows, caller, request.ipam_id)
            )
            foreign = await self._ledger.foreign_allocations(ipam, pool_ids)
            check_none_of_others(ipam, foreign)

    async def _check_pool_empty(self, request: pb.DeleteIpamPoolRequest, caller: Caller) -> None:
        """Ask the ledger before anything is promised (POOL-7); a cascade needs nothing empty."""
        if not request.cascade:
            pool = await self._reader.read(
                lambda rows: pools.deletable_pool(rows, caller, request.ipam_pool_id)
            )
            await self._ledger.check_empty(pool)

    async def _page(
        self, listing: Listing[Resource, Record], request: Any, context: Context, ids: Sequence[str]
    ) -> tuple[list[Record], str | None]:
        caller = caller_of(context)
        return await self._reader.read(lambda rows: listing.page(rows, caller, request, ids))
