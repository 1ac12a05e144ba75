"""CIDRs that resources have: what is discovered, monitored and remembered (DISC-3 to DISC-5)."""

import enum
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple, TypeVar

from services.discovery.ip_usage import Coverage
from services.discovery.snapshot import (
    Address,
    IpSource,
    NetworkInterface,
    PublicIpv4Pool,
    Snapshot,
    SourcedCidr,
    Subnet,
    Vpc,
)
from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterValue

SERVICE_OWNER = "amazon-aws"
"""Owner of instances that the account does not own itself (HIST-2)."""
PUBLIC_IPV4_POOL_PREFIX = "ipv4pool-ec2-"
AMAZON_POOL = "amazon"
"""What Amazon's own elastic IP addresses have for a public IPv4 pool."""

R = TypeVar("R")


class ResourceType(enum.Enum):
    """The value is AWS's word in IpamResourceType; an instance is told of in histories only."""

    VPC = "vpc"
    SUBNET = "subnet"
    EIP = "eip"
    PUBLIC_IPV4_POOL = "public-ipv4-pool"
    ENI = "eni"
    INSTANCE = "instance"

    @property
    def is_monitored(self) -> bool:
        """Whether it is told of in GetIpamResourceCidrs; the others are in histories alone."""
        return self not in {ResourceType.ENI, ResourceType.INSTANCE}


class ResourceKey(NamedTuple):
    """What tells a resource's CIDR from all others of one source, account and region."""

    resource_type: ResourceType
    anchor_id: str
    """The resource's id; of an instance its interface's, for a service's instance has none."""
    cidr: Cidr


@dataclass(frozen=True, slots=True)
class ResourceCidr:
    """A CIDR that a resource has."""

    key: ResourceKey
    resource_id: str
    """Empty for what a service runs."""
    owner_id: str
    """``amazon-aws`` for an instance of somebody else's (HIST-2)."""
    tags: Mapping[str, str]
    name: str | None
    """The tag ``Name``."""
    vpc_id: str | None = None
    subnet_id: str | None = None
    availability_zone_id: str | None = None
    container_id: str | None = None
    """What it lies in by its nature, so that they do not overlap: the VPC, the public IPv4 pool."""
    ip_source: IpSource = IpSource.NONE
    ip_usage: float | None = None
    """Share of its space in use, 0 to 1 (DISC-5)."""
    is_attached: bool | None = None
    """Only of interfaces."""


class ContradictorySnapshot(InvalidParameterValue):
    """A source tells of one thing twice, and differently, or of what can't be."""


def resource_cidrs(snapshot: Snapshot) -> Iterator[ResourceCidr]:
    """Every CIDR of every resource, each key once; n log n in what the snapshot holds.

    Addresses that AWS keeps for itself in each subnet are not in use (DISC-5).

    Raises:
        ContradictorySnapshot: at once or while iterated, at the first contradiction.
    """
    vpcs = told_once(snapshot.vpcs, lambda vpc: vpc.vpc_id)
    subnets = told_once(snapshot.subnets, lambda subnet: subnet.subnet_id)
    interfaces = told_once(snapshot.network_interfaces, lambda eni: eni.network_interface_id)
    addresses = told_once(snapshot.addresses, lambda eip: eip.allocation_id)
    pools = told_once(snapshot.public_ipv4_pools, lambda pool: pool.pool_id)
    account_id = snapshot.account_id
    return chain(
        _of_vpcs(account_id, vpcs, subnets),
        _of_subnets(account_id, subnets, interfaces),
        _of_addresses(account_id, addresses, {pool.pool_id: pool for pool in pools}),
        _of_public_ipv4_pools(account_id, pools, addresses),
        _of_interfaces(account_id, interfaces),
        _of_instances(account_id, interfaces),
    )


