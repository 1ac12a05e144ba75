"""RAM's messages from and to what they mean here."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cadastre.control.sharing.v1 import sharing_service_pb2 as pb
from services.control_plane.messages import given, proto_number, timestamp_to_proto
from services.control_plane.sharing.arns import (
    ResourceType,
    check_share_arn,
    resource_arn,
    resource_type,
)
from services.control_plane.sharing.errors import InvalidParameter, in_the_words_of_ram
from services.control_plane.sharing.invitation import Invitation
from services.control_plane.sharing.listing import Condition, ResourceOwner, Wanted
from services.control_plane.sharing.permissions import VERSION, Permission, chosen, permission
from services.control_plane.sharing.principals import principal
from services.control_plane.sharing.share import (
    NewShare,
    Share,
    SharedResource,
    SharePrincipal,
)
from shared.rpc.enums import aws_enum_name
from shared.tags import Tags, check_tag_count, tags_from_proto, tags_to_proto


def share_to_proto(share: Share, *, is_own: bool) -> pb.ResourceShare:
    """A share; its tags are its owner's to see."""
    return pb.ResourceShare(
        resource_share_arn=share.resource_share_arn,
        name=share.name,
        owning_account_id=share.owner_id,
        allow_external_principals=share.allow_external_principals,
        status=proto_number(pb.ResourceShareStatus, share.status),
        tags=tags_to_proto(share.tags) if is_own else (),
        creation_time=timestamp_to_proto(share.created_at),
        last_updated_time=timestamp_to_proto(share.updated_at),
        feature_set=pb.RESOURCE_SHARE_FEATURE_SET_STANDARD,
    )


def association_to_proto(
    association: SharedResource | SharePrincipal, now: datetime
) -> pb.ResourceShareAssociation:
    if isinstance(association, SharedResource):
        return _resource_association(association)
    return pb.ResourceShareAssociation(
        resource_share_arn=association.resource_share_arn,
        resource_share_name=association.share_name,
        associated_entity=association.principal,
        association_type=pb.RESOURCE_SHARE_ASSOCIATION_TYPE_PRINCIPAL,
        status=proto_number(pb.ResourceShareAssociationStatus, association.status_at(now)),
        creation_time=timestamp_to_proto(association.created_at),
        last_updated_time=timestamp_to_proto(association.updated_at),
        external=association.is_external,
    )


def _resource_association(resource: SharedResource) -> pb.ResourceShareAssociation:
    return pb.ResourceShareAssociation(
        resource_share_arn=resource.resource_share_arn,
        resource_share_name=resource.share_name,
        associated_entity=resource.resource_arn,
        association_type=pb.RESOURCE_SHARE_ASSOCIATION_TYPE_RESOURCE,
        status=proto_number(pb.ResourceShareAssociationStatus, resource.status),
        creation_time=timestamp_to_proto(resource.created_at),
        last_updated_time=timestamp_to_proto(resource.updated_at),
        external=False,
    )


def resource_to_proto(resource: SharedResource) -> pb.Resource:
    return pb.Resource(
        arn=resource.resource_arn,
        type=resource.resource_type,
        resource_share_arn=resource.resource_share_arn,
        status=pb.RESOURCE_STATUS_AVAILABLE,
        creation_time=timestamp_to_proto(resource.created_at),
        last_updated_time=timestamp_to_proto(resource.updated_at),
        resource_region_scope=pb.RESOURCE_REGION_SCOPE_REGIONAL,
    )


def principal_to_proto(one: SharePrincipal) -> pb.Principal:
    return pb.Principal(
        id=one.principal,
        resource_share_arn=one.resource_share_arn,
        creation_time=timestamp_to_proto(one.created_at),
        last_updated_time=timestamp_to_proto(one.updated_at),
        external=one.is_external,
    )


def owner_to_proto(share: Share) -> pb.Principal:
    """Who shares, for one of those it shares with."""
    return pb.Principal(
        id=share.owner_id,
        resource_share_arn=share.resource_share_arn,
        creation_time=timestamp_to_proto(share.created_at),
        last_updated_time=timestamp_to_proto(share.updated_at),
    )


def invitation_to_proto(invitation: Invitation, now: datetime) -> pb.ResourceShareInvitation:
    return pb.ResourceShareInvitation(
        resource_share_invitation_arn=invitation.invitation_arn,
        resource_share_name=invitation.share_name,
        resource_share_arn=invitation.resource_share_arn,
        sender_account_id=invitation.sender_id,
        receiver_account_id=invitation.receiver_id,
        invitation_timestamp=timestamp_to_proto(invitation.sent_at),
        status=proto_number(pb.ResourceShareInvitationStatus, invitation.status_at(now)),
        receiver_arn=f"arn:aws:iam::{invitation.receiver_id}:root",
    )


def permission_summary_to_proto(known: Permission) -> pb.ResourceSharePermissionSummary:
    return pb.ResourceSharePermissionSummary(
        arn=known.arn,
        version=str(VERSION),
        default_version=True,
        name=known.name,
        resource_type=known.resource_type,
        status="ATTACHABLE",
        creation_time=timestamp_to_proto(known.created_at),
        last_updated_time=timestamp_to_proto(known.created_at),
        is_resource_type_default=known.is_default,
        permission_type=pb.PERMISSION_TYPE_AWS_MANAGED,
        feature_set=pb.PERMISSION_FEATURE_SET_STANDARD,
    )


