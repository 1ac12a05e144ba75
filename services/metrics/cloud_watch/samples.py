"""What was measured, minute by minute, and stretches of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Minutes = NDArray[np.int64]
"""Counted from 1970."""
Values = NDArray[np.float64]

MINUTE_SECONDS = 60
_DAY = 24 * 60


class Samples(NamedTuple):
    """Values, each of one minute; every metric publishes one a minute."""

    minutes: Minutes
    values: Values


NO_SAMPLES = Samples(np.empty(0, np.int64), np.empty(0, np.float64))


def joined(several: Sequence[Samples]) -> Samples:
    """All of them, in no order."""
    if not several:
        return NO_SAMPLES
    minutes, values = zip(*several, strict=True)
    return Samples(np.concatenate(minutes), np.concatenate(values))


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes from ``start``, inclusive, to ``end``, exclusive."""

    start: int
    end: int

    @classmethod
    def between(cls, start_seconds: int, end_seconds: int, now_seconds: int) -> Self:
        """CloudWatch's reading of two times: the start is rounded down, the coarser the older."""
        age = (now_seconds - start_seconds) // MINUTE_SECONDS
        grain = 1 if age < 15 * _DAY else 5 if age <= 63 * _DAY else 60
        start = start_seconds // MINUTE_SECONDS
        return cls(start - start % grain, -(-end_seconds // MINUTE_SECONDS))

    def periods(self, minutes: int) -> int:
        """How many periods of so many minutes cover it."""
        return max(-(-(self.end - self.start) // minutes), 0)

    def within(self, earliest: int, latest: int) -> Self:
        """What of it is no earlier than the one minute and no later than the other."""
        return type(self)(max(self.start, earliest), min(self.end, latest + 1))
