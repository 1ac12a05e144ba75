"""Scopes, management states and compliance (SCP-5, MON-1, MON-2, MON-5, MON-6)."""

from dataclasses import replace
from typing import Any

import pytest

from services.discovery.evaluation.model import (
    AllocationType,
    Candidate,
    ComplianceStatus,
    Judgement,
    ManagementState,
    Marking,
    OverlapStatus,
    Rule,
)
from services.discovery.resource_cidr import ResourceType
from shared.cidr import Cidr
from tests.discovery.evaluation.support import (
    IGNORED,
    MOVED,
    OTHER_PRIVATE,
    OTHER_REGION,
    PRIVATE,
    PUBLIC,
    allocated,
    eip,
    evaluation,
    foreign,
    judgement,
    marked,
    pool,
    public_pool,
    subnet,
    vpc,
)

ONE = vpc(1, "10.0.0.0/16")
POOL = pool("pool-1", "10.0.0.0/8")


@pytest.mark.parametrize(
    ("candidate", "scope_id"),
    [
        (ONE, PRIVATE),
        (vpc(1, "fd80::/56"), PRIVATE),
        (vpc(1, "2600:1f18::/56"), PUBLIC),
        (subnet(1, "10.0.0.0/24", "vpc-9"), PRIVATE),
        (subnet(1, "2600:1f18::/64", "vpc-9"), PUBLIC),
        (eip(1, "3.0.0.1/32"), PUBLIC),
        (public_pool(1, "203.0.113.0/24"), PUBLIC),
        (vpc(1, "10.0.0.4/32", resource_type=ResourceType.ENI), PRIVATE),
    ],
)
def test_resources_land_in_the_default_scope_of_their_nature(
    candidate: Candidate, scope_id: str
) -> None:  # SCP-5
    assert judgement(candidate).scope_id == scope_id


def test_an_allocation_keeps_a_resource_in_its_pools_scope() -> None:  # MON-6
    moves = {marked(ONE): MOVED}
    held = judgement(ONE, pools=[POOL], allocations=[allocated("pool-1", ONE)], markings=moves)
    assert held.scope_id == PRIVATE
    assert judgement(ONE, pools=[POOL], markings=moves).scope_id == OTHER_PRIVATE


def test_private_global_addresses_are_where_their_pool_is() -> None:  # IPAM-7
    ipv6 = vpc(1, "2600:1f18::/56")
    gua_pool = pool("pool-1", "2600:1f18::/32")
    found = judgement(ipv6, pools=[gua_pool], allocations=[allocated("pool-1", ipv6)])
    assert found.scope_id == PRIVATE


def test_a_move_into_a_scope_that_is_gone_counts_for_nothing() -> None:
    gone = {marked(ONE): Marking(is_ignored=False, scope_id="scope-deleted")}
    assert judgement(ONE, markings=gone).scope_id == PRIVATE


@pytest.mark.parametrize("resource_type", [ResourceType.SUBNET, ResourceType.ENI])
def test_what_is_in_a_vpc_follows_the_cidr_around_it(resource_type: ResourceType) -> None:  # MON-6
    second = vpc(1, "10.1.0.0/16")
    moves = {marked(second): MOVED}
    for cidr, scope_id in [("10.0.1.0/24", PRIVATE), ("10.1.1.0/24", OTHER_PRIVATE)]:
        inside = vpc(2, cidr, vpc_id="vpc-1", resource_type=resource_type)
        assert judgement(inside, ONE, second, markings=moves).scope_id == scope_id
    inside = subnet(2, "10.1.1.0/24", "vpc-1")
    for elsewhere in (replace(inside, region=OTHER_REGION), foreign(inside)):
        assert judgement(elsewhere, ONE, second, markings=moves).scope_id == PRIVATE


