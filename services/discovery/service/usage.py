"""Figures of what is monitored (MON-7, MON-8, MET-1 to MET-3, ACC-3)."""

import enum
import heapq
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from services.discovery.coverage import Coverage, Ipam
from services.discovery.evaluation.model import (
    ComplianceStatus,
    Finding,
    ManagementState,
    OverlapStatus,
)
from services.discovery.public_address import AddressType, AssociationStatus
from services.discovery.resource_cidr import ResourceType
from services.discovery.sources import AccountRegion
from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterValue
from shared.ids import IPAM

MOST_MAP_BITS = 12
"""A map has at most 4,096 blocks."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ResourceCidrCount:
    """How many resource CIDRs agree in all of these (MON-7)."""

    scope_id: str
    family: AddressFamily
    pool_id: str | None
    resource_type: ResourceType
    management_state: ManagementState | None
    compliance_status: ComplianceStatus | None
    overlap_status: OverlapStatus | None
    count: int


class PublicAddressKind(NamedTuple):
    """What public addresses are counted by."""

    region: str
    address_type: AddressType
    association_status: AssociationStatus
    pool_id: str | None
    """IPAM pool that a contiguous address of Amazon's is of."""


@dataclass(frozen=True, slots=True)
class PublicAddressCount:
    """How many of a place are of a kind."""

    account_id: str
    kind: PublicAddressKind
    count: int


@dataclass(frozen=True, slots=True)
class IpamUsage:
    """Counts of an IPAM."""

    active_ips: Mapping[str, int]
    """By account that owns the interfaces (ACC-3)."""
    public_addresses: Mapping[PublicAddressKind, int]
    active_ip_milliseconds: int
    """That were metered since there is the IPAM, of all addresses together."""


class Group(NamedTuple):
    """What resources are compared in."""

    scope_id: str
    resource_type: ResourceType
    family: AddressFamily


class Resource(NamedTuple):
    """A resource. Sources give whatever ids they like, so that two may have the same."""

    resource_id: str
    owner_id: str
    region: str
    vpc_id: str | None = None
    name: str | None = None

    @property
    def identity(self) -> tuple[str, str, str]:
        """What tells it from all others: id, owner and region."""
        return self[:3]


class UsedCidr(NamedTuple):
    """A CIDR of a resource, and how full it is."""

    resource: Resource
    prefix_length: int
    ip_usage: float
    is_allocated: bool
    """Whether it has space of a pool; of subnets: whether their VPC has."""


class Utilization(NamedTuple):
    """How full a resource is over all its CIDRs of a family in a scope (MET-3)."""

    resource: Resource
    ip_usage: float
    total_addresses: int
    is_allocated: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """How many resources are chosen of each kind (MET-2)."""

    highest: int
    lowest: int
    allocated: int


class BlockState(enum.IntEnum):
    """The worst of what a block holds, from worst to best (MON-8)."""

    OVERLAPPING = 1
    NONCOMPLIANT = 2
    OCCUPIED = 3
    COMPLIANT = 4


class MappedCidr(NamedTuple):
    """A resource CIDR, as far as a map shows it; as numbers, for a map may show a million."""

    first: int
    prefix_length: int
    state: BlockState | None
    """None: it is of a kind that can't be managed, and as good as what it lies in."""


@dataclass(frozen=True, slots=True)
class MapBlock:
    """A block of a map that holds something."""

    cidr: Cidr
    state: BlockState
    resource_cidr_count: int
    is_full: bool