def told_once(records: Iterable[R], id_of: Callable[[R], str]) -> list[R]:
    """One record of each id, by id.

    Raises:
        ContradictorySnapshot: two of one id differ, or an id is empty.
    """
    by_id: dict[str, R] = {}
    for record in records:
        told = by_id.setdefault(record_id := id_of(record), record)
        if told is not record and told != record:
            raise ContradictorySnapshot(f"'{record_id}' is told of twice, and differently")
    if "" in by_id:
        raise ContradictorySnapshot(f"a record has no id: {by_id['']}")
    return [by_id[record_id] for record_id in sorted(by_id)]


def check_is_ipv4_address(cidr: Cidr, whose: str) -> Cidr:
    """``cidr`` itself.

    Raises:
        ContradictorySnapshot: it is no single IPv4 address.
    """
    if cidr.family is not AddressFamily.IPV4 or cidr.size != 1:
        raise ContradictorySnapshot(f"'{cidr}' of '{whose}' is not an IPv4 address")
    return cidr


def ip_source_of(address: Address, pools: Mapping[str, PublicIpv4Pool]) -> IpSource:
    """Who provided an elastic IP address: of a pool that is not told of, its account did."""
    if address.ip_source:
        return address.ip_source
    if address.public_ipv4_pool in {"", AMAZON_POOL}:
        return IpSource.AMAZON
    pool = pools.get(address.public_ipv4_pool)
    return IpSource.AMAZON if pool and not pool.is_byoip else IpSource.BYOIP


def _of_vpcs(
    account_id: str, vpcs: Iterable[Vpc], subnets: Iterable[Subnet]
) -> Iterator[ResourceCidr]:
    blocks: defaultdict[str, list[Cidr]] = defaultdict(list)
    for subnet in subnets:
        blocks[subnet.vpc_id].extend(sourced.cidr for sourced in subnet.cidrs)
    for vpc in vpcs:
        covered = {family: Coverage(family, blocks[vpc.vpc_id]) for family in AddressFamily}
        for cidr, ip_source in _sources_by_cidr(vpc.cidrs, vpc.vpc_id).items():
            yield ResourceCidr(
                ResourceKey(ResourceType.VPC, vpc.vpc_id, cidr),
                resource_id=vpc.vpc_id,
                owner_id=account_id,
                tags=vpc.tags,
                name=vpc.tags.get("Name"),
                vpc_id=vpc.vpc_id,
                ip_source=ip_source,
                ip_usage=covered[cidr.family].share_of(cidr),
            )


def _of_subnets(
    account_id: str, subnets: Iterable[Subnet], interfaces: Iterable[NetworkInterface]
) -> Iterator[ResourceCidr]:
    blocks: defaultdict[str, list[Cidr]] = defaultdict(list)
    for interface in interfaces:
        blocks[interface.subnet_id].extend(interface.blocks)
    for subnet in subnets:
        in_use = Coverage(AddressFamily.IPV4, blocks[subnet.subnet_id])
        for cidr, ip_source in _sources_by_cidr(subnet.cidrs, subnet.subnet_id).items():
            yield ResourceCidr(
                ResourceKey(ResourceType.SUBNET, subnet.subnet_id, cidr),
                resource_id=subnet.subnet_id,
                owner_id=account_id,
                tags=subnet.tags,
                name=subnet.tags.get("Name"),
                vpc_id=subnet.vpc_id,
                availability_zone_id=subnet.availability_zone_id,
                container_id=subnet.vpc_id,
                ip_source=ip_source,
                ip_usage=in_use.share_of(cidr) if cidr.family is AddressFamily.IPV4 else None,
            )


