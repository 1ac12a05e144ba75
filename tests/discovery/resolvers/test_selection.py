"""What rules select, against a look at everything for every rule."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.discovery.resolvers.rule import (
    Candidate,
    Condition,
    Operation,
    PoolCidrRule,
    Property,
    ResourceCidrRule,
    Rule,
    StaticCidrRule,
    TagPattern,
)
from services.discovery.resolvers.selection import Selection, Source
from shared.cidr import AddressFamily, Cidr

EQUALS, NOT_EQUALS, SUBNET_OF = Operation
SCOPE, OTHER_SCOPE = "ipam-scope-1", "ipam-scope-2"
VPCS = Source(SCOPE, "vpc")
POOLS = Source(SCOPE, None)


def cidr(text: str) -> Cidr:
    return Cidr.parse(text)


def vpc(text: str = "10.1.0.0/16", **members: object) -> Candidate:
    told = {"resource_id": "vpc-1", "owner_id": "111111111111", "region": "us-east-1"}
    return Candidate(cidr(text), **{**told, **members})  # type: ignore[arg-type] # its members


def selected(
    rules: Sequence[Rule],
    *offers: tuple[Source, Candidate],
    family: AddressFamily = AddressFamily.IPV4,
    most: int = 1000,
) -> list[str] | None:
    selection = Selection(rules, family, most)
    for source, candidate in offers:
        selection.offer(source, candidate)
    return None if selection.cidrs is None else [str(one) for one in selection.cidrs]


@pytest.mark.parametrize(
    ("condition", "is_taken"),
    [
        (Condition(EQUALS, Property.RESOURCE_ID, "vpc-1"), True),
        (Condition(EQUALS, Property.RESOURCE_ID, "vpc-2"), False),
        (Condition(NOT_EQUALS, Property.RESOURCE_ID, "vpc-1"), False),
        (Condition(NOT_EQUALS, Property.RESOURCE_ID, "vpc-2"), True),
        (Condition(EQUALS, Property.RESOURCE_OWNER, "111111111111"), True),
        (Condition(EQUALS, Property.RESOURCE_OWNER, "222222222222"), False),
        (Condition(NOT_EQUALS, Property.RESOURCE_REGION, "us-east-1"), False),
        (Condition(EQUALS, Property.RESOURCE_REGION, "us-east-1"), True),
        (Condition(EQUALS, Property.RESOURCE_TAG, TagPattern("env", "prod")), True),
        (Condition(EQUALS, Property.RESOURCE_TAG, TagPattern("env", "test")), False),
        (Condition(EQUALS, Property.RESOURCE_TAG, TagPattern("env", None)), True),
        (Condition(EQUALS, Property.RESOURCE_TAG, TagPattern("prod", None)), False),
        (Condition(EQUALS, Property.RESOURCE_TAG, TagPattern(None, "prod")), True),
        (Condition(EQUALS, Property.RESOURCE_TAG, TagPattern(None, "env")), False),
        (Condition(NOT_EQUALS, Property.RESOURCE_TAG, TagPattern("env", "test")), True),
        (Condition(NOT_EQUALS, Property.RESOURCE_TAG, TagPattern("env", "prod")), False),
        (Condition(EQUALS, Property.CIDR, cidr("10.1.0.0/16")), True),
        (Condition(EQUALS, Property.CIDR, cidr("10.0.0.0/8")), False),
        (Condition(NOT_EQUALS, Property.CIDR, cidr("10.1.0.0/16")), False),
        (Condition(SUBNET_OF, Property.CIDR, cidr("10.0.0.0/8")), True),
        (Condition(SUBNET_OF, Property.CIDR, cidr("10.1.0.0/16")), True),
        (Condition(SUBNET_OF, Property.CIDR, cidr("10.1.0.0/17")), False),
        (Condition(SUBNET_OF, Property.CIDR, cidr("10.2.0.0/16")), False),
    ],
    ids=str,
)
def test_a_rule_takes_what_its_condition_holds_for(condition: Condition, is_taken: bool) -> None:
    rule = ResourceCidrRule(SCOPE, "vpc", (condition,))
    assert selected([rule], (VPCS, vpc(tags={"env": "prod"}))) == ["10.1.0.0/16"] * is_taken


def test_every_condition_of_a_rule_has_to_hold_and_any_rule_is_enough() -> None:
    in_ten = Condition(SUBNET_OF, Property.CIDR, cidr("10.0.0.0/8"))
    of_one = Condition(EQUALS, Property.RESOURCE_ID, "vpc-1")
    rules: list[Rule] = [
        ResourceCidrRule(SCOPE, "vpc", (in_ten, of_one)),
        ResourceCidrRule(SCOPE, "vpc", (Condition(EQUALS, Property.RESOURCE_ID, "vpc-3"),)),
    ]
    offers = [
        (VPCS, vpc("10.1.0.0/16")),
        (VPCS, vpc("172.16.0.0/16")),
        (VPCS, vpc("10.2.0.0/16", resource_id="vpc-2")),
        (VPCS, vpc("172.17.0.0/16", resource_id="vpc-3")),
    ]
    assert selected(rules, *offers) == ["10.1.0.0/16", "172.17.0.0/16"]


def test_a_rule_is_about_one_scope_and_type_and_about_pools_or_resources() -> None:
    rules: list[Rule] = [ResourceCidrRule(SCOPE, "vpc"), PoolCidrRule(SCOPE)]
    offers = [
        (VPCS, vpc("10.1.0.0/16")),
        (Source(OTHER_SCOPE, "vpc"), vpc("10.2.0.0/16")),
        (Source(SCOPE, "subnet"), vpc("10.3.0.0/16")),
        (POOLS, Candidate(cidr("10.0.0.0/8"), pool_id="ipam-pool-1")),
        (Source(OTHER_SCOPE, None), Candidate(cidr("11.0.0.0/8"), pool_id="ipam-pool-2")),
    ]
    assert selected(rules, *offers) == ["10.0.0.0/8", "10.1.0.0/16"]
    assert Selection(rules, AddressFamily.IPV4, 1).sources == {VPCS, POOLS}


def test_a_pools_cidrs_are_taken_by_its_id() -> None:
    wanted = Condition(NOT_EQUALS, Property.IPAM_POOL_ID, "ipam-pool-1")
    offers = [
        (POOLS, Candidate(cidr("10.0.0.0/8"), pool_id="ipam-pool-1")),
        (POOLS, Candidate(cidr("11.0.0.0/8"), pool_id="ipam-pool-2")),
    ]
    assert selected([PoolCidrRule(SCOPE, (wanted,))], *offers) == ["11.0.0.0/8"]


def test_a_cidr_is_taken_once_in_the_order_of_addresses_and_of_one_family() -> None:
    rules: list[Rule] = [
        StaticCidrRule(cidr("192.0.2.0/24")),
        StaticCidrRule(cidr("10.1.0.0/16")),
        ResourceCidrRule(SCOPE, "vpc"),
    ]
    offers = [
        (VPCS, vpc("10.1.0.0/16")),
        (VPCS, vpc("10.1.0.0/16", resource_id="vpc-2")),
        (VPCS, vpc("10.1.0.0/24", resource_id="vpc-3")),
        (VPCS, vpc("2001:db8::/56")),
    ]
    assert selected(rules, *offers) == ["10.1.0.0/16", "10.1.0.0/24", "192.0.2.0/24"]
    six = selected([rules[2]], *offers, family=AddressFamily.IPV6)
    assert six == ["2001:db8::/56"]


def test_without_rules_nothing_is_taken() -> None:
    assert selected([], (VPCS, vpc())) == []


def test_more_than_may_be_is_no_selection() -> None:
    rules = [ResourceCidrRule(SCOPE, "vpc")]
    offers = [(VPCS, vpc(f"10.{n}.0.0/16")) for n in range(4)]
    assert selected(rules, *offers, most=4) is not None
    assert selected(rules, *offers, most=3) is None


def test_tags_matter_only_where_a_rule_asks_about_them() -> None:
    about_tags = Condition(EQUALS, Property.RESOURCE_TAG, TagPattern("env", None))
    rules = [ResourceCidrRule(SCOPE, "vpc", (about_tags,)), ResourceCidrRule(SCOPE, "subnet")]
    selection = Selection(rules, AddressFamily.IPV4, 10)
    assert selection.asks_about_tags(VPCS)
    assert not selection.asks_about_tags(Source(SCOPE, "subnet"))


_CIDRS = [cidr(f"10.{n}.0.0/{length}") for n in range(4) for length in (16, 20)]
_words = st.sampled_from(["a", "b"])
_tags = st.dictionaries(_words, _words, max_size=2)
_candidates = st.builds(Candidate, st.sampled_from(_CIDRS), _words, _words, _words, _words, _tags)
_patterns = st.one_of(
    st.builds(TagPattern, _words, st.none() | _words), st.builds(TagPattern, st.none(), _words)
)
_operations = st.sampled_from([EQUALS, NOT_EQUALS])
_properties = [
    Property.IPAM_POOL_ID,
    Property.RESOURCE_ID,
    Property.RESOURCE_OWNER,
    Property.RESOURCE_REGION,
]
_conditions = st.one_of(
    st.builds(Condition, _operations, st.sampled_from(_properties), _words),
    st.builds(Condition, _operations, st.just(Property.RESOURCE_TAG), _patterns),
    st.builds(
        Condition, st.sampled_from(Operation), st.just(Property.CIDR), st.sampled_from(_CIDRS)
    ),
)
_several = st.lists(_conditions, max_size=3)
_rules = st.one_of(
    st.builds(StaticCidrRule, st.sampled_from(_CIDRS)),
    st.builds(PoolCidrRule, st.just(SCOPE), _several),
    st.builds(ResourceCidrRule, st.just(SCOPE), st.just("vpc"), _several),
)
_offers = st.lists(st.tuples(st.sampled_from([VPCS, POOLS]), _candidates), max_size=12)


@given(st.lists(_rules, max_size=4), _offers, st.randoms(use_true_random=False))
def test_it_is_what_a_look_at_everything_for_every_rule_finds(
    rules: list[Rule], offers: list[tuple[Source, Candidate]], order: object
) -> None:
    expected = sorted({one for rule in rules for one in _naively(rule, offers)})
    shuffled = list(offers)
    order.shuffle(shuffled)  # type: ignore[attr-defined] # a random.Random
    assert selected(rules, *shuffled) == [str(one) for one in expected]


def _naively(rule: Rule, offers: list[tuple[Source, Candidate]]) -> set[Cidr]:
    if isinstance(rule, StaticCidrRule):
        return {rule.cidr}
    kind = rule.resource_type if isinstance(rule, ResourceCidrRule) else None
    found = {candidate for candidate in range(len(offers)) if offers[candidate][0][1] == kind}
    for condition in rule.conditions:
        found = {place for place in found if _is_so(condition, offers[place][1])}
    return {offers[place][1].cidr for place in found}


def _is_so(condition: Condition, candidate: Candidate) -> bool:
    wanted = condition.wanted
    values: dict[Property, object] = {
        Property.IPAM_POOL_ID: candidate.pool_id,
        Property.RESOURCE_ID: candidate.resource_id,
        Property.RESOURCE_OWNER: candidate.owner_id,
        Property.RESOURCE_REGION: candidate.region,
        Property.CIDR: candidate.cidr,
    }
    if condition.operation is SUBNET_OF:
        assert isinstance(wanted, Cidr)
        return wanted.first <= candidate.cidr.first and candidate.cidr.last <= wanted.last
    if isinstance(wanted, TagPattern):
        is_equal = any(
            wanted.key in (None, key) and wanted.value in (None, value)
            for key, value in candidate.tags.items()
        )
    else:
        is_equal = values[condition.about] == wanted
    return is_equal == (condition.operation is EQUALS)
