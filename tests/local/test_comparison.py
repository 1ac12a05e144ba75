"""What is found where the ledger and the services beside it don't know the same (BEY-10)."""

import pytest

from services.local.comparison import (
    Association,
    DefinedPool,
    HeldAllocation,
    LedgerPool,
    control_plane_findings,
    network_findings,
)

HELD = HeldAllocation("10.0.0.0/24", "vpc-1", "assoc-1")
USED = Association("assoc-1", "vpc-1", "10.0.0.0/24", "alloc-1")


@pytest.mark.parametrize(
    ("held", "used", "kinds"),
    [
        pytest.param({}, [], [], id="nothing"),
        pytest.param({"alloc-1": HELD}, [USED], [], id="as it should be"),
        pytest.param(
            {"alloc-1": HELD}, [Association("assoc-1", "vpc-1", "", "")], [], id="being allocated"
        ),
        pytest.param(
            {}, [Association("assoc-1", "vpc-1", "10.0.0.0/24", "")], [], id="given, not allocated"
        ),
        pytest.param({"alloc-1": HELD}, [], ["allocation-without-association"], id="unused"),
        pytest.param({}, [USED], ["association-without-allocation"], id="unallocated"),
        pytest.param(
            {"alloc-1": HeldAllocation("10.0.1.0/24", "vpc-1", "assoc-1")},
            [USED],
            ["association-of-another-cidr"],
            id="another CIDR",
        ),
        pytest.param(
            {"alloc-1": HELD, "alloc-2": HeldAllocation("10.0.1.0/24", "vpc-2", "assoc-2")},
            [USED],
            ["allocation-without-association"],
            id="one of two",
        ),
    ],
)
def test_allocations_are_what_resources_have(
    held: dict[str, HeldAllocation], used: list[Association], kinds: list[str]
) -> None:
    found = list(network_findings(held, used))
    assert [finding.kind for finding in found] == kinds
    for finding in found:
        assert len(finding.record_ids) == len(finding.cidrs)


@pytest.mark.parametrize(
    ("known", "defined", "kind"),
    [
        pytest.param(LedgerPool(2, False), DefinedPool(2, False), None, id="the same"),
        pytest.param(LedgerPool(2, True), None, None, id="retired and deleted"),
        pytest.param(LedgerPool(2, False), DefinedPool(3, True), None, id="being told"),
        pytest.param(None, DefinedPool(2, True), None, id="being made"),
        pytest.param(LedgerPool(2, True), DefinedPool(2, True), None, id="being deleted"),
        pytest.param(LedgerPool(2, False), DefinedPool(3, False), "other-definition", id="behind"),
        pytest.param(LedgerPool(3, False), DefinedPool(2, False), "other-definition", id="ahead"),
        pytest.param(None, DefinedPool(2, False), "pool-unknown-to-ledger", id="unknown"),
        pytest.param(
            LedgerPool(2, True), DefinedPool(2, False), "pool-unknown-to-ledger", id="retired"
        ),
        pytest.param(LedgerPool(2, False), None, "pool-unknown-to-control-plane", id="left behind"),
    ],
)
def test_pools_are_known_to_both_alike(
    known: LedgerPool | None, defined: DefinedPool | None, kind: str | None
) -> None:
    found = list(
        control_plane_findings({"p": known} if known else {}, {"p": defined} if defined else {})
    )
    assert [finding.kind for finding in found] == ([kind] if kind else [])
