"""What an IPAM's resources are judged by, and what is found (MON-1 to MON-6)."""

import enum
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from services.discovery.resource_cidr import ResourceType
from services.discovery.sources import AccountRegion
from shared.cidr import AddressFamily, Cidr


class ManagementState(enum.Enum):
    """MON-1; what can't be managed has none."""

    MANAGED = "managed"
    UNMANAGED = "unmanaged"
    IGNORED = "ignored"


class ComplianceStatus(enum.Enum):
    """MON-2; what can't be managed has none."""

    COMPLIANT = "compliant"
    NONCOMPLIANT = "noncompliant"
    UNMANAGED = "unmanaged"
    IGNORED = "ignored"


class OverlapStatus(enum.Enum):
    """MON-3; what lies within another resource by its nature has none."""

    OVERLAPPING = "overlapping"
    NONOVERLAPPING = "nonoverlapping"
    IGNORED = "ignored"


class Rule(enum.Enum):
    """An allocation rule of a pool that a resource can break (MON-2, POOL-4)."""

    MIN_NETMASK_LENGTH = "allocation-min-netmask-length"
    MAX_NETMASK_LENGTH = "allocation-max-netmask-length"
    RESOURCE_TAGS = "allocation-resource-tags"
    LOCALE = "locale"


@dataclass(frozen=True, slots=True)
class Scopes:
    """The scopes of an IPAM."""

    ipam_id: str
    private_default: str
    public_default: str
    private: frozenset[str]
    """The default one included."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool, as far as resources are judged by it."""

    pool_id: str
    scope_id: str
    family: AddressFamily
    locale: str
    """``None`` when no resource may use it."""
    source_pool_id: str | None
    auto_import: bool
    min_netmask_length: int | None
    max_netmask_length: int | None
    resource_tags: Mapping[str, str]
    cidrs: tuple[Cidr, ...]
    plans_vpc: str | None = None
    """The VPC whose space it plans (VPC-3)."""


class AllocationType(enum.Enum):
    """What a block of a pool is for, but for other pools; the value is AWS's word."""

    VPC = "vpc"
    PUBLIC_IPV4_POOL = "ec2-public-ipv4-pool"
    CUSTOM = "custom"
    SUBNET = "subnet"
    EIP = "eip"
    ANYCAST_IP_LIST = "anycast-ip-list"


@dataclass(frozen=True, slots=True)
class Allocation:
    """A live allocation, but those to other pools."""

    allocation_id: str
    pool_id: str
    cidr: Cidr
    allocation_type: AllocationType
    resource_id: str
    region: str
    owner_id: str
    service: str
    """Who made it: ``network``, ``discovery`` when it was imported; empty: an account itself."""


@dataclass(frozen=True, slots=True)
class Books:
    """What the ledger knows of an IPAM."""

    pools: Mapping[str, Pool]
    allocations: Sequence[Allocation]


class MarkedCidr(NamedTuple):
    """What an owner has said something about."""

    region: str
    resource_id: str
    cidr: Cidr


@dataclass(frozen=True, slots=True)
class Marking:
    """What an IPAM's owner has said about a resource's CIDR (MON-5, MON-6)."""

    is_ignored: bool
    scope_id: str | None
    """The private scope that it was moved to; None: never moved."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A resource CIDR that an IPAM monitors, as far as it is judged."""

    row_id: int
    """The inventory's, to tell the judgement of."""
    resource_type: ResourceType
    resource_id: str
    cidr: Cidr
    owner_id: str
    region: str
    vpc_id: str | None
    container_id: str | None
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Present:
    """How far the candidates can be relied on to be all that there is."""

    complete: AbstractSet[AccountRegion]
    """Told in full by every source: what no candidate has there is gone."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a resource CIDR is to an IPAM."""

    scope_id: str
    management_state: ManagementState | None
    compliance_status: ComplianceStatus | None
    overlap_status: OverlapStatus | None
    pool_id: str | None = None
    """Of the allocation that it has."""
    allocation_id: str | None = None
    broken_rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Import:
    """A resource that has space of a pool and is to have an allocation of it (MON-4)."""

    pool_id: str
    candidate: Candidate


class Discrepancy(enum.Enum):
    """Where what is allocated and what is there differ (BEY-10)."""

    UNKNOWN = "unknown"
    """A resource uses space of a pool without an allocation."""
    RECLAIMABLE = "reclaimable"
    """An allocation's resource is not there any more."""
    MISMATCHED = "mismatched"
    """An allocation's resource is there, with another CIDR, owner or region."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One such difference."""

    discrepancy: Discrepancy
    scope_id: str
    pool_id: str
    cidr: Cidr
    resource_id: str
    owner_id: str
    region: str
    allocation_id: str | None
    """None where there is no allocation."""
    message: str
    """What does not agree with what, with the values on both sides."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is found of all resources of an IPAM, and what follows."""

    judgements: Sequence[Judgement]
    """One of each candidate, in their order."""
    imports: Sequence[Import]
    """Widest first; none overlaps another of its scope."""
    releases: Sequence[str]
    """Allocations to give back: of ignored CIDRs, and imported ones whose resource is gone."""
    gone: AbstractSet[str]
    """Those of them whose resource is gone, or has other CIDRs only."""
    observed: Mapping[str, AbstractSet[tuple[Cidr, str]]]
    """By scope, what monitored, unmanaged resources occupy, with their ids (BEY-3)."""
    findings: Sequence[Finding]
