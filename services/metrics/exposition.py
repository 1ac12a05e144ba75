"""Many services' metrics made one exposition, as Prometheus would have it from one target."""

from collections.abc import Iterable, Mapping

from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

SERVICE = "service"
EXPORTED_SERVICE = "exported_service"
"""What a label of ours becomes that a service has used itself, as in Prometheus."""

UP = "cadastre_service_up"


class Families(Collector):
    """The families of all services, one of each name."""

    def __init__(self, expositions: Mapping[str, bytes | None]) -> None:
        """``expositions`` are the services' answers by service; None: it did not answer."""
        self._families: dict[str, Metric] = {}
        self._up = GaugeMetricFamily(
            UP, "Whether the service answered this scrape (1) or not (0).", labels=[SERVICE]
        )
        for service, exposition in expositions.items():
            self._up.add_metric([service], 0 if exposition is None else 1)
            for family in text_string_to_metric_families((exposition or b"").decode()):
                self._add(service, family)

    def collect(self) -> Iterable[Metric]:
        """Whether the services are up, then what they told."""
        yield self._up
        yield from self._families.values()

    def _add(self, service: str, family: Metric) -> None:
        known = self._families.setdefault(
            family.name, Metric(family.name, family.documentation, family.type, family.unit)
        )
        if known.type != family.type:
            # A family has one type; while a release is rolled out, services may disagree about it.
            known.type = "unknown"
        known.samples.extend(_labelled(sample, service) for sample in family.samples)


def merge(expositions: Mapping[str, bytes | None]) -> bytes:
    """One exposition in Prometheus's text format, each series labelled with its service."""
    return generate_latest(Families(expositions))


def _labelled(sample: Sample, service: str) -> Sample:
    own = {
        EXPORTED_SERVICE if name == SERVICE else name: value
        for name, value in sample.labels.items()
    }
    return sample._replace(labels={SERVICE: service, **own})
