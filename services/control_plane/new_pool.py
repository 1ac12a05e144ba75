"""The rules of making a pool (POOL-1 to POOL-3, SCP-4, IPAM-3, IPAM-4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from services.control_plane.allocation_rules import AllocationRules, checked
from services.control_plane.errors import IpamPoolDepthLimitExceeded
from services.control_plane.ipam import Ipam, Tier
from services.control_plane.pool import AwsService, Pool, PublicIpSource, begins_plan
from services.control_plane.regions import NO_LOCALE
from services.control_plane.scope import Scope, ScopeType
from services.control_plane.source_resource import SourceResource
from shared.cidr import AddressFamily
from shared.errors import (
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
    OperationNotPermitted,
)
from shared.regions import is_local_zone, region_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPool:
    """What a caller may say about a pool to be made; None leaves it to source pool or default."""

    ipam_scope_id: str
    address_family: AddressFamily
    source_ipam_pool_id: str | None = None
    locale: str | None = None
    description: str | None = None
    publicly_advertisable: bool | None = None
    aws_service: AwsService | None = None
    public_ip_source: PublicIpSource | None = None
    source_resource: SourceResource | None = None
    rules: AllocationRules = field(default_factory=AllocationRules)
    tags: Mapping[str, str] = field(default_factory=dict)


def pool_to_create(
    wanted: NewPool,
    *,
    ipam: Ipam,
    scope: Scope,
    source: Pool | None,
    ipam_pool_id: str,
    depth_quota: int,
) -> Pool:
    """The pool ``wanted`` describes, when its scope and source allow it.

    Raises:
        InvalidParameterValue: a value its IPAM, scope or source doesn't allow.
        InvalidParameterCombination: values that exclude each other.
        MissingParameter: an IPv6 pool for own public addresses leaves open if they are advertised.
        OperationNotPermitted: the IPAM's tier has no such pools.
        IpamPoolDepthLimitExceeded: it would lie too deep.
    """
    if source:
        _check_source(wanted, source, depth_quota)
    _check_source_resource(wanted, scope, source)
    wanted = _with_defaults(wanted, scope, source)
    _check_public_members(wanted, scope)
    if source is None and wanted.public_ip_source is PublicIpSource.AMAZON:
        _check_amazon_members(wanted)
    locale = wanted.locale or NO_LOCALE
    _check_locale(locale, ipam, scope, wanted.address_family)
    return Pool(
        ipam_pool_id=ipam_pool_id,
        ipam_id=ipam.ipam_id,
        ipam_scope_id=scope.ipam_scope_id,
        scope_type=scope.scope_type,
        owner_id=ipam.owner_id,
        ipam_region=ipam.region,
        source_ipam_pool_id=source.ipam_pool_id if source else None,
        depth=source.depth + 1 if source else 1,
        address_family=wanted.address_family,
        locale=locale,
        description=wanted.description,
        publicly_advertisable=wanted.publicly_advertisable,
        aws_service=wanted.aws_service,
        public_ip_source=wanted.public_ip_source,
        source_resource=wanted.source_resource,
        rules=checked(wanted.rules, wanted.address_family, has_locale=locale != NO_LOCALE),
        tags=wanted.tags,
    )


def _check_source(wanted: NewPool, source: Pool, depth_quota: int) -> None:
    """A pool takes space from a pool of its own scope and family, and keeps to its locale."""
    source_id = source.ipam_pool_id
    if source.ipam_scope_id != wanted.ipam_scope_id:
        raise _differs("ipamScopeId", wanted.ipam_scope_id, source_id, source.ipam_scope_id)
    if source.address_family is not wanted.address_family:
        family, other = wanted.address_family.value, source.address_family.value
        raise _differs("addressFamily", family, source_id, other)
    if source.locale != NO_LOCALE and wanted.locale not in (None, source.locale):
        raise _differs("locale", wanted.locale, source_id, source.locale)
    if source.public_ip_source and wanted.public_ip_source not in (None, source.public_ip_source):
        raise _differs(
            "publicIpSource", wanted.public_ip_source, source_id, source.public_ip_source
        )
    planned = source.source_resource
    if planned is not None and wanted.source_resource not in (None, planned):
        resource_id = wanted.source_resource.resource_id
        raise _differs("sourceResource", resource_id, source_id, planned.resource_id)
    if wanted.publicly_advertisable and source.publicly_advertisable is False:
        raise _differs("publiclyAdvertisable", "true", source_id, "false")
    if source.depth >= depth_quota:
        raise IpamPoolDepthLimitExceeded(source_id, source.depth, depth_quota)


def _differs(
    parameter: str, value: object, source_id: str, source_value: object
) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"Value ({value}) for parameter {parameter} is invalid; source pool '{source_id}' has"
        f" '{source_value}'",
        parameter=parameter,
        value=value,
        source_ipam_pool_id=source_id,
        source_value=source_value,
    )


def _with_defaults(wanted: NewPool, scope: Scope, source: Pool | None) -> NewPool:
    """What a caller leaves out is as in the source pool, and at the top as documented."""
    locale, ip_source, advertisable = NO_LOCALE, None, None
    aws_service, resource = wanted.aws_service, wanted.source_resource
    if scope.scope_type is ScopeType.PUBLIC:
        ip_source = PublicIpSource.BYOIP
    if source:
        locale, advertisable = source.locale, source.publicly_advertisable
        ip_source = source.public_ip_source
        aws_service = aws_service or source.aws_service
    if resource and begins_plan(resource, source):
        locale = resource.resource_region
    elif source:
        resource = source.source_resource
    return replace(
        wanted,
        locale=wanted.locale or locale,
        aws_service=aws_service,
        source_resource=resource,
        public_ip_source=wanted.public_ip_source or ip_source,
        publicly_advertisable=(
            advertisable if wanted.publicly_advertisable is None else wanted.publicly_advertisable
        ),
    )


def _check_public_members(wanted: NewPool, scope: Scope) -> None:
    if scope.scope_type is ScopeType.PRIVATE:
        for parameter, value in [
            ("AwsService", wanted.aws_service),
            ("PublicIpSource", wanted.public_ip_source),
        ]:
            if value is not None:
                raise InvalidParameterCombination(
                    f"{parameter} '{value}' is for pools in the public scope, and"
                    f" '{scope.ipam_scope_id}' is private; leave {parameter} out",
                    parameter=parameter,
                    value=value,
                    ipam_scope_id=scope.ipam_scope_id,
                )
    _check_advertisable(wanted)


def _check_amazon_members(wanted: NewPool) -> None:
    """Amazon's space is one region's, and its IPv4 space EC2's (PROV-4, PROV-5)."""
    if wanted.locale in (None, NO_LOCALE):
        raise MissingParameter("locale")
    if wanted.address_family is AddressFamily.IPV4 and wanted.aws_service is None:
        raise MissingParameter("awsService")
    if wanted.aws_service not in (None, AwsService.EC2):
        raise InvalidParameterCombination(
            f"AwsService '{wanted.aws_service}' has no Amazon-owned space; use '{AwsService.EC2}'",
            parameter="AwsService",
            value=wanted.aws_service,
        )


