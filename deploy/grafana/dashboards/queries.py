"""Pieces of PromQL that several panels need.

Replicas of the metrics service tell the same of a pool, a scope or a resource, and each has series
of its own: the greatest of them is taken before anything is added up.
"""

IN_SCOPE = 'ipam_id=~"$ipam", ipam_scope_id=~"$scope", address_family=~"$family"'
IN_IPAM = 'ipam_id=~"$ipam"'

RATE_INTERVAL = "$__rate_interval"
"""The time that a rate is over, as Grafana chooses it: enough scrapes, as few pixels as may be."""


def of_pools(figure: str, by: str, matching: str) -> str:
    """``cadastre_ipam_pool_<figure>`` by labels that name a pool."""
    return f"max by ({by}) (cadastre_ipam_pool_{figure}{{{matching}}})"


def resource_cidrs(by: str, matching: str) -> str:
    """Counts of resource CIDRs that match."""
    labels = (
        "ipam_id, ipam_scope_id, address_family, resource_type,"
        " management_state, compliance_status, overlap_status"
    )
    return _added_up("cadastre_ipam_resource_cidrs", labels, by, matching)


def public_ips(by: str, matching: str) -> str:
    """Counts of public addresses that match."""
    labels = "ipam_id, region, address_type, association_status"
    return _added_up("cadastre_ipam_public_ip_addresses", labels, by, matching)


def active_ips(by: str, matching: str) -> str:
    """Counts of active addresses."""
    return _added_up("cadastre_ipam_active_ip_addresses", "ipam_id, account_id", by, matching)


def or_none(expr: str) -> str:
    """A count that is 0, too, where there is nothing to count."""
    return f"{expr} or vector(0)"


def quantile(
    which: float, histogram: str, by: str, matching: str = "", *, over: str = RATE_INTERVAL
) -> str:
    """Of a histogram's durations or sizes, by labels; none where nothing was observed."""
    labels = f"{by}, le" if by else "le"
    buckets = rate(f"{histogram}_bucket", labels, matching, over=over)
    # What is not a number is not 0 or more.
    return f"histogram_quantile({which}, {buckets}) >= 0"


def rate(counter: str, by: str, matching: str = "", *, over: str = RATE_INTERVAL) -> str:
    """Per second, by labels."""
    selector = f"{counter}{{{matching}}}" if matching else counter
    grouping = f" by ({by}) " if by else ""
    return f"sum{grouping}(rate({selector}[{over}]))"


def age(timestamp: str, by: str = "") -> str:
    """Seconds since the latest of these moments."""
    grouping = f" by ({by}) " if by else ""
    return f"time() - max{grouping}({timestamp})"


def _added_up(metric: str, labels: str, by: str, matching: str) -> str:
    grouping = f" by ({by}) " if by else ""
    return f"sum{grouping}(max by ({labels}) ({metric}{{{matching}}}))"
