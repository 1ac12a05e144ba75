"""What AWS/IPAM's metrics must be, computed from what AWS's clients are told and nothing else."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, TypeAlias

# Name and dimensions -> value.
Values: TypeAlias = dict[tuple[str, frozenset[tuple[str, str]]], float]

FAMILIES = ("ipv4", "ipv6")
PER_RULE = 50
BY_TYPE = {
    "AmazonOwnedElasticIPs": ("amazon-owned-eip", None),
    "AssociatedAmazonOwnedElasticIPs": ("amazon-owned-eip", "associated"),
    "UnassociatedAmazonOwnedElasticIPs": ("amazon-owned-eip", "disassociated"),
    "BringYourOwnIPs": ("byoip", None),
    "AssociatedBringYourOwnIPs": ("byoip", "associated"),
    "UnassociatedBringYourOwnIPs": ("byoip", "disassociated"),
    "EC2PublicIPs": ("ec2-public-ip", None),
    "ServiceManagedIPs": ("service-managed-ip", None),
    "ServiceManagedBringYourOwnIPs": ("service-managed-byoip", None),
}


@dataclass(frozen=True)
class Clients:
    """EC2 by region; the IPAM's home is ``home``."""

    by_region: Mapping[str, Any]
    home: Any

    def all(self, operation: str, member: str, client: Any = None, **parameters: Any) -> list[Any]:
        pages = (client or self.home).get_paginator(operation).paginate(**parameters)
        return [record for page in pages for record in page[member]]


def expected(clients: Clients, ipam: Mapping[str, Any], active_elsewhere: int) -> Values:
    """Every metric of the IPAM; ``active_elsewhere`` is of interfaces that EC2 does not have."""
    values: Values = {}
    for name, dimensions, value in _all(clients, ipam, active_elsewhere):
        key = (name, frozenset(dimensions.items()))
        assert key not in values
        values[key] = value
    return values


Told: TypeAlias = Iterator[tuple[str, dict[str, str], float]]


def _all(clients: Clients, ipam: Mapping[str, Any], active_elsewhere: int) -> Told:
    public = [
        (region, address)
        for region in clients.by_region
        for address in clients.home.get_ipam_discovered_public_addresses(
            IpamResourceDiscoveryId=ipam["DefaultResourceDiscoveryId"], AddressRegion=region
        )["IpamDiscoveredPublicAddresses"]
    ]
    active = active_elsewhere + _active_ips(clients)
    yield "TotalActiveIpCount", {"IpamId": ipam["IpamId"]}, active
    yield from _ipam(clients, ipam, public)
    scopes = clients.all("describe_ipam_scopes", "IpamScopes")
    pools = clients.all("describe_ipam_pools", "IpamPools")
    for scope in scopes:
        scope_id = scope["IpamScopeId"]
        cidrs = clients.all("get_ipam_resource_cidrs", "IpamResourceCidrs", IpamScopeId=scope_id)
        yield from _scope(scope_id, cidrs)
        yield from _usages(scope_id, cidrs)
        for pool in pools:
            if pool["IpamScopeArn"].endswith(scope_id):
                yield from _pool(clients, ipam["IpamId"], pool, cidrs, public)


def _active_ips(clients: Clients) -> int:
    active = 0
    for client in clients.by_region.values():
        for interface in clients.all(
            "describe_network_interfaces", "NetworkInterfaces", client=client
        ):
            if interface.get("Attachment"):
                active += len(interface["PrivateIpAddresses"])
                active += len(interface.get("Ipv6Addresses", []))
    return active


def _ipam(
    clients: Clients, ipam: Mapping[str, Any], public: Iterable[tuple[str, Mapping[str, Any]]]
) -> Told:
    counts: Counter[tuple[str, str, str]] = Counter()
    for region, address in public:
        counts[region, address["AddressType"], address["AssociationStatus"]] += 1
    for region in clients.by_region:
        for name, (kind, status) in BY_TYPE.items():
            statuses = [status] if status else ["associated", "disassociated"]
            number = sum(counts[region, kind, one] for one in statuses)
            yield name, {"IpamId": ipam["IpamId"], "Region": region}, number


def _scope(scope_id: str, cidrs: Iterable[Mapping[str, Any]]) -> Told:
    for family in FAMILIES:
        dimensions = {"AddressFamily": family, "ScopeID": scope_id}
        of_family = [cidr for cidr in cidrs if _family(cidr["ResourceCidr"]) == family]
        for name, member, word in (
            ("CompliantResourceCidrs", "ComplianceStatus", "compliant"),
            ("NoncompliantResourceCidrs", "ComplianceStatus", "noncompliant"),
            ("ManagedResourceCidrs", "ManagementState", "managed"),
            ("UnmanagedResourceCidrs", "ManagementState", "unmanaged"),
            ("OverlappingResourceCidrs", "OverlapStatus", "overlapping"),
        ):
            yield name, dimensions, sum(cidr.get(member) == word for cidr in of_family)


