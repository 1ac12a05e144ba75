"""Metrics as requests name them: by namespace, name and dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.metrics.aws_ipam import METRICS
from services.metrics.cloud_watch.history import Line
from services.metrics.series import NAMESPACE, Metric


@dataclass(frozen=True, slots=True)
class NamedMetric:
    """One metric of one thing: whoever leaves out one of its dimensions names another one."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    """Names with their values."""

    @property
    def metric(self) -> Metric | None:
        """What kind it is of; None: there is no such."""
        names = sorted(name for name, _ in self.dimensions)
        return next(
            (one for one in kinds(self.namespace, self.name) if list(one.dimensions) == names), None
        )


@dataclass(frozen=True, slots=True)
class MetricFilter:
    """Which metrics are to be listed; what is None doesn't matter."""

    namespace: str | None = None
    name: str | None = None
    dimensions: Sequence[tuple[str, str | None]] = ()
    """Each has to be there, with its value if one is given."""

    def kinds(self) -> Sequence[Metric]:
        """Kinds of metrics that may have some that pass."""
        needed = {name for name, _ in self.dimensions}
        return [one for one in kinds(self.namespace, self.name) if needed.issubset(one.dimensions)]

    def passes(self, line: Line) -> bool:
        """``line`` is of one of these kinds."""
        values = line.values_by_name
        return all(value in (None, values[name]) for name, value in self.dimensions)


def kinds(namespace: str | None, name: str | None) -> Sequence[Metric]:
    """Those of the namespace and name; None is any."""
    if namespace not in (None, NAMESPACE):
        return []
    return [one for one in METRICS if name in (None, one.name)]