class View(Protocol):
    """What is known at one moment."""

    def resource_cidr_counts(self, ipam_id: str) -> Sequence[ResourceCidrCount]: ...

    def active_ip_counts(self) -> Iterator[tuple[AccountRegion, int]]:
        """Of all accounts and regions, some perhaps more than once."""

    def public_address_counts(self) -> Iterator[PublicAddressCount]:
        """Likewise."""

    def active_ip_milliseconds(self, ipam_id: str) -> int:
        """What the IPAM's meter shows."""

    def candidates(self, of: Group, limits: Limits) -> Collection[str]:
        """Ids of resources among which all are that `chosen` chooses."""

    def used_cidrs(self, of: Group, resource_ids: Collection[str]) -> Iterable[UsedCidr]:
        """All of these resources whose usage is known."""

    def all_used_cidrs(self, of: Group, after: str | None) -> Iterator[tuple[str, UsedCidr]]:
        """All of the group whose usage is known, by the resource's identity, each with its key.

        Goes on with the next resource after the one that a key is of.

        Raises:
            InvalidNextToken: while iterated, when the key is none of its keys.
        """

    def mapped_cidrs(self, scope_id: str, within: Cidr) -> Iterable[MappedCidr]:
        """What overlaps ``within``, by address, widest first."""

    def findings(self, ipam_id: str, after: str | None) -> Iterator[tuple[str, Finding]]:
        """By scope and address, each with its key."""


class Reader(Protocol):
    """Answers each question from one moment."""

    def read(self, question: Callable[[View], T]) -> Awaitable[T]: ...


class Coverages(Protocol):
    """The control plane."""

    async def coverage(self) -> Coverage: ...


def ipam_of(coverage: Coverage, ipam_id: str) -> Ipam:
    """The IPAM of this id.

    Raises:
        UnknownId: there is none.
    """
    for ipam in coverage.ipams:
        if ipam.ipam_id == ipam_id:
            return ipam
    raise IPAM.unknown(ipam_id)


def usage_of(view: View, coverage: Coverage, ipam: Ipam) -> IpamUsage:
    """Active addresses where the IPAM monitors, public ones wherever it sees (IPAM-4, PUB-2)."""
    monitored = coverage.monitored(ipam)
    seen: AbstractSet[AccountRegion] = coverage.places_of_ipams.get(ipam.ipam_id, frozenset())
    active_ips: Counter[str] = Counter()
    for place, count in view.active_ip_counts():
        if place in monitored:
            active_ips[place.account_id] += count
    public: Counter[PublicAddressKind] = Counter()
    for one in view.public_address_counts():
        if AccountRegion(one.account_id, one.kind.region) in seen:
            public[one.kind] += one.count
    return IpamUsage(active_ips, public, view.active_ip_milliseconds(ipam.ipam_id))


def utilizations(cidrs: Iterable[UsedCidr], family: AddressFamily) -> list[Utilization]:
    """Of each resource one: its CIDRs together, each by its size."""
    sizes = [1 << (family.bits - length) for length in range(family.bits + 1)]
    totals: dict[tuple[str, str, str], tuple[Resource, int, float, bool]] = {}
    for resource, prefix_length, ip_usage, is_allocated in cidrs:
        size, identity = sizes[prefix_length], resource.identity
        first, total, used, was_allocated = totals.get(identity, (resource, 0, 0.0, False))
        used, is_one = used + ip_usage * size, was_allocated or is_allocated
        totals[identity] = (first, total + size, used, is_one)
    return [
        Utilization(resource, used / total, total, is_allocated)
        for resource, total, used, is_allocated in totals.values()
    ]


def usages(
    cidrs: Iterable[tuple[str, UsedCidr]], family: AddressFamily
) -> Iterator[tuple[str, Utilization]]:
    """Likewise one by one, of ``cidrs`` that come by resource, each with a key of its CIDRs."""
    for _, group in groupby(cidrs, key=lambda one: one[1].resource.identity):
        keyed = list(group)
        [utilization] = utilizations((cidr for _, cidr in keyed), family)
        yield keyed[0][0], utilization


