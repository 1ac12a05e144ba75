"""Active addresses over time, and who pays for them (ACC-3, IPAM-8).

What an evaluation finds holds until the next one: active-IP hours are the area under these steps.
Moments are cut to whole milliseconds, and hours are counted in them, so that no sum is rounded.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias

from services.discovery.coverage import Ipam

HOUR = timedelta(hours=1)
_MILLISECOND = timedelta(milliseconds=1)


class Account(NamedTuple):
    """Whose active addresses are metered, and on whose bill."""

    resource_owner_id: str
    payer_id: str


Reading: TypeAlias = Mapping[Account, int]
"""How many addresses are active."""


class Usage(NamedTuple):
    """What addresses were active for within an hour of the clock."""

    hour: datetime
    account: Account
    milliseconds: int
    """Of all addresses together."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Up to when an IPAM was metered, and what was read then."""

    metered_at: datetime
    reading: Reading


@dataclass(frozen=True, slots=True)
class Pace:
    """How often is metered."""

    longest: timedelta = HOUR
    """So long a reading is charged for when no other came; what was so later, nobody knows."""
    shortest: timedelta = timedelta(minutes=1)
    """So long the same reading need not be noted again."""


def reading_of(ipam: Ipam, active_ips: Mapping[str, int]) -> Reading:
    """What ``active_ips``, by account that has them, are to the bill of ``ipam``.

    Nothing on the free tier, which costs nothing. Each account pays for its own where costs are
    distributed and it is of the organization; the owner pays for all others (IPAM-8).
    """
    if ipam.is_free_tier:
        return {}
    found: Counter[Account] = Counter()
    for account_id, count in active_ips.items():
        payer_id = account_id if account_id in ipam.self_paying else ipam.owner_id
        found[Account(account_id, payer_id)] += count
    return {account: count for account, count in found.items() if count}


def is_due(meter: Meter, reading: Reading, now: datetime, pace: Pace) -> bool:
    """Something is to be noted: another reading, or enough time has passed."""
    return reading != meter.reading or not _is_within(now - meter.metered_at, pace.shortest)


def advanced(
    meter: Meter, reading: Reading, now: datetime, pace: Pace
) -> tuple[Meter, Iterator[Usage]]:
    """The meter with what is read ``now``, and what was used since it was read before.

    No time is charged twice: when the clock is behind by up to ``pace.longest``, time that was
    charged for is passed once more in silence. One that is behind by more was far ahead before,
    and begins anew.
    """
    now = in_milliseconds(now)
    passed = now - meter.metered_at
    if -pace.longest <= passed <= timedelta(0):
        return Meter(meter.metered_at, reading), iter(())
    return Meter(now, reading), _used(meter, meter.metered_at + min(passed, pace.longest))


def in_milliseconds(moment: datetime) -> datetime:
    """The millisecond that ``moment`` is in."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def hour_of(moment: datetime) -> datetime:
    """The hour of the clock that ``moment`` is in."""
    return moment.replace(minute=0, second=0, microsecond=0)


def milliseconds_of(usages: Iterable[Usage]) -> int:
    """All of them together."""
    return sum(usage.milliseconds for usage in usages)


def _used(meter: Meter, until: datetime) -> Iterator[Usage]:
    begin = meter.metered_at
    while begin < until:
        hour = hour_of(begin)
        end = min(until, hour + HOUR)
        lasted = (end - begin) // _MILLISECOND
        for account, count in meter.reading.items():
            yield Usage(hour, account, count * lasted)
        begin = end


def _is_within(passed: timedelta, span: timedelta) -> bool:
    return timedelta(0) <= passed < span
