"""Samples by period, against reckoning by hand."""

import math
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.cloud_watch.samples import NO_SAMPLES, Span, joined
from services.metrics.cloud_watch.statistics import BASIC, Periods, basic_statistic, percentile
from tests.metrics.cloud_watch.support import samples


def summed(name: str, values: list[float]) -> float:
    statistic = basic_statistic(name) or percentile(name)
    assert statistic
    (found,) = statistic(Periods(samples(values), Span(0, len(values)), len(values)))
    return float(found)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Average", 25),
        ("Minimum", 10),
        ("Maximum", 40),
        ("Sum", 100),
        ("SampleCount", 4),
        ("p0", 10),
        ("p50", 20),
        ("p50.1", 30),
        ("p75", 30),
        ("p99.9", 40),
        ("p100", 40),
    ],
)
def test_each_statistic(name: str, expected: float) -> None:
    assert summed(name, [40, 10, 30, 20]) == expected


@pytest.mark.parametrize(
    "name", ["p", "p101", "p-1", "P50", "50", "p5e1", "p50%", "pp50", "p\u0665"]
)
def test_other_percentiles_are_none(name: str) -> None:
    assert percentile(name) is None


@pytest.mark.parametrize("name", ["average", "Mean", "p50", "tm99", ""])
def test_other_statistics_are_none(name: str) -> None:
    assert basic_statistic(name) is None


def test_equal_values_have_that_value_as_their_average() -> None:
    assert summed("Average", [0.1] * 3) == 0.1


def test_periods_begin_with_the_span_not_with_the_clock() -> None:
    periods = Periods(samples({7: 1, 11: 2, 12: 3, 17: 4}), Span(7, 17), 5)
    assert periods.minutes.tolist() == [7, 12]
    assert periods.sum().tolist() == [3, 3]


def test_periods_without_samples_are_left_out() -> None:
    assert Periods(samples({0: 1, 30: 1}), Span(0, 60), 10).minutes.tolist() == [0, 30]


@pytest.mark.parametrize("name", [*BASIC, "p50"])
def test_of_nothing_there_is_nothing(name: str) -> None:
    statistic = basic_statistic(name) or percentile(name)
    assert statistic
    assert statistic(Periods(NO_SAMPLES, Span(0, 10), 5)).tolist() == []


VALUES = st.floats(-1e6, 1e6)


@given(
    measured=st.dictionaries(st.integers(-20, 200), VALUES),
    more=st.dictionaries(st.integers(-20, 200), VALUES),
    start=st.integers(0, 60),
    length=st.integers(0, 120),
    period=st.integers(1, 30),
)
def test_periods_are_as_reckoned_one_by_one(
    measured: dict[int, float], more: dict[int, float], start: int, length: int, period: int
) -> None:
    by_period = defaultdict[int, list[float]](list)
    for minute, value in [*measured.items(), *more.items()]:
        if start <= minute < start + length:
            by_period[start + (minute - start) // period * period].append(value)
    expected = [sorted(by_period[begin]) for begin in sorted(by_period)]

    both = joined([samples(measured), samples(more)])
    periods = Periods(both, Span(start, start + length), period)
    assert periods.minutes.tolist() == sorted(by_period)
    assert periods.count().tolist() == [len(values) for values in expected]
    assert periods.minimum().tolist() == [values[0] for values in expected]
    assert periods.maximum().tolist() == [values[-1] for values in expected]
    close = {"rel_tol": 1e-9, "abs_tol": 1e-6}
    for found, values in zip(periods.sum().tolist(), expected, strict=True):
        assert math.isclose(found, math.fsum(values), **close)
    for found, values in zip(periods.average().tolist(), expected, strict=True):
        assert math.isclose(found, math.fsum(values) / len(values), **close)
        assert values[0] <= found <= values[-1]


@given(st.lists(VALUES, min_size=1), st.integers(0, 1000))
def test_a_percentile_is_the_lowest_value_that_so_many_do_not_exceed(
    values: list[float], per_mille: int
) -> None:
    found = summed(f"p{per_mille / 10}", values)
    assert found in values
    assert 1000 * sum(value <= found for value in values) >= per_mille * len(values)
    below = [value for value in values if value < found]
    assert not below or 1000 * len(below) < per_mille * len(values)
