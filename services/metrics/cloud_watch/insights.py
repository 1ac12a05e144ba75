"""Metrics Insights: queries over all metrics of a name, such as alarms on VPCs' usage have."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.metrics.cloud_watch.history import Line
from services.metrics.cloud_watch.samples import Samples, Span, joined
from services.metrics.cloud_watch.statistics import Periods, Statistic
from services.metrics.cloud_watch.time_series import TimeSeries
from services.metrics.errors import ValidationError, excerpt
from services.metrics.series import Metric

MOST_SERIES = 500

_FUNCTIONS: Mapping[str, Statistic] = {
    "AVG": Periods.average,
    "COUNT": Periods.count,
    "MAX": Periods.maximum,
    "MIN": Periods.minimum,
    "SUM": Periods.sum,
}
_LACKING = "Other"
"""What CloudWatch calls the group of metrics without the label that is grouped by."""
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<word>\w+)
        | "(?P<name>(?:[^"\\]|\\.)*)"
        | '(?P<text>(?:[^'\\]|\\.)*)'
        | (?P<sign>!=|[(),=])
        | (?P<end>\Z)
    )""",
    re.ASCII | re.VERBOSE | re.DOTALL,
)


class Condition(NamedTuple):
    """Of a dimension: its value is, or is not, this one."""

    dimension: str
    value: str
    is_equal: bool


@dataclass(frozen=True, slots=True)
class InsightsQuery:
    """``SELECT MAX(VpcIPUsage) FROM SCHEMA("AWS/IPAM", ...) WHERE ... GROUP BY ...``."""

    function: Statistic
    metric_name: str
    namespace: str
    dimensions: frozenset[str] | None = None
    """The metric has exactly these; None: whichever."""
    conditions: tuple[Condition, ...] = ()
    group_by: tuple[str, ...] = ()
    order_by: Statistic | None = None
    """Of all values of each time series."""
    is_descending: bool = False
    limit: int = MOST_SERIES

    def asks_for(self, metric: Metric) -> bool:
        """Metrics of this kind can be among those asked for."""
        return (
            metric.name == self.metric_name
            and self.dimensions in (None, frozenset(metric.dimensions))
            and all(condition.dimension in metric.dimensions for condition in self.conditions)
        )

    @property
    def wanted(self) -> Mapping[str, str]:
        """Values that dimensions have to have."""
        return {one.dimension: one.value for one in self.conditions if one.is_equal}

    def answer(
        self, found: Mapping[Line, Samples], span: Span, period: int
    ) -> Sequence[TimeSeries]:
        """One time series of each group, or of all together; ``period`` is in minutes.

        In the order asked for, otherwise by group; a group without values is none.
        """
        groups: defaultdict[tuple[str, ...], list[Samples]] = defaultdict(list)
        for line, samples in found.items():
            values = line.values_by_name
            if all((values[key] == value) is equal for key, value, equal in self.conditions):
                groups[tuple(values.get(key, _LACKING) for key in self.group_by)].append(samples)
        if not self.group_by:
            return [_series("", joined(groups[()]), span, period, self.function)]
        series = [
            _series(" ".join(group), joined(groups[group]), span, period, self.function)
            for group in sorted(groups)
        ]
        return self._ordered([one for one in series if len(one.minutes)])[: self.limit]

    def _ordered(self, series: list[TimeSeries]) -> list[TimeSeries]:
        if (function := self.order_by) is None:
            return series
        return sorted(series, key=lambda one: _whole(one, function), reverse=self.is_descending)


def is_insights(expression: str) -> bool:
    """Whether an expression is a query, not arithmetic."""
    return re.match(r"\s*SELECT\b", expression, re.IGNORECASE) is not None


def parse_insights(expression: str) -> InsightsQuery:
    """Read a query.

    Raises:
        ValidationError: it is none, or has a part that is not known here.
    """
    return _Parser(expression).query()


def _series(
    label: str, samples: Samples, span: Span, period: int, function: Statistic
) -> TimeSeries:
    periods = Periods(samples, span, period)
    return TimeSeries(label, periods.minutes, function(periods))


def _whole(series: TimeSeries, function: Statistic) -> float:
    span = Span(int(series.minutes[0]), int(series.minutes[-1]) + 1)
    all_in_one = Periods(Samples(series.minutes, series.values), span, span.end - span.start)
    return float(function(all_in_one)[0])