def test_a_vpc_is_managed_by_the_allocation_it_has_itself() -> None:  # MON-1
    """Not by another resource's, another CIDR's, or one of the same id elsewhere."""
    of_others = [
        allocated("pool-1", vpc(2, "10.0.0.0/16")),
        allocated("pool-1", vpc(1, "10.1.0.0/16")),
        allocated("pool-1", ONE, region=OTHER_REGION),
        allocated("pool-1", foreign(ONE)),
        allocated("pool-gone", ONE),
    ]
    unmanaged = judgement(ONE, pools=[POOL], allocations=of_others)
    assert unmanaged == Judgement(
        PRIVATE,
        ManagementState.UNMANAGED,
        ComplianceStatus.UNMANAGED,
        OverlapStatus.NONOVERLAPPING,
    )
    managed = judgement(ONE, pools=[POOL], allocations=[*of_others, allocated("pool-1", ONE)])
    assert managed == Judgement(
        PRIVATE,
        ManagementState.MANAGED,
        ComplianceStatus.COMPLIANT,
        OverlapStatus.NONOVERLAPPING,
        "pool-1",
        "alloc-vpc-1",
    )


def test_nobody_has_anothers_allocation_by_naming_its_resource() -> None:  # MON-1, BEY-12
    found = evaluation([ONE, foreign(ONE)], [POOL], [allocated("pool-1", ONE)]).judgements
    assert [one.management_state for one in found] == [
        ManagementState.MANAGED,
        ManagementState.UNMANAGED,
    ]


ADDRESS = eip(1, "3.0.0.1/32")


@pytest.mark.parametrize(
    ("there", "managed"),
    [
        ([ADDRESS], [True]),
        ([foreign(ADDRESS)], [True]),
        ([ADDRESS, foreign(ADDRESS)], [True, False]),
        ([foreign(ADDRESS), replace(ADDRESS, owner_id="333333333333")], [False, False]),
        ([foreign(ADDRESS, region=OTHER_REGION)], [False]),
        ([foreign(ADDRESS, cidr=Cidr.parse("3.0.0.2/32"))], [False]),
    ],
    ids=["its owner", "who got it", "both", "nobody knows who", "abroad", "another address"],
)
def test_an_elastic_address_keeps_its_allocation_when_it_goes_to_another_account(
    there: list[Candidate], managed: list[bool]
) -> None:  # EIP-3, MON-1
    public = pool("pool-2", "3.0.0.0/24", scope_id=PUBLIC)
    held = allocated("pool-2", ADDRESS, allocation_type=AllocationType.EIP)
    found = evaluation(there, [public], [held]).judgements
    assert [one.management_state is ManagementState.MANAGED for one in found] == managed


@pytest.mark.parametrize(
    ("candidate", "around"),
    [
        (subnet(1, "10.0.0.0/24", "vpc-1"), [ONE]),
        (vpc(1, "10.0.0.4/32", resource_type=ResourceType.ENI), [ONE]),
        (eip(1, "203.0.113.1/32", "ipv4pool-ec2-1"), [public_pool(1, "203.0.113.0/24")]),
    ],
)
def test_parts_of_other_resources_have_no_status(
    candidate: Candidate, around: list[Candidate]
) -> None:  # MON-1, MON-2, MON-3
    found = judgement(candidate, *around)
    assert found == Judgement(found.scope_id, None, None, None)


@pytest.mark.parametrize("candidate", [eip(1, "3.0.0.1/32"), public_pool(1, "203.0.113.0/24")])
def test_public_addresses_outside_of_pools_are_unmanaged(candidate: Candidate) -> None:  # MON-1
    assert judgement(candidate).management_state is ManagementState.UNMANAGED


def test_a_subnet_of_a_planning_pool_is_judged_by_it() -> None:  # VPC-4, MON-2
    plan = pool("pool-3", "10.0.0.0/16", plans_vpc="vpc-1", max_netmask_length=24)
    for cidr, status in [
        ("10.0.0.0/24", ComplianceStatus.COMPLIANT),
        ("10.0.0.0/25", ComplianceStatus.NONCOMPLIANT),
    ]:
        planned = subnet(2, cidr, "vpc-1")
        found = judgement(planned, ONE, pools=[plan], allocations=[allocated("pool-3", planned)])
        assert (found.management_state, found.compliance_status, found.overlap_status) == (
            ManagementState.MANAGED,
            status,
            None,
        )


