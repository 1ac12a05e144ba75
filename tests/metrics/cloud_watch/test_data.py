"""GetMetricData's pages."""

import threading
from collections.abc import Iterable, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.metrics.aws_ipam import PERCENT_ALLOCATED
from services.metrics.cloud_watch.data import (
    DataPage,
    DataQuestion,
    Position,
    Result,
    Status,
    data_page,
)
from services.metrics.cloud_watch.history import Home, Line
from services.metrics.cloud_watch.insights import InsightsQuery
from services.metrics.cloud_watch.named import NamedMetric
from services.metrics.cloud_watch.queries import Queries, Query, Search, expressed, lookup
from services.metrics.cloud_watch.samples import Samples, Span, Values
from services.metrics.cloud_watch.statistics import Periods
from services.metrics.series import Metric
from shared.errors import ServiceUnavailable
from tests.metrics.cloud_watch.support import HOME, POOL, samples, usage, vpc

COMPLETE, PARTIAL, FAILED = Status.COMPLETE, Status.PARTIAL_DATA, Status.INTERNAL_ERROR
PERCENT = Line(PERCENT_ALLOCATED, POOL)
BY_VPC = expressed('SELECT MAX(VpcIPUsage) FROM "AWS/IPAM" GROUP BY VpcID', 60)


class Remembered:
    """A history that is all given, until it does not answer."""

    def __init__(self, known: Mapping[Line, Samples] | None) -> None:
        self.known = known
        self.asked = 0

    async def lines(self, home: Home, metrics: Sequence[Metric], since: int) -> Iterable[Line]:
        raise NotImplementedError

    async def samples(
        self, home: Home, metric: Metric, wanted: Mapping[str, str], span: Span
    ) -> Mapping[Line, Samples]:
        self.asked += 1
        if self.known is None:
            raise ServiceUnavailable("gone")
        return {
            line: found
            for line, found in self.known.items()
            if line.metric == metric and line.has(wanted)
        }


def of(line: Line, query_id: str = "m1", **options: object) -> Query:
    named = NamedMetric("AWS/IPAM", line.metric.name, tuple(line.values_by_name.items()))
    return Query(query_id, lookup(named, 60, "Average", None), **options)  # type: ignore[arg-type]


def question(
    *queries: Query, most: int = 1000, is_ascending: bool = True, end: int = 10
) -> DataQuestion:
    return DataQuestion(Queries(queries), Span(0, end), is_ascending, most)


async def pages(history: Remembered, asked: DataQuestion) -> list[DataPage]:
    found, after = list[DataPage](), None
    while not found or after:
        found.append(await data_page(history, HOME, asked, 1000, after))
        after = found[-1].last
    return found


async def only_page(history: Remembered, asked: DataQuestion) -> dict[str, Result]:
    (page,) = await pages(history, asked)
    return {result.label: result for result in page.results}


async def test_a_page_has_all_that_fits_in_the_order_asked() -> None:
    history = Remembered({PERCENT: samples([1, 2]), usage("vpc-1"): samples([3])})
    (page,) = await pages(history, question(of(usage("vpc-1"), "m2"), of(PERCENT)))
    assert page == DataPage(
        [
            Result("m2", "VpcIPUsage", COMPLETE, [0], [3]),
            Result("m1", "PercentAllocated", COMPLETE, [0, 1], [1, 2]),
        ],
        None,
    )


async def test_others_do_not_wait_while_many_metrics_are_reckoned_with() -> None:
    threads = []

    def maximum(periods: Periods) -> Values:
        threads.append(threading.current_thread())
        return periods.maximum()

    search = Search(InsightsQuery(maximum, "VpcIPUsage", "AWS/IPAM"), 1)
    await pages(Remembered({usage("vpc-1"): samples([3])}), question(Query("q1", search)))
    (thread,) = threads
    assert thread is not threading.main_thread()


@pytest.mark.parametrize(
    ("is_ascending", "expected"),
    [
        (True, [("m1", [0, 1], COMPLETE), ("m2", [0], PARTIAL), ("m3", [], PARTIAL)]),
        (False, [("m1", [1, 0], COMPLETE), ("m2", [2], PARTIAL), ("m3", [], PARTIAL)]),
    ],
    ids=["oldest first", "newest first"],
)
async def test_a_full_page_goes_on_where_it_ended(
    is_ascending: bool, expected: list[tuple[str, list[int], Status]]
) -> None:
    lines = [usage(f"vpc-{number}") for number in range(3)]
    history = Remembered(dict(zip(lines, map(samples, ([1, 2], [3, 4, 5], [6])), strict=True)))
    queries = [of(line, f"m{number}") for number, line in enumerate(lines, 1)]
    first, second = await pages(history, question(*queries, most=3, is_ascending=is_ascending))
    assert [(one.query_id, one.minutes, one.status) for one in first.results] == expected
    rest = [1, 2] if is_ascending else [1, 0]
    assert [(one.query_id, one.minutes, one.status) for one in second.results] == [
        ("m2", rest, COMPLETE),
        ("m3", [0], COMPLETE),
    ]


