"""Resources that are told of, and the CIDR blocks that they have."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.cidr import Cidr


class ResourceType(enum.StrEnum):
    """AWS's names of the kinds of resources that space is allocated to (ALLOC-2).

    And of network interfaces, which have no space of their own.
    """

    VPC = "vpc"
    SUBNET = "subnet"
    EIP = "eip"
    PUBLIC_IPV4_POOL = "ec2-public-ipv4-pool"
    NETWORK_INTERFACE = "network-interface"


class PublicIpSource(enum.StrEnum):
    """Where a public pool's space comes from."""

    AMAZON = "amazon"
    BYOIP = "byoip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A resource as the ledger and the readers of the feed know it."""

    resource_id: str
    resource_type: ResourceType
    owner_id: str
    region: str
    tags: Mapping[str, str] = field(default_factory=dict)
    """For the pool's tag rule."""
    vpc_id: str | None = None
    """The VPC that a subnet lies in."""
    network_border_group: str | None = None
    """Where public addresses are advertised from, if that was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePool:
    """What matters to a resource of the pool that its space is of."""

    ipam_region: str
    """Home region of the pool's IPAM."""
    locale: str
    is_public: bool
    """The pool is in a public scope."""
    public_ip_source: PublicIpSource | None
    publicly_advertisable: bool


@dataclass(frozen=True, slots=True)
class CidrAssociation:
    """A block a resource has, and its allocation if it came from a pool.

    ``source_pool`` is as the pool was at the allocation; None when the block was given, except that
    a subnet's has then the one of the VPC's block it lies in.
    """

    association_id: str
    cidr: Cidr
    ipam_pool_id: str | None = None
    ipam_pool_allocation_id: str | None = None
    source_pool: SourcePool | None = None
