"""What can be read of the ledger, each time from one snapshot."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from services.allocation.allocation import Allocation
from services.allocation.changes import TokenKey
from services.allocation.definition import PoolDefinition
from services.allocation.free_figures import FreeFigures
from services.allocation.observed_cidrs import ObservedCidrs
from services.allocation.pending_cidr import PendingCidr, WaitingCidr
from services.allocation.placement import Placement
from services.allocation.policy import PolicyDefinition, PolicyRules
from services.allocation.pool import Usage
from services.allocation.pool_cidr import PoolCidr
from services.allocation.set_aside import SetAside
from shared.caller import Caller
from shared.cidr import Cidr

T = TypeVar("T")


def address_key(cidr: Cidr) -> str:
    """The key of a record that lists in order of address; keys have that order, too."""
    return f"{cidr.first_key.hex()}/{cidr.prefix_length:03}"


@dataclass(frozen=True, slots=True)
class Observed:
    """A CIDR that a resource is seen to occupy."""

    cidr: Cidr
    resource_id: str


@dataclass(frozen=True, slots=True)
class VpcCidr:
    """A CIDR that a VPC is seen to have."""

    vpc_id: str
    cidr: Cidr
    owner_id: str
    region: str


@dataclass(frozen=True, slots=True)
class PublicCidr:
    """A CIDR of a public pool, with how the pool is."""

    pool_cidr: PoolCidr
    pool: PoolDefinition


@dataclass(frozen=True, slots=True)
class KnownPool:
    """Whatever the ledger knows of a pool; version 0 where it knows no definition."""

    ipam_pool_id: str
    definition_version: int
    is_retired: bool


@dataclass(frozen=True, slots=True)
class PoolWithCidrs:
    """A pool that is not retired, and what it has provisioned, in order of address."""

    definition: PoolDefinition
    cidrs: Sequence[Cidr]


@dataclass(frozen=True, slots=True)
class PoolUsage:
    """How full a pool is that is not retired, and how its free space lies."""

    definition: PoolDefinition
    usage: Usage
    free: FreeFigures


class View(Protocol):
    """Lists come lazily, each record with the key that a page can begin after."""

    def definition(self, ipam_pool_id: str, *, retired: bool = False) -> PoolDefinition | None:
        """Of a pool that is not retired, or, with ``retired``, of one that may be."""

    def owned_pools(self, caller: Caller) -> Sequence[tuple[int, str]]:
        """The caller's pools with this home region: numbers, in order, and ids."""

    def pool_cidrs(self, ipam_pool_id: str, after: str | None) -> Iterator[tuple[str, PoolCidr]]:
        """A pool's CIDRs, those deprovisioned included, in order of address."""

    def pending_cidrs(
        self, ipam_pool_id: str, after: str | None
    ) -> Iterator[tuple[str, PendingCidr]]:
        """What waits to be a pool's, or can't be, in order of address."""

    def waiting_cidrs(self, after: int) -> Sequence[WaitingCidr]:
        """The next ones that came to wait after a number, oldest first; none left out."""

    def pool_of_pending(self, ipam_pool_cidr_id: str) -> str | None:
        """The pool that a CIDR waits for."""

    def pool_of_cidr(self, ipam_pool_cidr_id: str) -> str | None:
        """The pool that has a CIDR provisioned."""

    def public_cidrs(
        self, account_id: str, region: str, cidr: Cidr | None, after: str | None
    ) -> Iterator[tuple[str, PublicCidr]]:
        """What public pools that an account uses in a region have, by address and pool.

        Pools without a locale are in the region "None". With ``cidr`` only that.
        """

    def policy_rules(self, account_id: str) -> Sequence[PolicyRules]:
        """Those of the policy that applies to an account; none when none does."""

    def vpc_cidrs(
        self, vpc_ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, VpcCidr]]:
        """What these VPCs, or all, are seen to have, by VPC and address."""

    def allocations(self, ipam_pool_id: str, after: str | None) -> Iterator[tuple[str, Allocation]]:
        """A pool's allocations, in order of address."""

    def set_asides(self, ipam_pool_id: str, after: str | None) -> Iterator[tuple[str, SetAside]]:
        """What is set aside in a pool, expired or not, in order of address."""

    def placement(self, ipam_pool_id: str) -> Placement:
        """A pool's, as its owner wants it."""

    def observed(self, ipam_pool_id: str) -> ObservedCidrs:
        """What is seen to be occupied in a pool's scope."""

    def observed_in_scope(
        self, ipam_scope_id: str, after: str | None
    ) -> Iterator[tuple[str, Observed]]:
        """What is seen to be occupied in a scope, by resource id and address."""

    def allocations_of_ids(self, ipam_pool_allocation_ids: Sequence[str]) -> Sequence[Allocation]:
        """Those that are live."""

    def resource_allocations(
        self, service: str, after: str | None
    ) -> Iterator[tuple[str, Allocation]]:
        """What a service allocated to its resources, in order of allocation id."""

    def allocation_under(self, key: TokenKey) -> Allocation | None:
        """What was allocated under a token: as it is, or, if it is gone, as it was."""

    def known_pools(self, after: str | None) -> Iterator[tuple[str, KnownPool]]:
        """All accounts', those retired included, in order of pool id; none of the system's."""

    def pools_of_ipam(self, ipam_id: str, after: str | None) -> Iterator[tuple[str, PoolWithCidrs]]:
        """An IPAM's, in order of pool id."""

    def pool_usages(
        self, ipam_id: str, after: str | None, now: datetime
    ) -> Iterator[tuple[str, PoolUsage]]:
        """An IPAM's, in order of pool id; free is what could be allocated at ``now``."""

    def allocations_of_ipam(
        self, ipam_id: str, after: str | None
    ) -> Iterator[tuple[str, Allocation]]:
        """What an IPAM's pools gave to others than pools, in order of pool id and address."""

    def foreign_allocations(self, ipam_pool_ids: Sequence[str], limit: int) -> Sequence[str]:
        """Ids of what others than a pool's owner have of it, the first ones by id."""

    def usage(self, ipam_pool_ids: Sequence[str]) -> dict[str, Usage]:
        """Of those pools that are known and not retired."""


class Reader(Protocol):
    async def read(self, question: Callable[[View], T]) -> T:
        """The answer as of one moment, with everything in it that was acknowledged (BEY-2)."""


class Annotator(Protocol):
    async def annotate(
        self,
        caller: Caller,
        ipam_pool_allocation_ids: Sequence[str],
        change: Callable[[Allocation], Allocation],
        *,
        dry_run: bool,
    ) -> Sequence[Allocation]:
        """Change descriptions and tags of allocations the caller sees: of all, or of none.

        Raises:
            UnknownId: the caller sees no such allocation.
            DryRunOperation: all would have been changed.
        """


class Observations(Protocol):
    async def report(
        self, ipam_scope_id: str, observed: Sequence[Observed], gone: Sequence[Observed]
    ) -> None:
        """Note what resources occupy in a scope from now on, and what no longer (BEY-3)."""


class Policies(Protocol):
    async def put(self, definition: PolicyDefinition) -> None:
        """Make a policy known as it is now; what is older than what is known changes nothing."""


class VpcObservations(Protocol):
    async def report(self, seen: Sequence[VpcCidr], gone: Sequence[VpcCidr]) -> None:
        """Note which CIDRs VPCs have from now on, and which no longer (VPC-3)."""
