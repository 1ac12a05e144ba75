"""What an account has in a region at one moment, as a source tells it (DISC-3, DISC-6)."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.cidr import Cidr


class IpSource(enum.Enum):
    """Who provided a CIDR; the value is AWS's word."""

    NONE = "none"
    AMAZON = "amazon"
    BYOIP = "byoip"


@dataclass(frozen=True, slots=True)
class SourcedCidr:
    """A CIDR and who provided it."""

    cidr: Cidr
    ip_source: IpSource = IpSource.NONE


@dataclass(frozen=True, slots=True)
class Vpc:
    vpc_id: str
    cidrs: tuple[SourcedCidr, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Subnet:
    subnet_id: str
    vpc_id: str
    cidrs: tuple[SourcedCidr, ...]
    tags: Mapping[str, str]
    availability_zone_id: str


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    group_id: str
    group_name: str


@dataclass(frozen=True, slots=True)
class PublicIp:
    """A public IPv4 address that a private one of an interface is reachable by."""

    address: Cidr
    owner_id: str
    """An account, or a service such as ``amazon`` or ``amazon-elb``."""
    allocation_id: str
    """Empty unless it is an elastic IP address."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """What an interface is attached to."""

    instance_id: str
    """Empty when a service runs it."""
    owner_id: str
    """An account, or a service such as ``amazon-aws``."""


@dataclass(frozen=True, slots=True)
class NetworkInterface:
    network_interface_id: str
    vpc_id: str
    subnet_id: str
    blocks: tuple[Cidr, ...]
    """Its private addresses, the primary one first, and the blocks delegated to it."""
    tags: Mapping[str, str]
    availability_zone_id: str
    description: str = ""
    interface_type: str = "interface"
    requester_id: str | None = None
    """The service that made it and manages it."""
    attachment: Attachment | None = None
    security_groups: tuple[SecurityGroup, ...] = ()
    public_ips: tuple[PublicIp, ...] = ()


@dataclass(frozen=True, slots=True)
class Address:
    """An elastic IP address."""

    allocation_id: str
    public_ip: Cidr
    public_ipv4_pool: str
    """A public IPv4 pool or an IPAM pool; ``amazon`` when it is Amazon's own."""
    network_border_group: str
    tags: Mapping[str, str]
    association_id: str | None = None
    network_interface_id: str | None = None
    instance_id: str | None = None
    service_managed: str | None = None
    """AWS's word when a service manages it: ``alb``, ``nlb``, ``rnat`` or ``rds``."""
    ip_source: IpSource | None = None
    """None: its pool tells."""


@dataclass(frozen=True, slots=True)
class PublicIpv4Pool:
    pool_id: str
    cidrs: tuple[Cidr, ...]
    tags: Mapping[str, str]
    network_border_group: str
    total_address_count: int
    total_available_address_count: int
    is_byoip: bool


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """A public IPv4 address of a service that has no network interface."""

    address: Cidr
    service: str
    """AWS's word, such as ``site-to-site-vpn``."""
    service_resource: str
    is_byoip: bool
    tags: Mapping[str, str]


@dataclass(slots=True)
class Snapshot:
    """Everything that one source tells of one account and region, as of one moment."""

    account_id: str
    region: str
    sampled_at: datetime
    vpcs: list[Vpc] = field(default_factory=list)
    subnets: list[Subnet] = field(default_factory=list)
    network_interfaces: list[NetworkInterface] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)
    public_ipv4_pools: list[PublicIpv4Pool] = field(default_factory=list)
    service_addresses: list[ServiceAddress] = field(default_factory=list)
