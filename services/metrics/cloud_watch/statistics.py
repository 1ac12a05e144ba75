"""Samples summed up by period, as CloudWatch sums them up."""

import re
from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from services.metrics.cloud_watch.samples import Minutes, Samples, Span, Values

_PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d{1,10})?)", re.ASCII)


class Periods:
    """The periods of a span that have samples; the first one begins where the span does."""

    def __init__(self, samples: Samples, span: Span, period: int) -> None:
        """``period`` is in minutes."""
        inside = (samples.minutes >= span.start) & (samples.minutes < span.end)
        number = (samples.minutes[inside] - span.start) // period
        values = samples.values[inside]
        order = np.lexsort((values, number))
        self._values = values[order]
        numbers, self._first, self._count = np.unique(
            number[order], return_index=True, return_counts=True
        )
        self.minutes: Minutes = span.start + numbers * period
        """When they begin, earliest first."""

    def count(self) -> Values:
        return self._count.astype(np.float64)

    def minimum(self) -> Values:
        return self._values[self._first]

    def maximum(self) -> Values:
        last: NDArray[np.intp] = self._first + self._count - 1
        return self._values[last]

    def sum(self) -> Values:
        # Of nothing at all numpy can make no sums.
        if not len(self._first):
            return self._values
        sums: Values = np.add.reduceat(self._values, self._first)
        return sums

    def average(self) -> Values:
        # Equal values have that value as their average, however their sum was rounded.
        average: Values = np.clip(self.sum() / self._count, self.minimum(), self.maximum())
        return average

    def percentile(self, part: Fraction) -> Values:
        """The lowest value that ``part`` of all values do not exceed."""
        ranks = [max(-(-part.numerator * n // part.denominator), 1) for n in self._count.tolist()]
        return self._values[self._first + np.array(ranks, np.int64) - 1]


Statistic = Callable[[Periods], Values]
"""One value of each period."""

_BASIC: Mapping[str, Statistic] = {
    "Average": Periods.average,
    "Minimum": Periods.minimum,
    "Maximum": Periods.maximum,
    "Sum": Periods.sum,
    "SampleCount": Periods.count,
}
BASIC = tuple(_BASIC)


def basic_statistic(name: str) -> Statistic | None:
    """By CloudWatch's name; None: there is none."""
    return _BASIC.get(name)


def percentile(name: str) -> Statistic | None:
    """``p0`` to ``p100``, with up to ten decimals; None: it is not of that form."""
    found = _PERCENTILE.fullmatch(name)
    part = Fraction(found[1]) / 100 if found else None
    if part is None or part > 1:
        return None
    return lambda periods: periods.percentile(part)
