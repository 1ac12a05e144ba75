"""The values of the metrics of namespace AWS/IPAM."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from services.metrics.aws_ipam import (
    ASSOCIATED,
    CONTIGUOUS,
    CONTIGUOUS_ALLOCATED,
    CONTIGUOUS_ASSOCIATED,
    CONTIGUOUS_IP,
    CONTIGUOUS_UNALLOCATED,
    CONTIGUOUS_UNASSOCIATED,
    DISASSOCIATED,
    PERCENT_ALLOCATED,
    PERCENT_ASSIGNED,
    PERCENT_AVAILABLE,
    POOL_COMPLIANT,
    POOL_NONCOMPLIANT,
    PUBLIC_IPS,
    PUBLIC_POOL_IP_USAGE,
    SCOPE_COMPLIANT,
    SCOPE_MANAGED,
    SCOPE_NONCOMPLIANT,
    SCOPE_OVERLAPPING,
    SCOPE_UNMANAGED,
    SUBNET_IP_USAGE,
    TOTAL_ACTIVE_IPS,
    VPC_IP_USAGE,
)
from services.metrics.figures import (
    PUBLIC_IPV4_POOL,
    SUBNET,
    VPC,
    Ipam,
    IpamFigures,
    Monitored,
    PoolUsage,
    PublicAddressCount,
    Utilization,
)
from services.metrics.series import Metric, Series
from shared.cidr import AddressFamily
from shared.ids import arn
from shared.regions import region_of

_USAGES = {
    VPC: (VPC_IP_USAGE, "vpc"),
    SUBNET: (SUBNET_IP_USAGE, "subnet"),
    PUBLIC_IPV4_POOL: (PUBLIC_POOL_IP_USAGE, "ipv4pool-ec2"),
}
"""By type of resource, each with what its ARN has for it."""

_COUNTED_IN_SCOPES = (
    (SCOPE_COMPLIANT, "compliance_status", "compliant"),
    (SCOPE_MANAGED, "management_state", "managed"),
    (SCOPE_NONCOMPLIANT, "compliance_status", "noncompliant"),
    (SCOPE_OVERLAPPING, "overlap_status", "overlapping"),
    (SCOPE_UNMANAGED, "management_state", "unmanaged"),
)
"""Each with the member of counts that it goes by, and its word there."""


def series_of(figures: Iterable[IpamFigures]) -> list[Series]:
    """All that the figures allow, zeros included; linear in what they hold.

    What needs a source that is not known is left out.
    """
    return [series for of_ipam in figures for series in _of_ipam(of_ipam)]


def _of_ipam(figures: IpamFigures) -> Iterator[Series]:
    of = _Owned(figures.ipam)
    pools, monitored = figures.pools, figures.monitored
    if pools is not None:
        yield from _of_pools(of, pools)
        yield from _of_contiguous_pools(of, pools)
    if monitored is not None:
        yield of.ipam(TOTAL_ACTIVE_IPS, (of.ipam_id,), sum(monitored.active_ips.values()))
        yield from _of_scopes(of, monitored)
        yield from _of_public_addresses(of, monitored.public_addresses)
        yield from map(of.utilization, monitored.utilizations)
    if pools is not None and monitored is not None:
        yield from _of_pools_resources(of, pools, monitored)


class _Owned:
    """Makes series of an IPAM, which all have its owner and home region."""

    def __init__(self, ipam: Ipam) -> None:
        self._ipam, self.ipam_id = ipam, ipam.ipam_id

    @property
    def scope_ids(self) -> Sequence[str]:
        return self._ipam.scope_ids

    @property
    def operating_regions(self) -> Sequence[str]:
        return self._ipam.operating_regions

    def ipam(self, metric: Metric, dimensions: tuple[str, ...], value: float) -> Series:
        return self._about("ipam", self.ipam_id, metric, dimensions, value)

    def scope(self, metric: Metric, scope_id: str, family: AddressFamily, value: float) -> Series:
        return self._about("ipam-scope", scope_id, metric, (family.value, scope_id), value)

    def pool(self, metric: Metric, pool: PoolUsage, value: float) -> Series:
        dimensions = (pool.family.value, pool.locale, pool.pool_id, pool.scope_id)
        return self._about("ipam-pool", pool.pool_id, metric, dimensions, value)

    def contiguous(self, metric: Metric, pool: PoolUsage, value: float) -> Series:
        dimensions = (self.ipam_id, pool.pool_id, region_of(pool.locale))
        return self._about("ipam-pool", pool.pool_id, metric, dimensions, value)

    def utilization(self, one: Utilization) -> Series:
        metric, kind = _USAGES[one.group.resource_type]
        known = {
            "AddressFamily": one.group.family.value,
            "OwnerID": one.owner_id,
            "PublicIPv4PoolID": one.resource_id,
            "Region": one.region,
            "ScopeID": one.group.scope_id,
            "SubnetID": one.resource_id,
            "VpcID": one.vpc_id,
        }
        return Series(
            metric,
            tuple(known[name] for name in metric.dimensions),
            self._ipam.owner_id,
            self._ipam.region,
            f"arn:aws:ec2:{one.region}:{one.owner_id}:{kind}/{one.resource_id}",
            one.ip_usage,
        )

    def _about(
        self, kind: str, id_: str, metric: Metric, dimensions: tuple[str, ...], value: float
    ) -> Series:
        owner_id, region = self._ipam.owner_id, self._ipam.region
        return Series(metric, dimensions, owner_id, region, arn(owner_id, kind, id_), value)


def _of_pools(of: _Owned, pools: Iterable[PoolUsage]) -> Iterator[Series]:
    for pool in pools:
        yield of.pool(PERCENT_ALLOCATED, pool, _percent_of(pool.allocated, pool.addresses))
        yield of.pool(PERCENT_ASSIGNED, pool, _percent_of(pool.assigned, pool.addresses))
        # Nothing is taken of a pool without CIDRs; an alarm for what runs out says nothing of it.
        available = _percent_of(pool.available, pool.addresses) if pool.addresses else 100.0
        yield of.pool(PERCENT_AVAILABLE, pool, available)


def _of_contiguous_pools(of: _Owned, pools: Iterable[PoolUsage]) -> Iterator[Series]:
    for pool in pools:
        if pool.is_contiguous:
            yield of.contiguous(CONTIGUOUS, pool, pool.addresses)
            yield of.contiguous(CONTIGUOUS_ALLOCATED, pool, pool.allocated + pool.assigned)
            yield of.contiguous(CONTIGUOUS_UNALLOCATED, pool, pool.available)


def _of_pools_resources(
    of: _Owned, pools: Iterable[PoolUsage], monitored: Monitored
) -> Iterator[Series]:
    """What is known of pools only together with what is monitored."""
    by_status: Counter[tuple[str, str]] = Counter()
    for count in monitored.resource_cidrs:
        by_status[count.pool_id, count.compliance_status] += count.count
    addresses: Counter[tuple[str, str]] = Counter()
    for public in monitored.public_addresses:
        if public.address_type == CONTIGUOUS_IP:
            addresses[public.pool_id, public.association_status] += public.count
    for pool in pools:
        id_ = pool.pool_id
        yield of.pool(POOL_COMPLIANT, pool, by_status[id_, "compliant"])
        yield of.pool(POOL_NONCOMPLIANT, pool, by_status[id_, "noncompliant"])
        if pool.is_contiguous:
            yield of.contiguous(CONTIGUOUS_ASSOCIATED, pool, addresses[id_, ASSOCIATED])
            yield of.contiguous(CONTIGUOUS_UNASSOCIATED, pool, addresses[id_, DISASSOCIATED])


def _of_scopes(of: _Owned, monitored: Monitored) -> Iterator[Series]:
    counted: Counter[tuple[Metric, str, AddressFamily]] = Counter()
    for one in monitored.resource_cidrs:
        for metric, member, word in _COUNTED_IN_SCOPES:
            if getattr(one, member) == word:
                counted[metric, one.scope_id, one.family] += one.count
    for scope_id in of.scope_ids:
        for family in AddressFamily:
            for metric, _, _ in _COUNTED_IN_SCOPES:
                yield of.scope(metric, scope_id, family, counted[metric, scope_id, family])


def _of_public_addresses(of: _Owned, counts: Iterable[PublicAddressCount]) -> Iterator[Series]:
    """Of all operating regions, and of others in which there are any (PUB-2)."""
    counted: Counter[tuple[str, str, str | None]] = Counter()
    for one in counts:
        for status in (one.association_status, None):
            counted[one.region, one.address_type, status] += one.count
    for region in sorted({*of.operating_regions, *(region for region, _, _ in counted)}):
        for metric, address_type, status in PUBLIC_IPS:
            value = counted[region, address_type, status]
            yield of.ipam(metric, (of.ipam_id, region), value)


def _percent_of(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
