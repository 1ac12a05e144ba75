"""Periods that charges are added up in: hours, days and months, all in UTC."""

import enum
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from services.discovery.metering import HOUR, hour_of
from shared.errors import InvalidParameterValue

HOURS_KEPT = timedelta(days=14)
"""So long hours are told apart, as in AWS Cost Explorer; afterwards days are."""
MONTHS_KEPT = 13
"""Whole months before the current one, likewise."""

_DAY = timedelta(days=1)
_FARTHEST = timedelta(days=366)
"""Nobody asks for more of the future, where nothing is."""


class Granularity(enum.Enum):
    HOURLY = "HOURLY"
    DAILY = "DAILY"
    MONTHLY = "MONTHLY"


class Period(NamedTuple):
    """From one moment up to another, without that."""

    start: datetime
    end: datetime


def kept_since(now: datetime) -> datetime:
    """When that begins which is still known."""
    month = now.year * 12 + now.month - 1 - MONTHS_KEPT
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def month_of(moment: datetime) -> datetime:
    """When its month began."""
    return datetime(moment.year, moment.month, 1, tzinfo=UTC)


def day_of(moment: datetime) -> datetime:
    """When its day began."""
    return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)


def checked_period(whole: Period, granularity: Granularity, now: datetime) -> Period:
    """``whole`` itself, when it can be told in periods of ``granularity``.

    Raises:
        InvalidParameterValue: it is empty, reaches too far back or ahead, or cuts one of the
            smallest periods.
    """
    start, end = whole
    if start >= end:
        raise _refusal("Start", start, f"use a time before the end, {_told(end)}")
    is_hourly = granularity is Granularity.HOURLY
    begins, unit = (hour_of, "an hour") if is_hourly else (day_of, "a day")
    for name, moment in (("Start", start), ("End", end)):
        if begins(moment) != moment:
            raise _refusal(name, moment, f"use the beginning of {unit} in UTC")
    if is_hourly and start < hour_of(now - HOURS_KEPT):
        since = _told(hour_of(now - HOURS_KEPT))
        raise _refusal("Start", start, f"hours are told apart since {since}; ask for days")
    if start < kept_since(now):
        raise _refusal("Start", start, f"what was before {_told(kept_since(now))} is not known")
    if end > now + _FARTHEST:
        raise _refusal("End", end, f"use a time before {_told(now + _FARTHEST)}")
    return whole


def periods(whole: Period, granularity: Granularity) -> Iterator[Period]:
    """``whole`` in hours, days or months of the calendar, of which the outer two may be parts."""
    start = whole.start
    while start < whole.end:
        end = min(_next(start, granularity), whole.end)
        yield Period(start, end)
        start = end


def _next(moment: datetime, granularity: Granularity) -> datetime:
    if granularity is Granularity.HOURLY:
        return moment + HOUR
    if granularity is Granularity.DAILY:
        return moment + _DAY
    return month_of(month_of(moment) + timedelta(days=32))


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _refusal(name: str, moment: datetime, what_would_do: str) -> InvalidParameterValue:
    told = _told(moment)
    return InvalidParameterValue(
        f"Value ({told}) for parameter {name} is invalid; {what_would_do}",
        parameter=name,
        value=told,
    )
