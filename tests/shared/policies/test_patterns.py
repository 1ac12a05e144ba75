"""Wildcards and variables in the texts of policies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policies.context import context_of
from shared.policies.patterns import (
    Pattern,
    Text,
    Translation,
    like,
    like_arn,
    like_resource,
    parts_of,
)
from tests.shared.policies import oracle

TEXTS = st.text("ab:/.\n", max_size=12)
PATTERNS = st.text("ab:/.*?", max_size=8)

CONTEXT = context_of(
    {"aws:PrincipalAccount": ["123456789012"], "aws:TagKeys": ["a", "b"], "x:Star": ["*"]}
)


def matches(translate: Translation, pattern: str, value: str) -> bool:
    return Pattern.of(parts_of(pattern), translate).matches(value, CONTEXT)


@given(PATTERNS, TEXTS)
def test_a_pattern_is_like_what_it_naively_is(pattern: str, value: str) -> None:
    assert matches(like, pattern, value) == oracle.like(pattern, value)


@given(PATTERNS, TEXTS)
def test_wildcards_stay_within_a_part_of_an_arn(pattern: str, value: str) -> None:
    assert matches(like_arn, pattern, value) == oracle.like_arn(pattern, value)


@given(PATTERNS, TEXTS)
def test_a_star_at_the_end_of_a_resource_spans_parts(pattern: str, value: str) -> None:
    assert matches(like_resource, pattern, value) == oracle.like_resource(pattern, value)


@given(
    st.lists(st.text("ab*?", max_size=3), min_size=5, max_size=8),
    st.lists(st.text("ab", max_size=3), min_size=5, max_size=8),
)
def test_whole_arns_match_part_by_part(patterns: list[str], values: list[str]) -> None:
    pattern, value = ":".join(patterns), ":".join(values)
    assert matches(like_arn, pattern, value) == oracle.like_arn(pattern, value)
    assert matches(like_resource, pattern, value) == oracle.like_resource(pattern, value)


ARN = "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1"


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("arn:aws:ec2:*:*:vpc/*", "arn:aws:ec2:us-east-1:123456789012:vpc/*", True),
        ("arn:aws:ec2:*:*:vpc/*", "arn:aws:ec2::123456789012:ipam-pool/ipam-pool-1", False),
        ("arn:aws:ec2:*:*:vpc/*", "*", False),
        ("*", "*", True),
        ("*", ARN, True),
        ("arn:aws:ec2:*", ARN, True),
        ("arn:aws:ec2:us-*", ARN, True),
        ("arn:aws:ec2:eu-*", ARN, False),
        ("arn:aws:*:vpc/vpc-1", ARN, False),
        ("arn:aws:ec2:*:${aws:PrincipalAccount}:vpc/*", ARN, True),
        ("arn:aws:ec2:*:${aws:PrincipalAccount}:vpc/*", ARN.replace("1234", "4321"), False),
        ("arn:aws:ec2:*:${AWS:principalaccount}:vpc/*", ARN, True),
        ("arn:aws:ec2:*:*:vpc/${no:key}", ARN, False),
        ("arn:aws:ec2:*:*:vpc/${no:key, 'vpc-1'}", ARN, True),
        ("arn:aws:ec2:*:*:vpc/${aws:TagKeys}", "arn:aws:ec2:r:a:vpc/a", False),
        ("arn:aws:ec2:*:*:vpc/${*}", "arn:aws:ec2:r:a:vpc/*", True),
        ("arn:aws:ec2:*:*:vpc/${*}", ARN, False),
        ("arn:aws:ec2:*:*:vpc/${?}${$}", "arn:aws:ec2:r:a:vpc/?$", True),
        ("arn:aws:ec2:*:*:vpc/${x:Star}", ARN, False),
        ("arn:aws:ec2:*:*:vpc/${x:Star}", "arn:aws:ec2:r:a:vpc/*", True),
    ],
)
def test_a_resource_is_named_by_wildcards_and_variables(
    pattern: str, value: str, expected: bool
) -> None:
    assert matches(like_resource, pattern, value) is expected


@pytest.mark.parametrize("text", ["${", "a${}", "${a", "${a:b, c}", "${a:b, 'c}", "${${a:b}}"])
def test_a_variable_that_does_not_end_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="begins no variable"):
        parts_of(text)


def test_older_documents_have_no_variables() -> None:
    text = Text.of(parts_of("${a:b}", has_wildcards=False, has_variables=False))
    assert text.matches("${a:b}", {"a:b": ["x"]})


def test_a_variable_without_a_value_is_equal_to_nothing() -> None:
    text = Text.of(parts_of("${a:b}", has_wildcards=False))
    assert not text.matches("", {})
    assert not text.matches("${a:b}", {})


def test_nobody_can_make_a_pattern_slow() -> None:
    # Going back for each star, this would take longer than anybody lives.
    assert not matches(like, "*a" * 40 + "b", "a" * 1000)