class _Parser:
    """Reads from left to right; each method takes what it is named for."""

    def __init__(self, expression: str) -> None:
        self._expression, self._position = expression, 0

    def query(self) -> InsightsQuery:
        self._keyword("SELECT")
        function = self._function()
        self._sign("(")
        metric_name = self._name("a metric's name")
        self._sign(")")
        namespace, dimensions = self._source()
        conditions = self._conditions() if self._has("WHERE") else ()
        group_by = self._dimensions() if self._has("GROUP") else ()
        order_by, is_descending = self._order() if self._has("ORDER") else (None, False)
        limit = self._limit() if self._has("LIMIT") else MOST_SERIES
        if self._peek()["end"] is None:
            raise self._unexpected("WHERE, GROUP BY, ORDER BY and LIMIT, in this order, or the end")
        return InsightsQuery(
            function,
            metric_name,
            namespace,
            dimensions,
            conditions,
            group_by,
            order_by,
            is_descending,
            limit,
        )

    def _source(self) -> tuple[str, frozenset[str] | None]:
        self._keyword("FROM")
        if not self._has("SCHEMA"):
            return self._name("a namespace"), None
        self._sign("(")
        namespace = self._name("a namespace")
        dimensions = []
        while self._has_sign(","):
            dimensions.append(self._name("a dimension"))
        self._sign(")")
        return namespace, frozenset(dimensions)

    def _conditions(self) -> tuple[Condition, ...]:
        conditions = [self._condition()]
        while self._has("AND"):
            conditions.append(self._condition())
        return tuple(conditions)

    def _condition(self) -> Condition:
        dimension = self._name("a dimension")
        token = self._peek()
        if token["sign"] not in ("=", "!="):
            raise self._unexpected("= or !=")
        self._position = token.end()
        value = self._peek()
        if value["text"] is None:
            raise self._unexpected("a value in single quotes")
        self._position = value.end()
        return Condition(dimension, _unescaped(value["text"]), token["sign"] == "=")

    def _dimensions(self) -> tuple[str, ...]:
        self._keyword("BY")
        names = [self._name("a dimension")]
        while self._has_sign(","):
            names.append(self._name("a dimension"))
        return tuple(names)

    def _order(self) -> tuple[Statistic, bool]:
        self._keyword("BY")
        function = self._function()
        self._sign("(")
        self._sign(")")
        is_descending = self._has("DESC")
        if not is_descending:
            self._has("ASC")
        return function, is_descending

    def _limit(self) -> int:
        word = self._peek()["word"] or ""
        if not (word.isdigit() and 1 <= int(word) <= MOST_SERIES):
            raise self._unexpected(f"a number from 1 to {MOST_SERIES}")
        self._position = self._peek().end()
        return int(word)

    def _function(self) -> Statistic:
        token = self._peek()
        if (function := _FUNCTIONS.get((token["word"] or "").upper())) is None:
            raise self._unexpected(f"one of {', '.join(_FUNCTIONS)}")
        self._position = token.end()
        return function

    def _name(self, what: str) -> str:
        token = self._peek()
        if token["word"] is None and token["name"] is None:
            raise self._unexpected(f"{what}, in double quotes or of letters, digits and '_'")
        self._position = token.end()
        return token["word"] or _unescaped(token["name"] or "")

    def _keyword(self, keyword: str) -> None:
        if not self._has(keyword):
            raise self._unexpected(keyword)

    def _sign(self, sign: str) -> None:
        if not self._has_sign(sign):
            raise self._unexpected(f"'{sign}'")

    def _has(self, keyword: str) -> bool:
        token = self._peek()
        is_there = (token["word"] or "").upper() == keyword
        if is_there:
            self._position = token.end()
        return is_there

    def _has_sign(self, sign: str) -> bool:
        token = self._peek()
        if token["sign"] == sign:
            self._position = token.end()
        return token["sign"] == sign

    def _peek(self) -> re.Match[str]:
        if (token := _TOKEN.match(self._expression, self._position)) is None:
            raise self._unexpected("a word, a quoted name or value, or one of ( ) , = !=")
        return token

    def _unexpected(self, expected: str) -> ValidationError:
        told = excerpt(self._expression)
        found = excerpt(self._expression[self._position :].strip()) or "the end"
        return ValidationError(
            f"Error in expression '{told}': expected {expected}; found '{found}'",
            expression=told,
            expected=expected,
            found=found,
        )


def _unescaped(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
