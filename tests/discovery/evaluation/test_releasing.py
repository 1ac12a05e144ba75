"""What is given back, and where ledger and resources disagree (ALLOC-5, MON-5, BEY-10)."""

import pytest

from services.discovery.evaluation.model import (
    Allocation,
    AllocationType,
    Candidate,
    Discrepancy,
    Evaluation,
    Present,
)
from services.discovery.sources import AccountRegion
from shared.cidr import Cidr
from tests.discovery.evaluation.support import (
    EVERYTHING,
    IGNORED,
    MOVED,
    NOTHING,
    OTHER_OWNER,
    OTHER_REGION,
    OWNER,
    PRIVATE,
    PUBLIC,
    REGION,
    allocated,
    eip,
    evaluation,
    foreign,
    marked,
    pool,
    reserved,
    subnet,
    vpc,
)

ONE = vpc(1, "10.0.0.0/16")
POOLS = [pool("pool-1", "10.0.0.0/8"), pool("pool-2", "2600:1f18::/32", scope_id=PUBLIC)]
HELD = allocated("pool-1", ONE)
IMPORTED = allocated("pool-1", ONE, service="discovery")
ADDRESS = eip(1, "3.0.0.1/32")


def with_all(candidates: list[Candidate], *allocations: Allocation) -> Evaluation:
    return evaluation(candidates, POOLS, allocations)


@pytest.mark.parametrize("allocation", [HELD, IMPORTED])
@pytest.mark.parametrize("present", [EVERYTHING, NOTHING])
def test_an_ignored_cidr_gives_its_allocation_back(
    allocation: Allocation, present: Present
) -> None:  # ALLOC-5, MON-5
    found = evaluation([ONE], POOLS, [allocation], {marked(ONE): IGNORED}, present)
    assert found.releases == [allocation.allocation_id]


def test_a_moved_cidr_keeps_its_allocation() -> None:  # MON-6
    assert evaluation([ONE], POOLS, [HELD], {marked(ONE): MOVED}).releases == []


def test_nothing_is_ignored_out_of_a_public_scope() -> None:  # ALLOC-5
    ipv6 = vpc(1, "2600:1f18::/56")
    held = [allocated("pool-2", ipv6, service="discovery")]
    assert evaluation([ipv6], POOLS, held, {marked(ipv6): IGNORED}).releases == []
    assert evaluation([], POOLS, held).releases == [held[0].allocation_id]


@pytest.mark.parametrize(
    ("candidates", "is_released"),
    [
        ([], True),
        ([vpc(1, "10.0.0.0/17")], True),
        ([vpc(2, "10.0.0.0/16")], True),
        ([vpc(1, "10.0.0.0/16", region=OTHER_REGION)], True),
        ([foreign(ONE)], True),
        ([ONE], False),
        ([ONE, foreign(ONE)], False),
    ],
)
def test_an_imported_allocation_goes_with_its_resources_cidr(
    candidates: list[Candidate], is_released: bool
) -> None:  # ALLOC-5
    expected = [IMPORTED.allocation_id] if is_released else []
    found = with_all(candidates, IMPORTED)
    assert (found.releases, sorted(found.gone)) == (expected, expected)


def test_an_ignored_cidrs_allocation_is_not_gone() -> None:  # BEY-10
    found = evaluation([ONE], POOLS, [IMPORTED], {marked(ONE): IGNORED})
    assert (found.releases, found.gone) == ([IMPORTED.allocation_id], frozenset())


@pytest.mark.parametrize("there", [[foreign(ADDRESS)], [ADDRESS, foreign(ADDRESS)]])
def test_an_elastic_address_that_went_to_another_account_is_not_gone(
    there: list[Candidate],
) -> None:  # ALLOC-5, EIP-3
    public = pool("pool-3", "3.0.0.0/24", scope_id=PUBLIC, auto_import=True)
    held = allocated("pool-3", ADDRESS, service="discovery", allocation_type=AllocationType.EIP)
    found = evaluation(there, [public], [held])
    assert (found.releases, found.imports) == ([], [])


