"""Pages of RAM's lists, each from one snapshot (BEY-6, BEY-12)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from cadastre.control.sharing.v1 import sharing_service_pb2 as pb
from services.control_plane.service import shares, shares_invitations
from services.control_plane.service.rows import Rows
from services.control_plane.servicer.share_messages import (
    association_to_proto,
    invitation_to_proto,
    owner_to_proto,
    permission_summary_to_proto,
    principal_to_proto,
    resource_to_proto,
    resource_type_to_proto,
    share_to_proto,
    status_from_proto,
    type_from_proto,
    wanted_associations_from_proto,
    wanted_principals_from_proto,
    wanted_resources_from_proto,
    wanted_shares_from_proto,
)
from services.control_plane.sharing.arns import (
    ResourceType,
    check_invitation_arn,
    check_share_arn,
)
from services.control_plane.sharing.errors import in_the_words_of_ram
from services.control_plane.sharing.listing import ResourceOwner
from services.control_plane.sharing.permissions import PERMISSIONS, Permission, permission
from services.control_plane.sharing.share import AssociationStatus
from shared.caller import Caller
from shared.paging import paginate

PAGE = 500
"""Records per page where a request doesn't say."""

Record = TypeVar("Record")
Keyed = Iterable[tuple[str, Record]]


def shares_page(
    rows: Rows, caller: Caller, request: pb.GetResourceSharesRequest
) -> pb.GetResourceSharesResponse:
    wanted, condition = wanted_shares_from_proto(request)
    is_own = wanted.owner is ResourceOwner.SELF

    def records_after(after: str | None) -> Iterator[tuple[str, pb.ResourceShare]]:
        for key, share in rows.shares.listed(caller, wanted, after):
            # Others' tags are not to be seen, and so not to be found out by asking for them.
            seen = share if is_own else replace(share, tags={})
            if condition.is_met_by(seen):
                yield key, share_to_proto(seen, is_own=is_own)

    found, token = _page(request, records_after)
    return pb.GetResourceSharesResponse(resource_shares=found, next_token=token)


def associations_page(
    rows: Rows, caller: Caller, request: pb.GetResourceShareAssociationsRequest, now: datetime
) -> pb.GetResourceShareAssociationsResponse:
    wanted, status = wanted_associations_from_proto(request), status_from_proto(request)

    def records_after(after: str | None) -> Keyed[pb.ResourceShareAssociation]:
        if request.association_type == pb.RESOURCE_SHARE_ASSOCIATION_TYPE_RESOURCE:
            for key, resource in rows.shares.listed_resources(caller, wanted, after):
                if status in (None, resource.status):
                    yield key, association_to_proto(resource, now)
        if request.association_type == pb.RESOURCE_SHARE_ASSOCIATION_TYPE_PRINCIPAL:
            for key, principal in rows.shares.listed_principals(caller, wanted, after):
                if status in (None, principal.status_at(now)):
                    yield key, association_to_proto(principal, now)

    found, token = _page(request, records_after)
    return pb.GetResourceShareAssociationsResponse(
        resource_share_associations=found, next_token=token
    )


def resources_page(
    rows: Rows, caller: Caller, request: pb.ListResourcesRequest
) -> pb.ListResourcesResponse:
    wanted = wanted_resources_from_proto(request)

    def records_after(after: str | None) -> Iterator[tuple[str, pb.Resource]]:
        for key, resource in rows.shares.listed_resources(caller, wanted, after):
            if resource.status is AssociationStatus.ASSOCIATED and _is_regional(request):
                yield key, resource_to_proto(resource)

    found, token = _page(request, records_after)
    return pb.ListResourcesResponse(resources=found, next_token=token)


def principals_page(
    rows: Rows, caller: Caller, request: pb.ListPrincipalsRequest
) -> pb.ListPrincipalsResponse:
    wanted = wanted_principals_from_proto(request)

    def records_after(after: str | None) -> Iterator[tuple[str, pb.Principal]]:
        if wanted.owner is ResourceOwner.OTHER_ACCOUNTS:
            for key, share in rows.shares.listed(caller, wanted, after):
                yield key, owner_to_proto(share)
        else:
            for key, principal in rows.shares.listed_principals(caller, wanted, after):
                if principal.status is AssociationStatus.ASSOCIATED:
                    yield key, principal_to_proto(principal)

    found, token = _page(request, records_after)
    return pb.ListPrincipalsResponse(principals=found, next_token=token)


