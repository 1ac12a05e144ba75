"""A block of a pool that somebody has."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from shared.cidr import Cidr


class ResourceType(StrEnum):
    """Who can have a block (ALLOC-2)."""

    IPAM_POOL = "ipam-pool"
    VPC = "vpc"
    EC2_PUBLIC_IPV4_POOL = "ec2-public-ipv4-pool"
    CUSTOM = "custom"
    SUBNET = "subnet"
    EIP = "eip"
    ANYCAST_IP_LIST = "anycast-ip-list"


NO_TAGS: Mapping[str, str] = MappingProxyType({})


class Allocation(NamedTuple):
    """A live allocation; one that was released is nowhere.

    ``allocated_by`` is the service that made it for a resource of its own, under
    ``client_token``; both are None when it was made for a caller or a child pool.
    """

    ipam_pool_allocation_id: str
    ipam_pool_id: str
    cidr: Cidr
    resource_type: ResourceType
    resource_owner: str
    created_at: datetime
    resource_id: str | None = None
    resource_region: str | None = None
    description: str | None = None
    tags: Mapping[str, str] = NO_TAGS
    allocated_by: str | None = None
    client_token: str | None = None
