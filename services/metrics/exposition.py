"""Every service's metrics in one exposition, and which services told theirs."""

from collections.abc import Iterable, Mapping

from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.exposition import Families

SERVICE = "service"
UP = "cadastre_service_up"


class Services(Collector):
    """Whether the services are up, then what they told."""

    def __init__(self, expositions: Mapping[str, bytes | None]) -> None:
        """``expositions`` are the services' answers by service; None: it did not answer."""
        self._expositions = expositions

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily(
            UP, "Whether the service answered this scrape (1) or not (0).", labels=[SERVICE]
        )
        for service, exposition in self._expositions.items():
            up.add_metric([service], 0 if exposition is None else 1)
        yield up
        told = {service: told for service, told in self._expositions.items() if told is not None}
        yield from Families(told, label=SERVICE).collect()


def merge(expositions: Mapping[str, bytes | None]) -> bytes:
    """One exposition in Prometheus's text format, each series labelled with its service."""
    return generate_latest(Services(expositions))
