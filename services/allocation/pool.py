"""A pool as the ledger holds it: its definition and what is left of its CIDRs."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.allocation.allocation import Allocation, ResourceType
from services.allocation.changes import (
    Deprovisioned,
    Freed,
    Held,
    PoolChange,
    Provisioned,
    Repaired,
    Retired,
)
from services.allocation.definition import PoolDefinition
from services.allocation.errors import (
    CidrOutsidePool,
    InsufficientCidrSpace,
    IpamPoolCidrLimitExceeded,
    PoolWithoutCidrs,
    UnknownPoolCidr,
    WrongFamily,
)
from services.allocation.free_space import FreeSpace, NoFit, NotFree
from services.allocation.pool_cidr import PoolCidr
from services.allocation.rules import check_netmask_rule
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
    """In all other allocations."""
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
    ) -> None:
        """``space`` is what is left of ``pool_cidrs``; the figures are those of `usage`.

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
            assigned_addresses=held - self._allocated_addresses,
            cidr_count=len(self._cidrs),
            allocation_count=self._allocation_count,
        )

    @property
    def space(self) -> FreeSpace:
        """What is left; to look at."""
        return self._space

    def block_to_allocate(self, wanted: WantedBlock) -> Cidr:
        """A free block, by the netmask rules; without CIDR or length one of the default length.

        Raises:
            NotFree: the block wanted is taken, or a part of it.
            CadastreError: another refusal, ready for the caller.
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
        return self._free_block(wanted, length)

    def block_to_pass_on(self, wanted: WantedBlock) -> Cidr:
        """A free block for a child pool; allocation rules are not for pools.

        Raises:
            NotFree: the block wanted is taken, or a part of it.
            CadastreError: another refusal, ready for the caller.
        """
        length = wanted.cidr.prefix_length if wanted.cidr else wanted.netmask_length
        if length is None:
            raise MissingParameter("Cidr or NetmaskLength")
        self._check_family(wanted, length)
        return self._free_block(wanted, length)

    def check_room_for_cidr(self) -> None:
        """Refuse one CIDR more than the pool may have.

        Raises:
            IpamPoolCidrLimitExceeded: it has as many already.
        """
        if len(self._cidrs) >= self.definition.cidr_quota:
            raise IpamPoolCidrLimitExceeded(self.ipam_pool_id, self.definition.cidr_quota)

    def check_family(self, cidr: Cidr) -> None:
        """Refuse a block of the other family.

        Raises:
            WrongFamily: the pool's addresses are of the other one.
        """
        if cidr.family is not self.definition.address_family:
            family = self.definition.address_family.value
            raise WrongFamily(cidr, self.ipam_pool_id, family)

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
        """Nothing is held in this CIDR of the pool."""
        return self._space.is_free(pool_cidr.cidr)

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
            case Provisioned(pool_cidr):
                self.provision(pool_cidr)
            case Deprovisioned(pool_cidr):
                self.deprovision(pool_cidr)
            case Retired():
                raise ValueError(f"'{self.ipam_pool_id}' is retired")
            case Repaired():
                raise ValueError(f"'{self.ipam_pool_id}' was repaired")

    def hold(self, allocation: Allocation) -> None:
        self._space.take(allocation.cidr)
        self._count(allocation, 1)

    def free(self, allocation: Allocation) -> None:
        self._space.give_back(allocation.cidr)
        self._count(allocation, -1)

    def provision(self, pool_cidr: PoolCidr) -> None:
        self._space.add_root(pool_cidr.cidr)
        self._cidrs[pool_cidr.cidr] = pool_cidr

    def deprovision(self, pool_cidr: PoolCidr) -> None:
        self._space.remove_root(pool_cidr.cidr)
        del self._cidrs[pool_cidr.cidr]

    def _check_family(self, wanted: WantedBlock, length: int) -> None:
        given = [*([wanted.cidr] if wanted.cidr else []), *(wanted.allowed or ())]
        for cidr in (*given, *wanted.disallowed):
            self.check_family(cidr)
        check_netmask_length(length, self.definition.address_family, parameter="netmaskLength")

    def _free_block(self, wanted: WantedBlock, length: int) -> Cidr:
        if not self._cidrs:
            raise PoolWithoutCidrs(self.ipam_pool_id)
        if wanted.cidr:
            return self._checked_free(wanted.cidr)
        try:
            return self._space.find(length, allowed=wanted.allowed, disallowed=wanted.disallowed)
        except NoFit as error:
            largest = error.largest_free
            raise InsufficientCidrSpace(f"'{self.ipam_pool_id}'", length, largest) from None

    def _checked_free(self, cidr: Cidr) -> Cidr:
        if not self._space.is_free(cidr):
            roots = self._space.roots
            if not any(root.contains(cidr) for root in roots):
                raise CidrOutsidePool(cidr, self.ipam_pool_id, roots)
            raise NotFree(cidr)
        return cidr

    def _count(self, allocation: Allocation, by: int) -> None:
        self._allocation_count += by
        if allocation.resource_type is ResourceType.IPAM_POOL:
            self._allocated_addresses += by * allocation.cidr.size
