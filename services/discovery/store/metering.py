"""Meters of active addresses: all within the transaction of an evaluation (ACC-3)."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

import sqlalchemy as sa

from services.discovery.coverage import Ipam
from services.discovery.metering import (
    Account,
    Meter,
    Pace,
    Reading,
    Usage,
    advanced,
    in_milliseconds,
    is_due,
    milliseconds_of,
)
from services.discovery.store.batches import add_rows, stored_as
from services.discovery.tables import active_ip_usage, meters

_COLUMNS = (
    active_ip_usage.c.ipam_id,
    active_ip_usage.c.ipam_owner_id,
    active_ip_usage.c.ipam_region,
    active_ip_usage.c.resource_owner_id,
    active_ip_usage.c.payer_id,
    active_ip_usage.c.started_at,
    active_ip_usage.c.is_whole_day,
    active_ip_usage.c.milliseconds,
)
USED_BY = _COLUMNS[:5]
"""What a `UsedBy` tells, in its order."""


class UsedBy(NamedTuple):
    """Who used, and on whose bill it is."""

    ipam_id: str
    ipam_owner_id: str
    ipam_region: str
    resource_owner_id: str
    payer_id: str


def meter(
    connection: sa.Connection, ipam: Ipam, reading: Reading, now: datetime, pace: Pace
) -> None:
    """Charge for what was read before, up to ``now``; ``reading`` is what holds from then on.

    Whoever calls it has locked the IPAM's evaluation, so that no time is metered twice.
    """
    is_it = meters.c.ipam_id == ipam.ipam_id
    row = connection.execute(sa.select(meters).where(is_it)).one_or_none()
    if row is None:
        values = {
            "ipam_id": ipam.ipam_id,
            "metered_at": in_milliseconds(now),
            "reading": _stored(reading),
            "milliseconds": 0,
        }
        connection.execute(meters.insert().values(values))
        return
    before = Meter(row.metered_at, _reading_from(row.reading))
    if not is_due(before, reading, now, pace):
        return
    after, used = advanced(before, reading, now, pace)
    usages = list(used)
    changes: dict[str, Any] = {
        "metered_at": after.metered_at,
        "milliseconds": row.milliseconds + milliseconds_of(usages),
    }
    if after.reading != before.reading:
        changes["reading"] = _stored(after.reading)
    connection.execute(meters.update().where(is_it).values(changes))
    for hour, of_hour in groupby(usages, key=lambda usage: usage.hour):
        add_usage(connection, hour, ((_used_by(ipam, one), one.milliseconds) for one in of_hour))


def add_usage(
    connection: sa.Connection,
    started_at: datetime,
    used: Iterable[tuple[UsedBy, int]],
    *,
    is_whole_day: bool = False,
) -> None:
    """Add milliseconds to those of the hour, or day, that began then; ``used`` has each once."""
    start = stored_as(connection, active_ip_usage.c.started_at)(started_at)
    rows = ((*by, start, is_whole_day, milliseconds) for by, milliseconds in used)
    add_rows(connection, active_ip_usage, _COLUMNS, active_ip_usage.c.milliseconds, rows)


def active_ip_milliseconds(connection: sa.Connection, ipam_id: str) -> int:
    """All that was metered of an IPAM since there is one."""
    query = sa.select(meters.c.milliseconds).where(meters.c.ipam_id == ipam_id)
    return connection.scalar(query) or 0


def _stored(reading: Reading) -> list[list[Any]]:
    return [[*account, count] for account, count in sorted(reading.items())]


def _reading_from(stored: Iterable[Any]) -> Reading:
    return {Account(owner_id, payer_id): count for owner_id, payer_id, count in stored}


def _used_by(ipam: Ipam, usage: Usage) -> UsedBy:
    return UsedBy(ipam.ipam_id, ipam.owner_id, ipam.region, *usage.account)
