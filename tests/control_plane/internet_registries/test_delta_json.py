"""DeltaJson: what AWS's documentation shows is read, and what is unclear is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control_plane.internet_registries.delta import Change, Withdrawal
from services.control_plane.internet_registries.delta_json import (
    InvalidDelta,
    parse_change,
    print_change,
)
from services.control_plane.internet_registries.registration import LONGEST, RoutingPolicy
from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterCombination

V4 = Cidr.parse("18.96.0.0/14")

# The form of AWS's user guide, with its numbers and truth values as strings.
AS_DOCUMENTED = """
{"Add": [{"prefix": "18.96.0.0/14", "asns": ["77221", "13446"],
          "permit-more-specific-announcements": "false"}],
 "Delete": [{"prefix": "18.96.0.0/14", "asns": ["13446"],
             "permit-more-specific-announcements": "false"}]}
"""


def test_a_delta_is_read_as_it_is_documented() -> None:
    assert parse_change(AS_DOCUMENTED) == Change(
        add=(RoutingPolicy.of(V4, [13446, 77221]),),
        delete=(Withdrawal(cidr=V4, asns=(13446,), permits_more_specific=False),),
    )


def test_numbers_and_truth_values_may_be_such() -> None:
    entry = {"prefix": "18.96.0.0/14", "asns": [13446], "max-length": 16}
    told = parse_change(json.dumps({"Add": [entry | {"permit-more-specific-announcements": True}]}))
    as_strings = entry | {
        "asns": ["13446"],
        "max-length": "16",
        "permit-more-specific-announcements": "true",
    }
    assert told == parse_change(json.dumps({"Add": [as_strings]}))
    [policy] = told.add
    assert (policy.max_length, policy.permits_more_specific) == (16, True)


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("", "", "no JSON"),
        ("[" * 100_000, "", "no JSON"),
        ("[]", "", "[] is no object"),
        ("{}", "", "it changes nothing"),
        ('{"Add": [], "Delete": []}', "", "it changes nothing"),
        ('{"add": []}', "", '"add" is not known; use "Add", "Delete"'),
        ('{"Add": [], "Add": []}', "", '"Add" is there twice'),
        ('{"Add": {}}', "Add", "{} is no list"),
        ('{"Add": [7]}', "Add[0]", "7 is no object"),
        ('{"Add": [{"prefix": "10.0.0.0/8"}]}', "Add[0]", 'no "asns"'),
        ('{"Delete": [{"asns": [7]}]}', "Delete[0]", 'no "prefix"'),
        ('{"Delete": [{"prefix": 7}]}', "Delete[0].prefix", "7 is no string"),
        ('{"Delete": [{"prefix": "10.0.0.1/8"}]}', "Delete[0]", "use '10.0.0.0/8'"),
        ('{"Add": [{"prefix": "10.0.0.0/8", "asns": "7"}]}', "Add[0].asns", '"7" is no list'),
        ('{"Add": [{"prefix": "10.0.0.0/8", "asns": [true]}]}', "Add[0].asns[0]", "true is no"),
        ('{"Add": [{"prefix": "10.0.0.0/8", "asns": [7.5]}]}', "Add[0].asns[0]", "7.5 is no"),
        ('{"Add": [{"prefix": "10.0.0.0/8", "asns": ["x"]}]}', "Add[0]", "Value (x)"),
        ('{"Add": [{"prefix": "10.0.0.0/8", "asns": [NaN]}]}', "", "NaN is no JSON"),
        ('{"Add": [{"prefix": "10.0.0.0/8", "asns": []}]}', "Add[0]", "name at least one"),
        ('{"Delete": [{"prefix": "10.0.0.0/8", "max-length": null}]}', "Delete[0].max-length", ""),
        (
            '{"Delete": [{"prefix": "10.0.0.0/8", "permit-more-specific-announcements": "yes"}]}',
            "Delete[0].permit-more-specific-announcements",
            '"yes" is neither true nor false',
        ),
        (
            '{"Delete": [{"prefix": "10.0.0.0/8", "permit-more-specific-announcements": null}]}',
            "Delete[0].permit-more-specific-announcements",
            "null is neither",
        ),
        ('{"Delete": [{"prefix": "10.0.0.0/8", "Asns": []}]}', "Delete[0]", '"Asns" is not known'),
        (
            '{"Delete": [{"prefix": "10.0.0.0/8"}, {"prefix": "10.0.0.0/8"}]}',
            "Delete[1]",
            "10.0.0.0/8 is in Delete[0] already",
        ),
    ],
)
def test_what_is_no_delta_is_refused_with_the_place(text: str, where: str, says: str) -> None:
    with pytest.raises(InvalidDelta) as refused:
        parse_change(text)
    assert refused.value.metadata["where"] == where
    assert says in refused.value.message


def test_lengths_without_permission_are_refused_with_the_place() -> None:
    entry = {"prefix": "10.0.0.0/8", "asns": ["7"], "max-length": 9}
    with pytest.raises(InvalidParameterCombination, match=r"Add\[0\]"):
        parse_change(json.dumps({"Add": [entry]}))


@pytest.mark.parametrize(("count", "is_allowed"), [(1000, True), (1001, False)])
def test_at_most_a_thousand_registrations_are_in_a_list(count: int, *, is_allowed: bool) -> None:
    text = json.dumps({"Delete": [{"prefix": f"10.{i >> 8}.{i & 255}.0/24"} for i in range(count)]})
    if is_allowed:
        assert len(parse_change(text).delete) == count
    else:
        with pytest.raises(InvalidDelta, match="1001 registrations; at most 1000"):
            parse_change(text)


@st.composite
def _policies(draw: st.DrawFn) -> RoutingPolicy:
    family = draw(st.sampled_from(AddressFamily))
    length = draw(st.integers(4, LONGEST[family] - 1))
    first = draw(st.integers(1, 15)) << (family.bits - 4)
    permits = draw(st.booleans())
    return RoutingPolicy.of(
        Cidr(family, first, length),
        draw(st.sets(st.integers(1, 2**32 - 1), min_size=1, max_size=4)),
        permits_more_specific=permits,
        max_length=draw(st.integers(length, LONGEST[family])) if permits else None,
        description=draw(st.none() | st.text(st.characters(categories=["L", "N"]))),
    )


@given(
    st.lists(_policies(), max_size=4, unique_by=lambda policy: policy.cidr),
    st.lists(_policies(), min_size=1, max_size=4, unique_by=lambda policy: policy.cidr),
)
def test_what_is_printed_is_read_as_the_same(
    add: list[RoutingPolicy], delete: list[RoutingPolicy]
) -> None:
    change = Change(add=tuple(add), delete=tuple(map(Withdrawal.of, delete)))
    assert parse_change(print_change(change)) == change
