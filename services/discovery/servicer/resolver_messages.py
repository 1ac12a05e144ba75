"""Prefix list resolvers and their targets, from and to messages."""

from collections.abc import Mapping

from cadastre.common.v1 import types_pb2
from cadastre.discovery.v1 import prefix_list_resolver_service_pb2 as pb
from services.discovery.resolvers.resolver import Resolver, ResolverState
from services.discovery.resolvers.target import TargetState
from services.discovery.service.prefix_list_resolvers import NewResolver, ResolverChange
from services.discovery.service.prefix_list_targets import Aim, NewTarget, ShownTarget
from services.discovery.servicer.resolver_rules import rules_from_proto
from services.discovery.servicer.words import number_of
from shared.cidr import AddressFamily
from shared.ids import arn
from shared.tags import tags_from_specifications, tags_to_proto

RESOLVER, TARGET = "ipam-prefix-list-resolver", "ipam-prefix-list-resolver-target"
"""AWS's names of the kinds of resource."""


_FAMILIES: Mapping[int, AddressFamily] = {
    types_pb2.ADDRESS_FAMILY_IPV4: AddressFamily.IPV4,
    types_pb2.ADDRESS_FAMILY_IPV6: AddressFamily.IPV6,
}


def new_resolver_from_proto(request: pb.CreateIpamPrefixListResolverRequest) -> NewResolver:
    return NewResolver(
        ipam_id=request.ipam_id,
        family=_FAMILIES[request.address_family],
        description=request.description if request.HasField("description") else None,
        rules=rules_from_proto(request.rules),
        tags=tags_from_specifications(request.tag_specifications, RESOLVER),
    )


def resolver_change_from_proto(request: pb.ModifyIpamPrefixListResolverRequest) -> ResolverChange:
    return ResolverChange(
        description=request.description if request.HasField("description") else None,
        rules=rules_from_proto(request.rules) if request.rules else None,
    )


def resolver_to_proto(
    resolver: Resolver, state: ResolverState | None = None
) -> pb.IpamPrefixListResolver:
    """``state`` is what is said instead of what it is in."""
    owner_id = resolver.owner_id
    return pb.IpamPrefixListResolver(
        owner_id=owner_id,
        ipam_prefix_list_resolver_id=resolver.resolver_id,
        ipam_prefix_list_resolver_arn=arn(owner_id, RESOLVER, resolver.resolver_id),
        ipam_arn=arn(owner_id, "ipam", resolver.ipam_id),
        ipam_region=resolver.region,
        description=resolver.description,
        address_family=number_of(types_pb2.AddressFamily, resolver.family),
        state=number_of(pb.IpamPrefixListResolverState, state or resolver.state),
        tags=tags_to_proto(resolver.tags),
        last_version_creation_status=number_of(
            pb.IpamPrefixListResolverVersionCreationStatus, resolver.status
        ),
        last_version_creation_status_message=resolver.status_message,
    )


def created_resolver_to_proto(resolver: Resolver) -> pb.CreateIpamPrefixListResolverResponse:
    return pb.CreateIpamPrefixListResolverResponse(
        ipam_prefix_list_resolver=resolver_to_proto(resolver, ResolverState.CREATE_IN_PROGRESS)
    )


def new_target_from_proto(request: pb.CreateIpamPrefixListResolverTargetRequest) -> NewTarget:
    return NewTarget(
        resolver_id=request.ipam_prefix_list_resolver_id,
        prefix_list_id=request.prefix_list_id,
        prefix_list_region=request.prefix_list_region,
        aim=aim_from_proto(request),
        tags=tags_from_specifications(request.tag_specifications, TARGET),
    )


def aim_from_proto(
    request: (
        pb.CreateIpamPrefixListResolverTargetRequest | pb.ModifyIpamPrefixListResolverTargetRequest
    ),
) -> Aim:
    return Aim(
        desired_version=request.desired_version if request.HasField("desired_version") else None,
        tracks_latest=(
            request.track_latest_version if request.HasField("track_latest_version") else None
        ),
    )


def target_to_proto(
    shown: ShownTarget, state: TargetState | None = None
) -> pb.IpamPrefixListResolverTarget:
    """``state`` is what is said instead of what it is in."""
    target = shown.target
    return pb.IpamPrefixListResolverTarget(
        ipam_prefix_list_resolver_target_id=target.target_id,
        ipam_prefix_list_resolver_target_arn=arn(target.owner_id, TARGET, target.target_id),
        ipam_prefix_list_resolver_id=target.resolver_id,
        owner_id=target.owner_id,
        prefix_list_id=target.prefix_list_id,
        prefix_list_region=target.prefix_list_region,
        desired_version=shown.wanted_version,
        last_synced_version=target.last_synced_version,
        track_latest_version=target.desired_version is None,
        state_message=target.state_message,
        state=number_of(pb.IpamPrefixListResolverTargetState, state or target.state),
        tags=tags_to_proto(target.tags),
    )


def described_target_to_proto(shown: ShownTarget) -> pb.IpamPrefixListResolverTarget:
    return target_to_proto(shown)


def created_target_to_proto(
    shown: ShownTarget,
) -> pb.CreateIpamPrefixListResolverTargetResponse:
    return pb.CreateIpamPrefixListResolverTargetResponse(
        ipam_prefix_list_resolver_target=target_to_proto(shown, TargetState.CREATE_IN_PROGRESS)
    )


def modified_target_to_proto(
    shown: ShownTarget,
) -> pb.ModifyIpamPrefixListResolverTargetResponse:
    return pb.ModifyIpamPrefixListResolverTargetResponse(
        ipam_prefix_list_resolver_target=target_to_proto(shown, TargetState.MODIFY_IN_PROGRESS)
    )