def share_permissions_page(
    rows: Rows, caller: Caller, request: pb.ListResourceSharePermissionsRequest
) -> pb.ListResourceSharePermissionsResponse:
    arn = check_share_arn(request.resource_share_arn)
    found, token = _permissions(request, shares.permissions_of(rows, caller, arn))
    return pb.ListResourceSharePermissionsResponse(permissions=found, next_token=token)


def permissions_page(request: pb.ListPermissionsRequest) -> pb.ListPermissionsResponse:
    wanted_type = type_from_proto(request)
    # AWS's own are neither the caller's nor any other account's.
    is_any_owner = not request.HasField("resource_owner")
    is_managed = request.permission_type != pb.PERMISSION_TYPE_FILTER_CUSTOMER_MANAGED
    wanted = [
        known
        for known in PERMISSIONS
        if wanted_type in (None, known.resource_type) and is_any_owner and is_managed
    ]
    found, token = _permissions(request, wanted)
    return pb.ListPermissionsResponse(permissions=found, next_token=token)


def permission_versions_page(
    request: pb.ListPermissionVersionsRequest,
) -> pb.ListPermissionVersionsResponse:
    found, token = _permissions(request, [permission(request.permission_arn)])
    return pb.ListPermissionVersionsResponse(permissions=found, next_token=token)


def resource_types_page(request: pb.ListResourceTypesRequest) -> pb.ListResourceTypesResponse:
    wanted = sorted(ResourceType) if _is_regional(request) else []
    found, token = _page(
        request,
        lambda after: ((t, resource_type_to_proto(t)) for t in wanted if t > (after or "")),
    )
    return pb.ListResourceTypesResponse(resource_types=found, next_token=token)


def invitations_page(
    rows: Rows, caller: Caller, request: pb.GetResourceShareInvitationsRequest, now: datetime
) -> pb.GetResourceShareInvitationsResponse:
    arns = [check_invitation_arn(arn) for arn in request.resource_share_invitation_arns]
    share_arns = [check_share_arn(arn) for arn in request.resource_share_arns]
    shares_invitations.check_known(rows, caller, arns)

    def records_after(after: str | None) -> Iterator[tuple[str, pb.ResourceShareInvitation]]:
        for key, invitation in rows.shares.listed_invitations(
            caller, invitation_arns=arns, share_arns=share_arns, after=after
        ):
            yield key, invitation_to_proto(invitation, now)

    found, token = _page(request, records_after)
    return pb.GetResourceShareInvitationsResponse(
        resource_share_invitations=found, next_token=token
    )


def invited_resources_page(
    rows: Rows, caller: Caller, request: pb.ListPendingInvitationResourcesRequest, now: datetime
) -> pb.ListPendingInvitationResourcesResponse:
    arn = check_invitation_arn(request.resource_share_invitation_arn)
    invited = shares_invitations.invited_resources(rows, caller, arn, now)

    def records_after(after: str | None) -> Iterator[tuple[str, pb.Resource]]:
        for resource in invited if _is_regional(request) else ():
            # Oldest first, and none comes twice.
            key = f"{resource.created_at:%Y-%m-%dT%H:%M:%S.%f} {resource.resource_arn}"
            if key > (after or ""):
                yield key, resource_to_proto(resource)

    found, token = _page(request, records_after)
    return pb.ListPendingInvitationResourcesResponse(resources=found, next_token=token)


def _permissions(
    request: Any, wanted: Iterable[Permission]
) -> tuple[list[pb.ResourceSharePermissionSummary], str | None]:
    return _page(
        request,
        lambda after: (
            (known.name, permission_summary_to_proto(known))
            for known in wanted
            if known.name > (after or "")
        ),
    )


def _is_regional(request: Any) -> bool:
    """Resources of a region are wanted, among others at least; all here are."""
    is_global: bool = request.resource_region_scope == pb.RESOURCE_REGION_SCOPE_FILTER_GLOBAL
    return not is_global


def _page(
    request: Any,  # generated listing requests share no typed base
    records_after: Callable[[str | None], Keyed[Record]],
) -> tuple[list[Record], str | None]:
    request.max_results = request.max_results or PAGE
    with in_the_words_of_ram():
        return paginate(request, records_after)