def _pool(
    clients: Clients,
    ipam_id: str,
    pool: Mapping[str, Any],
    cidrs: Iterable[Mapping[str, Any]],
    public: Iterable[tuple[str, Mapping[str, Any]]],
) -> Told:
    pool_id = pool["IpamPoolId"]
    dimensions = {
        "AddressFamily": pool["AddressFamily"],
        "Locale": pool["Locale"],
        "PoolID": pool_id,
        "ScopeID": pool["IpamScopeArn"].rpartition("/")[2],
    }
    provisioned = clients.all("get_ipam_pool_cidrs", "IpamPoolCidrs", IpamPoolId=pool_id)
    total = sum(_size(cidr["Cidr"]) for cidr in provisioned if cidr["State"] == "provisioned")
    allocated = assigned = 0
    for one in clients.all("get_ipam_pool_allocations", "IpamPoolAllocations", IpamPoolId=pool_id):
        if one["ResourceType"] == "ipam-pool":
            allocated += _size(one["Cidr"])
        else:
            assigned += _size(one["Cidr"])
    for name, part in (
        ("PercentAllocated", allocated),
        ("PercentAssigned", assigned),
        ("PercentAvailable", total - allocated - assigned),
    ):
        yield name, dimensions, 100 * part / total if total else 0.0
    for name, status in (
        ("CompliantResourceCidrs", "compliant"),
        ("NoncompliantResourceCidrs", "noncompliant"),
    ):
        own = [cidr for cidr in cidrs if cidr.get("IpamPoolId") == pool_id]
        yield name, dimensions, sum(cidr.get("ComplianceStatus") == status for cidr in own)
    if pool.get("PublicIpSource") == "amazon" and pool["AddressFamily"] == "ipv4":
        yield from _contiguous(ipam_id, pool, total, assigned, public)


def _contiguous(
    ipam_id: str,
    pool: Mapping[str, Any],
    total: int,
    assigned: int,
    public: Iterable[tuple[str, Mapping[str, Any]]],
) -> Told:
    pool_id = pool["IpamPoolId"]
    dimensions = {"IpamId": ipam_id, "PoolID": pool_id, "Region": pool["Locale"]}
    status = Counter(
        address["AssociationStatus"]
        for _, address in public
        if address.get("PublicIpv4PoolId") == pool_id
    )
    for name, number in (
        ("AmazonOwnedContigIPs", total),
        ("AllocatedAmazonOwnedContigIPs", assigned),
        ("UnallocatedAmazonOwnedContigIPs", total - assigned),
        ("AssociatedAmazonOwnedContigIPs", status["associated"]),
        ("UnassociatedAmazonOwnedContigIPs", status["disassociated"]),
    ):
        yield name, dimensions, number


def _usages(scope_id: str, cidrs: Iterable[Mapping[str, Any]]) -> Told:
    """MET-2, MET-3: chosen by looking at all of them."""
    allocated = {
        (cidr["ResourceId"], _family(cidr["ResourceCidr"]))
        for cidr in cidrs
        if cidr.get("IpamPoolId")
    }
    for kind, family, name in (
        ("vpc", "ipv4", "VpcIPUsage"),
        ("vpc", "ipv6", "VpcIPUsage"),
        ("subnet", "ipv4", "SubnetIPUsage"),
        ("public-ipv4-pool", "ipv4", "PublicIPv4PoolIPUsage"),
    ):
        of_resource: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for cidr in cidrs:
            if cidr["ResourceType"] == kind and _family(cidr["ResourceCidr"]) == family:
                of_resource[cidr["ResourceId"]].append(cidr)
        usages = {}
        sizes = {}
        for resource_id, own in of_resource.items():
            sizes[resource_id] = sum(_size(cidr["ResourceCidr"]) for cidr in own)
            used = sum(cidr["IpUsage"] * _size(cidr["ResourceCidr"]) for cidr in own)
            usages[resource_id] = used / sizes[resource_id]
        ascending = sorted(usages, key=lambda one: (usages[one], one))
        descending = sorted(usages, key=lambda one: (-usages[one], one))
        chosen = {*ascending[:PER_RULE], *descending[:PER_RULE]}
        others = [
            one
            for one in sorted(usages, key=lambda one: (-sizes[one], one))
            if one not in chosen
            and (of_resource[one][0]["VpcId"] if kind == "subnet" else one, family) in allocated
        ]
        for resource_id in chosen | set(others[:PER_RULE]):
            first = of_resource[resource_id][0]
            dimensions = {
                "OwnerID": first["ResourceOwnerId"],
                "Region": first["ResourceRegion"],
                "ScopeID": scope_id,
            }
            if kind == "public-ipv4-pool":
                dimensions["PublicIPv4PoolID"] = resource_id
            else:
                dimensions |= {"AddressFamily": family, "VpcID": first["VpcId"]}
            if kind == "subnet":
                dimensions["SubnetID"] = resource_id
            yield name, dimensions, usages[resource_id]


def _family(cidr: str) -> str:
    return f"ipv{ip_network(cidr).version}"


def _size(cidr: str) -> int:
    return ip_network(cidr).num_addresses