@pytest.mark.parametrize(
    "present",
    [
        NOTHING,
        Present({AccountRegion(OWNER, OTHER_REGION)}),
        Present({AccountRegion("999999999999", REGION)}),
    ],
)
def test_nothing_is_gone_that_was_not_looked_for_in_full(present: Present) -> None:  # ALLOC-5
    found = evaluation([], POOLS, [IMPORTED], present=present)
    assert (found.releases, found.findings) == ([], [])


@pytest.mark.parametrize(
    "allocation", [HELD, allocated("pool-1", ONE, service=""), reserved("pool-1", "10.0.0.0/16")]
)
def test_only_what_was_imported_is_given_back(allocation: Allocation) -> None:
    assert with_all([], allocation).releases == []


def test_two_scopes_allocations_for_one_cidr_both_go() -> None:
    pools = [*POOLS, pool("pool-3", "10.0.0.0/8", scope_id="scope-other")]
    twin = allocated("pool-3", ONE, service="discovery", allocation_id="alloc-twin")
    assert evaluation([], pools, [IMPORTED, twin]).releases == ["alloc-vpc-1", "alloc-twin"]


@pytest.mark.parametrize(
    ("candidate", "is_unknown"),
    [
        (ONE, True),
        (vpc(1, "10.0.0.0/7"), True),
        (vpc(1, "11.0.0.0/16"), False),
        (vpc(1, "2600:1f18::/56"), True),
        (subnet(1, "10.0.0.0/24", "vpc-1"), False),
        (eip(1, "10.0.0.1/32"), False),
    ],
)
def test_a_resource_in_a_pools_space_without_an_allocation_is_unknown(
    candidate: Candidate, is_unknown: bool
) -> None:  # BEY-10
    found = with_all([candidate]).findings
    assert [finding.discrepancy for finding in found] == [Discrepancy.UNKNOWN] * is_unknown
    if found:
        assert candidate.resource_id in found[0].message
        assert found[0].pool_id in found[0].message
        assert found[0].allocation_id is None


def test_ignored_resources_are_not_unknown() -> None:  # BEY-10, MON-5
    assert evaluation([ONE], POOLS, markings={marked(ONE): IGNORED}).findings == []


def test_an_allocation_without_its_resource_is_reclaimable() -> None:  # BEY-10
    [finding] = with_all([], HELD).findings
    assert finding.discrepancy is Discrepancy.RECLAIMABLE
    assert (finding.scope_id, finding.pool_id, finding.cidr) == (PRIVATE, "pool-1", ONE.cidr)
    assert (finding.allocation_id, finding.resource_id) == ("alloc-vpc-1", "vpc-1")


def test_what_another_account_names_so_has_no_say_in_what_is_reclaimable() -> None:  # BEY-10
    found = with_all([foreign(ONE, cidr=Cidr.parse("10.0.0.0/17"))], HELD).findings
    assert Discrepancy.RECLAIMABLE in [finding.discrepancy for finding in found]


@pytest.mark.parametrize(
    ("there", "differing"),
    [
        (vpc(1, "10.0.0.0/17"), "10.0.0.0/17"),
        (foreign(ONE), OTHER_OWNER),
        (vpc(1, "10.0.0.0/16", region=OTHER_REGION), OTHER_REGION),
    ],
)
def test_an_allocation_that_its_resource_differs_from_is_mismatched(
    there: Candidate, differing: str
) -> None:  # BEY-10
    found = with_all([there], HELD).findings
    mismatched = [f for f in found if f.discrepancy is Discrepancy.MISMATCHED]
    assert [finding.allocation_id for finding in mismatched] == ["alloc-vpc-1"]
    assert differing in mismatched[0].message
    assert not any(f.discrepancy is Discrepancy.RECLAIMABLE for f in found)


@pytest.mark.parametrize("candidates", [[ONE], [ONE, vpc(1, "10.0.0.0/16", region=OTHER_REGION)]])
def test_an_allocation_that_agrees_with_its_resource_is_fine(
    candidates: list[Candidate],
) -> None:  # BEY-10
    found = with_all(candidates, HELD).findings
    assert not any(finding.allocation_id for finding in found)


def test_manual_allocations_are_never_found_wrong() -> None:  # BEY-10, ALLOC-4
    allocation = allocated("pool-1", ONE, allocation_type=AllocationType.CUSTOM)
    assert with_all([], allocation, reserved("pool-1", "10.9.0.0/16")).findings == []
