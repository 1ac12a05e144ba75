"""Our own metrics of address space, beside AWS's: counts, and every resource (BEY-11)."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from services.metrics.figures import IpamFigures, PoolUsage, ResourceCidrCount, Utilization

_POOL = ("ipam_id", "ipam_scope_id", "ipam_pool_id", "address_family", "locale")
_RESOURCE = (
    "ipam_scope_id",
    "resource_type",
    "resource_id",
    "vpc_id",
    "owner_id",
    "region",
    "address_family",
    "name",
)
_RESOURCE_CIDRS = (
    "ipam_id",
    "ipam_scope_id",
    "address_family",
    "resource_type",
    "management_state",
    "compliance_status",
    "overlap_status",
)

_OF_POOLS: Mapping[str, tuple[str, Callable[[PoolUsage], float]]] = {
    "addresses": ("Addresses in the pool's CIDRs.", lambda pool: pool.addresses),
    "allocated_addresses": ("Addresses allocated to other pools.", lambda pool: pool.allocated),
    "assigned_addresses": (
        "Addresses allocated to resources or by hand.",
        lambda pool: pool.assigned,
    ),
    "free_addresses": (
        "Addresses that can be allocated now: neither allocated, nor resting, nor held.",
        lambda pool: pool.free,
    ),
    "allocations": ("Live allocations.", lambda pool: pool.allocations),
    "cidrs": ("Provisioned CIDRs.", lambda pool: pool.cidrs),
    "free_blocks": (
        "Blocks that the free space is, the fewest that cover it.",
        lambda pool: pool.free_blocks,
    ),
    "largest_free_block_addresses": (
        "Addresses in the largest free block; 0 when nothing is free.",
        lambda pool: pool.largest_free_block,
    ),
    "fragmentation_ratio": (
        "Part of the free space that is outside the largest free block, 0 to 1.",
        lambda pool: pool.fragmentation,
    ),
}


def own_families(
    figures: Iterable[IpamFigures],
) -> list[GaugeMetricFamily | CounterMetricFamily]:
    """All but those of single resources; what is not known is left out."""
    known = list(figures)
    return [
        _info(known),
        *_of_pools(known),
        _active_ips(known),
        _active_ip_hours(known),
        _public_ips(known),
        _resource_cidrs(known),
    ]


def resource_families(usages: Iterable[Utilization]) -> list[GaugeMetricFamily]:
    """How full every resource is."""
    ratios = GaugeMetricFamily(
        "cadastre_ipam_resource_ip_usage_ratio",
        "Part of the resource's space that is in use, 0 to 1.",
        labels=_RESOURCE,
    )
    addresses = GaugeMetricFamily(
        "cadastre_ipam_resource_addresses",
        "Addresses in the resource's CIDRs of the family in the scope.",
        labels=_RESOURCE,
    )
    for one in usages:
        labels = (
            one.group.scope_id,
            one.group.resource_type,
            one.resource_id,
            one.vpc_id,
            one.owner_id,
            one.region,
            one.group.family.value,
            one.name,
        )
        ratios.add_metric(labels, one.ip_usage)
        addresses.add_metric(labels, float(one.addresses))
    return [ratios, addresses]


def _info(figures: Iterable[IpamFigures]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "cadastre_ipam_info", "An IPAM there is.", labels=("ipam_id", "owner_id", "region", "tier")
    )
    for ipam in (one.ipam for one in figures if one.is_listed):
        tier = "free" if ipam.is_free_tier else "advanced"
        family.add_metric((ipam.ipam_id, ipam.owner_id, ipam.region, tier), 1)
    return family


def _of_pools(figures: Iterable[IpamFigures]) -> list[GaugeMetricFamily]:
    pools = [
        ((of.ipam.ipam_id, pool.scope_id, pool.pool_id, pool.family.value, pool.locale), pool)
        for of in figures
        for pool in of.pools or ()
    ]
    made = []
    for name, (help_, value_of) in _OF_POOLS.items():
        family = GaugeMetricFamily(f"cadastre_ipam_pool_{name}", help_, labels=_POOL)
        for labels, pool in pools:
            family.add_metric(labels, float(value_of(pool)))
        made.append(family)
    return made


def _active_ips(figures: Iterable[IpamFigures]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "cadastre_ipam_active_ip_addresses",
        "Addresses and prefixes on interfaces attached to resources.",
        labels=("ipam_id", "account_id"),
    )
    for of in figures:
        if of.monitored:
            for account_id, count in of.monitored.active_ips.items():
                family.add_metric((of.ipam.ipam_id, account_id), count)
    return family


def _active_ip_hours(figures: Iterable[IpamFigures]) -> CounterMetricFamily:
    """Discovery's database counts, so neither restarts nor replicas begin anew."""
    family = CounterMetricFamily(
        "cadastre_ipam_active_ip_hours",
        "Hours that addresses were active, all together, as the advanced tier charges for them.",
        labels=("ipam_id",),
    )
    for of in figures:
        if of.monitored:
            family.add_metric((of.ipam.ipam_id,), of.monitored.active_ip_hours)
    return family


def _public_ips(figures: Iterable[IpamFigures]) -> GaugeMetricFamily:
    labels = ("ipam_id", "region", "address_type", "association_status")
    family = GaugeMetricFamily(
        "cadastre_ipam_public_ip_addresses", "Public IPv4 addresses in use.", labels=labels
    )
    return _counted(
        family,
        (
            ((of.ipam.ipam_id, one.region, one.address_type, one.association_status), one.count)
            for of in figures
            for one in (of.monitored.public_addresses if of.monitored else ())
        ),
    )


def _resource_cidrs(figures: Iterable[IpamFigures]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "cadastre_ipam_resource_cidrs",
        "Resource CIDRs; a state that does not apply is empty.",
        labels=_RESOURCE_CIDRS,
    )

    def labels_of(ipam_id: str, one: ResourceCidrCount) -> tuple[str, ...]:
        return (
            ipam_id,
            one.scope_id,
            one.family.value,
            one.resource_type,
            one.management_state,
            one.compliance_status,
            one.overlap_status,
        )

    return _counted(
        family,
        (
            (labels_of(of.ipam.ipam_id, one), one.count)
            for of in figures
            for one in (of.monitored.resource_cidrs if of.monitored else ())
        ),
    )


def _counted(
    family: GaugeMetricFamily, counts: Iterable[tuple[tuple[str, ...], int]]
) -> GaugeMetricFamily:
    """``family`` with the sum of what has the same labels."""
    sums: Counter[tuple[str, ...]] = Counter()
    for labels, count in counts:
        sums[labels] += count
    for labels, total in sums.items():
        family.add_metric(labels, total)
    return family
