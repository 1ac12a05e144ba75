"""A pool as the ledger holds it: its definition and what is left of its CIDRs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from sortedcontainers import SortedKeyList

from services.allocation.allocation import Allocation, ResourceType
from services.allocation.changes import (
    Deprovisioned,
    Freed,
    Held,
    MadeAvailable,
    PlacementChanged,
    PoolChange,
    Provisioned,
    PutAside,
    Repaired,
    Retired,
)
from services.allocation.definition import PoolDefinition
from services.allocation.errors import (
    CidrExcluded,
    CidrObserved,
    CidrOutsidePool,
    InsufficientCidrSpace,
    IpamPoolCidrLimitExceeded,
    PoolWithoutCidrs,
    UnknownPoolCidr,
    WrongFamily,
)
from services.allocation.free_figures import FreeFigures
from services.allocation.free_space import FreeSpace, NoFit, NotFree
from services.allocation.observed_cidrs import NOTHING_OBSERVED, ObservedCidrs
from services.allocation.placeable_space import PlaceableSpace
from services.allocation.placement import AS_USUAL, Placement, Strategy
from services.allocation.pool_cidr import PoolCidr
from services.allocation.rules import check_netmask_rule
from services.allocation.set_aside import SetAside, SetAsideReason
from services.allocation.system_pools import shown
from services.allocation.wanted_block import WantedBlock
from shared.cidr import Cidr, check_netmask_length
from shared.errors import MissingParameter


@dataclass(frozen=True, slots=True)
class Usage:
    """How full a pool is, in addresses and in records."""

    total_addresses: int = 0
    allocated_addresses: int = 0
    """In allocations to other pools."""
    assigned_addresses: int = 0
    """In all other allocations; what is set aside is in neither."""
    cidr_count: int = 0
    allocation_count: int = 0


class Pool:
    """Decides by ``definition``, and is told what was decided by the methods named after it."""

    def __init__(
        self,
        definition: PoolDefinition,
        pool_cidrs: Iterable[PoolCidr] = (),
        space: FreeSpace | None = None,
        *,
        allocation_count: int = 0,
        allocated_addresses: int = 0,
        set_asides: Iterable[SetAside] = (),
        placement: Placement = AS_USUAL,
    ) -> None:
        """``space`` is what is left of ``pool_cidrs``; the figures are those of `usage`.

        What is set aside is not left.

        Raises:
            ValueError: it is what is left of others.
        """
        self.definition = definition
        self._cidrs = {found.cidr: found for found in pool_cidrs}
        self._space = space or FreeSpace(definition.address_family)
        if set(self._space.roots) != self._cidrs.keys():
            raise ValueError(f"the free space of '{definition.ipam_pool_id}' is of other CIDRs")
        self._allocation_count = allocation_count
        self._allocated_addresses = allocated_addresses
        self._set_asides: dict[Cidr, SetAside] = {}
        self._holds: dict[str, SetAside] = {}
        self._by_end: SortedKeyList[SetAside, datetime] = SortedKeyList(key=attrgetter("until"))
        self._set_aside_addresses = 0
        for found in set_asides:
            self._note_set_aside(found)
        self._placement = placement
        self._observed = NOTHING_OBSERVED
        # There only while something is blocked.
        self._placeable: PlaceableSpace | None = None
        self._keep_off()

    @property
    def ipam_pool_id(self) -> str:
        return self.definition.ipam_pool_id

    @property
    def pool_cidrs(self) -> list[PoolCidr]:
        """What is provisioned, in order of address."""
        return [self._cidrs[cidr] for cidr in self._space.roots]

    @property
    def usage(self) -> Usage:
        total = self._space.total_addresses
        held = total - self._space.free_addresses
        return Usage(
            total_addresses=total,
            allocated_addresses=self._allocated_addresses,
            assigned_addresses=held - self._allocated_addresses - self._set_aside_addresses,
            cidr_count=len(self._cidrs),
            allocation_count=self._allocation_count,
        )

    @property
    def free_figures(self) -> FreeFigures:
        """How `space` lies."""
        return FreeFigures.of(self._space, self._by_end[0].until if self._by_end else None)

    @property
    def space(self) -> FreeSpace:
        """What is left; to look at."""
        return self._space

    @property
    def placeable(self) -> FreeSpace:
        """What automatic placement may use of `space`; to look at."""
        return self._placeable.left if self._placeable else self._space

    @property
    def placement(self) -> Placement:
        """How it places what is asked by length, and where nothing at all."""
        return self._placement

    @property
    def observed(self) -> ObservedCidrs:
        """What resources without an allocation are seen to occupy in the pool's scope."""
        return self._observed

    @observed.setter
    def observed(self, observed: ObservedCidrs) -> None:
        self._observed = observed
        self._keep_off()

    def due(self, now: datetime) -> list[SetAside]:
        """What was set aside no longer than until now."""
        return list(self._by_end.irange_key(max_key=now)) if self._by_end else []

    def hold_of(self, account_id: str, cidr: Cidr) -> SetAside | None:
        """What the account holds exactly there (BEY-8)."""
        found = self._set_asides.get(cidr)
        is_its = found and found.set_aside_id in self._holds and found.owner == account_id
        return found if is_its else None

    def hold_of_id(self, ipam_pool_hold_id: str) -> SetAside | None:
        """The hold, if it is there still."""
        return self._holds.get(ipam_pool_hold_id)

    def cooling_down_in(self, cidr: Cidr) -> list[SetAside]:
        """What was released a short while ago inside of ``cidr``."""
        return [
            found
            for found in self._set_asides.values()
            if found.reason is SetAsideReason.COOL_DOWN and cidr.contains(found.cidr)
        ]

    def block_to_allocate(
        self,
        wanted: WantedBlock,
        *,
        resource_id: str | None = None,
        strategy: Strategy | None = None,
    ) -> Cidr:
        """A free block, by the netmask rules; without CIDR or length one of the default length.

        A certain block may be one that the resource itself is seen to occupy. ``strategy`` is what
        counts instead of the pool's own.

        Raises:
            NotFree: the block wanted is taken, or a part of it.
            CadastreError: another refusal, ready for the caller.
        """
        length = self.length_to_allocate(wanted)
        cidr = self._free_block(wanted, length, strategy or self._placement.strategy)
        if wanted.cidr:
            self._check_not_observed(cidr, resource_id)
        return cidr

    def length_to_allocate(self, wanted: WantedBlock) -> int:
        """The length of what is wanted, by the netmask rules.

        Raises:
            CadastreError: the refusal, ready for the caller.
        """
        length = wanted.cidr.prefix_length if wanted.cidr else wanted.netmask_length
        if length is None:
            length = self.definition.default_netmask_length
        if length is None:
            raise MissingParameter(
                f"Cidr or NetmaskLength ('{self.ipam_pool_id}' has no default netmask length)"
            )
        self._check_family(wanted, length)
        check_netmask_rule(self.definition, length)
        return length

    def block_to_pass_on(self, wanted: WantedBlock) -> Cidr:
        """A free block for a child pool; allocation rules are not for pools.

        A certain block may hold what resources are seen to occupy: the child can take it over.

        Raises:
            NotFree: the block wanted is taken, or a part of it.
            CadastreError: another refusal, ready for the caller.
        """
        length = wanted.cidr.prefix_length if wanted.cidr else wanted.netmask_length
        if length is None:
            raise MissingParameter("Cidr or NetmaskLength")
        self._check_family(wanted, length)
        return self._free_block(wanted, length, self._placement.strategy)

    def check_can_take_in(self, cidr: Cidr) -> None:
        """Refuse a block that a resource has already, where the pool can't have it on its books.

        What else holds for allocations - rules, what is excluded or seen to be occupied - does not
        here, for that the resource is there is a fact (MON-4).

        Raises:
            NotFree: the block is taken, or a part of it.
            CadastreError: another refusal, ready for the caller.
        """
        self.check_family(cidr)
        self._check_has_cidrs()
        self._check_free(cidr)

    def check_room_for_cidr(self, *, waiting: int = 0) -> None:
        """Refuse one CIDR more than the pool may have, with as many that wait to be its.

        Raises:
            IpamPoolCidrLimitExceeded: it has as many already.
        """
        count, quota = len(self._cidrs) + waiting, self.definition.cidr_quota
        if count >= quota:
            raise IpamPoolCidrLimitExceeded(self.ipam_pool_id, count, quota)

    def check_family(self, cidr: Cidr) -> None:
        """Refuse a block of the other family.

        Raises:
            WrongFamily: the pool's addresses are of the other one.
        """
        if cidr.family is not self.definition.address_family:
            family = self.definition.address_family.value
            raise WrongFamily(cidr, self.ipam_pool_id, family)

    def provisioned(self, cidr: Cidr) -> PoolCidr | None:
        """What is provisioned as exactly this."""
        return self._cidrs.get(cidr)

    def pool_cidr(self, cidr: Cidr | None) -> PoolCidr:
        """The CIDR meant; it may be left unnamed where the pool has one only.

        Raises:
            UnknownPoolCidr: the pool does not have it, or has none.
            MissingParameter: none is named and there are several.
        """
        roots = self._space.roots
        if cidr is None and len(roots) > 1:
            raise MissingParameter(f"Cidr (one of {', '.join(map(str, roots))})")
        if cidr is None and roots:
            cidr = roots[0]
        found = self._cidrs.get(cidr) if cidr else None
        if found is None:
            raise UnknownPoolCidr(self.ipam_pool_id, cidr, roots)
        return found

    def is_unused(self, pool_cidr: PoolCidr) -> bool:
        """Nobody has or holds anything in this CIDR of the pool; what cools down may be there."""
        cidr = pool_cidr.cidr
        if not self._set_asides:
            return self._space.is_free(cidr)
        free = sum(part.size for part in self._space.free_parts(cidr))
        cooling_down = sum(found.cidr.size for found in self.cooling_down_in(cidr))
        return free + cooling_down == cidr.size

    def apply(self, change: PoolChange) -> None:
        """Do what another replica did to this pool.

        Raises:
            NotFree: the pool is not as it was when that was done.
            ValueError: likewise.
        """
        match change:
            case Held(allocation):
                self.hold(allocation)
            case Freed(allocation):
                self.free(allocation)
            case PutAside(set_aside):
                self.put_aside(set_aside)
            case MadeAvailable(set_aside):
                self.make_available(set_aside)
            case PlacementChanged(_, placement):
                self.place(placement)
            case Provisioned(pool_cidr):
                self.provision(pool_cidr)
            case Deprovisioned(pool_cidr):
                self.deprovision(pool_cidr)
            case Retired():
                raise ValueError(f"'{self.ipam_pool_id}' is retired")
            case Repaired():
                raise ValueError(f"'{self.ipam_pool_id}' was repaired")

    def hold(self, allocation: Allocation) -> None:
        self._take(allocation.cidr)
        self._count(allocation, 1)

    def free(self, allocation: Allocation) -> None:
        self._give_back(allocation.cidr)
        self._count(allocation, -1)

    def put_aside(self, set_aside: SetAside) -> None:
        self._take(set_aside.cidr)
        self._note_set_aside(set_aside)

    def make_available(self, set_aside: SetAside) -> None:
        self._give_back(set_aside.cidr)
        self._by_end.remove(self._set_asides.pop(set_aside.cidr))
        self._holds.pop(set_aside.set_aside_id, None)
        self._set_aside_addresses -= set_aside.cidr.size

    def place(self, placement: Placement) -> None:
        self._placement = placement
        self._keep_off()

    def provision(self, pool_cidr: PoolCidr) -> None:
        self._space.add_root(pool_cidr.cidr)
        if self._placeable:
            self._placeable.add_root(pool_cidr.cidr)
        self._cidrs[pool_cidr.cidr] = pool_cidr
        self._keep_off()

    def deprovision(self, pool_cidr: PoolCidr) -> None:
        self._space.remove_root(pool_cidr.cidr)
        if self._placeable:
            self._placeable.remove_root(pool_cidr.cidr)
        del self._cidrs[pool_cidr.cidr]
        self._keep_off()

    def _take(self, cidr: Cidr) -> None:
        self._space.take(cidr)
        if self._placeable:
            self._placeable.take(cidr)

    def _give_back(self, cidr: Cidr) -> None:
        self._space.give_back(cidr)
        if self._placeable:
            self._placeable.give_back(cidr)

    def _note_set_aside(self, set_aside: SetAside) -> None:
        self._set_asides[set_aside.cidr] = set_aside
        if set_aside.reason is SetAsideReason.HOLD:
            self._holds[set_aside.set_aside_id] = set_aside
        self._by_end.add(set_aside)
        self._set_aside_addresses += set_aside.cidr.size

    def _keep_off(self) -> None:
        """Place nothing where the owner, or what is seen to be in use, says so."""
        blocked = {
            cidr
            for cidr in self._placement.excluded
            if any(root.overlaps(cidr) for root in self._cidrs)
        }
        if self._placement.avoids_observed:
            for root in self._cidrs:
                blocked.update(self._occupied_in(root))
        if not blocked:
            self._placeable = None
            return
        self._placeable = self._placeable or PlaceableSpace(self._space)
        self._placeable.block(blocked)

    def _check_family(self, wanted: WantedBlock, length: int) -> None:
        for cidr in wanted.cidrs:
            self.check_family(cidr)
        check_netmask_length(length, self.definition.address_family, parameter="netmaskLength")

    def _free_block(self, wanted: WantedBlock, length: int, strategy: Strategy) -> Cidr:
        self._check_has_cidrs()
        if wanted.cidr:
            return self._checked_placeable(wanted.cidr)
        space = self.placeable
        try:
            return space.find(
                length,
                allowed=wanted.allowed,
                disallowed=wanted.disallowed,
                strategy=strategy,
                seed=self._seed(space) if strategy is Strategy.RANDOM else "",
            )
        except NoFit as error:
            largest = error.largest_free
            raise InsufficientCidrSpace(shown(self.ipam_pool_id), length, largest) from None

    def _seed(self, space: FreeSpace) -> str:
        """Another one after each allocation, and the same for the preview before it."""
        return f"{self.ipam_pool_id} {space.free_addresses} {self._allocation_count}"

    def _check_has_cidrs(self) -> None:
        if not self._cidrs:
            raise PoolWithoutCidrs(self.ipam_pool_id)

    def _check_free(self, cidr: Cidr) -> None:
        if not self._space.is_free(cidr):
            roots = self._space.roots
            if not any(root.contains(cidr) for root in roots):
                raise CidrOutsidePool(cidr, self.ipam_pool_id, roots)
            raise NotFree(cidr)

    def _checked_placeable(self, cidr: Cidr) -> Cidr:
        self._check_free(cidr)
        for excluded in self._placement.excluded:
            if excluded.overlaps(cidr):
                raise CidrExcluded(cidr, self.ipam_pool_id, excluded)
        return cidr

    def _check_not_observed(self, cidr: Cidr, resource_id: str | None) -> None:
        if self._placement.avoids_observed:
            for observed in self._occupied_in(cidr):
                if self._observed.is_of_others(observed, resource_id):
                    raise CidrObserved(cidr, self.ipam_pool_id, observed)

    def _occupied_in(self, cidr: Cidr) -> Iterable[Cidr]:
        """What is seen to be occupied there; not by the VPC itself whose space the pool plans."""
        occupied, vpc_id = self._observed.overlapping(cidr), self.definition.source_resource_id
        if vpc_id is None:
            return occupied
        return (found for found in occupied if self._observed.is_of_others(found, vpc_id))

    def _count(self, allocation: Allocation, by: int) -> None:
        self._allocation_count += by
        if allocation.resource_type is ResourceType.IPAM_POOL:
            self._allocated_addresses += by * allocation.cidr.size
