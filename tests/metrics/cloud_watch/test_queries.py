"""Which queries of one request go together."""

import pytest

from services.metrics.cloud_watch.named import MetricFilter, NamedMetric
from services.metrics.cloud_watch.queries import Lookup, Queries, Query, Search, expressed, lookup
from services.metrics.errors import ValidationError

PERCENT = NamedMetric("AWS/IPAM", "PercentAllocated", ())
GROUPED = 'SELECT MAX(VpcIPUsage) FROM "AWS/IPAM" GROUP BY VpcID'


def looked_up(query_id: str, label: str = "") -> Query:
    return Query(query_id, lookup(PERCENT, 60, "Average", None), label)


def reckoned(query_id: str, expression: str, label: str = "") -> Query:
    return Query(query_id, expressed(expression, None), label)


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        pytest.param([looked_up("M1")], "'M1'", id="upper case"),
        pytest.param([looked_up("m-1")], "'m-1'", id="a hyphen"),
        pytest.param([looked_up("é1")], "'é1'", id="not ASCII"),
        pytest.param([looked_up("m1"), looked_up("m1")], "'m1' is given to 2", id="twice"),
        pytest.param(
            [looked_up("m1"), reckoned("e1", "m2 * m1")], "use one of m1, e1", id="unknown"
        ),
        pytest.param([reckoned("e1", "e1 + 1")], "e1 -> e1", id="itself"),
        pytest.param([reckoned("e1", "e2"), reckoned("e2", "e1")], "circle", id="a circle"),
        pytest.param(
            [reckoned("q1", GROUPED), reckoned("e1", "q1 * 100")], "GROUP BY", id="groups"
        ),
        pytest.param(
            [reckoned("q1", GROUPED), reckoned("q2", GROUPED)], "q1, q2", id="two searches"
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(queries: list[Query], message: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Queries(queries)
    assert message in refusal.value.message


def test_what_an_answer_is_made_of_comes_first_and_nothing_else() -> None:
    queries = [reckoned("e2", "e1 * m1"), looked_up("m9"), reckoned("e1", "m1 - m2")]
    together = Queries([*queries, looked_up("m1"), looked_up("m2")])
    needed = [query.id for query in together.needed_for(queries[0])]
    assert sorted(needed) == ["e1", "e2", "m1", "m2"]
    assert needed[-2:] == ["e1", "e2"]


def test_a_chain_of_all_queries_is_no_trouble() -> None:
    chain = [reckoned(f"e{number}", f"e{number + 1}") for number in range(499)]
    together = Queries([*chain, looked_up("e499")])
    assert len(list(together.needed_for(chain[0]))) == 500


@pytest.mark.parametrize("period", [1, 30, 59, 90])
def test_periods_are_whole_minutes(period: int) -> None:
    with pytest.raises(ValidationError, match="multiple of 60"):
        lookup(PERCENT, period, "Average", None)
    with pytest.raises(ValidationError, match="multiple of 60"):
        expressed(GROUPED, period)


def test_a_search_without_a_period_has_five_minutes() -> None:
    asks = expressed(GROUPED, None)
    assert isinstance(asks, Search)
    assert asks.period == 5


@pytest.mark.parametrize("statistic", ["average", "p101", "tm99", "IQM", "TM(10%:90%)"])
def test_other_statistics_are_refused(statistic: str) -> None:
    with pytest.raises(ValidationError, match="is not supported"):
        lookup(PERCENT, 60, statistic, None)


@pytest.mark.parametrize(
    ("query", "group", "label"),
    [
        (looked_up("m1"), "", "PercentAllocated"),
        (looked_up("m1", "Full"), "", "Full"),
        (reckoned("e1", "m1"), "", "e1"),
        (reckoned("q1", GROUPED), "vpc-1", "vpc-1"),
        (reckoned("q1", GROUPED, "Usage"), "vpc-1", "Usage vpc-1"),
    ],
)
def test_labels(query: Query, group: str, label: str) -> None:
    assert query.label_of(group) == label


@pytest.mark.parametrize(
    ("namespace", "name", "dimensions", "is_known"),
    [
        ("AWS/IPAM", "TotalActiveIpCount", ("IpamId",), True),
        ("AWS/IPAM", "CompliantResourceCidrs", ("ScopeID", "AddressFamily"), True),
        ("AWS/IPAM", "TotalActiveIpCount", (), False),
        ("AWS/IPAM", "TotalActiveIpCount", ("IpamId", "IpamId"), False),
        ("AWS/IPAM", "TotalActiveIpCount", ("IpamId", "Region"), False),
        ("AWS/IPAM", "CPUUtilization", ("IpamId",), False),
        ("AWS/EC2", "TotalActiveIpCount", ("IpamId",), False),
    ],
)
def test_a_metric_is_named_by_all_its_dimensions(
    namespace: str, name: str, dimensions: tuple[str, ...], is_known: bool
) -> None:
    named = NamedMetric(namespace, name, tuple((one, "x") for one in dimensions))
    assert (named.metric is not None) is is_known


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (MetricFilter(), 28),
        (MetricFilter("AWS/IPAM"), 28),
        (MetricFilter("AWS/EC2"), 0),
        (MetricFilter(name="CompliantResourceCidrs"), 2),
        (MetricFilter(name="CompliantResourceCidrs", dimensions=[("PoolID", None)]), 1),
        (MetricFilter(dimensions=[("VpcID", None), ("SubnetID", "subnet-1")]), 1),
        (MetricFilter(dimensions=[("Nothing", None)]), 0),
    ],
)
def test_filters_narrow_the_kinds(wanted: MetricFilter, count: int) -> None:  # MET-1
    assert len(wanted.kinds()) == count


def test_a_lookup_is_in_minutes() -> None:
    asks = lookup(PERCENT, 3600, "p99", "Percent")
    assert isinstance(asks, Lookup)
    assert (asks.period, asks.unit) == (60, "Percent")
