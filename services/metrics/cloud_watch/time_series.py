"""Time series: what queries are answered with, and are reckoned with."""

from typing import NamedTuple

from services.metrics.cloud_watch.samples import Minutes, Values


class TimeSeries(NamedTuple):
    """Values of periods, each at the minute in which its period begins; earliest first."""

    label: str
    """What tells it from others of the same query; empty where it is the only one."""
    minutes: Minutes
    values: Values
