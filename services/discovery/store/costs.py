"""What was metered, in SQL."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa

from services.discovery.costs.charge import Charge
from services.discovery.costs.period import Period, day_of
from services.discovery.service.costs import Bill, View
from services.discovery.store.batches import batches_of
from services.discovery.store.metering import USED_BY, UsedBy, add_usage
from services.discovery.tables import active_ip_usage
from shared.persistence.database import Database

T = TypeVar("T")

_DAY = timedelta(days=1)


class SqlUsages:
    """`Reader` and `Usages`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, question: Callable[[View], T]) -> T:
        return await self._database.run(self._answer, question)

    async def roll_up(self, before: datetime) -> None:
        await self._database.run(self._roll_up, before)

    async def remove(self, before: datetime) -> None:
        await self._database.run(self._remove, before)

    def _answer(self, question: Callable[[View], T]) -> T:
        with self._database.read() as connection:
            return question(SqlCostsView(connection))

    def _roll_up(self, before: datetime) -> None:
        """A day in a transaction, so that none is long, or holds up a meter."""
        is_old = sa.and_(active_ip_usage.c.is_whole_day.is_(False), _is_before(before))
        while True:
            with self._database.write() as connection:
                oldest = sa.select(sa.func.min(active_ip_usage.c.started_at)).where(is_old)
                if (started_at := connection.scalar(oldest)) is None:
                    return
                day = day_of(started_at)
                # What another replica deletes meanwhile, this one does not find.
                hours = connection.execute(
                    active_ip_usage.delete()
                    .where(is_old, _is_before(day + _DAY))
                    .returning(*USED_BY, active_ip_usage.c.milliseconds)
                )
                add_usage(connection, day, _added_up(hours), is_whole_day=True)

    def _remove(self, before: datetime) -> None:
        with self._database.write() as connection:
            connection.execute(active_ip_usage.delete().where(_is_before(before)))


class SqlCostsView:
    """Everything from one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def charges(self, bill: Bill, period: Period) -> Iterator[Charge]:
        columns = active_ip_usage.c
        used = sa.select(*USED_BY, sa.func.sum(columns.milliseconds)).where(
            columns.started_at >= period.start, columns.started_at < period.end
        )
        if bill.ipam_id is not None:
            used = used.where(columns.ipam_id == bill.ipam_id)
        for those in _conditions(bill):
            rows = self._connection.execute(used.where(those).group_by(*USED_BY))
            for row in rows:
                # PostgreSQL adds up to decimals.
                yield Charge(*row[:-1], milliseconds=int(row[-1]))


def _conditions(bill: Bill) -> Iterator[sa.ColumnElement[bool]]:
    """No row is met twice."""
    columns = active_ip_usage.c
    is_owned = columns.ipam_owner_id == bill.owned_by if bill.owned_by else sa.false()
    if bill.owned_by:
        yield is_owned
    for some in batches_of(sorted(bill.paid_by)):
        yield sa.and_(columns.payer_id.in_(some), sa.not_(is_owned))


def _added_up(hours: sa.CursorResult[Any]) -> Iterable[tuple[UsedBy, int]]:
    added: Counter[UsedBy] = Counter()
    for hour in hours:
        added[UsedBy._make(hour[:-1])] += hour.milliseconds
    return added.items()


def _is_before(moment: datetime) -> sa.ColumnElement[bool]:
    return active_ip_usage.c.started_at < moment
