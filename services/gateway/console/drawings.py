"""Charts as SVG: lines over time, shares of a whole. Colours are in ``drawings.css``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil, log10

from markupsafe import Markup

from services.gateway.console.words import percent_of, share_of

_WIDTH, _HEIGHT = 480, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 8, 22
_TICKS = 4
_MOST_TICKS = 6
_LONGEST_STEP = 2
"""Of a line, in its shortest steps: where it would be longer, figures are missing."""
_STEPS: Sequence[timedelta] = (
    *(timedelta(seconds=seconds) for seconds in (1, 2, 5, 10, 30)),
    *(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30)),
    *(timedelta(hours=hours) for hours in (1, 2, 3, 6, 12)),
    *(timedelta(days=days) for days in (1, 2, 7, 30)),
)


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart."""

    name: str
    points: Sequence[tuple[datetime, float]]
    """In the order of time."""


@dataclass(frozen=True, slots=True)
class Part:
    """A share of a whole."""

    name: str
    count: int
    tone: str
    """As badges have it: ``good``, ``bad``, ``plain``, ``quiet`` or ``busy``."""
    url: str = ""


def line_chart(
    name: str, series: Sequence[Series], start: datetime, end: datetime, *, unit: str = ""
) -> Markup:
    """Lines from ``start`` to ``end``, above zero; ``name`` is for who can't see them."""
    most = _round_up(max((value for one in series for _, value in one.points), default=0))
    parts = [*_value_axis(most, unit), *_time_axis(start, end)]
    for number, one in enumerate(series, 1):
        for run in _runs(one.points):
            places = [(_x(moment, start, end), _y(value, most)) for moment, value in run]
            parts.append(_drawn(number, one.name, places))
    return Markup(
        '<svg class="line-chart" role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>'
    ).format(_told(name, series, unit), _WIDTH, _HEIGHT, Markup("").join(parts))


def _runs(
    points: Sequence[tuple[datetime, float]],
) -> Sequence[Sequence[tuple[datetime, float]]]:
    """The points that belong together: between two runs figures are missing."""
    steps = [later[0] - earlier[0] for earlier, later in pairwise(points)]
    breaks = [at for at, step in enumerate(steps, 1) if step > _LONGEST_STEP * min(steps)]
    edges = [0, *breaks, len(points)]
    return [points[first:last] for first, last in pairwise(edges) if first < last]


def _drawn(number: int, name: str, places: Sequence[tuple[float, float]]) -> Markup:
    if len(places) == 1:
        [(x, y)] = places
        return Markup(
            '<circle class="dot line-{}" cx="{:.1f}" cy="{:.1f}" r="2"><title>{}</title></circle>'
        ).format(number, x, y, name)
    return Markup('<polyline class="line line-{}" points="{}"><title>{}</title></polyline>').format(
        number, " ".join(f"{x:.1f},{y:.1f}" for x, y in places), name
    )


def stacked_bar(name: str, parts: Sequence[Part]) -> Markup:
    """Shares of a whole side by side."""
    whole = sum(part.count for part in parts)
    drawn, x = [], 0.0
    for part in parts:
        width = share_of(part.count, whole)
        if part.count:
            drawn.append(
                Markup(
                    '<rect class="part-{}" x="{:.2f}" width="{:.2f}" height="10">'
                    "<title>{}: {}</title></rect>"
                ).format(part.tone, x, max(width - 0.4, 0.4), part.name, part.count)
            )
        x += width
    told = ", ".join(f"{part.name} {part.count}" for part in parts)
    return Markup(
        '<svg class="stacked-bar" role="img" aria-label="{}: {}" viewBox="0 0 100 10"'
        ' preserveAspectRatio="none"><rect class="part-none" width="100" height="10"/>{}</svg>'
    ).format(name, told, Markup("").join(drawn))


def _told(name: str, series: Sequence[Series], unit: str) -> str:
    last = ", ".join(
        f"{one.name} {_number(one.points[-1][1], unit)}" for one in series if one.points
    )
    return f"{name}; last: {last}" if last else f"{name}; no data"


def _round_up(value: float) -> float:
    """A round number not below ``value``, which ticks divide evenly."""
    # A tick is a whole number: no count is between two of them.
    tick = max(1.0, value / _TICKS)
    power: int = 10 ** int(log10(tick))
    steps = (1, 2, 2.5, 3, 4, 5, 10) if power > 1 else (1, 2, 3, 4, 5, 10)
    return _TICKS * power * next(step for step in steps if step * power >= tick)


def _x(moment: datetime, start: datetime, end: datetime) -> float:
    share: float = (moment - start) / (end - start)
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float, most: float) -> float:
    return _TOP + (1 - value / most) * (_HEIGHT - _TOP - _BOTTOM)


def _number(value: float, unit: str) -> str:
    if unit == "%":
        return percent_of(value)
    return f"{value:,.0f}"


def _value_axis(most: float, unit: str) -> Sequence[Markup]:
    values = [most * number / _TICKS for number in range(_TICKS + 1)]
    return [
        Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
            '<text class="axis" x="{}" y="{:.1f}" text-anchor="end">{}</text>'
        ).format(
            _LEFT,
            _WIDTH - _RIGHT,
            _y(value, most),
            _y(value, most),
            _LEFT - 6,
            _y(value, most) + 4,
            _number(value, unit),
        )
        for value in values
    ]


def time_ticks(start: datetime, end: datetime) -> Sequence[tuple[datetime, str]]:
    """A few round times between two, each as an axis has it (UTC)."""
    span = end - start
    step = next((one for one in _STEPS if span / one <= _MOST_TICKS), span / _MOST_TICKS)
    form = "%H:%M" if step < timedelta(days=1) else "%m-%d"
    form = "%H:%M:%S" if step < timedelta(minutes=1) else form
    seconds = step.total_seconds()
    first = datetime.fromtimestamp(ceil(start.timestamp() / seconds) * seconds, start.tzinfo)
    ticks = [first + number * step for number in range(_MOST_TICKS + 1)]
    return [(tick, tick.strftime(form)) for tick in ticks if tick <= end]


def _time_axis(start: datetime, end: datetime) -> Sequence[Markup]:
    return [
        Markup('<text class="axis" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            _x(tick, start, end), _HEIGHT - 6, label
        )
        for tick, label in time_ticks(start, end)
    ]