def permission_to_proto(known: Permission) -> pb.ResourceSharePermissionDetail:
    return pb.ResourceSharePermissionDetail(
        arn=known.arn,
        version=str(VERSION),
        default_version=True,
        name=known.name,
        resource_type=known.resource_type,
        permission=known.document,
        creation_time=timestamp_to_proto(known.created_at),
        last_updated_time=timestamp_to_proto(known.created_at),
        is_resource_type_default=known.is_default,
        permission_type=pb.PERMISSION_TYPE_AWS_MANAGED,
        feature_set=pb.PERMISSION_FEATURE_SET_STANDARD,
        status=pb.PERMISSION_STATUS_ATTACHABLE,
    )


def resource_type_to_proto(known: ResourceType) -> pb.ServiceNameAndResourceType:
    return pb.ServiceNameAndResourceType(
        resource_type=known,
        service_name=known.partition(":")[0],
        resource_region_scope=pb.RESOURCE_REGION_SCOPE_REGIONAL,
    )


def new_share_from_proto(request: pb.CreateResourceShareRequest) -> NewShare:
    is_external_allowed = given(request, "allow_external_principals")
    return NewShare(
        name=request.name,
        allow_external_principals=is_external_allowed is not False,
        permissions=chosen(request.permission_arns),
        resources=[resource_arn(arn) for arn in request.resource_arns],
        principals=[principal(name) for name in request.principals],
        tags=share_tags_from_proto(request.tags),
    )


def share_tags_from_proto(tags: Iterable[Any]) -> Tags:
    with in_the_words_of_ram():
        return tags_from_proto(tags)


def with_share_tags(existing: Tags, added: Tags) -> Tags:
    with in_the_words_of_ram():
        return check_tag_count({**existing, **added})


def tagged_share_from_proto(request: pb.TagResourceRequest | pb.UntagResourceRequest) -> str:
    """The ARN of the share that is meant; managed permissions are AWS's, and have no tags."""
    if request.HasField("resource_arn") or not request.HasField("resource_share_arn"):
        raise InvalidParameter(
            "Resource shares alone have tags; give a ResourceShareArn, and no ResourceArn"
        )
    return check_share_arn(request.resource_share_arn)


def wanted_shares_from_proto(
    request: pb.GetResourceSharesRequest,
) -> tuple[Wanted, Condition]:
    arn = given(request, "permission_arn")
    version = given(request, "permission_version")
    wanted = Wanted(
        owner=_owner(request), share_arns=[check_share_arn(a) for a in request.resource_share_arns]
    )
    return wanted, Condition(
        name=given(request, "name"),
        status=_word(request, "resource_share_status"),
        permission=permission(arn, version) if arn else None,
        tags={tag.tag_key: list(tag.tag_values) for tag in request.tag_filters},
    )


def wanted_associations_from_proto(request: pb.GetResourceShareAssociationsRequest) -> Wanted:
    is_of_principals = request.association_type == pb.RESOURCE_SHARE_ASSOCIATION_TYPE_PRINCIPAL
    if request.HasField("resource_arn" if is_of_principals else "principal"):
        raise InvalidParameter(
            "ResourceArn narrows associations of type RESOURCE, and Principal those of type"
            " PRINCIPAL; leave out the one for the other type"
        )
    return Wanted(
        owner=ResourceOwner.SELF,
        share_arns=[check_share_arn(arn) for arn in request.resource_share_arns],
        resource_arns=_resource_arns([request.resource_arn] if request.resource_arn else ()),
        principals=_principals([request.principal] if request.principal else ()),
    )


def wanted_resources_from_proto(request: pb.ListResourcesRequest) -> Wanted:
    return Wanted(
        owner=_owner(request),
        share_arns=[check_share_arn(arn) for arn in request.resource_share_arns],
        resource_arns=_resource_arns(request.resource_arns),
        resource_type=type_from_proto(request),
        principals=_principals([request.principal] if request.principal else ()),
    )


def wanted_principals_from_proto(request: pb.ListPrincipalsRequest) -> Wanted:
    return Wanted(
        owner=_owner(request),
        share_arns=[check_share_arn(arn) for arn in request.resource_share_arns],
        resource_arns=_resource_arns([request.resource_arn] if request.resource_arn else ()),
        resource_type=type_from_proto(request),
        principals=_principals(request.principals),
    )


def type_from_proto(
    request: pb.ListResourcesRequest | pb.ListPrincipalsRequest | pb.ListPermissionsRequest,
) -> ResourceType | None:
    return resource_type(request.resource_type) if request.HasField("resource_type") else None


def status_from_proto(request: pb.GetResourceShareAssociationsRequest) -> str | None:
    """RAM's word for the only status that is wanted."""
    return _word(request, "association_status")


def _resource_arns(arns: Iterable[str]) -> list[str]:
    return [resource_arn(arn).arn for arn in arns]


def _principals(names: Iterable[str]) -> list[str]:
    return [principal(name).name for name in names]


def _owner(request: Any) -> ResourceOwner:
    return ResourceOwner(_word(request, "resource_owner") or "")


def _word(message: Any, member: str) -> str | None:
    """An optional enum member as RAM's word for it."""
    if not message.HasField(member):
        return None
    enum_type = message.DESCRIPTOR.fields_by_name[member].enum_type
    return aws_enum_name(enum_type, getattr(message, member))
