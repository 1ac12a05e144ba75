"""Automatic imports (MON-4)."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.discovery.evaluation.model import Allocation, Candidate, Marking, Pool
from services.discovery.resource_cidr import ResourceType
from shared.cidr import AddressFamily, Cidr
from tests.discovery.evaluation.support import (
    IGNORED,
    MOVED,
    OTHER_OWNER,
    OTHER_PRIVATE,
    OTHER_REGION,
    OWNER,
    PUBLIC,
    allocated,
    eip,
    evaluation,
    foreign,
    marked,
    pool,
    public_pool,
    reserved,
    subnet,
    vpc,
)

ONE = vpc(1, "10.0.0.0/16")
POOL = pool("pool-1", "10.0.0.0/8", auto_import=True)


def imported(
    candidates: Sequence[Candidate],
    pools: Sequence[Pool] = (POOL,),
    allocations: Sequence[Allocation] = (),
    marking: Marking | None = None,
) -> list[tuple[str, str]]:
    """Resource and pool; ``marking`` is what is said of the first candidate."""
    markings = {marked(candidates[0]): marking} if marking else {}
    found = evaluation(candidates, pools, allocations, markings).imports
    return [(choice.candidate.resource_id, choice.pool_id) for choice in found]


@pytest.mark.parametrize(
    ("changes", "is_imported"),
    [
        ({}, True),
        ({"min_netmask_length": 24, "resource_tags": {"a": "b"}, "locale": OTHER_REGION}, True),
        ({"auto_import": False}, False),
        ({"locale": "None"}, False),
        ({"scope_id": OTHER_PRIVATE}, False),
        ({"cidrs": (Cidr.parse("10.0.0.0/17"),)}, False),
        ({"cidrs": (Cidr.parse("10.0.0.0/17"), Cidr.parse("10.0.128.0/17"))}, False),
        ({"cidrs": (Cidr.parse("10.0.0.0/16"),)}, True),
        ({"cidrs": ()}, False),
        ({"plans_vpc": "vpc-1"}, False),
    ],
)
def test_a_pool_imports_what_lies_in_it_whatever_its_rules(
    changes: dict[str, Any], is_imported: bool
) -> None:  # MON-4
    looking = pool("pool-1", "10.0.0.0/8", **{"auto_import": True, **changes})
    assert imported([ONE], [looking]) == ([("vpc-1", "pool-1")] if is_imported else [])


PUBLIC_POOL = pool("pool-1", "203.0.113.0/24", scope_id=PUBLIC, auto_import=True)


@pytest.mark.parametrize(
    ("candidate", "others", "is_imported"),
    [
        (public_pool(1, "203.0.113.0/28"), [], True),
        (eip(1, "203.0.113.1/32"), [], True),
        (eip(1, "203.0.113.1/32", "ipv4pool-ec2-9"), [], True),
        (eip(1, "203.0.113.1/32", "ipv4pool-ec2-2"), [public_pool(2, "198.51.100.0/28")], False),
    ],
)
def test_public_pools_and_elastic_addresses_outside_of_them_are_imported(
    candidate: Candidate, others: list[Candidate], is_imported: bool
) -> None:  # MON-4
    found = imported([candidate, *others], [PUBLIC_POOL])
    assert found == ([(candidate.resource_id, "pool-1")] if is_imported else [])


@pytest.mark.parametrize(
    "candidate",
    [
        subnet(1, "10.0.0.0/24", "vpc-1"),
        vpc(1, "10.0.0.4/32", resource_type=ResourceType.ENI),
        vpc(1, "10.0.0.4/32", resource_type=ResourceType.INSTANCE),
    ],
)
def test_what_cannot_be_managed_is_not_imported(candidate: Candidate) -> None:  # MON-4
    assert imported([candidate]) == []


def test_ignored_moved_and_managed_resources_are_not_imported() -> None:  # MON-5, MON-6
    assert imported([ONE], marking=IGNORED) == []
    assert imported([ONE], marking=MOVED) == []
    assert imported([ONE], allocations=[allocated("pool-1", ONE)]) == []


CHILD = pool("pool-2", "10.0.0.0/12", source_pool_id="pool-1", auto_import=True)
GRANDCHILD = pool("pool-0", "10.0.0.0/12", source_pool_id="pool-2", auto_import=True)
KEPT = pool("pool-4", "10.0.0.0/12", source_pool_id="pool-1")
NARROW = pool("pool-5", "10.0.0.0/24", source_pool_id="pool-1", auto_import=True)
PLAN = pool("pool-6", "10.0.0.0/16", plans_vpc="vpc-1")


@pytest.mark.parametrize(
    ("pools", "pool_id"),
    [
        ([POOL, CHILD], "pool-2"),
        ([GRANDCHILD, CHILD, POOL], "pool-0"),
        ([POOL, KEPT], None),
        ([POOL, NARROW], None),
        ([POOL, PLAN], "pool-1"),
    ],
    ids=["child", "same-space", "child-that-does-not-look", "child-within", "planning-pool"],
)
def test_a_resource_comes_into_the_deepest_pool_around_it(
    pools: list[Pool], pool_id: str | None
) -> None:
    """Space of a child pool is its parent's no more (POOL-8); a planning pool's is the VPC's."""
    assert imported([ONE], pools) == ([("vpc-1", pool_id)] if pool_id else [])


