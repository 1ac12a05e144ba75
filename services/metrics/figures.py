"""What is read of the other contexts: the figures that all metrics are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.cidr import AddressFamily

VPC, SUBNET, PUBLIC_IPV4_POOL = "vpc", "subnet", "public-ipv4-pool"
"""AWS's words for the types of resources whose usage is known."""


@dataclass(frozen=True, slots=True)
class Ipam:
    """An IPAM, as the control plane has it."""

    ipam_id: str
    owner_id: str
    region: str
    """Its home region."""
    is_free_tier: bool
    scope_ids: tuple[str, ...]
    operating_regions: tuple[str, ...]
    """The home region included."""


@dataclass(frozen=True, slots=True)
class PoolUsage:
    """How full a pool is, and how its free space lies, as the ledger has it."""

    pool_id: str
    scope_id: str
    family: AddressFamily
    locale: str
    """``None`` when no resource may use it."""
    is_contiguous: bool
    """It has contiguous public IPv4 space of Amazon's (PROV-5)."""
    addresses: int
    allocated: int
    """Addresses in allocations to other pools."""
    assigned: int
    """Addresses in all other allocations."""
    free: int
    """Addresses that can be allocated now; what rests or is held is not among them."""
    cidrs: int
    allocations: int
    free_blocks: int
    """Free space as the fewest blocks that cover it."""
    largest_free_block: int
    """Addresses in the largest of them; 0: nothing is free."""

    @property
    def available(self) -> int:
        """Addresses that are in no allocation."""
        return self.addresses - self.allocated - self.assigned

    @property
    def fragmentation(self) -> float:
        """Share of the free space that lies outside the largest free block (BEY-11)."""
        return (self.free - self.largest_free_block) / self.free if self.free else 0.0


@dataclass(frozen=True, slots=True)
class ResourceCidrCount:
    """How many resource CIDRs agree in all of these (MON-7); AWS's words, empty for none."""

    scope_id: str
    family: AddressFamily
    pool_id: str
    """Empty: no allocation."""
    resource_type: str
    management_state: str
    compliance_status: str
    overlap_status: str
    count: int


@dataclass(frozen=True, slots=True)
class PublicAddressCount:
    """How many public IPv4 addresses agree in all of these (PUB-1); AWS's words."""

    region: str
    address_type: str
    association_status: str
    pool_id: str
    """IPAM pool that contiguous addresses of Amazon's are of; empty for others."""
    count: int


class Group(NamedTuple):
    """What resources are compared in (MET-2)."""

    scope_id: str
    resource_type: str
    family: AddressFamily


class Utilization(NamedTuple):
    """How full a resource is, over all its CIDRs of a family in a scope (MET-3)."""

    group: Group
    resource_id: str
    owner_id: str
    region: str
    vpc_id: str
    ip_usage: float
    """0 to 1."""
    addresses: int
    name: str
    """The tag ``Name``."""


@dataclass(frozen=True, slots=True)
class Monitored:
    """What discovery knows of an IPAM's resources."""

    active_ips: Mapping[str, int]
    """Addresses in use, by account (ACC-3)."""
    public_addresses: Sequence[PublicAddressCount]
    resource_cidrs: Sequence[ResourceCidrCount]
    utilizations: Sequence[Utilization]
    """Of the resources that MET-2 chooses."""
    active_ip_hours: float = 0.0
    """That were metered since there is the IPAM (ACC-3)."""


@dataclass(frozen=True, slots=True)
class IpamFigures:
    """What is known of an IPAM. None: its source has not told for too long."""

    ipam: Ipam
    is_listed: bool
    """The control plane has told of it lately."""
    pools: Sequence[PoolUsage] | None
    monitored: Monitored | None


@dataclass(frozen=True, slots=True)
class Limits:
    """How many resources are chosen of each kind (MET-2)."""

    highest: int
    lowest: int
    allocated: int


def groups_with_usage(counts: Sequence[ResourceCidrCount]) -> list[Group]:
    """The groups that have resources whose usage can be known (DISC-5), in order."""
    groups = {Group(one.scope_id, one.resource_type, one.family) for one in counts}
    known = [group for group in groups if (group.resource_type, group.family) in _WITH_USAGE]
    return sorted(known, key=lambda group: (group.scope_id, group.resource_type, group.family.bits))


_WITH_USAGE = {
    (VPC, AddressFamily.IPV4),
    (VPC, AddressFamily.IPV6),
    (SUBNET, AddressFamily.IPV4),
    (PUBLIC_IPV4_POOL, AddressFamily.IPV4),
}
