"""The metrics of namespace AWS/IPAM, and one value of one of them."""

from dataclasses import dataclass
from typing import NamedTuple

NAMESPACE = "AWS/IPAM"

PERCENT, COUNT, NONE = "Percent", "Count", "None"
"""CloudWatch's units; what is a part of 1 has none."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One of the 28 (requirements.md section 13)."""

    name: str
    """CloudWatch's: ``PercentAllocated``. Several groups have a metric of the same name."""
    unit: str
    dimensions: tuple[str, ...]
    """Their names, in order of the alphabet."""
    statistic: str
    """The one that exporters ask for: ``Average``, or ``Maximum`` for what alarms watch."""
    help: str


class Series(NamedTuple):
    """A metric of one thing at one moment."""

    metric: Metric
    dimensions: tuple[str, ...]
    """Values, in the order of the metric's dimensions."""
    account_id: str
    """Account that owns the IPAM: it is the one that sees the metric in CloudWatch."""
    region: str
    """Home region of the IPAM, where the metric is."""
    resource_arn: str
    """ARN of what it is about."""
    value: float
