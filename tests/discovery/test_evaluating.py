"""What an evaluation makes others do: the ledger, the records."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from services.discovery.coverage import Ipam
from services.discovery.evaluation.model import Allocation, Books, Candidate, Import, Pool
from services.discovery.record import Sighting
from services.discovery.service.evaluating import (
    Evaluator,
    Held,
    ImportRefused,
    ObservedCidr,
    Policy,
    Seen,
    View,
)
from tests.discovery.evaluation.support import (
    EVERYTHING,
    OTHER_OWNER,
    OWNER,
    PRIVATE,
    REGION,
    SCOPES,
    allocated,
    pool,
    vpc,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
INVENTORY = 7
SEEN = Seen(EVERYTHING.complete, frozenset())


class FakeLedger:
    """Releases what it is asked to, and takes everything in."""

    def __init__(self, pools: Sequence[Pool], allocations: Sequence[Allocation] = ()) -> None:
        self._pools, self._allocations = {one.pool_id: one for one in pools}, list(allocations)
        self.released: list[str] = []
        self.imported: list[str] = []
        self.observed_cidrs: Mapping[str, AbstractSet[ObservedCidr]] = {}

    async def books(self, ipam_id: str) -> Books:
        return Books(self._pools, list(self._allocations))

    async def take_in(self, imports: Sequence[Import]) -> Sequence[ImportRefused]:
        for one in imports:
            self.imported.append(one.candidate.resource_id)
            self._allocations.append(allocated(one.pool_id, one.candidate, service="discovery"))
        return []

    async def release(self, ipam_pool_allocation_ids: Sequence[str]) -> Sequence[str]:
        self.released += ipam_pool_allocation_ids
        gone = set(ipam_pool_allocation_ids)
        self._allocations = [one for one in self._allocations if one.allocation_id not in gone]
        return ipam_pool_allocation_ids

    async def observed(self, scope_id: str) -> AbstractSet[ObservedCidr]:
        return self.observed_cidrs.get(scope_id, frozenset())

    async def report_observed(
        self, scope_id: str, seen: Iterable[ObservedCidr], gone: Iterable[ObservedCidr]
    ) -> None:
        known = await self.observed(scope_id)
        self.observed_cidrs = {**self.observed_cidrs, scope_id: (known | set(seen)) - set(gone)}


class FakeRecords:
    """Of an IPAM that has seen all it is asked about, and in whose way nothing comes."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._view = View(
            version=1,
            sightings=[Sighting(one, INVENTORY, None) for one in candidates],
            markings={},
            current={},
            sampled_at={INVENTORY: datetime.min.replace(tzinfo=UTC)},
            complete=EVERYTHING.complete,
            versions={INVENTORY: 1},
            unremembered=frozenset(),
            forgotten=(),
            active_ips={},
        )

    async def view(self, *_asked: Any) -> View:
        return self._view

    async def version(self, ipam_id: str) -> int:
        return self._view.version

    async def ever_had(self, ipam_id: str, held: Sequence[Held]) -> AbstractSet[Held]:
        return set(held)

    async def save(self, *_given: Any) -> bool:
        return True

    async def remember(self, *given: Any) -> None: ...
    async def forget(self, *given: Any) -> None: ...
    async def keep_only(self, *given: Any) -> None: ...
    async def prune(self, *given: Any) -> None: ...


async def evaluated(
    ledger: FakeLedger,
    candidates: Sequence[Candidate],
    policy: Policy | None = None,
    *,
    is_free_tier: bool = False,
) -> None:
    evaluator = Evaluator(ledger, FakeRecords(candidates), lambda: NOW, policy or Policy())
    await evaluator.evaluate(Ipam(SCOPES, OWNER, REGION, is_free_tier=is_free_tier), SEEN)


@pytest.mark.parametrize(
    ("is_free_tier", "imported"), [(True, ["vpc-1"]), (False, ["vpc-1", "vpc-2"])]
)
async def test_the_free_tier_imports_nothing_of_other_accounts(
    is_free_tier: bool, imported: list[str]
) -> None:  # IPAM-4, MON-4
    ledger = FakeLedger([pool("pool-1", "10.0.0.0/8", auto_import=True)])
    candidates = [vpc(1, "10.1.0.0/16"), vpc(2, "10.2.0.0/16", owner_id=OTHER_OWNER)]
    await evaluated(ledger, candidates, is_free_tier=is_free_tier)
    assert ledger.imported == imported


@pytest.mark.parametrize(("reclaimable", "released"), [("report", []), ("release", ["second"])])
async def test_a_cidr_that_a_resource_lost_goes_as_the_policy_says(
    reclaimable: Literal["report", "release"], released: list[str]
) -> None:  # BEY-10
    kept = vpc(1, "10.0.0.0/16")
    lost = allocated("pool-1", vpc(1, "10.1.0.0/16"), service="discovery", allocation_id="second")
    ledger = FakeLedger([pool("pool-1", "10.0.0.0/8")], [allocated("pool-1", kept), lost])
    await evaluated(ledger, [kept], Policy(reclaimable=reclaimable))
    assert ledger.released == released


async def test_each_resource_of_equal_ones_is_told_to_be_there() -> None:  # BEY-3
    """What one of them is given, another still has."""
    candidates = [vpc(1, "10.0.0.0/16"), vpc(2, "10.0.0.0/16")]
    ledger = FakeLedger([])
    await evaluated(ledger, candidates)
    block = candidates[0].cidr
    both = {ObservedCidr(block, "vpc-1"), ObservedCidr(block, "vpc-2")}
    assert ledger.observed_cidrs[PRIVATE] == both
    await evaluated(ledger, [replace(candidates[0], row_id=9)])
    assert ledger.observed_cidrs[PRIVATE] == {ObservedCidr(block, "vpc-1")}