@pytest.mark.parametrize(
    "allocation",
    [
        reserved("pool-1", "10.0.0.0/26"),
        allocated("pool-1", vpc(2, "10.0.0.0/26")),
        allocated("pool-1", vpc(2, "10.0.0.0/12")),
        allocated("pool-1", vpc(2, "10.0.0.0/16")),
    ],
)
def test_nothing_comes_in_over_an_allocation(allocation: Allocation) -> None:  # MON-4
    assert imported([ONE], allocations=[allocation]) == []


def test_what_a_vpcs_own_plan_gives_away_is_the_vpcs() -> None:  # VPC-3
    assert imported([ONE], [POOL, PLAN], [reserved("pool-6", "10.0.0.0/26")]) == [
        ("vpc-1", "pool-1")
    ]


def test_of_overlapping_resources_the_widest_comes_in() -> None:  # MON-4
    candidates = [vpc(1, "10.0.1.0/24"), vpc(2, "10.0.0.0/16"), vpc(3, "10.0.0.0/24")]
    assert imported(candidates) == [("vpc-2", "pool-1")]


def test_of_equal_resources_the_first_by_region_and_id_comes_in() -> None:  # MON-4
    candidates = [
        vpc(3, "10.0.0.0/16"),
        vpc(1, "10.0.0.0/16", region=OTHER_REGION),
        vpc(2, "10.0.0.0/16"),
    ]
    assert imported(candidates) == [("vpc-2", "pool-1")]


@pytest.mark.parametrize("changes", [{}, {"region": OTHER_REGION}])
def test_what_two_accounts_say_they_have_is_reported_instead(
    changes: dict[str, Any],
) -> None:  # MON-4, BEY-10
    found = evaluation([ONE, foreign(ONE, **changes), vpc(2, "10.0.1.0/24")], [POOL])
    assert found.imports == []
    told = [one.message for one in found.findings if one.resource_id == "vpc-1"]
    assert len(told) == 2
    assert all(OWNER in message and OTHER_OWNER in message for message in told)


@pytest.mark.parametrize(
    ("mark", "held"),
    [(IGNORED, None), (None, allocated("pool-2", ONE))],
    ids=["ignored", "managed in another scope"],
)
def test_nor_does_it_come_in_as_somebody_elses(
    mark: Marking | None, held: Allocation | None
) -> None:  # MON-4, MON-5
    elsewhere = pool("pool-2", "10.0.0.0/8", scope_id=OTHER_PRIVATE)
    markings = {marked(ONE): mark} if mark else {}
    ghost = foreign(ONE, region=OTHER_REGION)
    found = evaluation([ONE, ghost], [POOL, elsewhere], [held] if held else [], markings)
    assert found.imports == []


def test_other_cidrs_of_one_id_come_in() -> None:  # MON-4
    candidates = [ONE, foreign(ONE, cidr=Cidr.parse("10.1.0.0/16"))]
    assert imported(candidates) == [("vpc-1", "pool-1"), ("vpc-1", "pool-1")]


