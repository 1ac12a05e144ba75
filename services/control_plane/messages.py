"""Contract messages from and to what they mean here."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import control_service_pb2 as pb
from cadastre.control.v1 import inventory_service_pb2, ipam_pb2, ipam_pool_pb2, ipam_scope_pb2
from services.control_plane.allocation_rules import AllocationRules, RulesChange
from services.control_plane.ipam import Ipam, IpamChange, NewIpam, Tier
from services.control_plane.lifecycle import State
from services.control_plane.metering import MeteredAccount
from services.control_plane.new_pool import NewPool
from services.control_plane.pool import (
    AwsService,
    Pool,
    PoolChange,
    PublicIpSource,
    definition_version,
    is_changing,
)
from services.control_plane.scope import NewScope, Scope, ScopeType
from services.control_plane.source_resource import SourceResource
from shared.cidr import AddressFamily
from shared.errors import InvalidParameterCombination, MissingParameter, UnsupportedOperation
from shared.ids import VPC, arn
from shared.rpc.enums import aws_enum_name, enum_number
from shared.tags import tags_from_proto, tags_from_specifications, tags_to_proto

Word = TypeVar("Word", bound=StrEnum)


def ipam_to_proto(ipam: Ipam) -> ipam_pb2.Ipam:
    return ipam_pb2.Ipam(
        owner_id=ipam.owner_id,
        ipam_id=ipam.ipam_id,
        ipam_arn=arn(ipam.owner_id, "ipam", ipam.ipam_id),
        ipam_region=ipam.region,
        public_default_scope_id=ipam.public_default_scope_id,
        private_default_scope_id=ipam.private_default_scope_id,
        scope_count=ipam.scope_count,
        description=ipam.description,
        operating_regions=[
            ipam_pb2.IpamOperatingRegion(region_name=region) for region in ipam.operating_regions
        ],
        state=proto_number(ipam_pb2.IpamState, ipam.state),
        tags=tags_to_proto(ipam.tags),
        default_resource_discovery_id=ipam.default_resource_discovery_id,
        default_resource_discovery_association_id=ipam.default_resource_discovery_association_id,
        resource_discovery_association_count=ipam.resource_discovery_association_count,
        state_message=ipam.state_message,
        tier=proto_number(ipam_pb2.IpamTier, ipam.tier),
        enable_private_gua=ipam.enable_private_gua,
        metered_account=proto_number(ipam_pb2.IpamMeteredAccount, ipam.metering.account),
    )


def scope_to_proto(scope: Scope) -> ipam_scope_pb2.IpamScope:
    return ipam_scope_pb2.IpamScope(
        owner_id=scope.owner_id,
        ipam_scope_id=scope.ipam_scope_id,
        ipam_scope_arn=arn(scope.owner_id, "ipam-scope", scope.ipam_scope_id),
        ipam_arn=arn(scope.owner_id, "ipam", scope.ipam_id),
        ipam_region=scope.ipam_region,
        ipam_scope_type=proto_number(types_pb2.IpamScopeType, scope.scope_type),
        is_default=scope.is_default,
        description=scope.description,
        pool_count=scope.pool_count,
        state=proto_number(ipam_scope_pb2.IpamScopeState, scope.state),
        tags=tags_to_proto(scope.tags),
    )


def listed_ipam_to_proto(ipam: Ipam, scopes: Iterable[Scope]) -> inventory_service_pb2.ListedIpam:
    held: dict[ScopeType, list[str]] = {ScopeType.PUBLIC: [], ScopeType.PRIVATE: []}
    for scope in scopes:
        if scope.state is not State.DELETE_IN_PROGRESS:
            held[scope.scope_type].append(scope.ipam_scope_id)
    return inventory_service_pb2.ListedIpam(
        ipam_id=ipam.ipam_id,
        owner_id=ipam.owner_id,
        region=ipam.region,
        is_free_tier=ipam.tier is Tier.FREE,
        public_default_scope_id=ipam.public_default_scope_id,
        private_default_scope_id=ipam.private_default_scope_id,
        public_scope_ids=held[ScopeType.PUBLIC],
        private_scope_ids=held[ScopeType.PRIVATE],
        is_being_deleted=ipam.state is State.DELETE_IN_PROGRESS,
        operating_regions=ipam.operating_regions,
        distributes_costs=ipam.metering.account is MeteredAccount.RESOURCE_OWNER,
    )


def listed_pool_to_proto(pool: Pool, ipam: Ipam) -> inventory_service_pb2.ListedIpamPool:
    return inventory_service_pb2.ListedIpamPool(
        ipam_pool_id=pool.ipam_pool_id,
        definition_version=definition_version(ipam, pool),
        is_changing=is_changing(ipam, pool),
    )


def pool_to_proto(pool: Pool) -> ipam_pool_pb2.IpamPool:
    rules = pool.rules
    return ipam_pool_pb2.IpamPool(
        owner_id=pool.owner_id,
        ipam_pool_id=pool.ipam_pool_id,
        source_ipam_pool_id=pool.source_ipam_pool_id,
        ipam_pool_arn=arn(pool.owner_id, "ipam-pool", pool.ipam_pool_id),
        ipam_scope_arn=arn(pool.owner_id, "ipam-scope", pool.ipam_scope_id),
        ipam_scope_type=proto_number(types_pb2.IpamScopeType, pool.scope_type),
        ipam_arn=arn(pool.owner_id, "ipam", pool.ipam_id),
        ipam_region=pool.ipam_region,
        locale=pool.locale,
        pool_depth=pool.depth,
        state=proto_number(ipam_pool_pb2.IpamPoolState, pool.state),
        state_message=pool.state_message,
        description=pool.description,
        auto_import=rules.auto_import,
        publicly_advertisable=pool.publicly_advertisable,
        address_family=proto_number(types_pb2.AddressFamily, pool.address_family.value),
        allocation_min_netmask_length=rules.min_netmask_length,
        allocation_max_netmask_length=rules.max_netmask_length,
        allocation_default_netmask_length=rules.default_netmask_length,
        allocation_resource_tags=[
            ipam_pool_pb2.IpamResourceTag(key=key, value=value)
            for key, value in sorted(rules.resource_tags.items())
        ],
        tags=tags_to_proto(pool.tags),
        aws_service=proto_number(types_pb2.IpamPoolAwsService, pool.aws_service),
        public_ip_source=proto_number(types_pb2.IpamPoolPublicIpSource, pool.public_ip_source),
        source_resource=_source_resource_to_proto(pool.source_resource),
    )


def _source_resource_to_proto(
    resource: SourceResource | None,
) -> ipam_pool_pb2.IpamPoolSourceResource | None:
    if resource is None:
        return None
    return ipam_pool_pb2.IpamPoolSourceResource(
        resource_id=resource.resource_id,
        resource_type=ipam_pool_pb2.IPAM_POOL_SOURCE_RESOURCE_TYPE_VPC,
        resource_region=resource.resource_region,
        resource_owner=resource.resource_owner,
    )


def new_ipam_from_proto(request: pb.CreateIpamRequest) -> NewIpam:
    return NewIpam(
        description=given(request, "description"),
        operating_regions=region_names(request.operating_regions),
        tags=tags_from_specifications(request.tag_specifications, "ipam"),
        tier=_word(request, "tier", Tier) or Tier.ADVANCED,
        enable_private_gua=request.enable_private_gua,
        metered_account=(
            _word(request, "metered_account", MeteredAccount) or MeteredAccount.IPAM_OWNER
        ),
    )


def ipam_change_from_proto(request: pb.ModifyIpamRequest) -> IpamChange:
    return IpamChange(
        description=given(request, "description"),
        add_operating_regions=region_names(request.add_operating_regions),
        remove_operating_regions=region_names(request.remove_operating_regions),
        tier=_word(request, "tier", Tier),
        enable_private_gua=given(request, "enable_private_gua"),
        metered_account=_word(request, "metered_account", MeteredAccount),
    )


def new_scope_from_proto(request: pb.CreateIpamScopeRequest) -> NewScope:
    _refuse_external_authority(request)
    return NewScope(
        ipam_id=request.ipam_id,
        description=given(request, "description"),
        tags=tags_from_specifications(request.tag_specifications, "ipam-scope"),
    )


def scope_description_from_proto(request: pb.ModifyIpamScopeRequest) -> str | None:
    """The new description; no scope has an external authority, so removing one changes nothing."""
    if (
        request.HasField("external_authority_configuration")
        and request.remove_external_authority_configuration
    ):
        raise InvalidParameterCombination(
            "ExternalAuthorityConfiguration and RemoveExternalAuthorityConfiguration exclude each"
            " other; send one of them"
        )
    _refuse_external_authority(request)
    description: str | None = given(request, "description")
    return description


def new_pool_from_proto(request: pb.CreateIpamPoolRequest) -> NewPool:
    family = aws_enum_name(types_pb2.AddressFamily.DESCRIPTOR, request.address_family)
    return NewPool(
        ipam_scope_id=request.ipam_scope_id,
        address_family=AddressFamily(family),
        source_ipam_pool_id=request.source_ipam_pool_id or None,
        locale=request.locale or None,
        description=given(request, "description"),
        publicly_advertisable=given(request, "publicly_advertisable"),
        aws_service=_word(request, "aws_service", AwsService),
        public_ip_source=_word(request, "public_ip_source", PublicIpSource),
        source_resource=(
            _source_resource_from_proto(request.source_resource)
            if request.HasField("source_resource")
            else None
        ),
        rules=AllocationRules(
            min_netmask_length=given(request, "allocation_min_netmask_length"),
            max_netmask_length=given(request, "allocation_max_netmask_length"),
            default_netmask_length=given(request, "allocation_default_netmask_length"),
            resource_tags=_resource_tags(request.allocation_resource_tags),
            auto_import=request.auto_import,
        ),
        tags=tags_from_specifications(request.tag_specifications, "ipam-pool"),
    )


def _source_resource_from_proto(
    resource: ipam_pool_pb2.IpamPoolSourceResourceRequest,
) -> SourceResource:
    for member in ("resource_id", "resource_type", "resource_region", "resource_owner"):
        if not getattr(resource, member):
            first, second = member.split("_")
            raise MissingParameter(f"sourceResource.{first}{second.capitalize()}")
    return SourceResource(
        resource_id=VPC.check(resource.resource_id),
        resource_region=resource.resource_region,
        resource_owner=resource.resource_owner,
    )


def pool_change_from_proto(request: pb.ModifyIpamPoolRequest) -> PoolChange:
    rules = RulesChange(
        min_netmask_length=given(request, "allocation_min_netmask_length"),
        max_netmask_length=given(request, "allocation_max_netmask_length"),
        default_netmask_length=given(request, "allocation_default_netmask_length"),
        clear_default_netmask_length=request.clear_allocation_default_netmask_length,
        add_resource_tags=_resource_tags(request.add_allocation_resource_tags),
        remove_resource_tags={
            tag.key: given(tag, "value") for tag in request.remove_allocation_resource_tags
        },
        auto_import=given(request, "auto_import"),
    )
    return PoolChange(description=given(request, "description"), rules=rules)


def _refuse_external_authority(request: Any) -> None:
    if request.HasField("external_authority_configuration"):
        raise UnsupportedOperation(
            "External authorities are not supported by this version: it alone decides over a"
            " scope's space; leave ExternalAuthorityConfiguration out",
            parameter="externalAuthorityConfiguration",
        )


def region_names(regions: Iterable[Any]) -> tuple[str, ...]:
    return tuple(region.region_name for region in regions)


def _resource_tags(tags: Iterable[ipam_pool_pb2.RequestIpamResourceTag]) -> Mapping[str, str]:
    return tags_from_proto(types_pb2.Tag(key=tag.key, value=tag.value) for tag in tags)


def given(message: Any, member: str) -> Any:
    """An optional member's value, None when the client left it out."""
    return getattr(message, member) if message.HasField(member) else None


def _word(message: Any, member: str, words: type[Word]) -> Word | None:
    """An optional enum member as AWS's word for it."""
    if not message.HasField(member):
        return None
    enum_type = message.DESCRIPTOR.fields_by_name[member].enum_type
    return words(aws_enum_name(enum_type, getattr(message, member)))


def proto_number(enum_type: Any, word: str | None) -> Any:
    """The contract's number for AWS's word; None stays out of the answer."""
    return None if word is None else enum_number(enum_type.DESCRIPTOR, word)


def timestamp_to_proto(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp
