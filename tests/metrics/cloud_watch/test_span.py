"""How CloudWatch reads the times of a request."""

from datetime import UTC, datetime, timedelta

import pytest

from services.metrics.cloud_watch.samples import Span

NOW = datetime(2026, 3, 1, 13, 0, tzinfo=UTC)


def seconds(time: datetime) -> int:
    return int(time.timestamp())


@pytest.mark.parametrize(
    ("days", "rounded"),
    [
        pytest.param(0, (12, 32, 0), id="recent: the minute"),
        pytest.param(14, (12, 32, 0), id="less than 15 days: the minute"),
        pytest.param(16, (12, 30, 0), id="15 to 63 days: five minutes"),
        pytest.param(62, (12, 30, 0), id="nearly 63 days: five minutes"),
        pytest.param(64, (12, 0, 0), id="more than 63 days: the hour"),
    ],
)
def test_the_start_is_rounded_down_the_coarser_the_older(
    days: int, rounded: tuple[int, int, int]
) -> None:
    start = NOW.replace(hour=12, minute=32, second=34) - timedelta(days=days)
    span = Span.between(seconds(start), seconds(NOW), seconds(NOW))
    assert datetime.fromtimestamp(span.start * 60, UTC).timetuple()[3:6] == rounded


@pytest.mark.parametrize(
    ("end", "last"),
    [
        pytest.param((12, 5, 0), 4, id="the end is exclusive"),
        pytest.param((12, 5, 1), 5, id="a minute that began before the end is in"),
    ],
)
def test_the_end_is_exclusive(end: tuple[int, int, int], last: int) -> None:
    noon = NOW.replace(hour=12)
    ended = noon.replace(minute=end[1], second=end[2])
    span = Span.between(seconds(noon), seconds(ended), seconds(NOW))
    assert span.end - 1 == span.start + last


@pytest.mark.parametrize(
    ("minutes", "period", "periods"), [(0, 5, 0), (1, 5, 1), (5, 5, 1), (6, 5, 2), (1440, 1, 1440)]
)
def test_a_period_begun_counts(minutes: int, period: int, periods: int) -> None:
    assert Span(100, 100 + minutes).periods(period) == periods


def test_what_is_left_of_a_span_never_ends_before_it_starts_counting() -> None:
    assert Span(0, 10).within(20, 30).periods(1) == 0