def test_on_the_free_tier_only_the_owners_resources_come_in() -> None:  # IPAM-4
    candidates = [vpc(1, "10.0.1.0/24"), vpc(2, "10.0.0.0/16", owner_id=OTHER_OWNER)]
    found = evaluation(candidates, [POOL], imports_for=OWNER).imports
    assert [choice.candidate.resource_id for choice in found] == ["vpc-1"]


def test_resources_of_two_scopes_do_not_stand_in_each_others_way() -> None:  # SCP-1
    twin = pool("pool-9", "10.0.0.0/8", scope_id=OTHER_PRIVATE, auto_import=True)
    candidates = [ONE, vpc(2, "10.0.1.0/24")]
    assert imported(candidates, [POOL, twin], marking=MOVED) == [
        ("vpc-1", "pool-9"),
        ("vpc-2", "pool-1"),
    ]


def test_the_widest_are_told_of_first() -> None:
    candidates = [vpc(1, "10.0.0.0/24"), vpc(2, "10.9.0.0/16"), vpc(3, "10.1.0.0/16")]
    assert [resource for resource, _ in imported(candidates)] == ["vpc-3", "vpc-2", "vpc-1"]


@st.composite
def small_blocks(draw: st.DrawFn) -> str:
    spare = draw(st.integers(0, 6))
    place = draw(st.integers(0, 63)) >> spare << spare
    return str(Cidr(AddressFamily.IPV4, (10 << 24) + place, 32 - spare))


@st.composite
def pool_trees(draw: st.DrawFn) -> list[Pool]:
    """A pool of 10.0.0.0/26, children, and a grandchild, some of which look for resources."""
    family = [("top", "10.0.0.0/26", None), ("left", "10.0.0.0/27", "top")]
    family += [("right", "10.0.0.48/28", "top"), ("leftmost", "10.0.0.0/29", "left")]
    kept = family[: draw(st.integers(1, 4))]
    return [
        pool(
            name,
            cidr,
            source_pool_id=source,
            auto_import=draw(st.booleans()),
            locale=draw(st.sampled_from(["None", "us-east-1"])),
        )
        for name, cidr, source in kept
    ]


@given(
    pool_trees(),
    st.lists(small_blocks(), max_size=12),
    st.lists(small_blocks(), max_size=3),
    st.randoms(use_true_random=False),
)
def test_all_that_can_come_in_does_and_nothing_else(
    pools: list[Pool], cidrs: list[str], given_away: list[str], rng: Any
) -> None:  # MON-4
    candidates = [vpc(number, cidr) for number, cidr in enumerate(cidrs)]
    allocations = [reserved("top", cidr) for cidr in given_away]
    found = evaluation(candidates, pools, allocations).imports
    chosen = {choice.candidate.row_id: choice.pool_id for choice in found}

    possible = {
        candidate.row_id: pool_id
        for candidate in candidates
        if (pool_id := pool_for(candidate.cidr, pools, allocations)) is not None
    }
    assert chosen.items() <= possible.items()
    taken = [candidates[row_id].cidr for row_id in chosen]
    assert not any(a.overlaps(b) for i, a in enumerate(taken) for b in taken[:i])
    for row_id in possible.keys() - chosen.keys():
        assert any(cidr.contains(candidates[row_id].cidr) for cidr in taken)

    rng.shuffle(candidates)
    assert evaluation(candidates, pools, allocations).imports == found


def pool_for(cidr: Cidr, pools: list[Pool], allocations: list[Allocation]) -> str | None:
    """By looking at everything: the pool that ``cidr`` can come into."""
    if any(allocation.cidr.overlaps(cidr) for allocation in allocations):
        return None
    for candidate_pool in pools:
        is_looking = candidate_pool.auto_import and candidate_pool.locale != "None"
        children = [p for p in pools if p.source_pool_id == candidate_pool.pool_id]
        if (
            is_looking
            and candidate_pool.cidrs[0].contains(cidr)
            and not any(child.cidrs[0].overlaps(cidr) for child in children)
        ):
            return candidate_pool.pool_id
    return None