def chosen(known: Sequence[Utilization], limits: Limits) -> list[Utilization]:
    """Those with the highest usage, with the lowest, and of others with space of pools the largest.

    Highest first, none twice (MET-2). Of equal ones the one whose id comes first is chosen.
    """
    highest = heapq.nsmallest(limits.highest, known, key=_fullest_first)
    lowest = heapq.nsmallest(
        limits.lowest, known, key=lambda one: (one.ip_usage, one.resource.identity)
    )
    extremes = {one.resource.identity: one for one in (*highest, *lowest)}
    others = [one for one in known if one.is_allocated and one.resource.identity not in extremes]
    largest = heapq.nsmallest(
        limits.allocated, others, key=lambda one: (-one.total_addresses, one.resource.identity)
    )
    return sorted([*extremes.values(), *largest], key=_fullest_first)


def _fullest_first(one: Utilization) -> tuple[float, tuple[str, str, str]]:
    return -one.ip_usage, one.resource.identity


def check_can_be_drawn(cidr: Cidr, netmask_length: int) -> None:
    """Nothing, when ``cidr`` can be drawn as blocks of ``netmask_length``.

    Raises:
        InvalidParameterValue: they are larger than it, or too many.
    """
    most = min(cidr.prefix_length + MOST_MAP_BITS, cidr.family.bits)
    if not cidr.prefix_length <= netmask_length <= most:
        raise InvalidParameterValue(
            f"Value ({netmask_length}) for parameter netmaskLength is invalid; '{cidr}' is drawn as"
            f" blocks of /{cidr.prefix_length} to /{most}",
            parameter="netmaskLength",
            value=netmask_length,
            cidr=cidr,
        )


def drawn(cidrs: Iterable[MappedCidr], whole: Cidr, netmask_length: int) -> list[MapBlock]:
    """``whole`` as equal blocks, those that hold something (MON-8).

    ``cidrs`` are by address, widest first, and each overlaps ``whole``.
    """
    map_ = _Map(whole, netmask_length)
    for cidr in cidrs:
        map_.add(cidr)
    return map_.blocks()


class _Map:
    """Counts begin and end at blocks, so that one that spans thousands costs no more than one."""

    def __init__(self, whole: Cidr, netmask_length: int) -> None:
        self._whole, self._length = whole, netmask_length
        bits = whole.family.bits
        self._shift = bits - netmask_length
        self._sizes = [1 << (bits - length) for length in range(bits + 1)]
        self._size = 1 << (netmask_length - whole.prefix_length)
        self._counts = [0] * (self._size + 1)
        self._states = {state: [0] * (self._size + 1) for state in BlockState}
        self._full = [0] * (self._size + 1)
        # Of blocks that nothing fills by itself: addresses held, and up to where.
        self._held = [0] * self._size
        self._held_up_to = -1

    def add(self, cidr: MappedCidr) -> None:
        size = self._sizes[cidr.prefix_length]
        first = cidr.first - self._whole.first
        # What the whole lies in begins before it, or ends after it.
        first, last = max(first, 0), min(first + size, self._whole.size) - 1
        begin, end = first >> self._shift, (last >> self._shift) + 1
        self._counts[begin] += 1
        self._counts[end] -= 1
        if cidr.state:
            steps = self._states[cidr.state]
            steps[begin] += 1
            steps[end] -= 1
        if cidr.prefix_length <= self._length:
            self._full[begin] += 1
            self._full[end] -= 1
        elif last > self._held_up_to:
            # What lies within something else came after that, and ends no later.
            self._held[begin] += size
            self._held_up_to = last

    def blocks(self) -> list[MapBlock]:
        counts = np.cumsum(self._counts)
        full = np.cumsum(self._full)
        by_state = [(state, np.cumsum(steps)) for state, steps in self._states.items()]
        block_size = 1 << self._shift
        return [
            MapBlock(
                Cidr(self._whole.family, self._whole.first + (at << self._shift), self._length),
                next((s for s, held in by_state if held[at]), BlockState.OCCUPIED),
                int(counts[at]),
                bool(full[at]) or self._held[at] == block_size,
            )
            for at in map(int, np.flatnonzero(counts))
        ]
