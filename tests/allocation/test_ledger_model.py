"""Whatever is asked in whatever order, through whichever replica, the ledger is as its model."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from services.allocation.allocation import Allocation, ResourceType
from services.allocation.definition import PoolDefinition, ScopeType
from services.allocation.placement import Strategy
from services.allocation.service.allocating import Reservation
from services.allocation.service.importing import ResourceImport
from services.allocation.service.ledger import Ledger
from services.allocation.service.placing import PlacementChange
from services.allocation.service.unavailable import Reason, Unavailable, unavailable
from services.allocation.service.view import Observed
from services.allocation.set_aside import SetAside
from services.allocation.store.observed import SqlObservations
from services.allocation.store.reader import SqlReader
from services.allocation.store.writer import SqlWriter
from services.allocation.wanted_block import WantedBlock
from shared.caller import Caller
from shared.cidr import AddressFamily, Cidr
from shared.errors import CadastreError
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.rpc.server import background
from tests.allocation.ledger_model import ModelPool, blocks
from tests.allocation.test_guards import NOW

OWNER = Caller("123456789012", "us-east-1", "tester")
DISCOVERY = Caller("", "us-east-1", "tester", service="discovery")
SPACE = Cidr.parse("10.0.0.0/26")
LENGTHS = st.integers(SPACE.prefix_length, 30)
BLOCKS = LENGTHS.flatmap(lambda length: st.sampled_from(list(blocks(SPACE, length))))
WANTED = st.one_of(
    st.builds(WantedBlock, cidr=BLOCKS), st.builds(WantedBlock, netmask_length=LENGTHS)
)
REPLICA = st.integers(0, 1)
RESOURCE = st.sampled_from(["vpc-1", "vpc-2"])
# What there is to choose from is up to who is faster, so the choice is not drawn from it.
NUMBER = st.integers(0, 15)

# Examples share a database; each has pools and a scope of its own.
_numbers = count(1)


class LedgerMachine(RuleBasedStateMachine):
    """Two replicas of the ledger, which take turns at random, beside one model."""

    pools: Bundle[str] = Bundle("pools")

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._runner, self._stack = asyncio.Runner(), AsyncExitStack()
        self._reader = SqlReader(database)
        self._observations = SqlObservations(database)
        self.now = NOW
        self._writers = [SqlWriter(database, lambda: self.now) for _ in range(2)]
        self._ledgers = [Ledger(writer, self._reader) for writer in self._writers]
        self._runs = background(*(writer.run() for writer in self._writers))
        self._runner.run(self._stack.enter_async_context(self._runs))
        number = next(_numbers)
        self._ipam, self._scope = f"ipam-{number:017x}", f"ipam-scope-{number:017x}"
        self.model: dict[str, ModelPool] = {}
        self.observed: set[Cidr] = set()

    def teardown(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()

    @initialize(target=pools)
    def begin(self) -> Any:
        """Two top-level pools and a child; a replica knows a pool before the other changes it."""
        first, second = self._define(None), self._define(None)
        child = self._define(first)
        self.provision(1, first, WantedBlock(cidr=SPACE))
        self.provision(1, child, WantedBlock(netmask_length=SPACE.prefix_length + 1))
        return multiple(first, second, child)

    @rule(target=pools, source=pools)
    def define_child(self, source: str) -> Any:
        return self._define(source)

    @rule(replica=REPLICA, pool=pools, wanted=WANTED)
    def allocate(self, replica: int, pool: str, wanted: WantedBlock) -> None:
        [made] = self._together(self._reserve(replica, pool, wanted))
        self._check(pool, wanted, made)

    @rule(pool=pools, wanted=st.lists(st.tuples(REPLICA, WANTED), min_size=2, max_size=5))
    def allocate_at_once(self, pool: str, wanted: list[tuple[int, WantedBlock]]) -> None:
        """In which order is not said; what was given must not overlap, as the invariant tells."""
        outcomes = self._together(*(self._reserve(replica, pool, w) for replica, w in wanted))
        for made in outcomes:
            if isinstance(made, Allocation):
                model = self.model[pool]
                is_settled = made.cidr in [w.cidr for _, w in wanted] and made.cidr in model.holds
                if is_settled:
                    del model.holds[made.cidr]
                    # What is held was free when it was; what is excluded since does not matter.
                    assert model.can_take_in(made.cidr)
                else:
                    assert model.can_give(made.cidr, self.observed)
                model.held[made.ipam_pool_allocation_id] = made.cidr

    @rule(replica=REPLICA, pool=pools, wanted=WANTED, seconds=st.integers(1, 20))
    def hold(self, replica: int, pool: str, wanted: WantedBlock, seconds: int) -> None:
        time_to_live = timedelta(seconds=seconds)
        [made] = self._together(
            self._ledgers[replica].hold(OWNER, pool, wanted, time_to_live, once=None, dry_run=False)
        )
        if pool not in self.model:
            assert _reason(made) == "InvalidIpamPoolId.NotFound"
            return
        self._check_possible(self.model[pool], wanted, made)
        if isinstance(made, SetAside):
            until = self.now + time_to_live
            self.model[pool].holds[made.cidr] = (made.set_aside_id, until)

    @rule(replica=REPLICA, pool=pools, number=NUMBER)
    def settle(self, replica: int, pool: str, number: int) -> None:
        holds = self.model[pool].holds if pool in self.model else {}
        if holds:
            cidr = sorted(holds)[number % len(holds)]
            self.allocate(replica, pool, WantedBlock(cidr))

    @rule(replica=REPLICA, pool=pools, number=NUMBER)
    def release_hold(self, replica: int, pool: str, number: int) -> None:
        holds = self.model[pool].holds if pool in self.model else {}
        if holds:
            cidr = sorted(holds)[number % len(holds)]
            hold_id, _ = holds.pop(cidr)
            [outcome] = self._together(
                self._ledgers[replica].release_hold(OWNER, pool, hold_id, dry_run=False)
            )
            assert outcome is None

    @rule(seconds=st.integers(1, 15))
    def pass_time(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        for model in self.model.values():
            model.pass_time(self.now)

    @rule(
        replica=REPLICA,
        pool=pools,
        strategy=st.sampled_from(Strategy),
        excluded=st.sets(BLOCKS, max_size=2),
        avoids_observed=st.booleans(),
        cool_down=st.sampled_from([timedelta(), timedelta(seconds=10)]),
    )
    def place_otherwise(
        self,
        replica: int,
        pool: str,
        strategy: Strategy,
        excluded: set[Cidr],
        *,
        avoids_observed: bool,
        cool_down: timedelta,
    ) -> None:
        if pool not in self.model:
            return
        model = self.model[pool]
        change = PlacementChange(
            strategy,
            sorted(excluded - model.excluded),
            sorted(model.excluded - excluded),
            avoids_observed,
            cool_down,
        )
        [outcome] = self._together(
            self._ledgers[replica].change_placement(OWNER, pool, change, dry_run=False)
        )
        assert _reason(outcome) is None
        model.excluded, model.avoids_observed = excluded, avoids_observed
        model.cool_down = cool_down

    @rule(observed=st.sets(BLOCKS, max_size=2))
    def observe(self, observed: set[Cidr]) -> None:
        report = self._observations.report(
            self._scope,
            [Observed(cidr, "vpc-1") for cidr in observed],
            [Observed(cidr, "vpc-1") for cidr in self.observed - observed],
        )
        [outcome] = self._together(report)
        assert outcome is None
        self.observed = observed

    @rule(replica=REPLICA, pool=pools, number=NUMBER)
    def release(self, replica: int, pool: str, number: int) -> None:
        held = self.model[pool].held if pool in self.model else {}
        if not held:
            return
        cidr, allocation_id = sorted((v, k) for k, v in held.items())[number % len(held)]
        is_childs = self._child_with(pool, cidr) is not None
        is_by_hand = not is_childs and allocation_id not in self.model[pool].resources
        [outcome] = self._together(
            self._ledgers[replica].release(OWNER, pool, cidr, allocation_id, dry_run=False)
        )
        assert _reason(outcome) == (None if is_by_hand else "OperationNotPermitted")
        if is_by_hand:
            self.model[pool].give_back(cidr, self.now)

    @rule(replica=REPLICA, pool=pools, cidr=BLOCKS, resource_id=RESOURCE)
    def take_in(self, replica: int, pool: str, cidr: Cidr, resource_id: str) -> None:
        [[outcome]] = self._together(self._import(replica, pool, cidr, resource_id))
        if pool not in self.model:
            assert _reason(outcome) == "InvalidIpamPoolId.NotFound"
            return
        model = self.model[pool]
        known, can_take_in = model.allocation_of(resource_id, cidr), model.can_take_in(cidr)
        if known or can_take_in:
            assert known in (None, outcome.ipam_pool_allocation_id)
            self._note_import(model, outcome)
        else:
            assert _reason(outcome) == (
                "InvalidParameterValue" if model.roots else "InsufficientCidrSpace"
            )

    @rule(pool=pools, found=st.lists(st.tuples(REPLICA, BLOCKS, RESOURCE), min_size=2, max_size=5))
    def take_in_at_once(self, pool: str, found: list[tuple[int, Cidr, str]]) -> None:
        outcomes = self._together(
            *(self._import(replica, pool, cidr, vpc) for replica, cidr, vpc in found)
        )
        for [outcome] in outcomes:
            if isinstance(outcome, Allocation):
                model = self.model[pool]
                known = model.allocation_of(outcome.resource_id or "", outcome.cidr)
                assert known == outcome.ipam_pool_allocation_id or model.can_take_in(outcome.cidr)
                self._note_import(model, outcome)

    @rule(replica=REPLICA, pool=pools, number=NUMBER)
    def release_of_resource(self, replica: int, pool: str, number: int) -> None:
        resources = self.model[pool].resources if pool in self.model else {}
        if not resources:
            return
        held = self.model[pool].held
        allocation_id = sorted(resources, key=held.__getitem__)[number % len(resources)]
        [released] = self._together(self._ledgers[replica].release_of_resources([allocation_id]))
        assert released == [allocation_id]
        self.model[pool].give_back(held[allocation_id], self.now)

    @rule(replica=REPLICA, pool=pools, wanted=WANTED)
    def provision(self, replica: int, pool: str, wanted: WantedBlock) -> None:
        if pool not in self.model:
            return
        model = self.model[pool]
        source = self.model.get(model.source) if model.source else None
        [made] = self._together(
            self._ledgers[replica].provision(OWNER, pool, wanted, once=None, dry_run=False)
        )
        if source is not None:
            self._check_possible(source, wanted, made, for_pool=True)
        elif model.source:
            assert _reason(made) == "IncorrectState"
        elif wanted.cidr is None:
            assert _reason(made) == "MissingParameter"
        else:
            taken = (root for p in self.model.values() if p.source is None for root in p.roots)
            overlaps = any(root.overlaps(wanted.cidr) for root in taken)
            assert _reason(made) == ("InvalidParameterValue" if overlaps else None)
        if not isinstance(made, CadastreError):
            model.roots.add(made.cidr)
            if source is not None:
                source.held[made.parent_allocation_id] = made.cidr

    @rule(replica=REPLICA, pool=pools, number=NUMBER)
    def deprovision(self, replica: int, pool: str, number: int) -> None:
        roots = self.model[pool].roots if pool in self.model else set()
        if not roots:
            return
        root = sorted(roots)[number % len(roots)]
        is_unused = self.model[pool].is_unused(root)
        [outcome] = self._together(
            self._ledgers[replica].deprovision(OWNER, pool, root, dry_run=False)
        )
        assert _reason(outcome) == (None if is_unused else "DependencyViolation")
        if is_unused:
            self._give_back(pool, root)

    @rule(replica=REPLICA, pool=pools, cascade=st.booleans())
    def retire(self, replica: int, pool: str, *, cascade: bool) -> None:
        if pool not in self.model:
            return
        children = [child for child in self.model.values() if child.source == pool]
        if cascade:
            is_allowed = not any(child.roots for child in children)
        else:
            is_allowed = not children and not self.model[pool].roots
        [outcome] = self._together(
            self._ledgers[replica].retire(pool, cascade=cascade, dry_run=False)
        )
        assert _reason(outcome) == (None if is_allowed else "DependencyViolation")
        if is_allowed:
            for root in list(self.model[pool].roots):
                self._give_back(pool, root)
            del self.model[pool]

    @invariant()
    def the_ledger_is_as_its_model(self) -> None:  # ALLOC-3, POOL-8, BEY-2
        for pool, model in self.model.items():
            listed = self._ask(lambda view, pool=pool: list(view.allocations(pool, None)))
            not_to_be_had = self._ask(
                lambda view, pool=pool: list(unavailable(view, pool, self.now, None))
            )
            assert sorted(_set_aside(found for _, found in not_to_be_had)) == sorted(
                [(cidr, until, hold_id) for cidr, (hold_id, until) in model.holds.items()]
                + [(cidr, until, "") for cidr, until in model.cooling_down.items()]
            )
            assert {a.ipam_pool_allocation_id: a.cidr for _, a in listed} == model.held
            for _, found in listed:
                child = self._child_with(pool, found.cidr)
                is_childs = found.resource_type is ResourceType.IPAM_POOL
                resource_id = child or model.resources.get(found.ipam_pool_allocation_id)
                assert (found.resource_id, is_childs) == (resource_id, child is not None)
            usage = self._ask(lambda view, pool=pool: view.usage([pool])[pool])
            held = usage.allocated_addresses + usage.assigned_addresses
            assert (usage.total_addresses, held) == model.addresses
            assert (usage.cidr_count, usage.allocation_count) == (len(model.roots), len(listed))

    @invariant()
    def free_space_is_told_as_it_lies(self) -> None:  # BEY-2, BEY-11
        usages = self._ask(lambda view: list(view.pool_usages(self._ipam, None, self.now)))
        assert [pool for pool, _ in usages] == sorted(self.model)
        for pool, found in usages:
            free = self.model[pool].free_blocks()
            largest = min((block.prefix_length for block in free), default=None)
            addresses = sum(block.size for block in free)
            told = found.free
            assert (told.block_count, told.addresses) == (len(free), addresses)
            assert told.largest_netmask_length == largest

    def _define(self, source: str | None) -> str:
        pool = f"ipam-pool-{next(_numbers):017x}"
        definition = PoolDefinition(
            ipam_pool_id=pool,
            version=1,
            ipam_id=self._ipam,
            ipam_scope_id=self._scope,
            scope_type=ScopeType.PRIVATE,
            owner_id=OWNER.account_id,
            ipam_region=OWNER.region,
            address_family=AddressFamily.IPV4,
            locale="None",
            cidr_quota=50,
            source_ipam_pool_id=source,
        )
        self._together(self._ledgers[0].define(definition))
        self.model[pool] = ModelPool(source)
        return pool

    def _reserve(self, replica: int, pool: str, wanted: WantedBlock) -> Any:
        reservation = Reservation(pool, wanted, None, {})
        return self._ledgers[replica].reserve(OWNER, reservation, once=None, dry_run=False)

    def _import(self, replica: int, pool: str, cidr: Cidr, resource_id: str) -> Any:
        found = ResourceImport(
            pool, cidr, ResourceType.VPC, resource_id, OWNER.region, OWNER.account_id
        )
        return self._ledgers[replica].import_resources(DISCOVERY, [found])

    def _note_import(self, model: ModelPool, made: Allocation) -> None:
        model.held[made.ipam_pool_allocation_id] = made.cidr
        model.resources[made.ipam_pool_allocation_id] = made.resource_id or ""

    def _check(self, pool: str, wanted: WantedBlock, made: Any) -> None:
        if pool not in self.model:
            assert _reason(made) == "InvalidIpamPoolId.NotFound"
            return
        if wanted.cidr in self.model[pool].holds:
            assert isinstance(made, Allocation)
            del self.model[pool].holds[made.cidr]
        else:
            self._check_possible(self.model[pool], wanted, made)
        if isinstance(made, Allocation):
            assert made.cidr not in self.model[pool].held.values()
            self.model[pool].held[made.ipam_pool_allocation_id] = made.cidr

    def _check_possible(
        self, model: ModelPool, wanted: WantedBlock, made: Any, *, for_pool: bool = False
    ) -> None:
        """What was made could be made, and what was refused could not."""
        observed = set() if for_pool and wanted.cidr else self.observed
        if for_pool and wanted.cidr in model.holds:
            if not isinstance(made, CadastreError):
                del model.holds[made.cidr]
        elif not model.roots:
            assert _reason(made) == "InsufficientCidrSpace"
        elif wanted.cidr:
            is_free = model.can_give(wanted.cidr, observed)
            assert _reason(made) == (None if is_free else "InvalidParameterValue")
        else:
            is_free = model.has_place(wanted.netmask_length or 0, observed)
            assert _reason(made) == (None if is_free else "InsufficientCidrSpace")
        if not isinstance(made, CadastreError):
            assert model.is_free(made.cidr) or wanted.cidr
            assert wanted in (
                replace(wanted, cidr=made.cidr),
                replace(wanted, netmask_length=made.cidr.prefix_length),
            )

    def _give_back(self, pool: str, root: Cidr) -> None:
        model = self.model[pool]
        model.roots.remove(root)
        model.cooling_down = {k: v for k, v in model.cooling_down.items() if not root.contains(k)}
        if model.source:
            self.model[model.source].give_back(root, self.now)

    def _child_with(self, pool: str, cidr: Cidr) -> str | None:
        found = (k for k, v in self.model.items() if v.source == pool and cidr in v.roots)
        return next(found, None)

    def _together(self, *asked: Any) -> list[Any]:
        """Answers and refusals."""

        async def ask() -> list[Any]:
            return await asyncio.gather(*asked, return_exceptions=True)

        outcomes = self._runner.run(ask())
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, CadastreError):
                raise outcome
        return outcomes

    def _ask(self, question: Any) -> Any:
        return self._runner.run(self._reader.read(question))


def _set_aside(found: Iterable[Unavailable]) -> Iterator[tuple[Cidr, Any, str]]:
    for one in found:
        if one.reason in (Reason.HOLD, Reason.COOL_DOWN):
            yield one.cidr, one.until, one.ipam_pool_hold_id or ""


def _reason(outcome: Any) -> str | None:
    return outcome.reason if isinstance(outcome, CadastreError) else None


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    upgrade(database, "services.allocation")
    yield database
    database.close()


@pytest.mark.timeout(600)  # To cut a failure down to its cause takes longer than to find it.
def test_the_ledger_keeps_its_promises(database: Database) -> None:  # ALLOC-3, POOL-8, BEY-2
    run_state_machine_as_test(
        cast(type[RuleBasedStateMachine], partial(LedgerMachine, database)),
        settings=settings(
            max_examples=40 if database.dialect == "sqlite" else 15,
            stateful_step_count=25,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
