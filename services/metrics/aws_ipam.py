"""The 28 metrics of namespace AWS/IPAM (requirements.md section 13)."""

from services.metrics.series import COUNT, NONE, PERCENT, Metric

_IPAM = ("IpamId",)
_POOL = ("AddressFamily", "Locale", "PoolID", "ScopeID")
_SCOPE = ("AddressFamily", "ScopeID")
_CONTIGUOUS = ("IpamId", "PoolID", "Region")
_PUBLIC_IPS = ("IpamId", "Region")
_AVERAGE, _MAXIMUM = "Average", "Maximum"


def _count(name: str, dimensions: tuple[str, ...], help_: str) -> Metric:
    return Metric(name, COUNT, dimensions, _AVERAGE, help_)


def _public(name: str, help_: str) -> Metric:
    return _count(name, _PUBLIC_IPS, help_)


def _percent(name: str, help_: str) -> Metric:
    return Metric(name, PERCENT, _POOL, _AVERAGE, help_)


TOTAL_ACTIVE_IPS = _count(
    "TotalActiveIpCount", _IPAM, "Addresses and prefixes on interfaces attached to resources."
)

_COMPLIANT, _NONCOMPLIANT = "CompliantResourceCidrs", "NoncompliantResourceCidrs"
_COMPLIANT_HELP = "Managed resource CIDRs that keep the rules of their pool."
_NONCOMPLIANT_HELP = "Managed resource CIDRs that break a rule of their pool."

POOL_COMPLIANT = _count(_COMPLIANT, _POOL, _COMPLIANT_HELP)
POOL_NONCOMPLIANT = _count(_NONCOMPLIANT, _POOL, _NONCOMPLIANT_HELP)
PERCENT_ALLOCATED = _percent(
    "PercentAllocated", "Part of the pool's space that is allocated to other pools, in percent."
)
PERCENT_ASSIGNED = _percent(
    "PercentAssigned",
    "Part of the pool's space that is allocated to resources or by hand, in percent.",
)
PERCENT_AVAILABLE = _percent(
    "PercentAvailable", "Part of the pool's space that is not allocated, in percent."
)

SCOPE_COMPLIANT = _count(_COMPLIANT, _SCOPE, _COMPLIANT_HELP)
SCOPE_MANAGED = _count(
    "ManagedResourceCidrs", _SCOPE, "Resource CIDRs that are allocated from a pool of the scope."
)
SCOPE_NONCOMPLIANT = _count(_NONCOMPLIANT, _SCOPE, _NONCOMPLIANT_HELP)
SCOPE_OVERLAPPING = _count(
    "OverlappingResourceCidrs", _SCOPE, "Resource CIDRs that overlap others in the scope."
)
SCOPE_UNMANAGED = _count(
    "UnmanagedResourceCidrs", _SCOPE, "Resource CIDRs that could be managed, but are not."
)

CONTIGUOUS = _count(
    "AmazonOwnedContigIPs", _CONTIGUOUS, "Addresses in the pool's blocks of Amazon's."
)
CONTIGUOUS_ALLOCATED = _count(
    "AllocatedAmazonOwnedContigIPs", _CONTIGUOUS, "Addresses of these that are allocated."
)
CONTIGUOUS_UNALLOCATED = _count(
    "UnallocatedAmazonOwnedContigIPs", _CONTIGUOUS, "Addresses of these that are not allocated."
)
CONTIGUOUS_ASSOCIATED = _count(
    "AssociatedAmazonOwnedContigIPs",
    _CONTIGUOUS,
    "Elastic IP addresses of these that are associated with an interface.",
)
CONTIGUOUS_UNASSOCIATED = _count(
    "UnassociatedAmazonOwnedContigIPs",
    _CONTIGUOUS,
    "Elastic IP addresses of these that are associated with no interface.",
)

VPC_IP_USAGE = Metric(
    "VpcIPUsage",
    NONE,
    ("AddressFamily", "OwnerID", "Region", "ScopeID", "VpcID"),
    _MAXIMUM,
    "Part of the VPC's space that its subnets cover, 0 to 1.",
)
SUBNET_IP_USAGE = Metric(
    "SubnetIPUsage",
    NONE,
    ("AddressFamily", "OwnerID", "Region", "ScopeID", "SubnetID", "VpcID"),
    _MAXIMUM,
    "Part of the subnet's addresses that are in use, 0 to 1.",
)
PUBLIC_POOL_IP_USAGE = Metric(
    "PublicIPv4PoolIPUsage",
    NONE,
    ("OwnerID", "PublicIPv4PoolID", "Region", "ScopeID"),
    _MAXIMUM,
    "Part of the public IPv4 pool that is elastic IP addresses, 0 to 1.",
)

ASSOCIATED, DISASSOCIATED = "associated", "disassociated"
_ELASTIC, _BYOIP, CONTIGUOUS_IP = "amazon-owned-eip", "byoip", "amazon-owned-contig"
PUBLIC_IPS: tuple[tuple[Metric, str, str | None], ...] = (
    (
        _public("AmazonOwnedElasticIPs", "Elastic IP addresses of Amazon's."),
        _ELASTIC,
        None,
    ),
    (
        _public(
            "AssociatedAmazonOwnedElasticIPs",
            "Elastic IP addresses of Amazon's that are associated with a resource.",
        ),
        _ELASTIC,
        ASSOCIATED,
    ),
    (
        _public(
            "UnassociatedAmazonOwnedElasticIPs",
            "Elastic IP addresses of Amazon's that are associated with no resource.",
        ),
        _ELASTIC,
        DISASSOCIATED,
    ),
    (
        _public("BringYourOwnIPs", "Public IPv4 addresses that were brought along."),
        _BYOIP,
        None,
    ),
    (
        _public(
            "AssociatedBringYourOwnIPs",
            "Public IPv4 addresses brought along that are associated with a resource.",
        ),
        _BYOIP,
        ASSOCIATED,
    ),
    (
        _public(
            "UnassociatedBringYourOwnIPs",
            "Public IPv4 addresses brought along that are associated with no resource.",
        ),
        _BYOIP,
        DISASSOCIATED,
    ),
    (
        _public("EC2PublicIPs", "Public IPv4 addresses that instances got at launch."),
        "ec2-public-ip",
        None,
    ),
    (
        _public("ServiceManagedIPs", "Public IPv4 addresses that services manage."),
        "service-managed-ip",
        None,
    ),
    (
        _public(
            "ServiceManagedBringYourOwnIPs",
            "Public IPv4 addresses brought along that services manage.",
        ),
        "service-managed-byoip",
        None,
    ),
)
"""Each with the address type and the association status that it counts; None: both."""

METRICS: tuple[Metric, ...] = (
    TOTAL_ACTIVE_IPS,
    POOL_COMPLIANT,
    POOL_NONCOMPLIANT,
    PERCENT_ALLOCATED,
    PERCENT_ASSIGNED,
    PERCENT_AVAILABLE,
    SCOPE_COMPLIANT,
    SCOPE_MANAGED,
    SCOPE_NONCOMPLIANT,
    SCOPE_OVERLAPPING,
    SCOPE_UNMANAGED,
    CONTIGUOUS,
    CONTIGUOUS_ALLOCATED,
    CONTIGUOUS_UNALLOCATED,
    CONTIGUOUS_ASSOCIATED,
    CONTIGUOUS_UNASSOCIATED,
    VPC_IP_USAGE,
    SUBNET_IP_USAGE,
    PUBLIC_POOL_IP_USAGE,
    *(metric for metric, _, _ in PUBLIC_IPS),
)