def _of_addresses(
    account_id: str, addresses: Iterable[Address], pools: Mapping[str, PublicIpv4Pool]
) -> Iterator[ResourceCidr]:
    holders: dict[Cidr, str] = {}
    for address in addresses:
        cidr = check_is_ipv4_address(address.public_ip, address.allocation_id)
        if (holder := holders.setdefault(cidr, address.allocation_id)) != address.allocation_id:
            raise ContradictorySnapshot(
                f"'{cidr}' is the address of both '{holder}' and '{address.allocation_id}'"
            )
        pool_id = address.public_ipv4_pool
        yield ResourceCidr(
            ResourceKey(ResourceType.EIP, address.allocation_id, cidr),
            resource_id=address.allocation_id,
            owner_id=account_id,
            tags=address.tags,
            name=address.tags.get("Name"),
            container_id=pool_id if pool_id.startswith(PUBLIC_IPV4_POOL_PREFIX) else None,
            ip_source=ip_source_of(address, pools),
        )


def _of_public_ipv4_pools(
    account_id: str, pools: Iterable[PublicIpv4Pool], addresses: Iterable[Address]
) -> Iterator[ResourceCidr]:
    allocated: defaultdict[str, list[Cidr]] = defaultdict(list)
    for address in addresses:
        allocated[address.public_ipv4_pool].append(address.public_ip)
    for pool in pools:
        covered = Coverage(AddressFamily.IPV4, allocated[pool.pool_id])
        for cidr in dict.fromkeys(pool.cidrs):
            if cidr.family is not AddressFamily.IPV4:
                raise ContradictorySnapshot(f"'{cidr}' of '{pool.pool_id}' is not an IPv4 CIDR")
            yield ResourceCidr(
                ResourceKey(ResourceType.PUBLIC_IPV4_POOL, pool.pool_id, cidr),
                resource_id=pool.pool_id,
                owner_id=account_id,
                tags=pool.tags,
                name=pool.tags.get("Name"),
                ip_source=IpSource.BYOIP if pool.is_byoip else IpSource.AMAZON,
                ip_usage=covered.share_of(cidr),
            )


def _of_interfaces(
    account_id: str, interfaces: Iterable[NetworkInterface]
) -> Iterator[ResourceCidr]:
    for interface in interfaces:
        name, is_attached = interface.tags.get("Name"), interface.attachment is not None
        for cidr in dict.fromkeys(interface.blocks):
            yield ResourceCidr(
                ResourceKey(ResourceType.ENI, interface.network_interface_id, cidr),
                resource_id=interface.network_interface_id,
                owner_id=account_id,
                tags=interface.tags,
                name=name,
                vpc_id=interface.vpc_id,
                subnet_id=interface.subnet_id,
                availability_zone_id=interface.availability_zone_id,
                is_attached=is_attached,
            )


def _of_instances(
    account_id: str, interfaces: Iterable[NetworkInterface]
) -> Iterator[ResourceCidr]:
    """What interfaces have, as had by what they are attached to (HIST-2).

    An instance with interfaces in several VPCs may have an address twice; that of the first
    interface counts.
    """
    taken: defaultdict[str, set[Cidr]] = defaultdict(set)
    for interface in interfaces:
        if (attachment := interface.attachment) is None:
            continue
        is_own = attachment.owner_id == account_id
        anchor_id = attachment.instance_id or interface.network_interface_id
        for cidr in interface.blocks:
            if cidr in taken[anchor_id]:
                continue
            taken[anchor_id].add(cidr)
            yield ResourceCidr(
                ResourceKey(ResourceType.INSTANCE, anchor_id, cidr),
                resource_id=attachment.instance_id if is_own else "",
                owner_id=account_id if is_own else SERVICE_OWNER,
                tags={},
                name=None,
                vpc_id=interface.vpc_id,
                subnet_id=interface.subnet_id,
                availability_zone_id=interface.availability_zone_id,
            )


def _sources_by_cidr(sourced_cidrs: Iterable[SourcedCidr], whose: str) -> dict[Cidr, IpSource]:
    by_cidr: dict[Cidr, IpSource] = {}
    for sourced in sourced_cidrs:
        if by_cidr.setdefault(sourced.cidr, sourced.ip_source) is not sourced.ip_source:
            raise ContradictorySnapshot(
                f"'{sourced.cidr}' of '{whose}' is told of twice, with different sources"
            )
    return by_cidr
