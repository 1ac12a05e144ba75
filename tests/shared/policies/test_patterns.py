"""Wildcards and variables in the texts of policies."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policies.context import Context
from shared.policies.patterns import (
    Patterns,
    Texts,
    Translation,
    Wildcard,
    like,
    like_arn,
    like_resource,
    parts_of,
)
from tests.shared.policies import oracle

TEXTS = st.text("ab:/.\n", max_size=12)
PATTERNS = st.text("ab:/.*?", max_size=8)

CONTEXT: Context = {
    "aws:principalaccount": ["123456789012"],
    "aws:tagkeys": ["a", "b"],
    "x:empty": [""],
    "x:star": ["*"],
}


def matches(translate: Translation, pattern: str, value: str) -> bool:
    return Patterns.of([parts_of(pattern)], translate).within(CONTEXT)(value)


def equal(texts: list[str], value: str, context: Context, **how: bool) -> bool:
    parts = [parts_of(text, has_wildcards=False, **how) for text in texts]
    return Texts.of(parts).within(context)(value)


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
        ("arn:aws:ec2:*:*:vpc/${ no:key ,'vpc-1' }", ARN, True),
        ("arn:aws:ec2:*:${ aws:PrincipalAccount }:vpc/*", ARN, True),
        ("arn:aws:ec2:*:*:vpc/${aws:TagKeys}", "arn:aws:ec2:r:a:vpc/a", False),
        ("arn:aws:ec2:*:*:vpc/${*}", "arn:aws:ec2:r:a:vpc/*", True),
        ("arn:aws:ec2:*:*:vpc/${*}", ARN, False),
        ("arn:aws:ec2:*:*:vpc/${?}${$}", "arn:aws:ec2:r:a:vpc/?$", True),
        ("arn:aws:ec2:*:*:vpc/${x:Star}", ARN, False),
        ("arn:aws:ec2:*:*:vpc/${x:Star}", "arn:aws:ec2:r:a:vpc/*", True),
        ("arn:aws:ec2:*:*:vpc/${x:Empty}", "arn:aws:ec2:r:a:vpc/", True),
        ("arn:aws:ec2:*:*:vpc/${x:Empty}", ARN, False),
        ("arn:aws:ec2:*:*:vpc/${x:Star}${no:key, 'x'}*${x:Star}", "arn:aws:ec2:r:a:vpc/*xy*", True),
        (
            "arn:aws:ec2:*:*:vpc/${x:Star}${no:key, 'x'}*${x:Star}",
            "arn:aws:ec2:r:a:vpc/*yx*",
            False,
        ),
    ],
)
def test_a_resource_is_named_by_wildcards_and_variables(
    pattern: str, value: str, expected: bool
) -> None:
    assert matches(like_resource, pattern, value) is expected


@pytest.mark.parametrize(
    "text",
    [
        "${",
        "a${}",
        "${ }",
        "${a",
        "${" + " " * 10_000,
        "${a" + " " * 10_000,
        "${a:b, c}",
        "${a:b, 'c}",
        "${${a:b}}",
    ],
)
def test_a_variable_that_does_not_end_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="begins no variable"):
        parts_of(text)


def test_older_documents_have_no_variables() -> None:
    assert equal(["${a:b}"], "${a:b}", {"a:b": ["x"]}, has_variables=False)


def test_a_variable_without_a_value_is_equal_to_nothing() -> None:
    assert not equal(["${a:b}"], "", {})
    assert not equal(["${a:b}"], "${a:b}", {})
    assert equal(["${a:b}", "c"], "c", {})


def test_nobody_can_make_a_pattern_slow() -> None:
    # Going back for each star, this would take longer than anybody lives.
    assert not matches(like, "*a" * 40 + "b", "a" * 1000)


VALUES = st.text("ab*:", max_size=3)


@given(
    st.lists(st.text("ab:*?12", max_size=6), min_size=1, max_size=4),
    st.dictionaries(st.sampled_from("12"), VALUES),
    st.text("ab*:", max_size=8),
)
def test_one_of_several_patterns_has_to_match_with_the_values_of_its_variables(
    patterns: list[str], values: dict[str, str], value: str
) -> None:
    context = {f"x:{name}": [found] for name, found in values.items()}
    texts = [pattern.replace("1", "${x:1}").replace("2", "${x:2}") for pattern in patterns]
    found = Patterns.of([parts_of(text) for text in texts], like).within(context)(value)
    # The oracle knows no star that isn't a wildcard.
    value, marked = value.replace("*", "S"), {k: v.replace("*", "S") for k, v in values.items()}
    resolved = [
        "".join(marked.get(one, one) for one in pattern)
        for pattern in patterns
        if set(pattern) & set("12") <= marked.keys()
    ]
    assert found == any(oracle.like(pattern, value) for pattern in resolved)


def test_a_pattern_is_translated_once_whatever_is_compared_with_it() -> None:
    translated = []

    def translate(parts: Sequence[str | Wildcard]) -> str:
        translated.append(parts)
        return like(parts)

    patterns = Patterns.of([parts_of("${x:a}/*"), parts_of("b/${x:b}")], translate)
    # A policy that nobody asks costs nothing.
    assert not translated
    for number in range(100):
        is_like = patterns.within({"x:a": [f"a{number}"]})
        assert is_like(f"a{number}/b")
        assert not is_like(f"a{number + 1}/b")
    assert len(translated) == 2
