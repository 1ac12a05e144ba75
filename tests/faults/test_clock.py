"""Times of the services among those of a history."""

import time
from datetime import UTC, datetime, timedelta

from tests.faults.clock import moment_of


def test_no_moment_is_too_late() -> None:
    told = datetime.now(UTC)
    assert moment_of(told) <= time.monotonic()


def test_moments_are_as_far_apart_as_times_of_the_day() -> None:
    told = datetime.now(UTC)
    later = moment_of(told + timedelta(hours=1))
    assert abs(later - moment_of(told) - 3600) < 1e-6
    assert later == moment_of(told + timedelta(hours=1))