async def test_what_is_on_no_page_yet_is_not_looked_for() -> None:
    history = Remembered({PERCENT: samples(range(10))})
    asked = question(*(of(PERCENT, f"m{number}") for number in range(100)), most=15)
    await data_page(history, HOME, asked, 1000, None)
    assert history.asked == 2


@settings(max_examples=50)
@given(
    values=st.lists(st.integers(0, 6), min_size=1, max_size=6),
    most=st.integers(1, 7),
    is_ascending=st.booleans(),
)
async def test_pages_are_together_what_one_page_would_be(
    values: list[int], most: int, is_ascending: bool
) -> None:
    known = {usage(f"vpc-{at}"): samples(range(length)) for at, length in enumerate(values)}
    queries = [of(line, f"m{at}") for at, line in enumerate(known)]
    queries.insert(1, Query("q1", BY_VPC))
    whole = await pages(Remembered(known), question(*queries, is_ascending=is_ascending))
    parts = await pages(Remembered(known), question(*queries, most=most, is_ascending=is_ascending))
    assert all(sum(len(one.values) for one in page.results) <= most for page in parts)

    put_together = dict[tuple[str, str], list[tuple[int, float]]]()
    for page in parts:
        for one in page.results:
            points = put_together.setdefault((one.query_id, one.label), [])
            points += zip(one.minutes, one.values, strict=True)
    # A query that was put off is there by its id before its groups are known.
    put_together = {key: points for key, points in put_together.items() if key != ("q1", "q1")}
    assert put_together == {
        (one.query_id, one.label): list(zip(one.minutes, one.values, strict=True))
        for one in whole[0].results
    }


async def test_expressions_take_what_is_not_returned() -> None:
    history = Remembered({PERCENT: samples([1, 2]), usage("vpc-1"): samples([0, 4])})
    half = Query("e1", expressed("100 * m1 / q1", None), label="Ratio")
    overall = expressed('SELECT SUM(VpcIPUsage) FROM "AWS/IPAM"', 60)
    found = await only_page(
        history,
        question(half, of(PERCENT, is_returned=False), Query("q1", overall, is_returned=False)),
    )
    assert found == {"Ratio": Result("e1", "Ratio", COMPLETE, [1], [50])}


async def test_a_group_is_a_result_of_its_own() -> None:
    history = Remembered({usage("vpc-1"): samples([1]), usage("vpc-2"): samples([2])})
    found = await only_page(history, question(Query("q1", BY_VPC)))
    assert {label: one.values for label, one in found.items()} == {"vpc-1": [1], "vpc-2": [2]}
    assert {one.query_id for one in found.values()} == {"q1"}


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(of(PERCENT, account_id="210987654321"), id="another account's"),
        pytest.param(of(Line(PERCENT_ALLOCATED, (*POOL[:3], "other"))), id="another scope's"),
        pytest.param(
            Query("m1", lookup(NamedMetric("AWS/EC2", "CPUUtilization", ()), 60, "Sum", None)),
            id="another namespace's",
        ),
        pytest.param(
            Query("m1", expressed('SELECT SUM(CPUUtilization) FROM "AWS/EC2"', 60)),
            id="another namespace's, searched",
        ),
        pytest.param(
            Query("m1", expressed('SELECT SUM(VpcIPUsage) FROM "AWS/IPAM"', 60), account_id="2109"),
            id="another account's, searched",
        ),
    ],
)
async def test_other_metrics_have_no_values(query: Query) -> None:
    history = Remembered(
        {PERCENT: samples([1]), Line(usage("x").metric, vpc("vpc-1")): samples([1])}
    )
    (result,) = (await only_page(history, question(query))).values()
    assert (result.values, result.status) == ([], COMPLETE)


async def test_another_unit_has_no_values() -> None:
    history = Remembered({PERCENT: samples([1])})
    named = NamedMetric("AWS/IPAM", "PercentAllocated", tuple(PERCENT.values_by_name.items()))
    for unit, values in [("Percent", [1]), ("Count", [])]:
        query = Query("m1", lookup(named, 60, "Average", unit))
        assert (await only_page(history, question(query)))["PercentAllocated"].values == values


async def test_a_past_out_of_reach_is_an_internal_error_and_asked_for_once() -> None:
    history = Remembered(None)
    third = Query("e1", expressed("m1 * 2", None))
    found = await only_page(history, question(of(PERCENT), of(usage("vpc-1"), "m2"), third))
    assert [(one.status, one.values) for one in found.values()] == [(FAILED, [])] * 3
    assert history.asked == 1


async def test_after_the_last_data_point_there_is_nothing() -> None:
    history = Remembered({PERCENT: samples([1, 2, 3])})
    page = await data_page(history, HOME, question(of(PERCENT)), 1000, Position(0, 0, 7))
    assert page == DataPage([], None)