@pytest.mark.parametrize(
    ("rules", "broken"),
    [
        ({}, ()),
        ({"min_netmask_length": 16, "max_netmask_length": 16}, ()),
        ({"min_netmask_length": 17}, (Rule.MIN_NETMASK_LENGTH,)),
        ({"max_netmask_length": 15}, (Rule.MAX_NETMASK_LENGTH,)),
        ({"resource_tags": {"env": "prod"}}, ()),
        ({"resource_tags": {"env": "test"}}, (Rule.RESOURCE_TAGS,)),
        ({"resource_tags": {"env": "prod", "team": "core"}}, (Rule.RESOURCE_TAGS,)),
        ({"locale": OTHER_REGION}, (Rule.LOCALE,)),
        ({"locale": "us-east-1-scl-1"}, ()),
        ({"locale": "us-east-2-scl-1"}, (Rule.LOCALE,)),
        ({"locale": "None"}, (Rule.LOCALE,)),
        (
            {"min_netmask_length": 17, "resource_tags": {"a": ""}, "locale": "eu-west-1"},
            (Rule.MIN_NETMASK_LENGTH, Rule.RESOURCE_TAGS, Rule.LOCALE),
        ),
    ],
)
def test_each_broken_rule_is_named(
    rules: dict[str, Any], broken: tuple[Rule, ...]
) -> None:  # MON-2, POOL-4
    tagged = vpc(1, "10.0.0.0/16", tags={"env": "prod", "Name": "main"})
    strict = pool("pool-1", "10.0.0.0/8", **rules)
    found = judgement(tagged, pools=[strict], allocations=[allocated("pool-1", tagged)])
    assert found.broken_rules == broken
    assert found.compliance_status is (
        ComplianceStatus.NONCOMPLIANT if broken else ComplianceStatus.COMPLIANT
    )


def test_an_ignored_cidr_is_judged_by_nothing() -> None:  # MON-5
    strict = pool("pool-1", "10.0.0.0/8", locale=OTHER_REGION)
    found = judgement(
        ONE,
        vpc(2, "10.0.0.0/8"),
        pools=[strict],
        allocations=[allocated("pool-1", ONE)],
        markings={marked(ONE): IGNORED},
    )
    assert (found.management_state, found.compliance_status, found.overlap_status) == (
        ManagementState.IGNORED,
        ComplianceStatus.IGNORED,
        OverlapStatus.IGNORED,
    )
    assert found.broken_rules == ()


def test_nothing_in_a_public_scope_is_ignored() -> None:  # MON-5
    ipv6 = vpc(1, "2600:1f18::/56")
    found = judgement(ipv6, markings={marked(ipv6): IGNORED})
    assert found.management_state is ManagementState.UNMANAGED


def test_unmanaged_space_is_observed_by_scope() -> None:  # BEY-3
    managed, ignored = vpc(2, "10.2.0.0/16"), vpc(3, "10.3.0.0/16")
    moved, same = vpc(4, "10.4.0.0/16"), vpc(5, "10.0.0.0/16")
    candidates = [
        same,
        ONE,
        managed,
        ignored,
        moved,
        subnet(6, "10.0.0.0/24", "vpc-1"),
        public_pool(7, "203.0.113.0/24"),
        eip(8, "203.0.113.1/32", "ipv4pool-ec2-7"),
        eip(9, "3.0.0.1/32"),
    ]
    found = evaluation(
        candidates,
        [POOL],
        [allocated("pool-1", managed)],
        {marked(ignored): IGNORED, marked(moved): MOVED},
    )
    assert found.observed == {
        PRIVATE: {(ONE.cidr, "vpc-1"), (ONE.cidr, "vpc-5")},
        OTHER_PRIVATE: {(Cidr.parse("10.4.0.0/16"), "vpc-4")},
        PUBLIC: {
            (Cidr.parse("203.0.113.0/24"), "ipv4pool-ec2-7"),
            (Cidr.parse("3.0.0.1/32"), "eipalloc-9"),
        },
    }