def _check_source_resource(wanted: NewPool, scope: Scope, source: Pool | None) -> None:
    """A VPC is planned in a private scope, by a pool that has its region as locale (VPC-3)."""
    resource = wanted.source_resource
    if resource is None or not begins_plan(resource, source):
        return
    if scope.scope_type is ScopeType.PUBLIC:
        raise InvalidParameterCombination(
            f"SourceResource is for pools in private scopes, and '{scope.ipam_scope_id}' is"
            " public; leave SourceResource out",
            parameter="SourceResource",
            value=resource.resource_id,
            ipam_scope_id=scope.ipam_scope_id,
        )
    above = source.locale if source and source.locale != NO_LOCALE else None
    for locale in (wanted.locale, above):
        if locale not in (None, resource.resource_region):
            raise InvalidParameterValue(
                f"Value ({locale}) for parameter locale is invalid; a pool that plans a VPC in"
                f" {resource.resource_region} has '{resource.resource_region}' as locale",
                parameter="locale",
                value=locale,
                resource_region=resource.resource_region,
            )


def _check_advertisable(wanted: NewPool) -> None:
    """AWS requires the member exactly where it means something."""
    means_something = (
        wanted.address_family is AddressFamily.IPV6
        and wanted.public_ip_source is PublicIpSource.BYOIP
    )
    if means_something and wanted.publicly_advertisable is None:
        raise MissingParameter("publiclyAdvertisable")
    if not means_something and wanted.publicly_advertisable is not None:
        raise InvalidParameterCombination(
            "The request can only contain PubliclyAdvertisable if the AddressFamily is ipv6, the"
            " scope is public and PublicIpSource is byoip",
            parameter="publiclyAdvertisable",
            value=wanted.publicly_advertisable,
        )


def _check_locale(locale: str, ipam: Ipam, scope: Scope, family: AddressFamily) -> None:
    """The IPAM works there (IPAM-3), and its tier allows it (IPAM-4)."""
    if locale != NO_LOCALE and region_of(locale) not in ipam.operating_regions:
        raise InvalidParameterValue(
            f"Value ({locale}) for parameter locale is invalid; use an operating region of"
            f" '{ipam.ipam_id}' ({', '.join(ipam.operating_regions)}) or '{NO_LOCALE}'",
            parameter="locale",
            value=locale,
            operating_regions=",".join(ipam.operating_regions),
        )
    is_public_ipv4 = scope.scope_type is ScopeType.PUBLIC and family is AddressFamily.IPV4
    if is_local_zone(locale) and not is_public_ipv4:
        raise InvalidParameterValue(
            f"Value ({locale}) for parameter locale is invalid; only IPv4 pools in the public scope"
            f" may have a local zone as locale, so use '{region_of(locale)}'",
            parameter="locale",
            value=locale,
        )
    if ipam.tier is Tier.FREE and locale != ipam.region:
        raise OperationNotPermitted(
            f"Locale '{locale}' needs tier '{Tier.ADVANCED}'; '{ipam.ipam_id}' is on tier"
            f" '{Tier.FREE}', whose pools have the home region '{ipam.region}' as locale",
            locale=locale,
            ipam_id=ipam.ipam_id,
            tier=ipam.tier,
        )
