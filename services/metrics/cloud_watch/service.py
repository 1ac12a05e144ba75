"""CloudWatch's reads as use cases."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from services.metrics.cloud_watch.data import DataPage, DataQuestion, Position, data_page
from services.metrics.cloud_watch.history import History, Home, Line
from services.metrics.cloud_watch.lookup import samples_of
from services.metrics.cloud_watch.named import MetricFilter, NamedMetric
from services.metrics.cloud_watch.samples import MINUTE_SECONDS, Span
from services.metrics.cloud_watch.statistics import (
    BASIC,
    Periods,
    Statistic,
    basic_statistic,
    percentile,
)
from services.metrics.series import NONE
from shared.errors import InvalidParameterCombination, InvalidParameterValue

RECENT = 3 * 60
"""A metric is listed for so many minutes after its last value."""
MOST_DATAPOINTS = 1440


@dataclass(frozen=True, slots=True)
class StatisticsQuestion:
    """Statistics of one metric, by period."""

    metric: NamedMetric
    start_seconds: int
    end_seconds: int
    period_seconds: int
    statistics: Sequence[str] = ()
    extended_statistics: Sequence[str] = ()
    unit: str | None = None
    """No other's values are wanted."""


class Datapoints(NamedTuple):
    """Statistics of the periods that have values, earliest first."""

    unit: str
    minutes: Sequence[int]
    values: dict[str, Sequence[float]]
    """By statistic."""


class CloudWatch:
    """What there is to know of metrics; an account sees those of its IPAMs, at their home."""

    def __init__(self, history: History, clock: Callable[[], datetime]) -> None:
        self._history, self._clock = history, clock

    def now_seconds(self) -> int:
        return int(self._clock().timestamp())

    async def metrics(self, home: Home, wanted: MetricFilter) -> list[Line]:
        """Those that had a value lately, by name and dimensions."""
        if not (kinds := wanted.kinds()):
            return []
        since = self._now() - RECENT
        lines = await self._history.lines(home, kinds, since)
        return await asyncio.to_thread(_in_order, lines, wanted)

    async def statistics(self, home: Home, question: StatisticsQuestion) -> Datapoints:
        """At most 1,440 periods.

        Raises:
            InvalidParameterCombination: of statistics, or of times and period.
            InvalidParameterValue: there is no such statistic or period.
            ServiceUnavailable: who knows the past does not answer.
        """
        wanted, period = _statistics(question), _period(question)
        span = Span.between(question.start_seconds, question.end_seconds, self.now_seconds())
        _check_length(span, period, question)
        samples = await samples_of(
            self._history, home, question.metric, question.unit, span, self._now()
        )
        periods, metric = Periods(samples, span, period), question.metric.metric
        return Datapoints(
            metric.unit if metric else NONE,
            periods.minutes.tolist(),
            {name: statistic(periods).tolist() for name, statistic in wanted.items()},
        )

    async def data(self, home: Home, question: DataQuestion, after: Position | None) -> DataPage:
        """The page after a position, or the first one."""
        return await data_page(self._history, home, question, self._now(), after)

    def _now(self) -> int:
        return self.now_seconds() // MINUTE_SECONDS


def _in_order(lines: Iterable[Line], wanted: MetricFilter) -> list[Line]:
    return sorted(filter(wanted.passes, lines), key=lambda line: line.key)


def _statistics(question: StatisticsQuestion) -> dict[str, Statistic]:
    basic, extended = question.statistics, question.extended_statistics
    if bool(basic) is bool(extended):
        raise InvalidParameterCombination(
            "Must specify either Statistics or ExtendedStatistics, "
            + ("not both" if basic else "at least one of them")
        )
    found = {name: basic_statistic(name) for name in basic}
    found |= {name: percentile(name) for name in extended}
    known = {name: statistic for name, statistic in found.items() if statistic}
    for name in found.keys() - known.keys():
        parameter = "Statistics" if basic else "ExtendedStatistics"
        raise InvalidParameterValue(
            f"The value {name} for parameter {parameter} is not supported; use one of"
            f" {', '.join(BASIC) if basic else 'p0.0 to p100'}",
            parameter=parameter,
            value=name,
        )
    return known


def _period(question: StatisticsQuestion) -> int:
    minutes, rest = divmod(question.period_seconds, MINUTE_SECONDS)
    if rest:
        raise InvalidParameterValue(
            f"The value {question.period_seconds} for parameter Period is invalid; use a multiple"
            f" of {MINUTE_SECONDS}",
            parameter="Period",
            value=question.period_seconds,
        )
    return minutes


def _check_length(span: Span, period: int, question: StatisticsQuestion) -> None:
    if question.start_seconds >= question.end_seconds:
        raise InvalidParameterCombination(
            "The parameter StartTime must be less than the parameter EndTime"
        )
    if (count := span.periods(period)) > MOST_DATAPOINTS:
        least = span.periods(MOST_DATAPOINTS) * MINUTE_SECONDS
        raise InvalidParameterCombination(
            f"{count:,} data points are more than the limit of {MOST_DATAPOINTS:,}; use a Period of"
            f" {least} or more seconds, or a shorter time",
            datapoints=count,
            period=least,
        )
