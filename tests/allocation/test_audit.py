"""What a check finds in records, judged without a database (BEY-10)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.allocation.audit.allocations import AllocationScan
from services.allocation.audit.change_feed import feed_finding
from services.allocation.audit.finding import Finding, FindingKind
from services.allocation.audit.pool_cidrs import (
    SourceBooks,
    cidr_findings,
    parentage_findings,
    scope_findings,
)
from services.allocation.audit.records import (
    AllocationRow,
    CidrRecord,
    Holding,
    ParentRecord,
    PoolRecord,
    Range,
    holding_of,
)
from services.allocation.free_space import FreeSpace
from services.allocation.pool import Usage
from shared.cidr import AddressFamily, Cidr

POOL, OTHER, SOURCE = "ipam-pool-1", "ipam-pool-2", "ipam-pool-0"
ALLOCATION = "ipam-pool-alloc-1"


def pool(usage: Usage | None = None, *, version: int = 3, source: str | None = None) -> PoolRecord:
    family = AddressFamily.IPV4
    return PoolRecord(1, POOL, version, False, family, source, "owner", usage or Usage())


def block(cidr: str) -> Range:
    parsed = Cidr.parse(cidr)
    return Range.from_keys(parsed.first_key, parsed.last_key, parsed.prefix_length)


def pool_cidr(
    cidr: str,
    record_id: str = "",
    *,
    pool_id: str = POOL,
    parent: str | None = None,
    is_provisioned: bool = True,
) -> CidrRecord:
    return CidrRecord(record_id or cidr, pool_id, block(cidr), is_provisioned, parent)


def row(cidr: str, resource_type: str = "custom", resource_id: str | None = None) -> AllocationRow:
    """An allocation with its CIDR as id."""
    parsed = Cidr.parse(cidr)
    keys = (parsed.first_key, parsed.last_key, parsed.prefix_length)
    return (*keys, resource_type, resource_id, cidr)


def scanned(
    cidrs: Sequence[CidrRecord],
    rows: Sequence[AllocationRow],
    children: Sequence[CidrRecord] = (),
    kept: FreeSpace | None = None,
) -> list[Finding]:
    """Findings about the rows, of a pool whose figures are right."""
    blocks = {(c.ipam_pool_id, c.block.first, c.block.last) for c in children}
    first = AllocationScan(pool(), cidrs, blocks)
    list(first.findings(rows))
    return list(AllocationScan(pool(first.usage), cidrs, blocks, kept).findings(rows))


def told(findings: Sequence[Finding]) -> list[tuple[str, tuple[str, ...]]]:
    return [(str(found.kind), found.record_ids) for found in findings]


@pytest.mark.parametrize(
    ("cidrs", "rows", "expected"),
    [
        pytest.param(["10.0.0.0/16"], ["10.0.0.0/24", "10.0.1.0/24"], [], id="side by side"),
        pytest.param([], [], [], id="nothing"),
        pytest.param(
            ["10.0.0.0/16"],
            ["10.0.0.0/24", "10.0.0.0/25", "10.0.0.200/32", "10.0.1.0/24"],
            [
                ("overlapping-allocations", ("10.0.0.0/24", "10.0.0.0/25")),
                ("overlapping-allocations", ("10.0.0.0/24", "10.0.0.200/32")),
            ],
            id="two inside of one",
        ),
        pytest.param(
            ["10.0.0.0/16", "10.2.0.0/16"],
            ["9.0.0.0/8", "10.0.0.0/24", "10.1.0.0/24", "10.2.0.0/16", "10.3.0.0/24", "fd80::/64"],
            [
                ("allocation-outside-cidrs", ("9.0.0.0/8",)),
                ("allocation-outside-cidrs", ("10.1.0.0/24",)),
                ("allocation-outside-cidrs", ("10.3.0.0/24",)),
                ("allocation-outside-cidrs", ("fd80::/64",)),
            ],
            id="before, between, after, and of the other family",
        ),
        pytest.param(
            ["10.0.0.0/24", "10.0.1.0/24"],
            ["10.0.0.0/23"],
            [("allocation-outside-cidrs", ("10.0.0.0/23",))],
            id="across two CIDRs",
        ),
        pytest.param(["fd80::/48"], ["fd80::/64", "fd80:0:0:1::/64"], [], id="IPv6"),
    ],
)
def test_allocations_are_apart_and_inside(
    cidrs: Sequence[str], rows: Sequence[str], expected: object
) -> None:  # ALLOC-3
    in_order = sorted(map(row, rows), key=lambda r: (r[0], r[2]))
    assert told(scanned([pool_cidr(c) for c in cidrs], in_order)) == expected


@pytest.mark.parametrize(
    ("first", "last", "length"),
    [
        ("10.0.0.0", "10.0.0.255", 25),
        ("10.0.0.0", "10.0.0.254", 24),
        ("10.0.0.1", "10.0.1.0", 24),
        ("10.0.0.0", "10.0.0.0", 33),
        ("10.0.0.0", "10.0.0.0", -1),
        ("fd80::", "fd80::1", 128),
        ("fd80::", "fd80::", 129),
    ],
)
def test_what_is_no_block_is_told(first: str, last: str, length: int) -> None:
    ends = [Cidr.parse(f"{end}/{128 if ':' in end else 32}").first_key for end in (first, last)]
    whole = [pool_cidr("10.0.0.0/8"), pool_cidr("fd80::/9")]
    made: AllocationRow = (ends[0], ends[1], length, "custom", None, ALLOCATION)
    [found] = scanned(whole, [made])
    assert (found.kind, found.cidrs) == (FindingKind.MALFORMED_BLOCK, ("",))
    assert first in found.message
    [found] = cidr_findings([replace(whole[0], block=Range.from_keys(ends[0], ends[1], length))])
    assert found.kind is FindingKind.MALFORMED_BLOCK


def test_figures_are_those_of_the_records() -> None:  # MET-1
    rows = [row("10.0.0.0/24"), row("10.0.1.0/25", "ipam-pool", OTHER)]
    cidrs = [pool_cidr("10.0.0.0/16"), pool_cidr("10.9.0.0/16", is_provisioned=False)]
    children = {(OTHER, block("10.0.1.0/25").first, block("10.0.1.0/25").last)}
    right = Usage(65536, 128, 256, 1, 2)
    assert list(AllocationScan(pool(right), cidrs, children).findings(rows)) == []
    for wrong in (replace(right, cidr_count=2), replace(right, assigned_addresses=0)):
        [found] = AllocationScan(pool(wrong), cidrs, children).findings(rows)
        assert found.kind is FindingKind.WRONG_USAGE
        assert str(wrong) in found.message
        assert str(right) in found.message


def test_what_is_no_allocation_is_known_in_one_place() -> None:
    assert holding_of("ipam-pool") is Holding.PASSED_ON
    assert holding_of("vpc") is Holding.ASSIGNED


@pytest.mark.parametrize(
    ("resource_id", "child_cidr", "is_orphan"),
    [
        (OTHER, "10.0.0.0/24", False),
        (OTHER, "10.0.0.0/25", True),
        ("ipam-pool-3", "10.0.0.0/24", True),
        (None, "10.0.0.0/24", True),
    ],
)
def test_what_is_held_for_a_child_is_its_cidr(
    resource_id: str | None, child_cidr: str, *, is_orphan: bool
) -> None:  # POOL-8
    held = row("10.0.0.0/24", "ipam-pool", resource_id)
    child = pool_cidr(child_cidr, pool_id=OTHER)
    found = told(scanned([pool_cidr("10.0.0.0/16")], [held], [child]))
    expected = [("orphaned-parent-allocation", ("10.0.0.0/24",))]
    assert found == (expected if is_orphan else [])


def parent(cidr: str, pool_id: str = SOURCE, *members: str) -> ParentRecord:
    resource_type, resource_id = members or ("ipam-pool", POOL)
    return ParentRecord(ALLOCATION, pool_id, block(cidr), resource_type, resource_id)


RIGHT = parent("10.0.0.0/24")
AROUND = [pool_cidr("10.0.0.0/16", pool_id=SOURCE)]


@pytest.mark.parametrize(
    ("named", "books", "repair"),
    [
        pytest.param(RIGHT, SourceBooks(AROUND, [RIGHT]), None, id="as it should be"),
        pytest.param(None, SourceBooks(AROUND, [RIGHT]), "is noted as", id="there but not named"),
        pytest.param(None, SourceBooks(AROUND, []), "is made", id="not there"),
        pytest.param(None, SourceBooks([], []), "", id="not the source's space"),
        pytest.param(None, None, "", id="source not in use"),
        pytest.param(
            parent("10.0.0.0/25"), SourceBooks(AROUND, [parent("10.0.0.0/25")]), "", id="a half"
        ),
        pytest.param(
            parent("10.0.0.0/24", SOURCE, "custom", "x"),
            SourceBooks(AROUND, [parent("10.0.0.0/24", SOURCE, "custom", "x")]),
            "",
            id="somebody else's",
        ),
        pytest.param(
            parent("10.0.0.0/24", OTHER), SourceBooks(AROUND, []), "is made", id="of another pool"
        ),
    ],
)
def test_a_childs_cidr_is_in_the_books_of_its_source_pool(
    named: ParentRecord | None, books: SourceBooks | None, repair: str | None
) -> None:  # POOL-8
    cidrs = [pool_cidr("10.0.0.0/24", parent=ALLOCATION)]
    found = list(parentage_findings(pool(source=SOURCE), cidrs, lambda _: named, lambda _: books))
    if repair is None:
        assert found == []
    else:
        assert told(found) == [("cidr-without-parent-allocation", ("10.0.0.0/24",))]
        assert repair in found[0].repair
        assert bool(repair) == bool(found[0].repair)


def test_only_childrens_cidrs_in_use_have_to_be_in_other_books() -> None:  # POOL-8
    gone = [pool_cidr("10.0.0.0/24", is_provisioned=False)]
    for child, cidrs in ((pool(source=SOURCE), gone), (pool(), [pool_cidr("10.0.0.0/24")])):
        assert not list(parentage_findings(child, cidrs, lambda _: None, lambda _: None))


def test_cidrs_of_a_pool_and_of_a_scopes_pools_are_apart() -> None:  # PROV-1
    a, b = pool_cidr("10.0.0.0/8", "a"), pool_cidr("10.1.0.0/16", "b")
    c = pool_cidr("10.2.0.0/16", "c", pool_id=OTHER)
    gone = pool_cidr("10.0.0.0/9", "gone", is_provisioned=False)
    assert told(list(cidr_findings([a, b, gone]))) == [("overlapping-cidrs", ("a", "b"))]
    assert not list(cidr_findings([a, gone]))
    assert told(list(scope_findings([(1, a), (1, b), (1, c)]))) == [
        ("overlapping-cidrs", ("a", "c"))
    ]
    assert not list(scope_findings([(1, a), (2, c)]))
    assert list(scope_findings([(1, a), (1, c)], {POOL}))
    assert not list(scope_findings([(1, a), (1, c)], {"ipam-pool-3"}))


@pytest.mark.parametrize(
    ("noted", "says"),
    [
        pytest.param([1, 2, 3], None, id="all"),
        pytest.param([1, 3], "version 2", id="one missing"),
        pytest.param([3], "version 1 to 2", id="the first missing"),
        pytest.param([1], "version 2 to 3", id="the last missing"),
        pytest.param([], "version 1 to 3", id="all missing"),
        pytest.param([1, 2, 3, 4], "reaches version 4", id="ahead"),
        pytest.param([-3], None, id="settled last"),
        pytest.param([-2, 3], None, id="settled before"),
        pytest.param([-1, 3], "version 2", id="missing since it was settled"),
    ],
)
def test_the_feed_tells_of_every_version(noted: Sequence[int], says: str | None) -> None:  # MET-5
    """Negative: a repair that settled what was missing until then."""
    found = feed_finding(pool(), [(abs(version), version < 0) for version in noted])
    assert (found is None) == (says is None)
    if found and says:
        assert found.kind is FindingKind.CHANGE_FEED_GAP
        assert says in found.message


BLOCKS = st.builds(
    lambda first, length: Cidr(AddressFamily.IPV4, first >> (32 - length) << (32 - length), length),
    st.integers(0x0A000000, 0x0A00007F),
    st.integers(26, 32),
)


@given(roots=st.sets(BLOCKS, max_size=4), held=st.sets(BLOCKS, max_size=12))
def test_every_harmed_allocation_is_named(roots: set[Cidr], held: set[Cidr]) -> None:  # ALLOC-3
    cidrs = [pool_cidr(str(root)) for root in roots]
    in_order = sorted(held)
    found = scanned(cidrs, [row(str(cidr)) for cidr in in_order])
    late = {b for n, b in enumerate(in_order) if any(a.overlaps(b) for a in in_order[:n])}
    outside = {b for b in held - late if not any(root.contains(b) for root in roots)}
    assert {f.record_ids[1] for f in found if len(f.record_ids) == 2} == set(map(str, late))
    assert {f.record_ids[0] for f in found if len(f.record_ids) == 1} == set(map(str, outside))
    for finding in found:
        if len(finding.record_ids) == 2:
            one, other = map(Cidr.parse, finding.cidrs)
            assert one.overlaps(other)


@given(
    roots=st.sets(BLOCKS, min_size=1, max_size=4),
    wanted=st.lists(BLOCKS, max_size=12),
    harm=st.integers(0, 30),
)
def test_kept_free_blocks_are_what_allocations_leave(
    roots: set[Cidr], wanted: list[Cidr], harm: int
) -> None:
    space = FreeSpace(AddressFamily.IPV4)
    apart = list(_apart(sorted(roots)))
    for root in apart:
        space.add_root(root)
    held = []
    for cidr in wanted:
        if space.is_free(cidr):
            space.take(cidr)
            held.append(cidr)
    cidrs = [pool_cidr(str(root)) for root in apart]
    rows = [row(str(cidr)) for cidr in sorted(held)]
    assert scanned(cidrs, rows, kept=space) == []
    if harm < len(held):
        space.give_back(held[harm])
    elif not space.free_addresses:
        return
    else:
        space.take_next(32)
    assert [found.kind for found in scanned(cidrs, rows, kept=space)] == [
        FindingKind.WRONG_FREE_BLOCKS
    ]


def _apart(in_order: Sequence[Cidr]) -> Iterator[Cidr]:
    reached = -1
    for cidr in in_order:
        if cidr.first > reached:
            reached = cidr.last
            yield cidr
