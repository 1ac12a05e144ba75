"""Metrics Insights queries, as alarms on the usage of VPCs have them (MET-4)."""

import pytest

from services.metrics.aws_ipam import POOL_COMPLIANT, SCOPE_COMPLIANT, VPC_IP_USAGE
from services.metrics.cloud_watch.history import Line
from services.metrics.cloud_watch.insights import (
    Condition,
    InsightsQuery,
    is_insights,
    parse_insights,
)
from services.metrics.cloud_watch.samples import Samples, Span
from services.metrics.cloud_watch.statistics import Periods
from services.metrics.errors import ValidationError
from tests.metrics.cloud_watch.support import samples, usage

GUIDES = (
    'SELECT MAX(VpcIPUsage) FROM SCHEMA("AWS/IPAM", AddressFamily,OwnerID,Region,ScopeID,VpcID)'
)
FIVE = frozenset({"AddressFamily", "OwnerID", "Region", "ScopeID", "VpcID"})
MAX_USAGE = (Periods.maximum, "VpcIPUsage", "AWS/IPAM")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param(GUIDES, InsightsQuery(*MAX_USAGE, FIVE), id="the guide's alarm"),
        pytest.param(
            'SELECT AVG(VpcIPUsage) FROM "AWS/IPAM"',
            InsightsQuery(Periods.average, *MAX_USAGE[1:]),
            id="a namespace alone",
        ),
        pytest.param(
            'select max("VpcIPUsage")\n\tfrom schema("AWS/IPAM")',
            InsightsQuery(*MAX_USAGE, frozenset()),
            id="keywords in any case, names quoted, no dimensions",
        ),
        pytest.param(
            """SELECT MAX(VpcIPUsage) FROM "AWS/IPAM" WHERE Region = 'eu-west-1'
            AND "VpcID" != 'o\\'clock' """,
            InsightsQuery(
                *MAX_USAGE,
                conditions=(
                    Condition("Region", "eu-west-1", is_equal=True),
                    Condition("VpcID", "o'clock", is_equal=False),
                ),
            ),
            id="conditions",
        ),
        pytest.param(
            'SELECT MAX(VpcIPUsage) FROM "AWS/IPAM" GROUP BY OwnerID, Region'
            " ORDER BY COUNT() DESC LIMIT 5",
            InsightsQuery(
                *MAX_USAGE,
                group_by=("OwnerID", "Region"),
                order_by=Periods.count,
                is_descending=True,
                limit=5,
            ),
            id="grouped, ordered and limited",
        ),
        pytest.param(
            'SELECT MAX(VpcIPUsage) FROM "AWS/IPAM" ORDER BY SUM() ASC',
            InsightsQuery(*MAX_USAGE, order_by=Periods.sum),
            id="ascending",
        ),
    ],
)
def test_queries_are_read(expression: str, expected: InsightsQuery) -> None:
    assert is_insights(expression)
    assert parse_insights(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected", "found"),
    [
        ("SELECT", "one of AVG, COUNT, MAX, MIN, SUM", "the end"),
        ("SELECT P99(x) FROM y", "one of AVG, COUNT, MAX, MIN, SUM", "P99(x) FROM y"),
        ("SELECT MAX x", "'('", "x"),
        ("SELECT MAX() FROM y", "a metric's name", ") FROM y"),
        ("SELECT MAX(x FROM y", "')'", "FROM y"),
        ("SELECT MAX(x)", "FROM", "the end"),
        ("SELECT MAX(x) FROM AWS/IPAM", "a word", "/IPAM"),
        ("SELECT MAX(x) FROM SCHEMA()", "a namespace", ")"),
        ("SELECT MAX(x) FROM SCHEMA(y,)", "a dimension", ")"),
        ("SELECT MAX(x) FROM y WHERE k", "= or !=", "the end"),
        ("SELECT MAX(x) FROM y WHERE k > 'v'", "a word", "> 'v'"),
        ('SELECT MAX(x) FROM y WHERE k = "v"', "a value in single quotes", '"v"'),
        ("SELECT MAX(x) FROM y WHERE k = 'v", "a word", "'v"),
        ("SELECT MAX(x) FROM y WHERE k = 'v' OR l = 'w'", "GROUP BY", "OR l = 'w'"),
        ("SELECT MAX(x) FROM y GROUP k", "BY", "k"),
        ("SELECT MAX(x) FROM y GROUP BY", "a dimension", "the end"),
        ("SELECT MAX(x) FROM y ORDER BY x", "one of AVG", "x"),
        ("SELECT MAX(x) FROM y ORDER BY MAX(x)", "')'", "x)"),
        ("SELECT MAX(x) FROM y LIMIT 501", "a number from 1 to 500", "501"),
        ("SELECT MAX(x) FROM y LIMIT 0", "a number from 1 to 500", "0"),
        ("SELECT MAX(x) FROM y LIMIT 1 GROUP BY k", "in this order", "GROUP BY k"),
        ("SELECT MAX(x) FROM y; DROP", "a word", "; DROP"),
    ],
)
def test_others_are_refused_where_they_go_wrong(expression: str, expected: str, found: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        parse_insights(expression)
    assert expected in refusal.value.metadata["expected"]
    assert refusal.value.metadata["found"] == found


@pytest.mark.parametrize("expression", ["m1 / m2", "SEARCH('x')", "SELECTED", ""])
def test_what_does_not_begin_with_select_is_no_query(expression: str) -> None:
    assert not is_insights(expression)


@pytest.mark.parametrize(
    ("source", "pools", "scopes"),
    [
        ('"AWS/IPAM"', True, True),
        ('SCHEMA("AWS/IPAM", ScopeID, AddressFamily)', False, True),
        ('SCHEMA("AWS/IPAM", AddressFamily, Locale, PoolID, ScopeID)', True, False),
        ('SCHEMA("AWS/IPAM", ScopeID)', False, False),
        ("\"AWS/IPAM\" WHERE PoolID = 'ipam-pool-1'", True, False),
        ("\"AWS/IPAM\" WHERE PoolID != 'ipam-pool-1'", True, False),
    ],
)
def test_a_schema_is_all_the_dimensions_and_a_condition_needs_its_own(
    source: str, pools: bool, scopes: bool
) -> None:
    query = parse_insights(f"SELECT MAX(CompliantResourceCidrs) FROM {source}")
    assert query.asks_for(POOL_COMPLIANT) is pools
    assert query.asks_for(SCOPE_COMPLIANT) is scopes
    assert not query.asks_for(VPC_IP_USAGE)


FOUND: dict[Line, Samples] = {
    usage("vpc-a", owner="111111111111"): samples([0.1, 0.2, 0.3, 0.4]),
    usage("vpc-b", owner="111111111111"): samples([0.5, 0.1]),
    usage("vpc-c", owner="222222222222"): samples({0: 0.3, 9: 0.9}),
    usage("vpc-d", owner="333333333333"): samples({9: 0.9}),
}


def answer(rest: str, function: str = "MAX") -> dict[str, dict[int, float]]:
    query = parse_insights(f'SELECT {function}(VpcIPUsage) FROM "AWS/IPAM" {rest}')
    return {
        series.label: dict(zip(series.minutes.tolist(), series.values.tolist(), strict=True))
        for series in query.answer(FOUND, Span(0, 4), period=2)
    }


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("MAX", {0: 0.5, 2: 0.4}),
        ("MIN", {0: 0.1, 2: 0.3}),
        ("SUM", {0: 1.2, 2: 0.7}),
        ("COUNT", {0: 5, 2: 2}),
        ("AVG", {0: 0.24, 2: 0.35}),
    ],
)
def test_all_together_are_one_time_series(function: str, expected: dict[int, float]) -> None:
    (found,) = answer("", function).values()
    assert found == pytest.approx(expected)


