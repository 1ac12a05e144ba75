"""SharingService: messages to use cases and back."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from cadastre.control.sharing.v1 import sharing_service_pb2 as pb
from cadastre.control.sharing.v1 import sharing_service_pb2_grpc
from services.control_plane.service import shares, shares_associations, shares_invitations
from services.control_plane.service.ports import Answer, Commands, Reader
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted
from services.control_plane.servicer import share_lists
from services.control_plane.servicer.once import once_of
from services.control_plane.servicer.share_messages import (
    association_to_proto,
    invitation_to_proto,
    new_share_from_proto,
    permission_to_proto,
    share_tags_from_proto,
    share_to_proto,
    tagged_share_from_proto,
    with_share_tags,
)
from services.control_plane.sharing.arns import (
    check_invitation_arn,
    check_share_arn,
    resource_arn,
)
from services.control_plane.sharing.errors import in_the_words_of_ram
from services.control_plane.sharing.permissions import permission
from services.control_plane.sharing.principals import principal
from shared.caller import Caller
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of

T = TypeVar("T")


class SharingServicer(sharing_service_pb2_grpc.SharingServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(self, reader: Reader, commands: Commands, clock: Callable[[], datetime]) -> None:
        self._reader, self._commands, self._clock = reader, commands, clock

    async def CreateResourceShare(
        self, request: pb.CreateResourceShareRequest, context: Context
    ) -> pb.CreateResourceShareResponse:
        caller, wanted, now = caller_of(context), new_share_from_proto(request), self._clock()
        answer = await self._once(
            request,
            caller,
            lambda rows: shares.create_share(rows, caller, wanted, now),
            lambda share: pb.CreateResourceShareResponse(
                resource_share=share_to_proto(share, is_own=True), client_token=_token(request)
            ),
        )
        return pb.CreateResourceShareResponse.FromString(answer)

    async def UpdateResourceShare(
        self, request: pb.UpdateResourceShareRequest, context: Context
    ) -> pb.UpdateResourceShareResponse:
        caller, now = caller_of(context), self._clock()
        arn = check_share_arn(request.resource_share_arn)
        is_external_given = request.HasField("allow_external_principals")
        update = partial(
            shares.update_share,
            name=request.name if request.HasField("name") else None,
            allow_external_principals=(
                request.allow_external_principals if is_external_given else None
            ),
            now=now,
        )
        answer = await self._once(
            request,
            caller,
            lambda rows: update(rows, caller, arn),
            lambda share: pb.UpdateResourceShareResponse(
                resource_share=share_to_proto(share, is_own=True), client_token=_token(request)
            ),
        )
        return pb.UpdateResourceShareResponse.FromString(answer)

    async def DeleteResourceShare(
        self, request: pb.DeleteResourceShareRequest, context: Context
    ) -> pb.DeleteResourceShareResponse:
        caller, now = caller_of(context), self._clock()
        arn = check_share_arn(request.resource_share_arn)
        answer = await self._once(
            request,
            caller,
            lambda rows: shares.delete_share(rows, caller, arn, now),
            lambda _: pb.DeleteResourceShareResponse(
                return_value=True, client_token=_token(request)
            ),
        )
        return pb.DeleteResourceShareResponse.FromString(answer)

    async def GetResourceShares(
        self, request: pb.GetResourceSharesRequest, context: Context
    ) -> pb.GetResourceSharesResponse:
        return await self._read(context, share_lists.shares_page, request)

    async def AssociateResourceShare(
        self, request: pb.AssociateResourceShareRequest, context: Context
    ) -> pb.AssociateResourceShareResponse:
        caller, now = caller_of(context), self._clock()
        arn = check_share_arn(request.resource_share_arn)
        resources = [resource_arn(one) for one in request.resource_arns]
        principals = [principal(name) for name in request.principals]
        answer = await self._once(
            request,
            caller,
            lambda rows: shares_associations.associate(
                rows, caller, arn, resources, principals, now
            ),
            lambda found: pb.AssociateResourceShareResponse(
                resource_share_associations=[association_to_proto(one, now) for one in found],
                client_token=_token(request),
            ),
        )
        return pb.AssociateResourceShareResponse.FromString(answer)

    async def DisassociateResourceShare(
        self, request: pb.DisassociateResourceShareRequest, context: Context
    ) -> pb.DisassociateResourceShareResponse:
        caller, now = caller_of(context), self._clock()
        arn = check_share_arn(request.resource_share_arn)
        resources = [resource_arn(one).arn for one in request.resource_arns]
        principals = [principal(name).name for name in request.principals]
        answer = await self._once(
            request,
            caller,
            lambda rows: shares_associations.disassociate(
                rows, caller, arn, resources, principals, now
            ),
            lambda found: pb.DisassociateResourceShareResponse(
                resource_share_associations=[association_to_proto(one, now) for one in found],
                client_token=_token(request),
            ),
        )
        return pb.DisassociateResourceShareResponse.FromString(answer)

    async def GetResourceShareAssociations(
        self, request: pb.GetResourceShareAssociationsRequest, context: Context
    ) -> pb.GetResourceShareAssociationsResponse:
        return await self._read(context, share_lists.associations_page, request, now=self._clock())

    async def ListResources(
        self, request: pb.ListResourcesRequest, context: Context
    ) -> pb.ListResourcesResponse:
        return await self._read(context, share_lists.resources_page, request)

    async def ListPrincipals(
        self, request: pb.ListPrincipalsRequest, context: Context
    ) -> pb.ListPrincipalsResponse:
        return await self._read(context, share_lists.principals_page, request)

    async def ListPermissions(
        self, request: pb.ListPermissionsRequest, _context: Context
    ) -> pb.ListPermissionsResponse:
        return share_lists.permissions_page(request)

    async def ListPermissionVersions(
        self, request: pb.ListPermissionVersionsRequest, _context: Context
    ) -> pb.ListPermissionVersionsResponse:
        return share_lists.permission_versions_page(request)

    async def GetPermission(
        self, request: pb.GetPermissionRequest, _context: Context
    ) -> pb.GetPermissionResponse:
        known = permission(request.permission_arn, _version(request))
        return pb.GetPermissionResponse(permission=permission_to_proto(known))

    async def ListResourceTypes(
        self, request: pb.ListResourceTypesRequest, _context: Context
    ) -> pb.ListResourceTypesResponse:
        return share_lists.resource_types_page(request)

    async def AssociateResourceSharePermission(
        self, request: pb.AssociateResourceSharePermissionRequest, context: Context
    ) -> pb.AssociateResourceSharePermissionResponse:
        caller, now = caller_of(context), self._clock()
        arn = check_share_arn(request.resource_share_arn)
        wanted = permission(request.permission_arn, _version(request))
        answer = await self._once(
            request,
            caller,
            lambda rows: shares.associate_permission(
                rows, caller, arn, wanted, may_replace=request.replace, now=now
            ),
            lambda _: pb.AssociateResourceSharePermissionResponse(
                return_value=True, client_token=_token(request)
            ),
        )
        return pb.AssociateResourceSharePermissionResponse.FromString(answer)

    async def DisassociateResourceSharePermission(
        self, request: pb.DisassociateResourceSharePermissionRequest, context: Context
    ) -> pb.DisassociateResourceSharePermissionResponse:
        caller, now = caller_of(context), self._clock()
        arn = check_share_arn(request.resource_share_arn)
        unwanted = permission(request.permission_arn)
        answer = await self._once(
            request,
            caller,
            lambda rows: shares.disassociate_permission(rows, caller, arn, unwanted, now),
            lambda _: pb.DisassociateResourceSharePermissionResponse(
                return_value=True, client_token=_token(request)
            ),
        )
        return pb.DisassociateResourceSharePermissionResponse.FromString(answer)

    async def ListResourceSharePermissions(
        self, request: pb.ListResourceSharePermissionsRequest, context: Context
    ) -> pb.ListResourceSharePermissionsResponse:
        return await self._read(context, share_lists.share_permissions_page, request)

    async def GetResourceShareInvitations(
        self, request: pb.GetResourceShareInvitationsRequest, context: Context
    ) -> pb.GetResourceShareInvitationsResponse:
        return await self._read(context, share_lists.invitations_page, request, now=self._clock())

    async def ListPendingInvitationResources(
        self, request: pb.ListPendingInvitationResourcesRequest, context: Context
    ) -> pb.ListPendingInvitationResourcesResponse:
        return await self._read(
            context, share_lists.invited_resources_page, request, now=self._clock()
        )

    async def AcceptResourceShareInvitation(
        self, request: pb.AcceptResourceShareInvitationRequest, context: Context
    ) -> pb.AcceptResourceShareInvitationResponse:
        caller, now = caller_of(context), self._clock()
        arn = check_invitation_arn(request.resource_share_invitation_arn)
        answer = await self._once(
            request,
            caller,
            lambda rows: shares_invitations.accept_invitation(rows, caller, arn, now),
            lambda invitation: pb.AcceptResourceShareInvitationResponse(
                resource_share_invitation=invitation_to_proto(invitation, now),
                client_token=_token(request),
            ),
        )
        return pb.AcceptResourceShareInvitationResponse.FromString(answer)

    async def RejectResourceShareInvitation(
        self, request: pb.RejectResourceShareInvitationRequest, context: Context
    ) -> pb.RejectResourceShareInvitationResponse:
        caller, now = caller_of(context), self._clock()
        arn = check_invitation_arn(request.resource_share_invitation_arn)
        answer = await self._once(
            request,
            caller,
            lambda rows: shares_invitations.reject_invitation(rows, caller, arn, now),
            lambda invitation: pb.RejectResourceShareInvitationResponse(
                resource_share_invitation=invitation_to_proto(invitation, now),
                client_token=_token(request),
            ),
        )
        return pb.RejectResourceShareInvitationResponse.FromString(answer)

    async def EnableSharingWithAwsOrganization(
        self, _request: pb.EnableSharingWithAwsOrganizationRequest, context: Context
    ) -> pb.EnableSharingWithAwsOrganizationResponse:
        caller, now = caller_of(context), self._clock()
        await self._commands.change(
            lambda rows: shares_invitations.enable_sharing(rows, caller, now), dry_run=False
        )
        return pb.EnableSharingWithAwsOrganizationResponse(return_value=True)

    async def TagResource(
        self, request: pb.TagResourceRequest, context: Context
    ) -> pb.TagResourceResponse:
        caller, added = caller_of(context), share_tags_from_proto(request.tags)
        arn = tagged_share_from_proto(request)
        await self._commands.tag(
            lambda rows: shares.change_share_tags(
                rows, caller, arn, lambda tags: with_share_tags(tags, added)
            ),
            dry_run=False,
        )
        return pb.TagResourceResponse()

    async def UntagResource(
        self, request: pb.UntagResourceRequest, context: Context
    ) -> pb.UntagResourceResponse:
        caller, arn = caller_of(context), tagged_share_from_proto(request)
        removed = frozenset(request.tag_keys)
        await self._commands.tag(
            lambda rows: shares.change_share_tags(
                rows,
                caller,
                arn,
                lambda tags: {key: value for key, value in tags.items() if key not in removed},
            ),
            dry_run=False,
        )
        return pb.UntagResourceResponse()

    async def _once(
        self,
        request: Any,  # generated requests share no typed base
        caller: Caller,
        decide: Callable[[Rows], Accepted[T]],
        answer: Callable[[T], Answer],
    ) -> bytes:
        with in_the_words_of_ram():
            return await self._commands.create(
                decide, answer, once=once_of(request, caller), dry_run=False
            )

    async def _read(self, context: Context, page: Callable[..., T], request: Any, **also: Any) -> T:
        caller = caller_of(context)
        return await self._reader.read(lambda rows: page(rows, caller, request, **also))


def _token(request: Any) -> str | None:
    return request.client_token or None


def _version(request: Any) -> int | None:
    """Permissions have one version; None where the request doesn't say which."""
    return request.permission_version if request.HasField("permission_version") else None
