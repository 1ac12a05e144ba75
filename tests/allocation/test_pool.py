"""What a pool decides, and that it stays what its changes make it, without a ledger around it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

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
from services.allocation.errors import (
    CidrObserved,
    PoolWithoutCidrs,
    UnknownPoolCidr,
    WrongFamily,
)
from services.allocation.free_space import FreeSpace, NotFree
from services.allocation.observed_cidrs import ObservedCidrs
from services.allocation.placement import Placement, Strategy
from services.allocation.pool import Pool, Usage
from services.allocation.pool_cidr import PoolCidr
from services.allocation.set_aside import SetAside, SetAsideReason
from services.allocation.wanted_block import WantedBlock
from shared.cidr import AddressFamily, Cidr
from shared.errors import CadastreError, InvalidParameterValue, MissingParameter
from tests.allocation.free_space_oracle import NaiveFreeSpace, addresses, sub_blocks
from tests.allocation.test_rules import POOL

SPACE = Cidr.parse("10.0.0.0/28")
BLOCKS = st.sampled_from(list(sub_blocks(SPACE)))
LENGTHS = st.integers(SPACE.prefix_length, 32)
LISTS = st.lists(BLOCKS, max_size=2).map(tuple)
WANTED = st.builds(WantedBlock, cidr=BLOCKS) | st.builds(
    WantedBlock,
    netmask_length=LENGTHS,
    allowed=st.none() | st.lists(BLOCKS, min_size=1, max_size=2).map(tuple),
    disallowed=LISTS,
)
PLACEMENTS = st.builds(
    Placement, strategy=st.sampled_from(Strategy), excluded=LISTS, avoids_observed=st.booleans()
)
RESOURCES = st.sampled_from(["vpc-1", "vpc-2"])
NUMBER = st.integers(0, 15)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class PoolMachine(RuleBasedStateMachine):
    """The pool beside plain records of what was done to it, which are looked through every time."""

    @initialize()
    def begin(self) -> None:
        self.pool, self.now, self.numbers = Pool(POOL), NOW, count(1)
        self.roots: dict[Cidr, PoolCidr] = {}
        self.allocations: dict[Cidr, Allocation] = {}
        self.set_asides: dict[Cidr, SetAside] = {}
        self.placement, self.observed = Placement(), set[tuple[Cidr, str]]()
        self.provision(SPACE.halves[0])

    @rule(cidr=BLOCKS)
    def provision(self, cidr: Cidr) -> None:
        if not any(root.overlaps(cidr) for root in self.roots):
            root = PoolCidr(f"ipam-pool-cidr-{next(self.numbers)}", POOL.ipam_pool_id, cidr)
            self.pool.apply(Provisioned(root))
            self.roots[cidr] = root

    @precondition(lambda self: self.roots)
    @rule(number=NUMBER)
    def deprovision(self, number: int) -> None:
        cidr = sorted(self.roots)[number % len(self.roots)]
        root = self.pool.pool_cidr(cidr)
        assert root == self.roots[cidr]
        held = [*self.allocations, *(k for k, v in self.set_asides.items() if is_hold(v))]
        is_unused = not any(cidr.overlaps(other) for other in held)
        assert self.pool.is_unused(root) == is_unused
        if is_unused:
            for resting in self.pool.cooling_down_in(cidr):
                self.make_available(resting)
            self.pool.apply(Deprovisioned(root))
            del self.roots[cidr]

    @rule(wanted=WANTED, resource_id=st.none() | RESOURCES)
    def allocate(self, wanted: WantedBlock, resource_id: str | None) -> None:
        expected = self.refusal_of(wanted, resource_id)
        if expected:
            with pytest.raises((CadastreError, NotFree), match=expected):
                self.pool.block_to_allocate(wanted, resource_id=resource_id)
            return
        cidr = self.pool.block_to_allocate(wanted, resource_id=resource_id)
        assert self.pool.block_to_allocate(wanted, resource_id=resource_id) == cidr
        self.check_choice(wanted, cidr)
        self.hold(cidr, ResourceType.VPC if resource_id else ResourceType.CUSTOM)

    @rule(wanted=WANTED)
    def pass_on(self, wanted: WantedBlock) -> None:
        everybody = {resource_id for _, resource_id in self.observed} if wanted.cidr else set()
        expected = self.refusal_of(wanted, *everybody)
        if expected:
            with pytest.raises((CadastreError, NotFree), match=expected):
                self.pool.block_to_pass_on(wanted)
            return
        cidr = self.pool.block_to_pass_on(wanted)
        self.check_choice(wanted, cidr)
        self.hold(cidr, ResourceType.IPAM_POOL)

    @precondition(lambda self: self.allocations)
    @rule(number=NUMBER, rests=st.booleans(), seconds=st.integers(1, 3))
    def free(self, number: int, seconds: int, *, rests: bool) -> None:
        cidr = sorted(self.allocations)[number % len(self.allocations)]
        self.pool.apply(Freed(self.allocations.pop(cidr)))
        if rests:
            self.put_aside(cidr, SetAsideReason.COOL_DOWN, seconds)

    @rule(cidr=BLOCKS, seconds=st.integers(1, 3))
    def hold_for_a_time(self, cidr: Cidr, seconds: int) -> None:
        if self.free_addresses() >= addresses(cidr) and self.is_inside(cidr):
            self.put_aside(cidr, SetAsideReason.HOLD, seconds)

    @rule(seconds=st.integers(0, 2))
    def pass_time(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        due = self.pool.due(self.now)
        assert by_id(due) == by_id(v for v in self.set_asides.values() if v.until <= self.now)
        for set_aside in due:
            self.make_available(set_aside)

    @precondition(lambda self: self.set_asides)
    @rule(number=NUMBER)
    def end_sooner(self, number: int) -> None:
        cidr = sorted(self.set_asides)[number % len(self.set_asides)]
        self.make_available(self.set_asides[cidr])

    @rule(placement=PLACEMENTS)
    def place(self, placement: Placement) -> None:
        self.pool.apply(PlacementChanged(POOL.ipam_pool_id, placement))
        self.placement = placement

    @rule(observed=st.sets(st.tuples(BLOCKS, RESOURCES), max_size=3))
    def observe(self, observed: set[tuple[Cidr, str]]) -> None:
        self.pool.observed = ObservedCidrs(observed)
        self.observed = observed

    @rule()
    def read_anew(self) -> None:
        held = sorted((cidr.first, cidr.prefix_length) for cidr in self.held())
        self.pool = Pool(
            POOL,
            self.roots.values(),
            FreeSpace.rebuilt(AddressFamily.IPV4, self.roots, held),
            allocation_count=len(self.allocations),
            allocated_addresses=self.allocated_addresses(),
            set_asides=self.set_asides.values(),
            placement=self.placement,
        )
        if self.observed:
            self.pool.observed = ObservedCidrs(self.observed)

    @invariant()
    def it_is_as_it_was_told(self) -> None:
        total = sum(root.size for root in self.roots)
        aside = sum(cidr.size for cidr in self.set_asides)
        assert self.pool.usage == Usage(
            total_addresses=total,
            allocated_addresses=self.allocated_addresses(),
            assigned_addresses=total
            - len(self.free_addresses())
            - self.allocated_addresses()
            - aside,
            cidr_count=len(self.roots),
            allocation_count=len(self.allocations),
        )
        assert self.pool.pool_cidrs == [self.roots[cidr] for cidr in sorted(self.roots)]
        assert self.pool.placement == self.placement
        assert self.pool.space.free_addresses == len(self.free_addresses())
        for cidr in sub_blocks(SPACE):
            found = self.set_asides.get(cidr)
            hold = found if found and is_hold(found) else None
            assert self.pool.hold_of("owner", cidr) == hold
            assert self.pool.hold_of("stranger", cidr) is None
        resting = [v for v in self.set_asides.values() if not is_hold(v)]
        assert by_id(self.pool.cooling_down_in(SPACE)) == by_id(resting)
        for found in self.set_asides.values():
            is_it = found if is_hold(found) else None
            assert self.pool.hold_of_id(found.set_aside_id) == is_it

    @invariant()
    def it_places_where_nothing_is(self) -> None:  # BEY-3, BEY-9
        for length in (30, 32):
            wanted = WantedBlock(netmask_length=length)
            if self.refusal_of(wanted):
                with pytest.raises(CadastreError):
                    self.pool.block_to_pass_on(wanted)
            else:
                self.check_choice(wanted, self.pool.block_to_pass_on(wanted))

    def refusal_of(self, wanted: WantedBlock, *theirs: str | None) -> str | None:
        """What speaks against it; what only ``theirs`` is observed there does not."""
        if not self.roots:
            return "has no CIDR provisioned"
        if not wanted.cidr:
            return None if self.places(wanted) else "has no free"
        seen = [cidr for cidr, resource_id in self.observed if resource_id not in theirs]
        if not self.is_inside(wanted.cidr):
            return "does not lie in one CIDR"
        if any(cidr.overlaps(wanted.cidr) for cidr in self.held()):
            return "is not wholly free"
        if any(cidr.overlaps(wanted.cidr) for cidr in self.placement.excluded):
            return "which is excluded"
        is_seen = any(cidr.overlaps(wanted.cidr) for cidr in seen)
        return "which is in use" if is_seen and self.placement.avoids_observed else None

    def check_choice(self, wanted: WantedBlock, chosen: Cidr) -> None:
        strategy = self.placement.strategy
        if wanted.cidr:
            assert chosen == wanted.cidr
        elif strategy is Strategy.RANDOM:
            assert chosen in self.places(wanted)
        else:
            length, allowed, disallowed = the_lists_of(wanted)
            assert chosen == self.left().find(length, allowed, disallowed, strategy)

    def places(self, wanted: WantedBlock) -> list[Cidr]:
        return [cidr for _, cidr in self.left().places(*the_lists_of(wanted))]

    def left(self) -> NaiveFreeSpace:
        """What may be placed by length."""
        left = NaiveFreeSpace(SPACE)
        left.roots, left.free = list(self.roots), self.free_addresses()
        seen = [cidr for cidr, _ in self.observed] if self.placement.avoids_observed else []
        for cidr in (*self.placement.excluded, *seen):
            left.free -= addresses(cidr)
        return left

    def held(self) -> list[Cidr]:
        return [*self.allocations, *self.set_asides]

    def free_addresses(self) -> set[int]:
        free = {address for root in self.roots for address in addresses(root)}
        return free - {address for cidr in self.held() for address in addresses(cidr)}

    def allocated_addresses(self) -> int:
        return sum(
            cidr.size
            for cidr, allocation in self.allocations.items()
            if allocation.resource_type is ResourceType.IPAM_POOL
        )

    def is_inside(self, cidr: Cidr) -> bool:
        return any(root.contains(cidr) for root in self.roots)

    def hold(self, cidr: Cidr, resource_type: ResourceType) -> None:
        number = next(self.numbers)
        allocation = allocation_of(cidr, resource_type, f"ipam-pool-alloc-{number}")
        self.pool.apply(Held(allocation))
        self.allocations[cidr] = allocation

    def put_aside(self, cidr: Cidr, reason: SetAsideReason, seconds: int) -> None:
        until = self.now + timedelta(seconds=seconds)
        set_aside = SetAside(
            f"set-aside-{next(self.numbers)}",
            POOL.ipam_pool_id,
            cidr,
            reason,
            "owner",
            until,
            self.now,
        )
        self.pool.apply(PutAside(set_aside))
        self.set_asides[cidr] = set_aside

    def make_available(self, set_aside: SetAside) -> None:
        self.pool.apply(MadeAvailable(set_aside))
        assert self.pool.hold_of_id(set_aside.set_aside_id) is None
        del self.set_asides[set_aside.cidr]


TestPoolAgainstRecords = PoolMachine.TestCase
TestPoolAgainstRecords.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)


def is_hold(set_aside: SetAside) -> bool:
    return set_aside.reason is SetAsideReason.HOLD


def by_id(set_asides: Any) -> list[SetAside]:
    return sorted(set_asides, key=lambda one: one.set_aside_id)


def the_lists_of(wanted: WantedBlock) -> tuple[int, tuple[Cidr, ...] | None, tuple[Cidr, ...]]:
    assert wanted.netmask_length is not None
    return wanted.netmask_length, wanted.allowed, wanted.disallowed


def allocation_of(cidr: Cidr, resource_type: ResourceType, allocation_id: str) -> Allocation:
    return Allocation(allocation_id, POOL.ipam_pool_id, cidr, resource_type, "owner", NOW)


def set_aside_of(cidr: Cidr, number: str, *, is_hold: bool = False) -> SetAside:
    reason = SetAsideReason.HOLD if is_hold else SetAsideReason.COOL_DOWN
    return SetAside(f"set-aside-{number}", POOL.ipam_pool_id, cidr, reason, "owner", NOW, NOW)


def pool_of(*cidrs: str, **definition: Any) -> Pool:
    pool = Pool(replace(POOL, **definition))
    for number, cidr in enumerate(cidrs):
        pool.provision(PoolCidr(f"ipam-pool-cidr-{number}", POOL.ipam_pool_id, Cidr.parse(cidr)))
    return pool


def test_a_new_pool_is_as_full_as_nothing() -> None:
    assert pool_of().usage == Usage()


def test_the_length_is_the_requests_or_the_default() -> None:  # ALLOC-1, POOL-4
    pool = pool_of("10.0.0.0/16", default_netmask_length=24, min_netmask_length=20)
    assert str(pool.block_to_allocate(WantedBlock())) == "10.0.0.0/24"
    assert str(pool.block_to_allocate(WantedBlock(netmask_length=20))) == "10.0.0.0/20"
    assert str(pool.block_to_pass_on(WantedBlock(netmask_length=16))) == "10.0.0.0/16"


IT = {"ipam_pool_id": POOL.ipam_pool_id}
V6 = Cidr.parse("2600::/64")
A, B, OUTSIDE = map(Cidr.parse, ("10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"))


def crowded() -> Pool:
    """A is excluded in part and observed in part; of B the first half is taken."""
    pool = pool_of(str(A), str(B), cidr_quota=2, max_netmask_length=28, default_netmask_length=28)
    excluded, observed = Cidr.parse("10.0.0.0/26"), Cidr.parse("10.0.0.128/26")
    pool.place(Placement(excluded=(excluded,)))
    pool.observed = ObservedCidrs([(observed, "vpc-1")])
    pool.hold(allocation_of(B.halves[0], ResourceType.CUSTOM, "ipam-pool-alloc-1"))
    return pool


@pytest.mark.parametrize(
    ("refuse", "reason", "metadata"),
    [
        pytest.param(
            lambda pool: pool.block_to_pass_on(WantedBlock()),
            "MissingParameter",
            {"parameter": "Cidr or NetmaskLength"},
            id="no length to pass on, whatever the default",
        ),
        pytest.param(
            lambda pool: pool.block_to_allocate(WantedBlock(netmask_length=29)),
            "InvalidParameterValue",
            IT
            | {
                "netmask_length": "29",
                "allocation_min_netmask_length": "0",
                "allocation_max_netmask_length": "28",
            },
            id="netmask rule",
        ),
        pytest.param(
            lambda pool: pool.block_to_allocate(WantedBlock(OUTSIDE)),
            "InvalidParameterValue",
            IT | {"cidr": str(OUTSIDE), "ipam_pool_cidrs": f"{A}, {B}"},
            id="outside",
        ),
        pytest.param(
            lambda pool: pool.block_to_allocate(WantedBlock(A.halves[0])),
            "InvalidParameterValue",
            IT | {"cidr": str(A.halves[0]), "excluded_cidr": "10.0.0.0/26"},
            id="excluded",
        ),
        pytest.param(
            lambda pool: pool.block_to_allocate(WantedBlock(A.halves[1]), resource_id="vpc-2"),
            "InvalidParameterValue",
            IT | {"cidr": str(A.halves[1]), "observed_cidr": "10.0.0.128/26"},
            id="observed",
        ),
        pytest.param(
            lambda pool: pool.block_to_allocate(WantedBlock(netmask_length=24)),
            "InsufficientCidrSpace",
            {"space": f"'{POOL.ipam_pool_id}'", "netmask_length": "24", "largest_free": "25"},
            id="nothing so large",
        ),
        pytest.param(
            lambda pool: pool.check_room_for_cidr(),
            "IpamPoolCidrLimitExceeded",
            IT | {"quota": "2", "count": "2"},
            id="quota",
        ),
        pytest.param(
            lambda pool: pool.pool_cidr(OUTSIDE),
            "InvalidIpamPoolCidr.NotFound",
            IT | {"cidr": str(OUTSIDE), "ipam_pool_cidrs": f"{A}, {B}"},
            id="no CIDR of the pool",
        ),
        pytest.param(
            lambda pool: pool.pool_cidr(None),
            "MissingParameter",
            {"parameter": f"Cidr (one of {A}, {B})"},
            id="which CIDR",
        ),
    ],
)
def test_a_refusal_tells_what_it_is_about(
    refuse: Callable[[Pool], object], reason: str, metadata: dict[str, str]
) -> None:
    with pytest.raises(CadastreError) as refusal:
        refuse(crowded())
    assert (refusal.value.reason, refusal.value.metadata) == (reason, metadata)


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(WantedBlock(V6), id="block"),
        pytest.param(WantedBlock(netmask_length=28, allowed=(A, V6)), id="allowed"),
        pytest.param(WantedBlock(netmask_length=28, disallowed=(V6,)), id="disallowed"),
    ],
)
def test_everything_named_is_of_the_pools_family(wanted: WantedBlock) -> None:  # POOL-1
    pool = pool_of(str(A))
    for decide in (pool.block_to_allocate, pool.block_to_pass_on):
        with pytest.raises(WrongFamily) as refusal:
            decide(wanted)
        told = {"cidr": str(V6), "ipam_pool_id": POOL.ipam_pool_id, "address_family": "ipv4"}
        assert refusal.value.metadata == told


def test_no_block_is_of_a_length_that_the_family_does_not_have() -> None:  # POOL-4
    pool, wanted = pool_of(str(A), max_netmask_length=33), WantedBlock(netmask_length=33)
    for decide in (pool.block_to_allocate, pool.block_to_pass_on):
        with pytest.raises(InvalidParameterValue, match="netmask lengths are 0-32") as refusal:
            decide(wanted)
        assert refusal.value.metadata == {"parameter": "netmaskLength", "value": "33"}


def test_a_pool_without_a_default_needs_a_length() -> None:  # ALLOC-1
    with pytest.raises(MissingParameter, match=f"'{POOL.ipam_pool_id}' has no default"):
        pool_of(str(A)).block_to_allocate(WantedBlock(allowed=(A,)))


def test_a_pool_without_cidrs_gives_nothing() -> None:  # POOL-7
    for wanted in (WantedBlock(A), WantedBlock(netmask_length=24)):
        with pytest.raises(PoolWithoutCidrs) as refusal:
            pool_of().block_to_allocate(wanted)
        assert refusal.value.metadata == {"ipam_pool_id": POOL.ipam_pool_id}


def test_a_taken_block_is_told_by_what_was_wanted() -> None:  # ALLOC-3
    with pytest.raises(NotFree) as refusal:
        crowded().block_to_allocate(WantedBlock(B))
    assert refusal.value.cidr == B


def test_there_is_room_until_the_quota_is_reached() -> None:  # POOL-2
    pool_of(str(A), cidr_quota=2).check_room_for_cidr()


def test_the_only_cidr_needs_no_name() -> None:  # PROV-8
    assert pool_of(str(A)).pool_cidr(None).cidr == A
    assert pool_of(str(A), str(B)).pool_cidr(B).cidr == B
    for cidr in (None, A):
        with pytest.raises(UnknownPoolCidr) as refusal:
            pool_of().pool_cidr(cidr)
        assert refusal.value.metadata["ipam_pool_cidrs"] == "none"


def test_what_rests_in_a_cidr_does_not_keep_it_in_the_pool() -> None:  # IPAM-6, PROV-8
    pool = pool_of(str(A), str(B))
    resting, held = set_aside_of(A.halves[0], "1"), set_aside_of(A.halves[1], "2", is_hold=True)
    for set_aside in (resting, set_aside_of(B, "3")):
        pool.put_aside(set_aside)
    assert pool.cooling_down_in(A) == [resting]
    assert [pool.is_unused(root) for root in pool.pool_cidrs] == [True, True]
    pool.put_aside(held)
    assert [pool.is_unused(root) for root in pool.pool_cidrs] == [False, True]
    pool.make_available(held)
    pool.hold(allocation_of(held.cidr, ResourceType.CUSTOM, "ipam-pool-alloc-1"))
    assert [pool.is_unused(root) for root in pool.pool_cidrs] == [False, True]


def test_a_resource_may_have_what_it_alone_occupies() -> None:  # BEY-3
    pool, wanted = pool_of(str(A)), WantedBlock(A.halves[0])
    pool.observed = ObservedCidrs([(A.halves[0], "vpc-1")])
    assert pool.block_to_allocate(wanted, resource_id="vpc-1") == A.halves[0]
    pool.observed = ObservedCidrs([(A.halves[0], "vpc-1"), (A.halves[0], "vpc-2")])
    with pytest.raises(CidrObserved):
        pool.block_to_allocate(wanted, resource_id="vpc-1")


def test_a_pool_told_so_gives_a_certain_block_away_whoever_is_seen_there() -> None:  # BEY-3
    pool = pool_of(str(A))
    pool.observed = ObservedCidrs([(A.halves[0], "vpc-1")])
    pool.place(Placement(avoids_observed=False))
    assert pool.block_to_allocate(WantedBlock(A), resource_id="vpc-2") == A


def test_space_of_other_cidrs_makes_no_pool() -> None:  # ALLOC-3
    space = FreeSpace(AddressFamily.IPV4)
    space.add_root(A)
    for pool_cidrs in ([], [PoolCidr("ipam-pool-cidr-1", POOL.ipam_pool_id, B)]):
        with pytest.raises(ValueError, match="is of other CIDRs"):
            Pool(POOL, pool_cidrs, space)


@pytest.mark.parametrize(
    "change", [Retired(POOL.ipam_pool_id), Repaired(("overlap",))], ids=["retired", "repaired"]
)
def test_some_changes_leave_no_pool_to_go_on_with(change: PoolChange) -> None:  # POOL-7, BEY-10
    with pytest.raises(ValueError, match=f"'{POOL.ipam_pool_id}' (is retired|was repaired)"):
        pool_of(str(A)).apply(change)


def test_chance_falls_anew_with_every_allocation() -> None:  # BEY-9
    pool = pool_of("10.0.0.0/8")
    pool.place(Placement(Strategy.RANDOM))
    chosen = []
    for number in range(20):
        chosen.append(pool.block_to_allocate(WantedBlock(netmask_length=30)))
        pool.hold(allocation_of(chosen[-1], ResourceType.CUSTOM, f"ipam-pool-alloc-{number}"))
    steps = [after.first - before.first for before, after in pairwise(chosen)]
    assert min(map(abs, steps)) > 4
    assert min(steps) < 0 < max(steps)


def test_chance_falls_otherwise_in_each_pool() -> None:  # BEY-9
    chosen = set()
    for number in range(20):
        pool = pool_of("10.0.0.0/8", ipam_pool_id=f"ipam-pool-{number:017x}")
        pool.place(Placement(Strategy.RANDOM))
        chosen.add(pool.block_to_allocate(WantedBlock(netmask_length=30)))
    assert len(chosen) == 20
