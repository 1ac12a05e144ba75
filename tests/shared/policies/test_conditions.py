"""Condition operators: one table per operator, and all of them against brute force."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policies.conditions import condition_type
from tests.shared.policies import oracle

KEY = "x:Key"
QUALIFIERS = ("", "ForAnyValue:", "ForAllValues:")

BASES: dict[str, tuple[oracle.Matches, bool]] = {
    "StringEquals": (str.__eq__, False),
    "StringNotEquals": (str.__eq__, True),
    "StringEqualsIgnoreCase": (lambda a, b: a.lower() == b.lower(), False),
    "StringNotEqualsIgnoreCase": (lambda a, b: a.lower() == b.lower(), True),
    "StringLike": (oracle.like, False),
    "StringNotLike": (oracle.like, True),
}


def holds(name: str, asked: Sequence[str], given_values: Sequence[str]) -> bool:
    condition = condition_type(name).condition(KEY, asked, has_variables=True)
    return condition.holds({"x:key": given_values})


@given(
    st.sampled_from(sorted(BASES)),
    st.sampled_from(QUALIFIERS),
    st.booleans(),
    st.lists(st.text("aA", min_size=1, max_size=2), max_size=3),
    st.lists(st.text("aA*?", max_size=2), min_size=1, max_size=3),
)
def test_conditions_on_strings_hold_as_brute_force_says(
    base: str, qualifier: str, if_exists: bool, values: list[str], asked: list[str]
) -> None:
    matches, is_negated = BASES[base]
    expected = oracle.holds(qualifier, matches, is_negated, values, asked)
    if if_exists and not values:
        expected = True
    suffix = "IfExists" if if_exists else ""
    assert holds(f"{qualifier}{base}{suffix}", asked, values) is expected


NEGATED = ("StringNotEquals", "StringNotLike", "ArnNotLike", "NotIpAddress", "NumericNotEquals")
POSITIVE = ("StringEquals", "StringLike", "ArnLike", "IpAddress", "NumericEquals", "DateLessThan")
ASKED = {
    "Arn": "arn:aws:iam::123456789012:user/a",
    "Not": "10.0.0.0/8",
    "IpA": "10.0.0.0/8",
    "Num": "5",
    "Dat": "2026-01-01",
    "Str": "a",
}


@pytest.mark.parametrize("name", [*NEGATED, *POSITIVE])
@pytest.mark.parametrize("qualifier", QUALIFIERS)
def test_an_absent_key_is_what_negated_operators_ask_for(name: str, qualifier: str) -> None:
    asked = [ASKED[name[:3]]]
    expected = oracle.OF_ABSENT[qualifier, name in NEGATED]
    assert holds(f"{qualifier}{name}", asked, []) is expected
    assert holds(f"{qualifier}{name}IfExists", asked, []) is True


@pytest.mark.parametrize(
    ("name", "asked", "values", "expected"),
    [
        ("StringEquals", ["a"], ["A"], False),
        ("StringEquals", ["*"], ["a"], False),
        ("StringEquals", ["a", "b"], ["b"], True),
        ("StringEquals", [""], [""], True),
        ("StringNotEquals", ["a", "b"], ["b"], False),
        ("StringNotEquals", ["a", "b"], ["c"], True),
        ("StringEqualsIgnoreCase", ["Straße"], ["STRASSE"], True),
        ("StringLike", ["a?c*"], ["abcd"], True),
        ("StringLike", ["a?c*"], ["ac"], False),
        # Several values of a negated operator are "none of them".
        ("StringNotLike", ["a*", "b*"], ["bx"], False),
        ("StringNotLike", ["a*", "b*"], ["cx"], True),
        ("ForAnyValue:StringNotLike", ["a*"], ["ax", "bx"], True),
        ("ForAnyValue:StringNotLike", ["a*", "b*"], ["ax", "bx"], False),
        ("ForAllValues:StringNotLike", ["a*"], ["ax", "bx"], False),
        ("ForAllValues:StringEquals", ["a", "b"], ["a"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "a"], True),
        # To operators on sets, an empty text is no value.
        ("ForAllValues:StringEquals", ["a"], [""], True),
        ("ForAnyValue:StringNotEquals", ["a"], [""], False),
        ("foranyvalue:stringequalsifexists", ["a"], ["a"], True),
        ("Null", ["true"], [], True),
        ("Null", ["true"], ["x"], False),
        ("Null", ["false"], [], False),
        ("Null", ["False"], ["x"], True),
        ("Null", ["true"], [""], True),
        ("Null", ["true", "false"], ["x"], True),
        ("Bool", ["true"], ["true"], True),
        ("Bool", ["True"], ["true"], True),
        ("Bool", ["false"], ["true"], False),
        ("Bool", ["false"], ["perhaps"], False),
        ("NumericEquals", ["5"], ["5.0"], True),
        ("NumericEquals", ["5"], ["five"], False),
        ("NumericNotEquals", ["5"], ["five"], True),
        ("NumericNotEquals", ["5", "6"], ["6"], False),
        ("NumericLessThan", ["10"], ["9"], True),
        ("NumericLessThan", ["10"], ["10"], False),
        ("NumericLessThanEquals", ["10"], ["10"], True),
        ("NumericGreaterThan", ["-1"], ["-0.5"], True),
        ("NumericGreaterThanEquals", ["0.5"], ["0.5"], True),
        ("NumericGreaterThanEquals", ["0.5"], ["0.49"], False),
        ("DateEquals", ["2026-03-01T00:00:00Z"], ["2026-03-01"], True),
        ("DateEquals", ["2026-03-01T09:00+09:00"], ["2026-03-01T00:00:00Z"], True),
        ("DateNotEquals", ["2026-03-01"], ["2026-03-02"], True),
        ("DateLessThan", ["2026"], ["2025-12-31T23:59:59Z"], True),
        ("DateLessThan", ["2026-01"], ["2026-01-01T00:00:00Z"], False),
        ("DateLessThanEquals", ["2026-01"], ["2026-01-01T00:00:00Z"], True),
        ("DateGreaterThan", ["1767225600"], ["2026-01-01T00:00:00Z"], False),
        ("DateGreaterThanEquals", ["1767225600"], ["2026-01-01T00:00:00Z"], True),
        ("DateGreaterThan", ["2026"], ["yesterday"], False),
        ("IpAddress", ["203.0.113.0/24"], ["203.0.113.9"], True),
        ("IpAddress", ["203.0.113.7/24"], ["203.0.113.9"], True),
        ("IpAddress", ["203.0.113.7"], ["203.0.113.9"], False),
        ("IpAddress", ["2001:db8::/32", "10.0.0.0/8"], ["2001:db8::1"], True),
        ("IpAddress", ["0.0.0.0/0"], ["nowhere"], False),
        ("NotIpAddress", ["203.0.113.0/24", "10.0.0.0/8"], ["10.1.1.1"], False),
        ("NotIpAddress", ["203.0.113.0/24"], ["10.1.1.1"], True),
        ("ArnEquals", ["arn:aws:iam::*:user/*"], ["arn:aws:iam::123456789012:user/a:b"], True),
        ("ArnLike", ["arn:aws:*:us-east-1:a:b"], ["x"], False),
        ("ArnNotEquals", ["arn:aws:iam::*:user/*"], ["arn:aws:iam::123456789012:role/a"], True),
        ("ArnNotLike", ["arn:aws:iam::*:user/*"], ["arn:aws:iam::123456789012:user/a"], False),
        # AWS's own example of what ARNs are not like, though strings are.
        (
            "ArnLike",
            ["arn:aws:some:*:111122223333:finance/*"],
            ["arn:aws:some:us-east-2:999999999999:store/abc:111122223333:finance/d.txt"],
            False,
        ),
        (
            "StringLike",
            ["arn:aws:some:*:111122223333:finance/*"],
            ["arn:aws:some:us-east-2:999999999999:store/abc:111122223333:finance/d.txt"],
            True,
        ),
    ],
)
def test_each_operator_compares_as_aws_says(
    name: str, asked: list[str], values: list[str], expected: bool
) -> None:
    assert holds(name, asked, values) is expected


@pytest.mark.parametrize(
    ("name", "asked", "expected"),
    [
        ("NumericEquals", "five", "expected a number"),
        ("NumericEquals", "NaN", "expected a number"),
        ("NumericEquals", "${x:y}", "expected a number"),
        ("DateEquals", "01/02/2026", "expected a time"),
        ("DateEquals", "2026-02-30", "expected a time"),
        ("DateEquals", "2026-02-01T00:00", "expected a time"),
        ("DateEquals", "9" * 30, "expected a time"),
        ("Bool", "yes", "expected true or false"),
        ("Null", "", "expected true or false"),
        ("IpAddress", "10.0.0.0/33", "expected an address or a CIDR"),
        ("ArnLike", "arn:aws:iam", "expected the six parts of an ARN"),
        ("StringLike", "${", "begins no variable"),
    ],
)
def test_a_value_of_another_kind_is_refused(name: str, asked: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        holds(name, [asked], [])


@pytest.mark.parametrize(
    "name",
    ["", "StringEqual", "NullIfExists", "ForAnyValue:Null", "ForSomeValues:StringLike", "IfExists"],
)
def test_no_other_operators_are_known(name: str) -> None:
    with pytest.raises(ValueError, match="no condition operator"):
        condition_type(name)


def test_values_may_speak_of_the_request_itself() -> None:
    context = {"x:key": ["123456789012"], "aws:principalaccount": ["123456789012"]}
    asked = ["${aws:PrincipalAccount}"]
    for name, expected in (("StringEquals", True), ("StringNotEquals", False)):
        condition = condition_type(name).condition(KEY, asked, has_variables=True)
        assert condition.holds(context) is expected


def test_what_has_no_value_is_unlike_everything() -> None:
    condition = condition_type("StringNotEquals").condition(KEY, ["${no:key}"], has_variables=True)
    assert condition.holds({"x:key": ["x"]})
