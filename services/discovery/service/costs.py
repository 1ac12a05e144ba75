"""What active addresses would cost, by time and by group (ACC-3)."""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias, TypeVar

from services.discovery.costs.charge import Charge
from services.discovery.costs.expression import EVERYTHING, Expression
from services.discovery.costs.period import HOURS_KEPT, Period, day_of, kept_since

_SEPARATOR = " "

T = TypeVar("T")

Grouping: TypeAlias = Callable[[Charge], tuple[str, ...]]
"""What charges are told apart by."""


@dataclass(frozen=True, slots=True)
class Bill:
    """Whose charges are looked at: those that some accounts pay for, or of IPAMs of one account."""

    paid_by: Collection[str]
    owned_by: str | None = None
    ipam_id: str | None = None
    """Only this IPAM's."""


class View(Protocol):
    """What is known at one moment."""

    def charges(self, bill: Bill, period: Period) -> Iterable[Charge]:
        """Within a period, which cuts no day, or no hour where hours are known still."""


class Reader(Protocol):
    """Answers each question from one moment."""

    def read(self, question: Callable[[View], T]) -> Awaitable[T]: ...


class Usages(Protocol):
    """What is kept."""

    async def roll_up(self, before: datetime) -> None:
        """Make of hours of days before that days."""

    async def remove(self, before: datetime) -> None:
        """Forget what was before."""


class Payers(Protocol):
    """The control plane."""

    async def paid_for_by(self, account_id: str) -> Collection[str]:
        """The accounts whose bills are an account's to see: its own, and as the management account
        of an organization those of all accounts in it.

        Raises:
            CadastreError: the control plane does not answer.
        """


@dataclass(frozen=True, slots=True)
class Line:
    """What a group has in a period."""

    period: Period
    values: Sequence[str]
    milliseconds: int


def lines(
    view: View,
    bill: Bill,
    periods: Iterable[Period],
    grouped: Grouping,
    expression: Expression = EVERYTHING,
    after: str | None = None,
) -> Iterator[tuple[str, Line]]:
    """By period and group, each with its key; beginning after a key.

    A period without charges has one line with nothing at all.
    """
    start, _, last_group = (after or "").partition(_SEPARATOR)
    for period in periods:
        key = period.start.isoformat(timespec="seconds")
        if key >= start:
            for values, milliseconds in _groups(view, bill, period, grouped, expression):
                group = _SEPARATOR.join(values)
                if key > start or group > last_group:
                    yield f"{key}{_SEPARATOR}{group}", Line(period, values, milliseconds)


def _groups(
    view: View, bill: Bill, period: Period, grouped: Grouping, expression: Expression
) -> Sequence[tuple[Sequence[str], int]]:
    found: Counter[tuple[str, ...]] = Counter()
    for charge in view.charges(bill, period):
        if expression.holds(charge):
            found[grouped(charge)] += charge.milliseconds
    return sorted(found.items(), key=lambda item: _SEPARATOR.join(item[0])) or [((), 0)]


class Tidying:
    """Keeps what is kept small: hours become days, days are forgotten."""

    def __init__(self, usages: Usages, clock: Callable[[], datetime]) -> None:
        self._usages, self._clock = usages, clock

    async def tidy(self) -> None:
        """May be done at any time, and by several replicas."""
        now = self._clock()
        await self._usages.roll_up(day_of(now - HOURS_KEPT))
        await self._usages.remove(kept_since(now))
