"""Every service's metrics in one exposition, and which services told theirs."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from shared.exposition import merged

SERVICE, REPLICA = "service", "replica"
UP = "cadastre_service_up"


class Answer(NamedTuple):
    """What one replica of a service told."""

    service: str
    exposition: bytes | None
    """None: it did not answer."""
    replica: str = ""
    """Where it listens, for a service that may be in several places."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Whose the series are."""
        return {SERVICE: self.service, **({REPLICA: self.replica} if self.replica else {})}


def merge(answers: Sequence[Answer]) -> bytes:
    """One exposition in Prometheus's text format, each series labelled with its service."""
    told = [
        (answer.labels, answer.exposition) for answer in answers if answer.exposition is not None
    ]
    return merged([*((answer.labels, _up(answer)) for answer in answers), *told])


def _up(answer: Answer) -> bytes:
    registry = CollectorRegistry()
    up = Gauge(UP, "Whether the service answered this scrape (1) or not (0).", registry=registry)
    up.set(answer.exposition is not None)
    return generate_latest(registry)
