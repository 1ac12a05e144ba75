"""The services' clock in the terms of the history's: both are this machine's."""

import time
from datetime import UTC, datetime

# In this order: the time between the two makes a moment too early, if anything, so no hold is
# thought to last longer than it does.
_MONOTONIC = time.monotonic()
_OF_THE_DAY = datetime.now(UTC)


def moment_of(time_of_day: datetime) -> float:
    """Always the same for one time of the day; it holds as long as nobody sets the clock."""
    return _MONOTONIC + (time_of_day - _OF_THE_DAY).total_seconds()
