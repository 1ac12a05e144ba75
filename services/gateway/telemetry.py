"""What the gateway counts. Labels come from finite sets: actions of AWS, pages, HTTP statuses."""

from prometheus_client import Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from shared.telemetry import new_registry

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Telemetry:
    """The gateway's own metrics."""

    def __init__(self) -> None:
        self._registry = registry = new_registry()
        self._requests = Counter(
            "cadastre_gateway_requests",
            "Requests answered: of AWS's protocols, and the console's.",
            ("action", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "cadastre_gateway_request_duration_seconds",
            "Time from a request's head to its answer.",
            ("action",),
            registry=registry,
        )

    def record(self, action: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(action, status).inc()
        self._seconds.labels(action).observe(seconds)

    def exposition(self) -> bytes:
        """Everything, as Prometheus scrapes it."""
        return generate_latest(self._registry)
