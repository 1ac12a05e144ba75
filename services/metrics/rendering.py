"""Figures in Prometheus's text format."""

from collections.abc import Iterable, Sequence

from prometheus_client import generate_latest
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from services.metrics.aws_series import series_of
from services.metrics.figures import IpamFigures, Utilization
from services.metrics.naming import Names, families
from services.metrics.own_series import own_families, resource_families
from services.metrics.series import Series


class _Made(Collector):
    def __init__(self, made: Sequence[Family]) -> None:
        self._made = made

    def collect(self) -> Iterable[Family]:
        return self._made


def render(figures: Sequence[IpamFigures], names: Names) -> tuple[list[Series], bytes]:
    """The series of namespace AWS/IPAM, and these and our own as text."""
    series = series_of(figures)
    text = generate_latest(_Made([*families(series, names), *own_families(figures)]))
    return series, text


def render_resources(usages: Iterable[Utilization]) -> bytes:
    """The usage of every resource, as text."""
    return generate_latest(_Made(resource_families(usages)))
