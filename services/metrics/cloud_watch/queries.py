"""What GetMetricData is asked: up to 500 queries, some about others' answers."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from services.metrics.cloud_watch.arithmetic import Arithmetic, parse_arithmetic
from services.metrics.cloud_watch.insights import InsightsQuery, is_insights, parse_insights
from services.metrics.cloud_watch.named import NamedMetric
from services.metrics.cloud_watch.samples import MINUTE_SECONDS
from services.metrics.cloud_watch.statistics import (
    BASIC,
    Statistic,
    basic_statistic,
    percentile,
)
from services.metrics.errors import ValidationError, excerpt

DEFAULT_PERIOD_SECONDS = 300
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Lookup:
    """A statistic of one metric."""

    metric: NamedMetric
    period: int
    """In minutes."""
    statistic: Statistic
    unit: str | None = None
    """No other's values are wanted."""


@dataclass(frozen=True, slots=True)
class Search:
    """A query over many metrics."""

    query: InsightsQuery
    period: int
    """In minutes."""


@dataclass(frozen=True, slots=True)
class Query:
    """One of a request's."""

    id: str
    asks: Lookup | Search | Arithmetic
    label: str = ""
    is_returned: bool = True
    account_id: str | None = None
    """Only this account's metrics; None: the caller's."""

    def label_of(self, group: str) -> str:
        """What the time series of ``group`` is called, empty where it is the only one."""
        if group:
            return f"{self.label} {group}".lstrip()
        default = self.asks.metric.name if isinstance(self.asks, Lookup) else self.id
        return self.label or default


class Queries:
    """The queries of one request, which fit together."""

    def __init__(self, queries: Sequence[Query]) -> None:
        """In the order asked.

        Raises:
            ValidationError: an id is malformed, there twice or unknown, or goes round in a circle;
                or it stands for several time series where one is needed; or two search.
        """
        self.in_order = queries
        self._by_id = {query.id: query for query in queries}
        self._check_ids()
        self._check_searches()
        self._needs = {query.id: _ids_in(query) for query in queries}
        for query in queries:
            self._check_needs(query)
        self._ordered = self._needed_first()

    def needed_for(self, query: Query) -> Iterator[Query]:
        """What its answer is made of, step by step, and itself at last."""
        needed, unseen = {query.id}, [query.id]
        while unseen:
            found = self._needs[unseen.pop()] - needed
            needed |= found
            unseen.extend(found)
        return (self._by_id[one] for one in self._ordered if one in needed)

    def _check_ids(self) -> None:
        for query_id, count in Counter(query.id for query in self.in_order).items():
            if not _ID.fullmatch(query_id):
                raise ValidationError(
                    f"The value '{query_id}' for parameter MetricDataQueries.Id is invalid; use a"
                    " lower-case letter, then letters, digits and underscores",
                    id=query_id,
                )
            if count > 1:
                raise ValidationError(
                    f"The id '{query_id}' is given to {count} queries; give each its own",
                    id=query_id,
                    count=count,
                )

    def _check_searches(self) -> None:
        searches = [query.id for query in self.in_order if isinstance(query.asks, Search)]
        if len(searches) > 1:
            ids = excerpt(", ".join(searches))
            raise ValidationError(
                f"The queries {ids} are all of Metrics Insights; a request can have one", ids=ids
            )

    def _check_needs(self, query: Query) -> None:
        for needed in sorted(self._needs[query.id]):
            asks = self._by_id[needed].asks if needed in self._by_id else None
            if asks is None:
                unknown = excerpt(needed)
                raise ValidationError(
                    f"The expression of '{query.id}' takes '{unknown}', which is no query's id; use"
                    f" one of {excerpt(', '.join(self._by_id))}",
                    id=query.id,
                    unknown=unknown,
                )
            if isinstance(asks, Search) and asks.query.group_by:
                raise ValidationError(
                    f"The expression of '{query.id}' takes '{needed}', which is a time series of"
                    " each group; leave out its GROUP BY",
                    id=query.id,
                    grouped=needed,
                )

    def _needed_first(self) -> Sequence[str]:
        try:
            return list(TopologicalSorter(self._needs).static_order())
        except CycleError as error:
            circle = excerpt(" -> ".join(error.args[1]))
            raise ValidationError(
                f"Expressions take each other's results in a circle: {circle}", circle=circle
            ) from error


def _ids_in(query: Query) -> frozenset[str]:
    return query.asks.ids if isinstance(query.asks, Arithmetic) else frozenset()


def lookup(metric: NamedMetric, period_seconds: int, statistic: str, unit: str | None) -> Lookup:
    """What is asked of one metric.

    Raises:
        ValidationError: there is no such statistic or period.
    """
    found = basic_statistic(statistic) or percentile(statistic)
    if found is None:
        raise ValidationError(
            f"The value '{statistic}' for parameter Stat is not supported; use one of"
            f" {', '.join(BASIC)}, or p0 to p100",
            stat=statistic,
        )
    return Lookup(metric, _minutes(period_seconds), found, unit)


def expressed(expression: str, period_seconds: int | None) -> Search | Arithmetic:
    """What an expression asks; arithmetic has the periods of what it takes.

    Raises:
        ValidationError: it can't be read, or there is no such period.
    """
    if is_insights(expression):
        return Search(
            parse_insights(expression), _minutes(period_seconds or DEFAULT_PERIOD_SECONDS)
        )
    return parse_arithmetic(expression)


def _minutes(period_seconds: int) -> int:
    minutes, rest = divmod(period_seconds, MINUTE_SECONDS)
    if rest or not minutes:
        raise ValidationError(
            f"The value {period_seconds} for parameter Period is invalid; use a multiple of"
            f" {MINUTE_SECONDS}",
            period=period_seconds,
        )
    return minutes
