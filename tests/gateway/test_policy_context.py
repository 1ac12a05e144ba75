"""Keys of a request that differ in case only, and what policies make of them."""

import json
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.authorization.evaluation import ActionRules, AttachedPolicy
from shared.policies.context import context_of
from shared.policies.document import parse_policy

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
TAG = "aws:RequestTag/environment"
VPC = "arn:aws:ec2:r:1:vpc/"


def is_allowed(
    tags: Mapping[str, Sequence[str]], *statements: Mapping[str, object], name: str = "v"
) -> bool:
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    context = context_of({f"aws:RequestTag/{key}": values for key, values in tags.items()})
    rules = ActionRules.of([[AttachedPolicy("p", parse_policy(text))]], "ec2:CreateTags")
    return rules.denial_of([VPC + name], context) is None


def condition(name: str, value: object, key: str = TAG) -> Mapping[str, object]:
    return {name: {key: value}}


SPELLINGS = [
    pytest.param({"environment": ["prod"], "Environment": ["pre-prod"]}, id="first"),
    pytest.param({"Environment": ["pre-prod"], "environment": ["prod"]}, id="last"),
]


@pytest.mark.parametrize("tags", SPELLINGS)
def test_a_deny_applies_if_it_applies_to_one_spelling(tags: Mapping[str, Sequence[str]]) -> None:
    for name, value in (
        ("StringNotEquals", "pre-prod"),
        ("StringNotEquals", "prod"),
        ("StringEquals", "prod"),
        ("StringLike", "*-prod"),
        ("StringNotLike", "*-prod"),
    ):
        deny = {**ALL, "Effect": "Deny", "Condition": condition(name, value)}
        assert not is_allowed(tags, ALL, deny)
    both = {**ALL, "Effect": "Deny", "Condition": condition("StringNotLike", "*prod")}
    assert is_allowed(tags, ALL, both)
    other = {**ALL, "Effect": "Deny", "Condition": condition("Null", "true")}
    assert is_allowed(tags, ALL, other)


@pytest.mark.parametrize("tags", SPELLINGS)
def test_an_allow_applies_if_it_applies_to_all_spellings(
    tags: Mapping[str, Sequence[str]],
) -> None:
    for name, value, expected in (
        ("StringEquals", "prod", False),
        ("StringEquals", ["prod", "pre-prod"], True),
        ("StringNotEquals", "prod", False),
        ("StringNotEquals", "test", True),
        ("StringLike", "*prod", True),
    ):
        assert is_allowed(tags, {**ALL, "Condition": condition(name, value)}) is expected


def test_conditions_on_one_key_are_judged_for_the_same_spelling() -> None:
    conditions = {**condition("StringLike", "*prod"), **condition("StringNotEquals", "prod")}
    deny = {**ALL, "Effect": "Deny", "Condition": conditions}
    assert is_allowed({"environment": ["prod"], "Environment": ["test"]}, ALL, deny)
    assert not is_allowed({"environment": ["prod"], "Environment": ["pre-prod"]}, ALL, deny)


def test_variables_are_judged_for_each_spelling_too() -> None:
    tags = {"name": ["a"], "Name": ["b"]}
    resource = f"{VPC}${{aws:RequestTag/name}}"
    deny = {**ALL, "Effect": "Deny", "Resource": resource}
    assert [is_allowed(tags, ALL, deny, name=name) for name in "abc"] == [False, False, True]
    but = {"Effect": "Deny", "Action": "*", "NotResource": resource}
    assert not any(is_allowed(tags, ALL, but, name=name) for name in "abc")
    allow = {**ALL, "Resource": resource}
    assert not any(is_allowed(tags, allow, name=name) for name in "abc")
    assert is_allowed({"name": ["a"], "Name": ["a"]}, allow, name="a")


def test_a_key_without_values_is_no_spelling() -> None:
    deny = {**ALL, "Effect": "Deny", "Condition": condition("StringNotEquals", "prod")}
    assert is_allowed({"environment": ["prod"], "Environment": []}, ALL, deny)


def test_more_spellings_than_anybody_needs_are_not_gone_through() -> None:
    names = [f"{first}{second}{third}" for first in "aA" for second in "bB" for third in "cC"]
    tags = {f"{key}{name}": ["x"] for key in "de" for name in names}
    conditions = {"StringEquals": {"aws:RequestTag/dabc": "y", "aws:RequestTag/eabc": "y"}}
    deny = {**ALL, "Effect": "Deny", "Condition": conditions}
    assert not is_allowed(tags, ALL, deny)
    assert not is_allowed(tags, {**ALL, "Condition": {"StringLike": conditions["StringEquals"]}})
    # Those that nobody asks for don't matter.
    assert is_allowed(tags, ALL)
    one = {**ALL, "Effect": "Deny", "Condition": condition("StringEquals", "y")}
    assert is_allowed(tags, ALL, one)


KEYS = ("ab", "aB", "cd", "Cd", "CD")
NAMES = ("StringEquals", "StringNotEquals", "StringLike", "Null")


@given(
    st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["x", "y"]), max_size=5),
    st.dictionaries(
        st.sampled_from(NAMES),
        st.dictionaries(
            st.sampled_from(["aws:RequestTag/AB", "aws:RequestTag/cd"]),
            st.sampled_from(["true", "x", "?"]),
            min_size=1,
        ),
        max_size=3,
    ),
    st.sampled_from(["Allow", "Deny"]),
)
def test_the_worst_of_all_requests_with_one_spelling_each_holds(
    tags: dict[str, str], conditions: dict[str, dict[str, str]], effect: str
) -> None:
    if "Null" in conditions:
        conditions["Null"] = dict.fromkeys(conditions["Null"], "true")
    statements: list[Mapping[str, object]] = [{**ALL, "Effect": effect, "Condition": conditions}]
    if effect == "Deny":
        statements.append(ALL)
    choices: list[dict[str, list[str]]] = [{}]
    for lower in ("ab", "cd"):
        spelled = [key for key in tags if key.lower() == lower]
        if spelled:
            choices = [{**one, key: [tags[key]]} for one in choices for key in spelled]
    given_tags = {key: [value] for key, value in tags.items()}
    assert is_allowed(given_tags, *statements) == all(
        is_allowed(choice, *statements) for choice in choices
    )
