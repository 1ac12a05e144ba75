"""GetMetricData: many time series at once, page by page."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from services.metrics.cloud_watch.arithmetic import Arithmetic
from services.metrics.cloud_watch.history import History, Home, Line
from services.metrics.cloud_watch.lookup import samples_of
from services.metrics.cloud_watch.named import kinds
from services.metrics.cloud_watch.queries import Lookup, Queries, Query, Search
from services.metrics.cloud_watch.samples import NO_SAMPLES, Samples, Span
from services.metrics.cloud_watch.statistics import Periods
from services.metrics.cloud_watch.time_series import TimeSeries
from shared.errors import ServiceUnavailable

SEARCHED = 14 * 24 * 60
"""Metrics Insights look back so many minutes."""


class Status(Enum):
    """How much of a time series there is."""

    COMPLETE = auto()
    PARTIAL_DATA = auto()
    """The rest is on the next page."""
    INTERNAL_ERROR = auto()
    """The past is out of reach."""


class Position(NamedTuple):
    """The last data point of a page: the next page goes on after it."""

    query: int
    series: int
    """Of the query's."""
    minute: int


@dataclass(slots=True)
class Result:
    """A time series, or the part of it that is on this page."""

    query_id: str
    label: str
    status: Status
    minutes: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DataQuestion:
    queries: Queries
    span: Span
    is_ascending: bool
    most_datapoints: int
    """On a page."""


class DataPage(NamedTuple):
    results: Sequence[Result]
    last: Position | None
    """Where the next page goes on; None: this is the last one."""


async def data_page(
    history: History, home: Home, question: DataQuestion, now: int, after: Position | None
) -> DataPage:
    """The page after a position, or the first one.

    Query by query, until the page is full: what is on no page yet is not looked for, so that no
    request costs more than its page and one query. ``now`` is the present minute.
    """
    answers = _Answers(history, home, question, now)
    page = _Page(question, after)
    for number, query in enumerate(question.queries.in_order):
        if not query.is_returned or (after and number < after.query):
            continue
        if page.is_full:
            page.put_off(query)
        elif (answer := await answers.of(query)) is None:
            page.add_failure(query)
        else:
            page.add(number, query, answer)
    return DataPage(page.results, page.last if page.is_cut else None)


class _Answers:
    """Answers to queries, each found when it is first needed; None: its past is out of reach."""

    def __init__(self, history: History, home: Home, question: DataQuestion, now: int) -> None:
        self._history, self._home, self._now = history, home, now
        self._queries, self._span = question.queries, question.span
        self._found: dict[str, Sequence[TimeSeries] | None] = {}
        self._is_out_of_reach = False

    async def of(self, query: Query) -> Sequence[TimeSeries] | None:
        for needed in self._queries.needed_for(query):
            if needed.id not in self._found:
                self._found[needed.id] = await self._answer(needed)
        return self._found[query.id]

    async def _answer(self, query: Query) -> Sequence[TimeSeries] | None:
        if isinstance(query.asks, Arithmetic):
            return await self._reckoned(query.asks)
        # Once is enough to wait for what doesn't answer.
        if self._is_out_of_reach:
            return None
        is_own = query.account_id in (None, self._home.account_id)
        try:
            if isinstance(query.asks, Search):
                return await self._searched(query.asks, is_own=is_own)
            return await self._looked_up(query.asks, is_own=is_own)
        except ServiceUnavailable:
            self._is_out_of_reach = True
            return None

    async def _looked_up(self, asks: Lookup, *, is_own: bool) -> Sequence[TimeSeries]:
        samples = NO_SAMPLES
        if is_own:
            samples = await samples_of(
                self._history, self._home, asks.metric, asks.unit, self._span, self._now
            )
        periods = Periods(samples, self._span, asks.period)
        return [TimeSeries("", periods.minutes, asks.statistic(periods))]

    async def _searched(self, asks: Search, *, is_own: bool) -> Sequence[TimeSeries]:
        query, found = asks.query, dict[Line, Samples]()
        span = self._span.within(self._now - SEARCHED, self._now)
        for metric in kinds(query.namespace, query.metric_name):
            if is_own and query.asks_for(metric):
                found |= await self._history.samples(self._home, metric, query.wanted, span)
        # Others' calls don't wait: the samples of thousands of pools take most of a second.
        return await asyncio.to_thread(query.answer, found, self._span, asks.period)

    async def _reckoned(self, asks: Arithmetic) -> Sequence[TimeSeries] | None:
        taken: dict[str, TimeSeries] = {}
        for needed in asks.ids:
            if (answer := self._found[needed]) is None:
                return None
            taken[needed] = answer[0]
        # Others' calls don't wait: hundreds of operations on a year of minutes take seconds.
        return [await asyncio.to_thread(asks.value, taken)]


class _Page:
    """Fills up with data points."""

    def __init__(self, question: DataQuestion, after: Position | None) -> None:
        self._question, self._after = question, after
        self._room = question.most_datapoints
        self.results: list[Result] = []
        self.last = after
        self.is_cut = False
        """Something had no room."""

    @property
    def is_full(self) -> bool:
        return self._room == 0

    def add(self, number: int, query: Query, answer: Sequence[TimeSeries]) -> None:
        for index, series in enumerate(answer):
            points = list(self._points(series))
            if (after := self._after) and number == after.query:
                points = self._remaining(points, after, index)
                if index <= after.series and not points:
                    continue
            self._add(query, series.label, points, Position(number, index, 0))

    def add_failure(self, query: Query) -> None:
        self.results.append(Result(query.id, query.label_of(""), Status.INTERNAL_ERROR))

    def put_off(self, query: Query) -> None:
        """For the next page."""
        self.is_cut = True
        self.results.append(Result(query.id, query.label_of(""), Status.PARTIAL_DATA))

    def _points(self, series: TimeSeries) -> Iterator[tuple[int, float]]:
        points = list(zip(series.minutes.tolist(), series.values.tolist(), strict=True))
        return iter(points) if self._question.is_ascending else reversed(points)

    def _remaining(
        self, points: list[tuple[int, float]], after: Position, index: int
    ) -> list[tuple[int, float]]:
        if index != after.series:
            return points if index > after.series else []
        if self._question.is_ascending:
            return [point for point in points if point[0] > after.minute]
        return [point for point in points if point[0] < after.minute]

    def _add(
        self, query: Query, group: str, points: list[tuple[int, float]], position: Position
    ) -> None:
        given = points[: self._room]
        self._room -= len(given)
        if given:
            self.last = position._replace(minute=given[-1][0])
        is_whole = len(given) == len(points)
        self.is_cut |= not is_whole
        self.results.append(
            Result(
                query.id,
                query.label_of(group),
                Status.COMPLETE if is_whole else Status.PARTIAL_DATA,
                [minute for minute, _ in given],
                [value for _, value in given],
            )
        )
