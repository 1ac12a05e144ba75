"""The metrics of many made one exposition, as Prometheus would have it from one target."""

from collections.abc import Iterable, Mapping

from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample


class Families(Collector):
    """The families of all, one of each name, each series labelled with whose it is."""

    def __init__(self, expositions: Mapping[str, bytes], *, label: str) -> None:
        """``expositions``, in Prometheus' text format, by the values that ``label`` is to have.

        A series that has the label already keeps its value under ``exported_<label>``, as in
        Prometheus.
        """
        self._families: dict[str, Metric] = {}
        self._label = label
        for value, exposition in expositions.items():
            for family in text_string_to_metric_families(exposition.decode()):
                self._add(value, family)

    def collect(self) -> Iterable[Metric]:
        """What they told."""
        return self._families.values()

    def _add(self, value: str, family: Metric) -> None:
        known = self._families.setdefault(
            family.name, Metric(family.name, family.documentation, family.type, family.unit)
        )
        if known.type != family.type:
            # A family has one type; while a release is rolled out, services may disagree about it.
            known.type = "unknown"
        known.samples.extend(self._labelled(sample, value) for sample in family.samples)

    def _labelled(self, sample: Sample, value: str) -> Sample:
        own = {
            f"exported_{name}" if name == self._label else name: value
            for name, value in sample.labels.items()
        }
        return sample._replace(labels={self._label: value, **own})
