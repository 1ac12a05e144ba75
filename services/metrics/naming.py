"""What Prometheus calls the metrics of namespace AWS/IPAM (MET-6)."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client.core import GaugeMetricFamily

from services.metrics.series import Metric, Series

Names = Literal["yace", "cloudwatch_exporter"]
"""The exporter of CloudWatch's metrics whose manner is followed."""


@dataclass(frozen=True, slots=True)
class _Form:
    label_of: Callable[[str], str]
    """The label of a dimension."""
    own_labels: tuple[str, ...]
    own_values: Callable[[Series], tuple[str, ...]]


def families(series: Iterable[Series], names: Names) -> list[GaugeMetricFamily]:
    """The series by family, in order of name; a dimension that a series does not have is empty.

    Metrics of the same name and statistic are one family.
    """
    grouped: defaultdict[str, list[Series]] = defaultdict(list)
    for one in series:
        grouped[family_name(one.metric)].append(one)
    return [_family(name, grouped[name], _FORMS[names]) for name in sorted(grouped)]


def family_name(metric: Metric) -> str:
    """``aws_ipam_percent_allocated_average``: both exporters have the same."""
    return f"aws_ipam_{_snake(metric.name)}_{metric.statistic.lower()}"


def _family(name: str, series: Sequence[Series], form: _Form) -> GaugeMetricFamily:
    metrics = {one.metric for one in series}
    dimensions = sorted({dimension for metric in metrics for dimension in metric.dimensions})
    positions = {metric: _positions(metric, dimensions) for metric in metrics}
    labels = [*form.own_labels, *map(form.label_of, dimensions)]
    family = GaugeMetricFamily(name, series[0].metric.help, labels=labels)
    for one in series:
        values = (*one.dimensions, "")
        own = form.own_values(one)
        family.add_metric([*own, *(values[at] for at in positions[one.metric])], one.value)
    return family


def _positions(metric: Metric, dimensions: Iterable[str]) -> list[int]:
    """Where the metric has each dimension; -1, the last one, where it has not."""
    at: Mapping[str, int] = {name: index for index, name in enumerate(metric.dimensions)}
    return [at.get(dimension, -1) for dimension in dimensions]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


_FORMS: Mapping[Names, _Form] = {
    "yace": _Form(
        label_of="dimension_{}".format,
        own_labels=("account_id", "name", "region"),
        own_values=lambda one: (one.account_id, one.resource_arn, one.region),
    ),
    # That one has a label "region" for the dimension, and one region per process; accounts, too.
    "cloudwatch_exporter": _Form(
        label_of=_snake,
        own_labels=("account_id", "home_region", "instance", "job"),
        own_values=lambda one: (one.account_id, one.region, "", "aws_ipam"),
    ),
}


def dimension_label(dimension: str, names: Names) -> str:
    """The label that a dimension is in."""
    return _FORMS[names].label_of(dimension)


def region_label(names: Names) -> str:
    """The label that the IPAM's home region is in."""
    return "region" if names == "yace" else "home_region"
