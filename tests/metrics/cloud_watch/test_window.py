"""What is remembered without Prometheus."""

import tracemalloc
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.aws_ipam import (
    METRICS,
    PERCENT_ALLOCATED,
    PERCENT_ASSIGNED,
    POOL_COMPLIANT,
    SCOPE_COMPLIANT,
)
from services.metrics.cloud_watch.history import Home
from services.metrics.cloud_watch.samples import Span
from services.metrics.cloud_watch.window import RecentWindow
from tests.metrics.cloud_watch.support import HOME, NOON, NOON_MINUTE, POOL, series

THREE_HOURS = timedelta(hours=3)
ALWAYS = Span(0, NOON_MINUTE + 10_000_000)


def after(**time: int) -> datetime:
    return NOON + timedelta(**time)


async def remembered(window: RecentWindow, span: Span = ALWAYS) -> dict[int, float]:
    """Of the one pool, by minute since noon."""
    found = await window.samples(HOME, PERCENT_ALLOCATED, {}, span)
    return {
        minute - NOON_MINUTE: value
        for samples in found.values()
        for minute, value in zip(samples.minutes.tolist(), samples.values.tolist(), strict=True)
    }


async def test_of_a_minutes_values_the_last_one_stays() -> None:
    window = RecentWindow(THREE_HOURS)
    for second, value in [(0, 1), (45, 2), (60, 3), (61, 4), (200, 5)]:
        window.record(after(seconds=second), [series(value)])
    assert await remembered(window) == {0: 2, 1: 4, 3: 5}
    assert await remembered(window, Span(NOON_MINUTE + 1, NOON_MINUTE + 3)) == {1: 4}


async def test_values_are_forgotten_after_the_windows_length() -> None:
    window = RecentWindow(timedelta(minutes=3))
    for minute in range(7):
        window.record(after(minutes=minute), [series(minute)])
    assert await remembered(window) == {4: 4, 5: 5, 6: 6}


async def test_what_ended_is_forgotten_and_no_longer_listed() -> None:
    window, other = RecentWindow(timedelta(minutes=3)), ("ipv6", *POOL[1:])
    window.record(NOON, [series(1), series(2, other)])
    window.record(after(minutes=2), [series(1)])
    assert {line.dimensions for line in await window.lines(HOME, METRICS, 0)} == {POOL, other}
    window.record(after(minutes=3), [series(1)])
    assert [line.dimensions for line in await window.lines(HOME, METRICS, 0)] == [POOL]
    window.record(after(hours=1), [])
    assert list(await window.lines(HOME, METRICS, 0)) == []


async def test_lines_are_those_with_a_value_since() -> None:
    window = RecentWindow(THREE_HOURS)
    window.record(NOON, [series(1)])
    window.record(after(minutes=1), [series(1, metric=PERCENT_ASSIGNED)])
    for since, count in [(0, 2), (1, 1), (2, 0)]:
        assert len(list(await window.lines(HOME, METRICS, NOON_MINUTE + since))) == count


@pytest.mark.parametrize(
    "home",
    [Home("210987654321", HOME.region), Home(HOME.account_id, "eu-west-1")],
    ids=["another account", "another region"],
)
async def test_nothing_is_seen_from_elsewhere(home: Home) -> None:
    window = RecentWindow(THREE_HOURS)
    window.record(NOON, [series(1)])
    assert list(await window.lines(home, METRICS, 0)) == []
    assert await window.samples(home, PERCENT_ALLOCATED, {}, ALWAYS) == {}


async def test_metrics_of_one_name_are_kept_apart() -> None:
    window = RecentWindow(THREE_HOURS)
    scope = ("ipv4", "ipam-scope-1")
    window.record(
        NOON, [series(1, metric=POOL_COMPLIANT), series(2, scope, metric=SCOPE_COMPLIANT)]
    )
    found = await window.samples(HOME, SCOPE_COMPLIANT, {"ScopeID": "ipam-scope-1"}, ALWAYS)
    assert [(line.dimensions, of.values.tolist()) for line, of in found.items()] == [(scope, [2])]


async def test_dimensions_have_the_wanted_values() -> None:
    window, other = RecentWindow(THREE_HOURS), ("ipv6", *POOL[1:])
    window.record(NOON, [series(1), series(2, other)])
    for wanted, found in [
        ({}, {POOL, other}),
        ({"AddressFamily": "ipv6"}, {other}),
        ({"AddressFamily": "ipv6", "Locale": "elsewhere"}, set()),
        (dict(zip(PERCENT_ALLOCATED.dimensions, other, strict=True)), {other}),
        (dict.fromkeys(PERCENT_ALLOCATED.dimensions, "elsewhere"), set()),
        ({"VpcID": "vpc-1"}, set()),
    ]:
        lines = await window.samples(HOME, PERCENT_ALLOCATED, wanted, ALWAYS)
        assert {line.dimensions for line in lines} == found


async def test_a_clock_set_right_does_not_stop_the_record() -> None:
    window = RecentWindow(THREE_HOURS)
    window.record(after(minutes=5), [series(1)])
    window.record(after(minutes=4), [series(2)])
    assert await remembered(window) == {4: 2, 5: 1}
    window.record(after(days=900), [series(3)])
    window.record(after(minutes=6), [series(4)])
    assert await remembered(window) == {6: 4}


@given(
    length=st.integers(1, 8),
    recorded=st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=40),
)
async def test_a_window_is_what_a_plain_list_would_be(
    length: int, recorded: list[tuple[int, bool]]
) -> None:
    window, minute, plain = RecentWindow(timedelta(minutes=length)), 0, dict[int, float]()
    for value, (step, is_there) in enumerate(recorded):
        minute += step
        window.record(after(minutes=minute), [series(value)] if is_there else [])
        if is_there:
            plain[minute] = value
        plain = {at: kept for at, kept in plain.items() if at > minute - length}
        assert await remembered(window) == plain


def test_three_hours_of_a_thousand_lines_are_a_few_megabytes() -> None:
    window = RecentWindow(THREE_HOURS)
    lines = [series(1, (*POOL[:3], f"ipam-scope-{number}")) for number in range(1000)]
    tracemalloc.start()
    for minute in range(0, 180, 20):
        window.record(after(minutes=minute), lines)
    size, _ = tracemalloc.get_traced_memory()
    window.record(after(hours=6), [])
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 3_000_000
    assert left < 10_000