def test_each_group_with_values_is_a_time_series() -> None:
    assert answer("GROUP BY OwnerID") == {
        "111111111111": {0: 0.5, 2: 0.4},
        "222222222222": {0: 0.3},
    }
    assert list(answer("GROUP BY OwnerID, VpcID")) == [
        "111111111111 vpc-a",
        "111111111111 vpc-b",
        "222222222222 vpc-c",
    ]


def test_metrics_without_the_label_are_the_group_other() -> None:
    assert list(answer("GROUP BY VpcID, PoolID")) == ["vpc-a Other", "vpc-b Other", "vpc-c Other"]


def test_conditions_choose() -> None:
    assert list(answer("WHERE OwnerID = '222222222222' GROUP BY VpcID")) == ["vpc-c"]
    assert list(answer("WHERE VpcID != 'vpc-a' GROUP BY VpcID")) == ["vpc-b", "vpc-c"]
    assert answer("WHERE VpcID = 'vpc-z'") == {"": {}}


def test_groups_are_ordered_and_limited() -> None:
    assert list(answer("GROUP BY VpcID ORDER BY MAX() DESC")) == ["vpc-b", "vpc-a", "vpc-c"]
    assert list(answer("GROUP BY VpcID ORDER BY MAX()")) == ["vpc-c", "vpc-a", "vpc-b"]
    assert list(answer("GROUP BY VpcID ORDER BY COUNT() DESC LIMIT 1")) == ["vpc-a"]
