"""What of a plan is reserved, and what is in its way (BEY-13)."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.local.brownfield.plan_file import Entry, Line, Unusable
from services.local.brownfield.planning import (
    Allocation,
    PoolView,
    Verdict,
    extras,
    in_vrf,
    judged,
)
from shared.cidr import AddressFamily, Cidr

CONTAINER = "container"


def plan(*blocks: str) -> list[Line]:
    """Lines from 1: a CIDR, and what is said of it after a space."""
    lines: list[Line] = []
    for number, (cidr, _, about) in enumerate((b.partition(" ") for b in blocks), start=1):
        is_container = about == CONTAINER
        description = "" if is_container else about
        lines.append(Entry(number, Cidr.parse(cidr), description, is_container=is_container))
    return lines


def held(cidr: str, resource_type: str = "custom", description: str = "") -> Allocation:
    return Allocation(Cidr.parse(cidr), f"id-of-{cidr}", resource_type, description=description)


def pool(*allocations: Allocation, cidrs: Sequence[str] = ("10.0.0.0/8",)) -> PoolView:
    return PoolView(map(Cidr.parse, cidrs), allocations)


@pytest.mark.parametrize(
    ("blocks", "innermost", "outermost"),
    [
        pytest.param(["10.0.0.0/24"], "m", "m", id="one"),
        pytest.param(["10.0.0.0/24", "10.0.1.0/24"], "mm", "mm", id="apart"),
        pytest.param(["10.0.0.0/24", "10.0.0.0/16"], "ms", "sm", id="nested"),
        pytest.param(
            ["10.0.0.0/16", "10.0.0.0/20", "10.0.0.0/24", "10.0.16.0/24"],
            "ssmm",
            "msss",
            id="three levels",
        ),
        pytest.param(["10.0.0.0/16 container"], "s", "m", id="a container alone"),
        pytest.param(["10.0.0.0/24", "10.0.0.0/24 a"], "mc", "mc", id="twice"),
        pytest.param(
            ["10.0.0.0/24", "10.0.0.0/16", "10.0.0.0/16"], "mss", "smc", id="a container twice"
        ),
        pytest.param(
            ["10.0.0.0/24", "10.0.0.0/24", "10.0.0.0/16"], "mcs", "ssm", id="a leaf twice"
        ),
        pytest.param(
            ["10.0.0.0/16 container", "10.0.0.0/16 a"], "sm", "cm", id="a container of its size"
        ),
        pytest.param(["10.0.0.0/24", "fd00::/64"], "mc", "mc", id="both families"),
    ],
)
def test_of_nested_blocks_the_innermost_or_the_outermost_are_reserved(
    blocks: list[str], innermost: str, outermost: str
) -> None:
    for containers, expected in ((False, innermost), (True, outermost)):
        found = judged(plan(*blocks), pool(), containers=containers)
        assert "".join(f.verdict[0] for f in found) == expected
        assert all(f.message for f in found if f.verdict is not Verdict.MISSING)


@pytest.mark.parametrize(
    ("allocation", "verdict", "said"),
    [
        (held("10.0.1.0/24", description="web"), Verdict.HELD, "web"),
        (held("10.0.1.0/24", description="db"), Verdict.DIFFERS, "as 'db', not as 'web'"),
        (held("10.0.1.0/24", "vpc"), Verdict.TAKEN, "of vpc"),
        (held("10.0.1.0/24", "ipam-pool"), Verdict.CONFLICT, "in the way"),
        (held("10.0.1.128/25"), Verdict.CONFLICT, "id-of-10.0.1.128/25"),
        (held("10.0.0.0/16", "vpc"), Verdict.CONFLICT, "10.0.0.0/16"),
        (held("10.0.0.0/24"), Verdict.MISSING, ""),
        (held("10.0.2.0/24"), Verdict.MISSING, ""),
    ],
)
def test_what_a_pool_has_is_compared(allocation: Allocation, verdict: Verdict, said: str) -> None:
    [found] = judged(plan("10.0.1.0/24 web"), pool(allocation), containers=False)
    assert found.verdict is verdict
    assert said in found.message


@pytest.mark.parametrize(
    ("cidrs", "block", "verdict"),
    [
        (["10.0.0.0/16"], "10.0.0.0/16", Verdict.MISSING),
        (["10.0.0.0/16", "10.1.0.0/16"], "10.1.255.0/24", Verdict.MISSING),
        (["10.0.0.0/16"], "10.1.0.0/24", Verdict.CONFLICT),
        (["10.0.0.0/16"], "10.0.0.0/8", Verdict.CONFLICT),
        # An allocation lies in one CIDR.
        (["10.0.0.0/17", "10.0.128.0/17"], "10.0.0.0/16", Verdict.CONFLICT),
        ([], "10.0.0.0/16", Verdict.CONFLICT),
    ],
)
def test_what_is_outside_a_pools_cidrs_is_a_conflict(
    cidrs: list[str], block: str, verdict: Verdict
) -> None:
    [found] = judged(plan(block), pool(cidrs=cidrs), containers=False)
    assert found.verdict is verdict


def test_mistakes_are_conflicts_and_the_rest_is_skipped() -> None:
    lines = [Unusable(1, "ten", "it is none", True), Unusable(2, "DC1", "a folder", False)]
    verdicts = [found.verdict for found in judged(lines, pool(), containers=False)]
    assert verdicts == [Verdict.CONFLICT, Verdict.SKIPPED]


def test_reservations_that_no_line_names_are_extra() -> None:
    view = pool(held("10.0.0.0/24"), held("10.0.1.0/24"), held("10.0.2.0/24", "vpc"))
    findings = judged(plan("10.0.0.0/24"), view, containers=False)
    [extra] = extras(findings, view)
    assert (extra.text, extra.verdict, extra.line) == ("10.0.1.0/24", Verdict.EXTRA, 0)


def test_of_other_vrfs_nothing_is_reserved() -> None:
    cidr = Cidr.parse("10.0.0.0/24")
    lines: list[Line] = [Entry(1, cidr, vrf="blue"), Entry(2, cidr), Entry(3, cidr, vrf="red")]
    verdicts = [f.verdict for f in judged(in_vrf(lines, "blue"), pool(), containers=False)]
    assert verdicts == [Verdict.MISSING, Verdict.SKIPPED, Verdict.SKIPPED]


@st.composite
def blocks(draw: st.DrawFn) -> Cidr:
    """Of a space of 64 addresses, so that they often meet."""
    length = draw(st.integers(26, 32))
    first = draw(st.integers(0, 63)) & ~((1 << (32 - length)) - 1)
    return Cidr(AddressFamily.IPV4, first, length)


def addresses(cidr: Cidr) -> set[int]:
    return set(range(cidr.first, cidr.last + 1))


@given(st.lists(blocks(), max_size=12), st.lists(blocks(), max_size=8), st.booleans())
def test_what_is_to_be_reserved_can_be(
    wanted: list[Cidr], allocated: list[Cidr], containers: bool
) -> None:
    allocations: list[Allocation] = []
    for cidr in allocated:
        if not any(addresses(cidr) & addresses(a.cidr) for a in allocations):
            allocations.append(held(str(cidr)))
    view = PoolView([Cidr(AddressFamily.IPV4, 0, 27)], allocations)
    lines: list[Line] = [Entry(n, cidr) for n, cidr in enumerate(wanted, start=1)]
    found = judged(lines, view, containers=containers)

    assert [f.line for f in found] == [line.line for line in lines]
    free = set(range(32)).difference(*(addresses(a.cidr) for a in allocations))
    for position, (cidr, finding) in enumerate(zip(wanted, found, strict=True)):
        others = [other for other in wanted if other != cidr]
        if containers:
            is_skipped = any(addresses(cidr) < addresses(other) for other in others)
        else:
            is_skipped = any(addresses(other) < addresses(cidr) for other in others)
        is_repeated = cidr in wanted[:position]
        if is_skipped:
            assert finding.verdict is Verdict.SKIPPED
        elif is_repeated or not addresses(cidr) <= set(range(32)):
            assert finding.verdict is Verdict.CONFLICT
        elif any(a.cidr == cidr for a in allocations):
            assert finding.verdict is Verdict.HELD
        elif addresses(cidr) <= free:
            assert finding.verdict is Verdict.MISSING
        else:
            assert finding.verdict is Verdict.CONFLICT
    reserved = [cidr for cidr, f in zip(wanted, found, strict=True) if f.verdict is Verdict.MISSING]
    assert sum(cidr.size for cidr in reserved) == len(set().union(*map(addresses, reserved)))
